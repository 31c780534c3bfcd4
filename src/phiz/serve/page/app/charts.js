// Charts as inline SVG, drawn as wide as they are shown, so that their text keeps its size. Colours: audience.css.

const SVG = "http://www.w3.org/2000/svg";
const ROW = 30; // height of a bar with its gap
const LABELS = 64; // width of the labels of rows
const VALUES = 52; // width of the figure behind a bar

/** Columns over time; bars: of counts.js; from, to: milliseconds; ticks: [{at, text}]; title: text of a bar. */
export function columns(width, { bars, from, to, ticks, title, label }) {
  const height = 210;
  const [left, top, bottom] = [44, 12, 26];
  const most = Math.max(1e-9, ...bars.map(({ base, rate }) => base + rate));
  const scale = steps(most);
  const x = (time) => left + ((time - from) / (to - from)) * (width - left - 2);
  const y = (rate) => height - bottom - (rate / scale.at(-1)) * (height - bottom - top);
  const chart = svg(width, height, label);
  for (const step of scale) {
    add(chart, "line", { x1: left, x2: width, y1: y(step), y2: y(step), class: step ? "grid" : "axis" });
    add(chart, "text", { x: left - 8, y: y(step) + 4, class: "end" }, step);
  }
  for (const { at, text } of ticks) add(chart, "text", { x: x(at), y: height - 6, class: "middle" }, text);
  for (const bar of bars) {
    const [x1, x2] = [x(bar.start), x(bar.end)];
    const gap = bar.longer ? 0 : Math.min(2, (x2 - x1) / 5);
    const place = { x: x1 + gap / 2, width: Math.max(0.5, x2 - x1 - gap), y: y(bar.base + bar.rate) };
    const size = { height: y(bar.base) - y(bar.base + bar.rate), class: bar.longer ? "spread" : "bar" };
    add(add(chart, "rect", { ...place, ...size }), "title", {}, title(bar));
  }
  return chart;
}

/** A bar for each of `all`: {name, value, text}; most: the value of the longest possible one. */
export function rows(width, { all, most, label }) {
  const chart = svg(width, all.length * ROW, label);
  const room = width - LABELS - VALUES;
  all.forEach(({ name, value, text }, i) => {
    const long = room * (most ? value / most : 0);
    add(chart, "text", { x: LABELS - 8, y: i * ROW + 20, class: "end" }, name);
    add(chart, "rect", { x: LABELS, y: i * ROW + 5, width: long, height: ROW - 10, rx: 3, class: "bar" });
    add(chart, "text", { x: LABELS + long + 7, y: i * ROW + 20, class: "value" }, text);
  });
  return chart;
}

/** Two bars for each of `all`, left and right of its name: {name, values, texts}; heads: of the two sides. */
export function sides(width, { all, heads, label }) {
  const chart = svg(width, (all.length + 1) * ROW - 6, label);
  const room = (width - LABELS) / 2 - 34;
  const most = Math.max(1, ...all.flatMap(({ values }) => values));
  heads.forEach((head, side) => add(chart, "text", { ...beside(width, side, 0), y: 16 }, head));
  all.forEach(({ name, values, texts }, i) => {
    const y = (i + 1) * ROW - 6;
    add(chart, "text", { x: width / 2, y: y + 20, class: "middle" }, name);
    values.forEach((value, side) => {
      const long = (room * value) / most;
      const x = (width + (side ? LABELS : -LABELS)) / 2 - (side ? 0 : long);
      const bar = { x, y: y + 5, width: long, height: ROW - 10, rx: 3, class: side ? "other" : "bar" };
      add(chart, "rect", bar);
      add(chart, "text", { ...beside(width, side, long + 7), y: y + 20 }, texts[side]).classList.add("value");
    });
  });
  return chart;
}

/** Where a text stands that lies so far out from the names in the middle, on the left (0) or the right (1). */
function beside(width, side, far) {
  const out = LABELS / 2 + far;
  return side ? { x: width / 2 + out, class: "start" } : { x: width / 2 - out, class: "end" };
}

/** Round numbers from 0 to just above `most`, at most six. */
export function steps(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

function svg(width, height, label) {
  const chart = document.createElementNS(SVG, "svg");
  set(chart, { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  return chart;
}

function add(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, typeof value === "number" ? Math.round(value * 100) / 100 : value);
  }
}
