// The one canonical face crop: the same function as phiz.crop.face_crop, which training uses too.

import { reduce, region, similarity } from "./pixels.js";

// Where these three stand among the six keypoints of a detection.
const ORDER = { right_eye: 0, left_eye: 1, mouth: 3 };

/**
 * The face as an upright square, eyes and mouth on the template, as size x size x 3 bytes.
 *
 * picture: {width, height, data} with four bytes a pixel. keypoints: six [x, y] in pixels. template: the field
 * `crop` of the model's card. Throws RangeError where the keypoints coincide.
 */
export function faceCrop(picture, keypoints, size, template) {
  const names = Object.keys(ORDER);
  const target = names.map((name) => keypoints[ORDER[name]]);
  const source = names.map((name) => template[name].map((v) => v * size));
  const [sx, sy] = centre(source);
  const [tx, ty] = centre(target);
  // The least-squares similarity z -> turn * z + shift from the crop to the picture, points as complex numbers.
  let re = 0, im = 0, spread = 0;
  for (let i = 0; i < 3; i++) {
    const ax = source[i][0] - sx, ay = source[i][1] - sy;
    const bx = target[i][0] - tx, by = target[i][1] - ty;
    re += ax * bx + ay * by;
    im += ax * by - ay * bx;
    spread += ax * ax + ay * ay;
  }
  const turn = [re / spread, im / spread];
  const step = Math.hypot(...turn);
  if (!(step >= 1e-6 && step < Infinity)) {
    throw new RangeError(`eyes and mouth must be three separate points, got ${JSON.stringify(target)}`);
  }
  const shift = [tx - (turn[0] * sx - turn[1] * sy), ty - (turn[0] * sy + turn[1] * sx)];
  return resample(picture, turn, shift, size);
}

function centre(points) {
  return [0, 1].map((k) => (points[0][k] + points[1][k] + points[2][k]) / 3);
}

/** Sample crop pixel z at picture position turn * z + shift, averaging so that nothing aliases. */
function resample(picture, [re, im], [dx, dy], size) {
  const xs = [0, re, -im, re - im].map((v) => v * size + dx);
  const ys = [0, im, re, im + re].map((v) => v * size + dy);
  // First shrink by a whole factor with a box filter, until fewer than 4 picture pixels a crop pixel remain ...
  const factor = Math.max(1, Math.floor(Math.hypot(re, im) / 2));
  const margin = 2 * factor;
  const left = Math.floor(Math.min(...xs)) - margin;
  const top = Math.floor(Math.min(...ys)) - margin;
  const columns = Math.ceil((Math.ceil(Math.max(...xs)) + margin - left) / factor) * factor;
  const rows = Math.ceil((Math.ceil(Math.max(...ys)) + margin - top) / factor) * factor;
  const inside = left >= 0 && top >= 0 && left + columns <= picture.width && top + rows <= picture.height;
  let part;
  if (inside && factor > 1) {
    part = reduce(picture, factor, factor, [left, top, left + columns, top + rows]);
  } else {
    part = region(picture, left, top, columns, rows);
    if (factor > 1) part = reduce(part, factor, factor);
  }
  // ... then sample fine x fine points a crop pixel, at most one picture pixel apart, and average.
  const fine = Math.max(1, Math.ceil(Math.hypot(re, im) / factor - 1e-9));
  const turn = [re / factor / fine, im / factor / fine];
  part = similarity(part, size * fine, turn, [(dx - left) / factor, (dy - top) / factor]);
  if (fine > 1) part = reduce(part, fine, fine);
  const out = new Uint8Array(size * size * 3);
  for (let i = 0, o = 0; o < out.length; i += 4) {
    out[o++] = part.data[i];
    out[o++] = part.data[i + 1];
    out[o++] = part.data[i + 2];
  }
  return out;
}
