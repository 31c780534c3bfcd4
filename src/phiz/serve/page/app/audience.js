// The audience panel: what `phiz watch --audience` counted, where the service was started with its database.

import { DWELL, NOT_SURE, cautions, hasContents, summary, told } from "./counts.js";
import { addDays, longDate } from "./dates.js";
import { drawCharts, percent, when } from "./figures.js";
import { complain, tell } from "./notices.js";
import { tableRow } from "./results.js";
import { ask } from "./server.js";
import { Plain, say } from "./words.js";

const byId = (id) => document.getElementById(id);
// Days shown at a time, by the period.
const DAYS = { day: 31, hour: 1, minute: 1 };
// Columns of the table that hold no figures.
const TEXTS = [0, 1, 2];
const CONTENT_TEXTS = [0, 1, 2, 3, 9];
// What is told in place of a content.
const CONTENTS = { "(mixed)": "content.mixed", "(nothing)": "content.nothing" };
// What the groups are called that are no age band.
const NAMES = {
  female: "female",
  male: "male",
  [NOT_SURE]: "audience.unsure.group",
  all: "audience.all",
  mixed: "audience.mixed.group",
};

let token;
let first; // the oldest and the newest date with people, "YYYY-MM-DD"
let newest;
let last; // the newest date that is shown
let shown = null; // {over, groups, contents}: the reports by the chosen period, by the day and by content
let turn = 0; // a later click overtakes an answer that is still to come

/** Show the panel if the service has an audience database and the token fits. */
export async function findAudience(given) {
  token = given;
  try {
    const response = await ask("v1/models", token);
    if (!response.ok || !(await response.json()).audience) return;
  } catch {
    return; // the engine says what is wrong with the service
  }
  byId("audience").hidden = false;
  await refresh();
}

/** Listen to the panel's controls: it asks for counts when one is used, never by itself. */
export function listenToAudience() {
  for (const radio of document.querySelectorAll("[name=per]")) radio.addEventListener("change", show);
  byId("refresh").addEventListener("click", refresh);
  byId("earlier").addEventListener("click", ({ target }) => move(target, -1));
  byId("later").addEventListener("click", ({ target }) => move(target, 1));
  new ResizeObserver(draw).observe(byId("charts"));
}

/** Show the panel again, as after a change of language. */
export function rewriteAudience() {
  if (shown) write();
}

async function refresh() {
  const all = await read("day", {});
  if (!all) return;
  const dates = all.lines.map(({ start }) => start.slice(0, 10));
  newest = dates.at(-1) ?? addDays(all.to.slice(0, 10), -1);
  first = dates[0] ?? newest;
  last = newest;
  await show();
}

function move(button, direction) {
  if (button.getAttribute("aria-disabled") === "true") return;
  last = addDays(last, direction * DAYS[chosen()]);
  show();
}

async function show() {
  if (last > newest) last = newest;
  const period = chosen();
  const span = { from: addDays(last, 1 - DAYS[period]), to: addDays(last, 1) };
  const mine = ++turn;
  byId("audience").setAttribute("aria-busy", "true");
  const asked = [read(period, span), read("day", span), get(`v1/audience/contents?${new URLSearchParams(span)}`)];
  const [over, groups, contents] = await Promise.all(asked);
  if (mine !== turn) return;
  byId("audience").removeAttribute("aria-busy");
  if (!over || !groups || !contents) return;
  shown = { over, groups, contents };
  write();
  tell(`${dates()}: ${say("audience.people")} ${summary(groups.lines).people}`);
}

function read(period, span) {
  return get(`v1/audience?${new URLSearchParams({ period, ...span })}`);
}

async function get(path) {
  try {
    const response = await ask(path, token);
    if (response.ok) return await response.json();
    if (response.status === 401) throw new Plain("error.token");
    const { detail = `HTTP ${response.status}` } = await response.json().catch(() => ({}));
    throw new Plain("error.audience", { detail });
  } catch (error) {
    complain(error);
    return null;
  }
}

function chosen() {
  return document.querySelector("[name=per]:checked").value;
}

function write() {
  const { over, groups } = shown;
  const [people, mean, facing] = figures(summary(groups.lines));
  byId("audience-dates").textContent = dates();
  byId("earlier").setAttribute("aria-disabled", String(over.from.slice(0, 10) <= first));
  byId("later").setAttribute("aria-disabled", String(last >= newest));
  byId("figure-people").textContent = people;
  byId("figure-mean").textContent = mean;
  byId("figure-facing").textContent = facing;
  const untold = groups.lines.length - told(groups.lines).length;
  const notes = [say("audience.k", { k: over.k })];
  if (over.zone) notes.push(say("audience.zone", { zone: over.zone }));
  if (untold) notes.push(say("audience.few", { n: untold, k: over.k }));
  byId("audience-note").textContent = notes.join(" ");
  byId("charts").hidden = people === 0;
  byId("audience-none").hidden = people > 0;
  byId("audience-rows").replaceChildren(...over.lines.map((line) => tableRow(cells(line, over), TEXTS)));
  writeContents(shown.contents);
  draw();
}

function writeContents({ k, lines }) {
  byId("contents").hidden = !hasContents(lines);
  byId("content-rows").replaceChildren(...lines.map((line) => tableRow(contentCells(line, k), CONTENT_TEXTS)));
  byId("content-note").textContent = cautions(lines).map((key) => say(key)).join(" ");
}

function contentCells(line, k) {
  const seconds = (n) => say("audience.seconds", { n: n.toFixed(0) });
  const texts = [
    line.content in CONTENTS ? say(CONTENTS[line.content]) : line.content,
    line.random ? say("content.yes") : "",
    nameOf(line.age),
    nameOf(line.gender),
  ];
  if (line.people === null) return [...texts, "–", `<${k}`, "–", "–", "–", ""];
  const interval = line.interval_low === null ? "–" : `${line.interval_low.toFixed(2)} – ${line.interval_high.toFixed(2)}`;
  return [
    ...texts,
    seconds(line.shown_seconds),
    line.viewers,
    seconds(line.attention_seconds),
    line.attention_per_second === null ? "–" : line.attention_per_second.toFixed(2),
    interval,
    line.too_few ? say("content.few") : "",
  ];
}

function nameOf(group) {
  return group in NAMES ? say(NAMES[group]) : group;
}

function draw() {
  if (shown && byId("charts").clientWidth) drawCharts(shown.over, shown.groups);
}

function cells(line, over) {
  const span = { start: Date.parse(line.start), end: Date.parse(line.end), longer: line.period !== over.period };
  const counts = Object.keys(DWELL).map((name) => line[name] ?? "–");
  const values = line.people === null ? [`<${over.k}`, "–", "–"] : figures(summary([line]));
  return [when(span, over), nameOf(line.age), nameOf(line.gender), ...values, ...counts];
}

function figures({ people, mean, facing }) {
  return [
    people,
    mean === null ? "–" : say("audience.seconds", { n: mean.toFixed(1) }),
    facing === null ? "–" : percent(facing),
  ];
}

function dates() {
  const from = shown.over.from.slice(0, 10);
  return from === last ? longDate(last) : `${longDate(from)} – ${longDate(last)}`;
}
