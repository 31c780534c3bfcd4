// Python and JavaScript cut the same crops: tools/web_fixture.py holds what Python gives.

import assert from "node:assert/strict";
import { test } from "node:test";

import { faceCrop } from "../../src/phiz/serve/page/phiz/crop.js";
import { compare, fixture, picture } from "./files.js";

for (const { file, picture: name, keypoints, size } of fixture.crops) {
  test(`${file}: ${size} pixels a side from ${name}`, () => {
    const crop = faceCrop(picture(`${name}.png`), keypoints, size, fixture.template);
    compare(crop, picture(file));
  });
}

test("a picture whose bytes start at any address", () => {
  const { width, height, data } = picture("edges.png");
  const shifted = new Uint8Array(data.length + 1);
  shifted.set(data, 1);
  const { keypoints, size } = fixture.crops[0];
  const crop = faceCrop({ width, height, data: shifted.subarray(1) }, keypoints, size, fixture.template);
  assert.deepEqual(crop, faceCrop({ width, height, data }, keypoints, size, fixture.template));
});

test("keypoints that coincide are refused", () => {
  const keypoints = Array(5).fill([10, 10]);
  assert.throws(() => faceCrop(picture("edges.png"), keypoints, 64, fixture.template), /in separate places/);
});

test("a picture that is seen part by part gives the same crops, and no part of it is large", () => {
  for (const { picture: name, keypoints, size } of fixture.crops) {
    const whole = picture(`${name}.png`);
    const view = watched(whole, 1 << 20);
    assert.deepEqual(faceCrop(view, keypoints, size, fixture.template), faceCrop(whole, keypoints, size, fixture.template));
  }
  // A face that fills thirty megapixels.
  const view = watched({ width: 6000, height: 5000, data: null }, 1 << 20);
  faceCrop(view, [[2000, 1500], [4000, 1500], [3000, 2500], [2200, 3500], [3800, 3500]], 64, fixture.template);
  assert.ok(view.parts > 10);
});

/** The view of a picture that complains of parts which are too large or reach past it; of grey where it has no data. */
function watched({ width, height, data }, most) {
  const view = { width, height, parts: 0 };
  view.part = (left, top, columns, rows) => {
    view.parts++;
    assert.ok(left >= 0 && top >= 0 && left + columns <= width && top + rows <= height);
    assert.ok(columns >= 1 && rows >= 1 && columns * rows <= most, `${columns} x ${rows}`);
    const part = new Uint8Array(columns * rows * 4).fill(127);
    for (let y = 0; data && y < rows; y++) {
      const from = ((top + y) * width + left) * 4;
      part.set(data.subarray(from, from + columns * 4), y * columns * 4);
    }
    return { width: columns, height: rows, data: part };
  };
  return view;
}
