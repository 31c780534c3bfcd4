// Sums over the lines of /v1/audience, for the charts. A line without figures (fewer than k people) counts nothing.

export const AGES = ["0-12", "13-19", "20-39", "40-59", "60+"];
// Bins of the time in view, by the name of their field.
export const DWELL = {
  dwell_0_5: "0-5",
  dwell_5_15: "5-15",
  dwell_15_30: "15-30",
  dwell_30_60: "30-60",
  dwell_60_180: "60-180",
  dwell_180_more: "180+",
};
// In place of an age band or a gender that the estimate leaves open.
export const NOT_SURE = "not sure";
const UNITS = { minute: 60e3, hour: 3600e3, day: 86400e3 };

/** The lines that have figures. */
export function told(lines) {
  return lines.filter(({ people }) => people !== null);
}

/** People, mean seconds in view, and the share of that time with the face to the screen; null for no people. */
export function summary(lines) {
  const total = (name) => told(lines).reduce((sum, line) => sum + line[name], 0);
  const people = total("people");
  const presence = total("presence_seconds");
  return {
    people,
    mean: people ? presence / people : null,
    facing: presence ? total("attention_seconds") / presence : null,
  };
}

/**
 * What to draw over time: {start, end (milliseconds), people, rate (people per asked period), base, longer} each.
 *
 * A span longer than the asked period holds people of whom it is not told when in it they came; they are spread
 * over it, below the others: `base` is the rate of what lies below.
 */
export function overTime({ period, lines }) {
  const spans = new Map();
  for (const line of told(lines)) {
    const key = `${line.start} ${line.end}`;
    const [start, end] = [Date.parse(line.start), Date.parse(line.end)];
    const longer = line.period !== period;
    const span = spans.get(key) ?? { start, end, people: 0, longer };
    span.people += line.people;
    spans.set(key, span);
  }
  const bars = [...spans.values()].sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start);
  bars.forEach((bar, i) => {
    bar.rate = bar.longer ? (bar.people * UNITS[period]) / (bar.end - bar.start) : bar.people;
    const below = bars.slice(0, i).filter(({ longer, start, end }) => longer && start <= bar.start && bar.end <= end);
    bar.base = below.reduce((sum, { rate }) => sum + rate, 0);
  });
  return bars;
}

/** People by age band, as [{age, female, male, unsure}]; how many are unsure in all, and in no group: {bands, unsure, mixed}. */
export function byGroup(lines) {
  const bands = AGES.map((age) => ({ age, female: 0, male: 0, unsure: 0 }));
  let [unsure, mixed] = [0, 0];
  for (const { age, gender, people } of told(lines)) {
    const band = bands.find((one) => one.age === age);
    if (gender === NOT_SURE) unsure += people;
    else if (!band) mixed += people;
    if (band) band[gender === NOT_SURE ? "unsure" : gender] += people;
  }
  return { bands, unsure, mixed };
}

/** How many were in view for how long, as [{seconds, people}]. */
export function dwell(lines) {
  return Object.entries(DWELL).map(([name, seconds]) => ({
    seconds,
    people: told(lines).reduce((sum, line) => sum + line[name], 0),
  }));
}

/** The share of the time in view with the face to the screen, as [{age, facing}] for bands that have people. */
export function attention(lines) {
  const bands = AGES.map((age) => ({ age, ...summary(lines.filter((line) => line.age === age)) }));
  return bands.filter(({ facing }) => facing !== null).map(({ age, facing }) => ({ age, facing }));
}

/** Whether a content of a screen is among the lines of /v1/audience/contents. */
export function hasContents(lines) {
  return lines.some(({ content }) => content !== "(nothing)");
}

/** What must not be read out of these lines, as keys of the page's words. */
export function cautions(lines) {
  const counted = told(lines);
  const found = [];
  if (counted.some((line) => line.too_few)) found.push("content.caution.few");
  if (counted.length && !counted.some((line) => line.random)) found.push("content.caution.random");
  return found;
}
