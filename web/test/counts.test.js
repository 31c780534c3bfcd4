// The figures of the audience charts: sums over the lines of /v1/audience, and round numbers on an axis.

import assert from "node:assert/strict";
import { test } from "node:test";

import { steps } from "../../src/phiz/serve/page/app/charts.js";
import { attention, byGroup, cautions, dwell, hasContents, overTime, summary } from "../../src/phiz/serve/page/app/counts.js";
import { addDays, clock, dateOf } from "../../src/phiz/serve/page/app/dates.js";

const DWELL = ["0_5", "5_15", "15_30", "30_60", "60_180", "180_more"].map((bin) => `dwell_${bin}`);

function line(start, end, period, age, gender, people, presence = 10 * people, attention = 5 * people) {
  const bins = Object.fromEntries(DWELL.map((name, i) => [name, people === null ? null : i === 1 ? people : 0]));
  const figures = { people, presence_seconds: presence, attention_seconds: attention, ...bins };
  return { start: `2026-11-21T${start}:00+09:00`, end: `2026-11-21T${end}:00+09:00`, period, age, gender, ...figures };
}

const HOURS = [
  line("09:00", "10:00", "hour", "20-39", "female", 6, 60, 15),
  line("09:00", "10:00", "hour", "20-39", "male", 8, 20, 15),
  line("10:00", "11:00", "hour", "60+", "male", 5, 50, 50),
  line("10:00", "11:00", "hour", "mixed", "mixed", 7),
  line("10:00", "11:00", "hour", "40-59", "not sure", 6, 60, 0),
  line("10:00", "11:00", "hour", "not sure", "not sure", 5, 50, 0),
  { ...line("00:00", "00:00", "day", "mixed", "mixed", 12), end: "2026-11-22T00:00:00+09:00" },
  line("11:00", "12:00", "day", "mixed", "mixed", null, null, null),
];

test("sums of people, time and attention leave out lines without figures", () => {
  assert.deepEqual(summary(HOURS), { people: 49, mean: 430 / 49, facing: 175 / 430 });
  assert.deepEqual(summary(HOURS.slice(-1)), { people: 0, mean: null, facing: null });
});

test("groups of one hour are one bar; what is spread over a day lies below every hour", () => {
  const bars = overTime({ period: "hour", lines: HOURS });
  assert.deepEqual(
    bars.map(({ people, rate, base, longer }) => ({ people, rate, base, longer })),
    [
      { people: 12, rate: 0.5, base: 0, longer: true },
      { people: 14, rate: 14, base: 0.5, longer: false },
      { people: 23, rate: 23, base: 0.5, longer: false },
    ],
  );
  assert.equal(bars[1].end - bars[1].start, 3600e3);
  assert.equal(new Date(bars[1].start).toISOString(), "2026-11-21T00:00:00.000Z");
});

test("in a report by the minute an hour's other minutes lie over the day's other hours", () => {
  const lines = [
    line("09:07", "09:08", "minute", "all", "all", 5),
    line("09:00", "10:00", "hour", "all", "all", 30),
    { ...line("00:00", "00:00", "day", "all", "all", 144), end: "2026-11-22T00:00:00+09:00" },
  ];
  const bars = overTime({ period: "minute", lines });
  assert.deepEqual(bars.map(({ rate, base }) => [rate, base]), [[0.1, 0], [0.5, 0.1], [5, 0.6]]);
});

test("people by age band and gender, those whose gender is not sure, and those of no group", () => {
  const { bands, unsure, mixed } = byGroup(HOURS);
  assert.deepEqual([unsure, mixed], [11, 19]);
  assert.deepEqual(bands.filter(({ female, male, unsure }) => female + male + unsure), [
    { age: "20-39", female: 6, male: 8, unsure: 0 },
    { age: "40-59", female: 0, male: 0, unsure: 6 },
    { age: "60+", female: 0, male: 5, unsure: 0 },
  ]);
  assert.equal(bands.length, 5);
});

test("time in view, and attention by age band", () => {
  assert.deepEqual(dwell(HOURS).map(({ people }) => people), [0, 49, 0, 0, 0, 0]);
  assert.deepEqual(attention(HOURS), [
    { age: "20-39", facing: 30 / 80 },
    { age: "40-59", facing: 0 },
    { age: "60+", facing: 1 },
  ]);
});

test("an axis ends in a round number just above what it shows", () => {
  assert.deepEqual(steps(113), [0, 50, 100, 150]);
  assert.deepEqual(steps(0.42), [0, 0.2, 0.4, 0.6]);
  assert.deepEqual(steps(4), [0, 1, 2, 3, 4]);
  for (const most of [1e-9, 0.3, 1, 7, 99, 101, 4999]) {
    const scale = steps(most);
    assert.ok(scale.at(-1) >= most && scale.at(-2) < most && scale.length <= 6, `${most}: ${scale}`);
  }
});

test("dates and times are those of the report's zone, whatever the browser's", () => {
  const seoul = { zone: "Asia/Seoul", from: "2026-11-21T00:00:00+09:00" };
  const unnamed = { ...seoul, zone: "" };
  const instant = Date.parse("2026-11-20T15:30:00Z");
  for (const report of [seoul, unnamed]) {
    assert.equal(dateOf(instant, report), "2026-11-21");
    assert.equal(clock(instant, report), "00:30");
  }
  const berlin = { zone: "Europe/Berlin", from: "2026-10-25T00:00:00+02:00" };
  assert.equal(clock(Date.parse("2026-10-25T11:00:00Z"), berlin), "12:00"); // after the clock went back that night
  assert.equal(addDays("2026-03-01", -1), "2026-02-28");
});

test("what must not be read out of the figures of contents", () => {
  const content = (content, people, too_few, random = false) => ({ content, people, too_few, random });
  assert.equal(hasContents([]), false);
  assert.equal(hasContents([content("(nothing)", 8, true)]), false);
  assert.equal(hasContents([content("(mixed)", 8, true)]), true);
  assert.deepEqual(cautions([]), []);
  assert.deepEqual(cautions([content("a", null, null)]), []);
  assert.deepEqual(cautions([content("a", 30, false)]), ["content.caution.random"]);
  assert.deepEqual(cautions([content("a", 30, true), content("a", 30, false, true)]), ["content.caution.few"]);
});
