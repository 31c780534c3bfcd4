// The audience's charts: which figures go where, in words.

import { columns, rows, sides } from "./charts.js";
import { attention, byGroup, dwell, overTime, summary } from "./counts.js";
import { addDays, clock, dateOf, shortDate } from "./dates.js";
import { say } from "./words.js";

const byId = (id) => document.getElementById(id);
const HOUR = 3600e3;
const DAY = 86400e3;

/** Draw every chart; over: the report by the chosen period, groups: by the day, both of the same days. */
export function drawCharts(over, groups) {
  drawTime(over);
  drawGroups(groups.lines);
  const stays = dwell(groups.lines).map(({ seconds, people }) => ({
    name: say("audience.seconds", { n: seconds }),
    value: people,
    text: people,
  }));
  draw("chart-dwell", rows, { all: stays, most: Math.max(...stays.map(({ value }) => value)), label: listed(stays) });
  const bands = attention(groups.lines).map(({ age, facing }) => share(age, facing));
  const shares = [share(say("audience.all"), summary(groups.lines).facing ?? 0), ...bands];
  draw("chart-attention", rows, { all: shares, most: 1, label: listed(shares) });
}

/** The time or date that a line or bar is about, in words. */
export function when({ start, end, longer }, report) {
  const date = shortDate(dateOf(start, report));
  if (report.period === "day") return date;
  if (longer && end - start > HOUR) return `${date}, ${say("audience.any.hour")}`;
  return longer ? `${clock(start, report)}, ${say("audience.any.minute")}` : clock(start, report);
}

/** A share of one as "46%". */
export function percent(part) {
  return `${Math.round(100 * part)}%`;
}

function drawTime(over) {
  const bars = overTime(over);
  byId("chart-time-unit").textContent = say(`audience.per.${over.period}`);
  byId("chart-time-spread").hidden = !bars.some(({ longer }) => longer);
  draw("chart-time", columns, {
    bars,
    from: Date.parse(over.from),
    to: Date.parse(over.to),
    ticks: ticks(over),
    title: (bar) => `${when(bar, over)}: ${bar.people}`,
    label: most(bars, over),
  });
}

function drawGroups(lines) {
  const { bands, unsure, mixed } = byGroup(lines);
  const rest = [["audience.unsure", unsure], ["audience.mixed", mixed]].filter(([, n]) => n);
  byId("chart-groups-mixed").textContent = rest.map(([words, n]) => say(words, { n })).join(", ");
  const [female, male, other] = [say("female"), say("male"), say("audience.unsure.group")];
  const told = (people) => (people === 0 && mixed ? "–" : people); // none, or too few to tell
  draw("chart-groups", sides, {
    all: bands.map((band) => ({ name: band.age, values: [band.female, band.male], texts: [band.female, band.male].map(told) })),
    heads: [female, male],
    label: bands
      .map((band) => `${band.age}: ${female} ${told(band.female)}, ${male} ${told(band.male)}, ${other} ${told(band.unsure)}`)
      .join("; "),
  });
}

/** What a chart over time shows, for whoever cannot see it; the table has every figure. */
function most(bars, over) {
  const highest = bars.filter(({ longer }) => !longer).sort((a, b) => b.people - a.people)[0];
  if (!highest) return say("audience.time");
  return say("audience.most", { when: when(highest, over), n: highest.people });
}

/** Where the axis of time is labelled: every seventh day, or every sixth hour. */
function ticks(over) {
  const [from, to] = [Date.parse(over.from), Date.parse(over.to)];
  const byDay = over.period === "day";
  const found = [];
  for (let at = from, days = 0; at < to; at += byDay ? 7 * DAY : 6 * HOUR, days += 7) {
    if (byDay) found.push({ at: at + DAY / 2, text: shortDate(addDays(over.from.slice(0, 10), days)) });
    else if (at > from) found.push({ at, text: clock(at, over) });
  }
  return found;
}

function share(name, facing) {
  return { name, value: facing, text: percent(facing) };
}

function draw(id, chart, what) {
  const place = byId(id);
  place.replaceChildren(chart(place.clientWidth, what));
}

function listed(all) {
  return all.map(({ name, text }) => `${name}: ${text}`).join(", ");
}
