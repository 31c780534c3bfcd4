// Python and JavaScript find the same faces and say the same ages.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { FILES, faceCrop, load } from "../../src/phiz/serve/page/phiz/index.js";
import { firstFactor } from "../../src/phiz/serve/page/phiz/looks.js";
import { reduce } from "../../src/phiz/serve/page/phiz/pixels.js";
import { viewOf } from "../../src/phiz/serve/page/phiz/view.js";
import { detectorCard, fixture, openRuntime, picture, read } from "./files.js";

// Years, rounded to tenths, when each side finds the face itself.
const AGE_WITH_DETECTION = 0.2 + 1e-9;
// Pixels and degrees.
const QUALITY_WITH_DETECTION = { size: 0.3, yaw: 0.5, pitch: 0.5, roll: 0.5 };

let ort;
let phiz;

before(async () => {
  ort = await openRuntime();
  phiz = await load(ort, read);
});

test("the same crops give the same ages and genders", async () => {
  const faces = fixture.crops.filter((crop) => "age" in crop);
  assert.ok(faces.length >= 6);
  for (const { file, picture: name, keypoints, size, age, female, signals } of faces) {
    const crop = faceCrop(picture(`${name}.png`), keypoints, size, fixture.template);
    const [estimate] = await phiz.estimate(crop);
    const share = estimate.gender === "female" ? estimate.gender_score : 1 - estimate.gender_score;
    assert.ok(Math.abs(estimate.age - age) <= 0.001, `${file}: ${estimate.age}, in Python ${age}`);
    assert.ok(Math.abs(share - female) <= 0.001, `${file}: ${share}, in Python ${female}`);
    assert.deepEqual(Object.keys(estimate.signals).sort(), Object.keys(signals).sort());
    for (const [signal, value] of Object.entries(signals)) assert.ok(Math.abs(estimate.signals[signal] - value) <= 0.001, signal);
  }
});

for (const [name, expected] of Object.entries(fixture.answers)) {
  test(`${name}: the same faces from picture to answer`, async () => {
    const whole = enlarged(picture(`${expected.picture}.png`), expected.times);
    const { width, height, faces } = await phiz.analyze(whole, { min_face: expected.min_face });
    assert.deepEqual([width, height], [expected.width, expected.height]);
    assert.equal(faces.length, expected.faces.length);
    faces.forEach((face, i) => {
      const { box, keypoints, score, age, age_interval, gender, gender_score, quality, flags } = expected.faces[i];
      const near = (a, b, most) => assert.ok(Math.abs(a - b) <= most, `${a} is not ${b}, face ${i + 1}`);
      face.box.forEach((value, k) => near(value, box[k], 0.3));
      face.keypoints.flat().forEach((value, k) => near(value, keypoints.flat()[k], 0.3));
      near(face.score, score, 0.005);
      // The networks differ in the last digits, so keypoints do by hundredths of a pixel, and crops and ages with them.
      near(face.age, age, AGE_WITH_DETECTION);
      near(face.gender_score, gender_score, 0.03);
      assert.equal(face.gender, gender);
      face.age_interval?.forEach((value, k) => near(value, age_interval[k], AGE_WITH_DETECTION));
      for (const [signal, value] of Object.entries(quality)) near(face.quality[signal], value, QUALITY_WITH_DETECTION[signal] ?? 0.01);
      assert.deepEqual(Object.keys(face.quality), Object.keys(quality));
      assert.deepEqual(face.flags, flags);
      assert.deepEqual(Object.keys(face), Object.keys(expected.faces[i]));
    });
  });
}

test("pictures asked for at once are answered each with its own", async () => {
  const answers = await Promise.all(["portrait", "edges"].map((name) => phiz.analyze(picture(`${name}.png`))));
  assert.deepEqual(answers.map(({ faces }) => faces.length), [1, 0]);
});

test("a camera's frame is looked at coarsely, and read where its faces are", async () => {
  const whole = enlarged(picture("portrait.png"), 4);
  const view = viewOf(whole);
  const asked = [];
  let pixels = 0;
  const part = (...rectangle) => {
    pixels += rectangle[2] * rectangle[3];
    return view.part(...rectangle);
  };
  const shrunk = (width, height) => {
    asked.push([width, height]);
    return reduce(whole, 5);
  };
  const [found] = (await phiz.watch({ ...view, part, shrunk })).faces;
  assert.deepEqual(asked, [[whole.width / 5, whole.height / 5]]);
  assert.ok(pixels < 0.6 * whole.width * whole.height, `${pixels} pixels were read for the crop`);
  const [expected] = (await phiz.analyze(whole)).faces;
  found.box.forEach((value, k) => assert.ok(Math.abs(value - expected.box[k]) < 0.06 * expected.box[2]));
  found.keypoints.flat().forEach((value, k) => assert.ok(Math.abs(value - expected.keypoints.flat()[k]) < 0.06 * expected.box[2]));
});

test("the smallest face of a camera's frame is a share of its longer side", () => {
  for (const [width, height] of [[640, 480], [720, 1280], [3840, 2160]]) {
    const least = phiz.detector.watchMinFace(width, height);
    assert.equal(least, Math.round(detectorCard.watch_share * Math.max(width, height)));
    const longer = Math.max(width, height) / firstFactor(width, height, least, detectorCard);
    assert.ok(longer >= 256 && longer < 384, `a look of ${longer} pixels`);
  }
});

test("what is no picture is refused, and the next picture is still answered", async () => {
  await assert.rejects(phiz.analyze({ width: 2, height: 2, data: new Uint8Array(12) }), /four bytes a pixel/);
  assert.equal((await phiz.analyze(picture("edges.png"))).faces.length, 0);
});

test("a missing file is the caller's own error", async () => {
  assert.equal(FILES.length, 4);
  await assert.rejects(load(ort, () => Promise.reject(new Error("404"))), /404/);
});

test("a detector whose points come in another order is refused", async () => {
  const other = { ...detectorCard, keypoints: [...detectorCard.keypoints].reverse() };
  const bytes = new TextEncoder().encode(JSON.stringify(other));
  await assert.rejects(load(ort, (name) => (name === "yunet.json" ? Promise.resolve(bytes) : read(name))), /keypoints/);
});

/** Enlarge smoothly, in whole numbers: the very picture that tools/web_fixture.py makes. */
function enlarged({ width, height, data }, times) {
  const large = { width: width * times, height: height * times, data: new Uint8Array(data.length * times * times) };
  const across = places(width, times);
  const down = places(height, times);
  for (let y = 0; y < large.height; y++) {
    const [top, bottom, fy] = down[y];
    for (let x = 0; x < large.width; x++) {
      const [left, right, fx] = across[x];
      for (let k = 0; k < 4; k++) {
        const at = (row, column) => data[(row * width + column) * 4 + k];
        const upper = at(top, left) * (2 * times - fx) + at(top, right) * fx;
        const lower = at(bottom, left) * (2 * times - fx) + at(bottom, right) * fx;
        const sum = upper * (2 * times - fy) + lower * fy;
        large.data[(y * large.width + x) * 4 + k] = Math.floor((sum + 2 * times * times) / (4 * times * times));
      }
    }
  }
  return large;
}

/** Of each pixel of the enlarged line: its two neighbours in the line, and the second one's share in 2 * times. */
function places(length, times) {
  return Array.from({ length: length * times }, (_, i) => {
    const place = 2 * i + 1 - times;
    const first = Math.floor(place / (2 * times));
    const inside = (index) => Math.min(Math.max(index, 0), length - 1);
    return [inside(first), inside(first + 1), place - first * 2 * times];
  });
}
