// How sure an answer is: Python and JavaScript say the same of the same looks and network outputs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cautionOf, curve, judge } from "../../src/phiz/serve/page/phiz/certainty.js";
import { faceCrop, fit } from "../../src/phiz/serve/page/phiz/crop.js";
import { light, pose, qualityOf } from "../../src/phiz/serve/page/phiz/quality.js";
import { fixture, picture } from "./files.js";

// Sums of whole numbers are equal; of sines and logarithms the last digit may not be.
const ALMOST = 1e-9;

function near(found, expected, what) {
  if (expected === null) assert.equal(found, null, what);
  else assert.ok(Math.abs(found - expected) <= ALMOST, `${what}: ${found} is not ${expected}`);
}

test("the quality of every crop is Python's", () => {
  assert.ok(fixture.crops.length >= 10);
  for (const { picture: name, file, keypoints, size, quality } of fixture.crops) {
    const whole = picture(`${name}.png`);
    const crop = faceCrop(whole, keypoints, size, fixture.template);
    const found = qualityOf(crop, size, keypoints, fit(keypoints, size, fixture.template), whole);
    assert.deepEqual(Object.keys(found), Object.keys(quality));
    for (const [signal, value] of Object.entries(quality)) near(found[signal], value, `${file}, ${signal}`);
    assert.deepEqual([found.sharpness, found.brightness, found.inside], [quality.sharpness, quality.brightness, quality.inside]);
  }
  const insides = new Set(fixture.crops.map(({ quality }) => quality.inside));
  assert.ok(insides.size > 3, "crops past the picture's edge are among them");
});

test("a crop of one colour has no details, and its brightness is the colour's", () => {
  const grey = new Uint8Array(64 * 64 * 3).fill(51);
  assert.deepEqual(light(grey, 64), { sharpness: 0, brightness: 0.2 });
});

test("a head without eyes apart, or with the mouth above them, is a profile", () => {
  const front = [[0, 0], [10, 0], [5, 5.7], [1, 10], [9, 10]];
  assert.ok(Math.abs(pose(front).yaw) < 1 && Math.abs(pose(front).pitch) < 1);
  assert.deepEqual(pose([[0, 0], [0, 0], ...front.slice(2)]), { yaw: 90, pitch: 0, roll: 0 });
  assert.equal(pose([...front.slice(0, 3), [1, -10], [9, -10]]).yaw, 90);
});

test("straight lines between points, the end's height beyond", () => {
  const table = { x: [1, 3, 4], y: [10, 20, 0] };
  assert.deepEqual([0, 1, 2, 3, 3.5, 4, Infinity].map((value) => curve(table, value)), [10, 10, 15, 20, 10, 0, 0]);
});

for (const [i, { estimate, quality, caution, face }] of fixture.certainty.cases.entries()) {
  test(`case ${i + 1}: interval, score and flags are Python's`, () => {
    const { tables } = fixture.certainty;
    const found = judge(estimate, quality, tables, cautionOf(caution, tables));
    near(found.age, face.age, "age");
    near(found.gender_score, face.gender_score, "gender_score");
    assert.equal(found.gender, face.gender);
    assert.deepEqual(found.flags, face.flags);
    assert.equal(found.age_interval?.length, face.age_interval?.length);
    face.age_interval?.forEach((value, k) => near(found.age_interval[k], value, "age_interval"));
  });
}

test("the cases have every flag, answers withheld, and every coverage", () => {
  const { cases, tables } = fixture.certainty;
  const told = new Set(cases.flatMap(({ face }) => face.flags));
  assert.deepEqual([...Object.keys(tables.flags)].filter((flag) => !told.has(flag)), []);
  assert.ok(cases.some(({ face }) => face.gender === null && face.gender_score !== null));
  assert.ok(cases.some(({ face }) => face.age === null));
  assert.deepEqual([...new Set(cases.map(({ caution }) => String(caution.coverage)))].sort(), Object.keys(tables.age).sort());
});

test("without tables the network's own score stands, without interval or flag", () => {
  const estimate = { age: 30, gender: "male", gender_score: 0.75, signals: {} };
  assert.deepEqual(judge(estimate, {}, null, cautionOf()), {
    age: 30, age_interval: null, gender: "male", gender_score: 0.75, flags: [],
  });
  assert.equal(judge(estimate, {}, null, cautionOf({ min_gender_score: 0.8 })).gender, null);
});

test("an option out of range is refused", () => {
  const { tables } = fixture.certainty;
  assert.throws(() => cautionOf({ coverage: 1 }), /coverage: expected a number between 0 and 1, got 1/);
  assert.throws(() => cautionOf({ coverage: 0.7 }, tables), /coverage: expected one of 0.5, 0.8, 0.9, got 0.7/);
  assert.throws(() => cautionOf({ min_gender_score: 0.4 }), /min_gender_score: expected 0.5 to 1, got 0.4/);
});
