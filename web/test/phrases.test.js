// What people are told of a face: a range first, no surer than it is, in both languages; files as phiz analyze has them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ageAbout, ageRange, faceWords, genderWords, isSure, percent } from "../../src/phiz/serve/page/app/phrases.js";
import { ENGLISH } from "../../src/phiz/serve/page/app/english.js";
import { asCsv, asJson } from "../../src/phiz/serve/page/app/downloads.js";
import { KOREAN } from "../../src/phiz/serve/page/app/korean.js";
import { FLAGS } from "../../src/phiz/serve/page/phiz/certainty.js";

const FACE = {
  box: [1, 2, 30, 40],
  score: 0.9,
  keypoints: [],
  age: 35.2,
  age_interval: [29.6, 41.4],
  gender: "female",
  gender_score: 0.83,
  quality: { size: 40, sharpness: 0.3, brightness: 0.5, yaw: -3, pitch: 4, roll: 0.5, inside: 1 },
  flags: ["small", "cut off"],
};

test("a range comes first, then about; one number where there is no interval", () => {
  assert.equal(ageRange(FACE), "30 to 41");
  assert.equal(ageAbout(FACE), "about 35");
  assert.equal(ageRange({ ...FACE, age_interval: null }), "35 years");
  assert.equal(ageAbout({ ...FACE, age_interval: null }), "");
  assert.equal(ageRange({ ...FACE, age: null, age_interval: null }), "-");
});

test("gender by bands of its score, and never more than 99 percent", () => {
  const words = (gender_score, gender = "male") => genderWords({ gender, gender_score });
  assert.deepEqual([1, 0.9, 0.8999, 0.7, 0.6999, 0.5].map((score) => words(score)), [
    "male", "male", "probably male", "probably male", "not sure", "not sure",
  ]);
  assert.equal(words(0.85, null), "not sure");
  assert.equal(words(null, null), "-");
  assert.deepEqual([0.5, 0.985, 0.995, 1].map(percent), [50, 99, 99, 99]);
  assert.equal(isSure({ gender: null, gender_score: 0.95 }), false);
});

test("a face in one sentence, without a percentage where it is not sure", () => {
  assert.equal(faceWords(FACE, 0), "Face 1: 30 to 41, about 35, probably female, 83% certain, small, cut off");
  assert.equal(faceWords({ ...FACE, gender_score: 0.6, flags: [] }, 1), "Face 2: 30 to 41, about 35, not sure");
});

test("both languages have every text, in the same order, with the same values", () => {
  assert.deepEqual(Object.keys(KOREAN), Object.keys(ENGLISH));
  const values = (text) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
  for (const key of Object.keys(ENGLISH)) assert.deepEqual(values(KOREAN[key]), values(ENGLISH[key]), key);
  for (const flag of FLAGS) assert.ok(`flag.${flag}` in ENGLISH);
});

test("CSV has a line a face, one of a picture without, and quotes what needs it", () => {
  const results = [
    { path: 'a "b", c.jpg', width: 100, height: 80, faces: [FACE, { ...FACE, age: null, age_interval: null, gender: null, gender_score: null }], error: null },
    { path: "empty.jpg", width: null, height: null, faces: [], error: "damaged, cut short" },
  ];
  const [head, first, second, third, end] = asCsv(results).split("\r\n");
  assert.equal(head.split(",").length, 23);
  assert.equal(first, '"a ""b"", c.jpg",100,80,1,1,2,30,40,0.9,35.2,29.6,41.4,female,0.83,40,0.3,0.5,-3,4,0.5,1,small;cut off,');
  assert.equal(second.split('jpg",')[1], "100,80,2,1,2,30,40,0.9,,,,,,40,0.3,0.5,-3,4,0.5,1,small;cut off,");
  assert.equal(third, `empty.jpg${",".repeat(22)}"damaged, cut short"`);
  assert.equal(end, "");
  assert.deepEqual(JSON.parse(asJson(results)), results);
});
