// Python and JavaScript cut the same crops, and show the detector the same windows: tools/web_fixture.py holds
// what Python gives.

import assert from "node:assert/strict";
import { test } from "node:test";

import { faceCrop } from "../../src/phiz/serve/page/phiz/crop.js";
import { sample } from "../../src/phiz/serve/page/phiz/window.js";
import { fixture, picture } from "./files.js";

for (const { file, picture: name, keypoints, size } of fixture.crops) {
  test(`${file}: ${size} pixels a side from ${name}`, () => {
    const crop = faceCrop(picture(`${name}.png`), keypoints, size, fixture.template);
    compare(crop, picture(file));
  });
}

for (const { file, picture: name, window, size, cell } of fixture.windows) {
  test(`${file}: ${window.side} pixels of ${name} as the detector sees them`, () => {
    const { width, height, data } = sample(picture(`${name}.png`), window, size, cell);
    const expected = picture(file);
    assert.deepEqual([width, height], [expected.width, expected.height]);
    compare(data, expected);
  });
}

/** Three bytes a pixel against a picture: at most one grey level apart, and not all of one colour. */
function compare(pixels, expected) {
  assert.equal(pixels.length, expected.width * expected.height * 3);
  let worst = 0;
  let other = 0; // bytes unlike the first pixel's, so that a crop of nothing cannot pass
  for (let i = 0; i < expected.width * expected.height; i++) {
    for (let k = 0; k < 3; k++) {
      worst = Math.max(worst, Math.abs(pixels[i * 3 + k] - expected.data[i * 4 + k]));
      other += pixels[i * 3 + k] !== pixels[k];
    }
  }
  assert.ok(worst <= 1, `differs by ${worst} grey levels`);
  assert.ok(other > expected.width);
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
  const keypoints = Array(6).fill([10, 10]);
  assert.throws(() => faceCrop(picture("edges.png"), keypoints, 64, fixture.template), /three separate points/);
});
