// From the network's outputs to faces, by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, overlap, suppress } from "../../src/phiz/serve/page/phiz/yunet.js";

/** Outputs of one stride with `cells` cells, nothing in them but what `fill` writes. */
function outputs(stride, cells, fill) {
  const data = { cls: cells, obj: cells, bbox: 4 * cells, kps: 10 * cells };
  const made = Object.fromEntries(Object.entries(data).map(([kind, size]) => [kind, new Float32Array(size)]));
  fill(made);
  return Object.fromEntries(Object.entries(made).map(([kind, values]) => [`${kind}_${stride}`, { data: values }]));
}

test("a cell's box, points and score", () => {
  const raw = outputs(16, 8, ({ cls, obj, bbox, kps }) => {
    cls[6] = 0.9;
    obj[6] = 0.4;
    bbox.set([0.25, -0.5, Math.log(2), Math.log(3)], 24);
    kps.set([0, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 1], 60);
  });
  const [face, ...others] = decode(raw, 64, [16], 0.5); // 4 cells a row, so cell 6 is column 2 of row 1
  assert.equal(others.length, 0);
  const expected = [36 - 16, 8 - 24, 36 + 16, 8 + 24, 32, 16, 48, 16, 40, 24, 32, 32, 48, 32, 0.6];
  face.forEach((value, k) => assert.ok(Math.abs(value - expected[k]) < 1e-5, `${k}: ${value}`));
  assert.equal(decode(raw, 64, [16], 0.61).length, 0);
});

test("a side that would be infinite stays a number", () => {
  const raw = outputs(8, 4, ({ cls, obj, bbox }) => {
    cls.fill(1);
    obj.fill(1);
    bbox.fill(1000);
  });
  for (const face of decode(raw, 16, [8], 0.5)) assert.ok(face.every(Number.isFinite));
});

function box(left, top, right, bottom, score) {
  return [left, top, right, bottom, ...Array(10).fill(left), score];
}

test("sights of one face become their mean, other faces stay, what overlaps a little goes", () => {
  const sights = [box(0, 0, 100, 100, 0.6), box(6, 0, 106, 100, 0.9), box(58, 0, 158, 100, 0.7), box(300, 0, 400, 100, 0.8)];
  const kept = suppress(sights, 0.3);
  assert.deepEqual(kept.map((face) => face.at(-1)), [0.9, 0.8]);
  assert.ok(Math.abs(kept[0][0] - (6 * 0.9) / 1.5) < 1e-9); // of the two with an overlap above a half
  assert.ok(Math.abs(kept[0][4] - (6 * 0.9) / 1.5) < 1e-9); // points too
  assert.equal(suppress(sights, 0.4).length, 3);
  assert.deepEqual(suppress([], 0.3), []);
  assert.equal(suppress([box(5, 5, 5, 5, 0.9)], 0.3).length, 1); // without an area, not without an end
});

test("overlap is shared area by joint area", () => {
  assert.equal(overlap([0, 0, 2, 2], [1, 1, 3, 3]), 1 / 7);
  assert.equal(overlap([0, 0, 1, 1], [2, 2, 3, 3]), 0);
});
