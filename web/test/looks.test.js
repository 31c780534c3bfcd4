// Python and JavaScript look at a picture equally finely and see the same pixels.

import assert from "node:assert/strict";
import { test } from "node:test";

import { firstFactor, look, secondFactor, viewOfLook } from "../../src/phiz/serve/page/phiz/looks.js";
import { viewOf } from "../../src/phiz/serve/page/phiz/view.js";
import { compare, detectorCard as card, fixture, picture } from "./files.js";

const MULTIPLE = Math.max(...card.strides);

for (const { file, picture: name, factor } of fixture.looks) {
  test(`${file}: ${name} shrunk by ${factor}`, () => {
    const { width, height, data } = look(viewOf(picture(`${name}.png`)), factor, MULTIPLE);
    const expected = picture(file);
    assert.deepEqual([width, height], [expected.width, expected.height]);
    compare(data, expected, 0);
  });
}

for (const { width, height, min_face: minFace, first, second } of fixture.plans) {
  test(`${width} x ${height}, faces from ${minFace ?? "the default"}: by ${first}, then by ${second}`, () => {
    const factor = firstFactor(width, height, minFace, card);
    assert.equal(factor, first);
    assert.equal(secondFactor(Math.floor(width / factor), Math.floor(height / factor), card), second);
  });
}

test("a second look is at the picture's part of the first, not at what was added to it", () => {
  const whole = picture("edges.png");
  const first = look(viewOf(whole), 1, MULTIPLE);
  const again = look(viewOfLook(first), 2, MULTIPLE, 3);
  const direct = look(viewOf(whole), 2, MULTIPLE);
  assert.deepEqual([again.columns, again.rows], [Math.floor(whole.width / 2), Math.floor(whole.height / 2)]);
  assert.deepEqual(again, direct);
});

test("a large picture is read in parts, with the same pixels", () => {
  const whole = { width: 3000, height: 1800, data: new Uint8Array(3000 * 1800 * 4) };
  for (let i = 0; i < whole.data.length; i++) whole.data[i] = (i * 7919) % 251;
  let parts = 0;
  const view = viewOf(whole);
  const counted = { ...view, part: (...rectangle) => (parts++, view.part(...rectangle)) };
  for (const factor of [1, 1.5, 2, 5]) {
    parts = 0;
    const { columns, data } = look(counted, factor, MULTIPLE);
    assert.ok(parts > 4);
    const y = 977;
    const x = 411;
    const sources = (at) => (factor === 1.5 ? [Math.floor(1.5 * at + 0.75)] : spread(factor).map((step) => at * factor + step));
    const [rows, across] = [sources(y % Math.floor(1800 / factor)), sources(x)];
    let sum = 0;
    for (const row of rows) for (const column of across) sum += whole.data[(row * 3000 + column) * 4];
    const width = Math.ceil(columns / MULTIPLE) * MULTIPLE;
    assert.equal(data[((y % Math.floor(1800 / factor)) * width + x) * 3], Math.floor(sum / (rows.length * across.length)));
  }
});

/** Which of a block's lines are looked at. */
function spread(factor) {
  return { 1: [0], 2: [0, 1], 5: [0, 2, 4] }[factor];
}
