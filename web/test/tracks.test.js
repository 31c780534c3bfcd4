// The page's camera boxes are steady, follow a moving face, and keep faces apart.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Tracks } from "../../src/phiz/serve/page/app/tracks.js";

const FRAME = 1 / 20;

function face(x, y, { side = 100, age = 30, gender = "female", gender_score = 0.9 } = {}) {
  return { box: [x, y, side, side], score: 0.9, keypoints: [], age, gender, gender_score };
}

/** Numbers that look random and are the same each time, from -1 to 1. */
function* noise(state = 7) {
  for (;;) {
    state = (state * 48271) % 2147483647;
    yield (2 * state) / 2147483647 - 1;
  }
}

function spread(values) {
  return Math.max(...values) - Math.min(...values);
}

test("a still face: boxes and ages shake far less than what was found", () => {
  const tracks = new Tracks();
  const random = noise();
  const seen = [];
  for (let i = 0; i < 120; i++) {
    const found = face(200 + 3 * random.next().value, 100, { age: 30 + 4 * random.next().value });
    const [steady] = tracks.update([found], i * FRAME);
    if (i >= 40) seen.push(steady);
  }
  assert.ok(spread(seen.map(({ box }) => box[0])) < 3);
  assert.ok(spread(seen.map(({ age }) => age)) < 2);
  assert.equal(new Set(seen.map(({ id }) => id)).size, 1);
});

test("ages are steady at one picture a second too", () => {
  const tracks = new Tracks();
  const ages = [];
  for (let i = 0; i < 60; i++) {
    ages.push(tracks.update([face(0, 0, { age: i % 2 ? 34 : 26 })], i)[0].age);
  }
  assert.ok(spread(ages.slice(20)) < 3);
});

test("a face that walks by is followed closely", () => {
  const tracks = new Tracks();
  for (let i = 0; i < 60; i++) {
    const x = 20 + 10 * i; // twice its width in a second
    const [steady] = tracks.update([face(x, 100)], i * FRAME);
    assert.ok(Math.abs(steady.box[0] - x) < 15, `${steady.box[0]} for ${x}`);
  }
});

test("two faces keep their own numbers when they come in another order", () => {
  const tracks = new Tracks();
  const [one, two] = tracks.update([face(0, 0, { age: 20 }), face(300, 0, { age: 60 })], 0);
  const again = tracks.update([face(302, 1, { age: 60 }), face(2, 1, { age: 20 })], FRAME);
  const byId = Object.fromEntries(again.map((found) => [found.id, Math.round(found.age)]));
  assert.deepEqual(byId, { [one.id]: 20, [two.id]: 60 });
});

test("a face missed for a moment stays, one that left goes, and a newcomer is new", () => {
  const tracks = new Tracks();
  const [{ id }] = tracks.update([face(0, 0)], 0);
  assert.equal(tracks.update([], 0.2).length, 1);
  assert.equal(tracks.update([face(1, 0)], 0.3)[0].id, id);
  assert.equal(tracks.update([], 1).length, 0);
  assert.notEqual(tracks.update([face(0, 0)], 1.1)[0].id, id);
});

test("gender follows the mean of what was seen, not the last frame", () => {
  const tracks = new Tracks();
  for (let i = 0; i < 20; i++) tracks.update([face(0, 0, { gender: "female", gender_score: 0.9 })], i * FRAME);
  const [steady] = tracks.update([face(0, 0, { gender: "male", gender_score: 0.9 })], 1);
  assert.equal(steady.gender, "female");
  assert.ok(steady.gender_score < 0.9 && steady.gender_score > 0.7);
});

test("who comes after a pause of the camera is somebody new", () => {
  const tracks = new Tracks();
  for (let i = 0; i < 20; i++) tracks.update([face(100, 100, { age: 60, gender: "male" })], i * FRAME);
  const [fresh] = tracks.update([face(100, 100, { age: 20 })], 3600);
  assert.equal(fresh.id, 2);
  assert.equal(fresh.age, 20);
  assert.equal(fresh.gender, "female");
});
