// Python and JavaScript cut the same crop: tools/web_fixture.py holds what Python gives.

import assert from "node:assert/strict";
import { test } from "node:test";

import { faceCrop } from "../../src/phiz/serve/page/phiz/crop.js";
import { fixture, picture } from "./files.js";

for (const { file, picture: name, keypoints, size } of fixture.crops) {
  test(`${file}: ${size} pixels a side from ${name}`, () => {
    const crop = faceCrop(picture(`${name}.png`), keypoints, size, fixture.template);
    const expected = picture(file);
    assert.equal(crop.length, size * size * 3);
    let worst = 0;
    let moved = 0; // pixels that are no constant, so that a crop of nothing cannot pass
    for (let i = 0; i < size * size; i++) {
      for (let k = 0; k < 3; k++) {
        worst = Math.max(worst, Math.abs(crop[i * 3 + k] - expected.data[i * 4 + k]));
        moved += crop[i * 3 + k] !== crop[k];
      }
    }
    assert.ok(worst <= 1, `differs by ${worst} grey levels`);
    assert.ok(moved > size);
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
  const keypoints = Array(6).fill([10, 10]);
  assert.throws(() => faceCrop(picture("edges.png"), keypoints, 64, fixture.template), /three separate points/);
});
