// The one canonical face crop: the same function as phiz.crop.face_crop, which training uses too.

import { reduce, similarity } from "./pixels.js";
import { around, strips, viewOf } from "./view.js";

/** The points of a face, in this order; right and left are the person's own. */
export const KEYPOINTS = ["right_eye", "left_eye", "nose", "right_mouth", "left_mouth"];

/**
 * The face as an upright square, eyes and mouth on the template, as size x size x 3 bytes.
 *
 * picture: {width, height, data} with four bytes a pixel, or a view (view.js). keypoints: [x, y] in pixels, in the
 * order of KEYPOINTS. template: the field `crop` of the model's card. Throws RangeError where the keypoints coincide.
 */
export function faceCrop(picture, keypoints, size, template) {
  const { turn, shift } = fit(keypoints, size, template);
  return resample(viewOf(picture), turn, shift, size);
}

/** The least-squares similarity z -> turn * z + shift from crop to picture, points as complex numbers [re, im]. */
export function fit(keypoints, size, template) {
  const names = KEYPOINTS.filter((name) => name in template); // the nose has no place: it moves with the head's turn
  const target = names.map((name) => keypoints[KEYPOINTS.indexOf(name)]);
  const source = names.map((name) => template[name].map((v) => v * size));
  const [sx, sy] = centre(source);
  const [tx, ty] = centre(target);
  let re = 0, im = 0, spread = 0;
  for (let i = 0; i < names.length; i++) {
    const ax = source[i][0] - sx, ay = source[i][1] - sy;
    const bx = target[i][0] - tx, by = target[i][1] - ty;
    re += ax * bx + ay * by;
    im += ax * by - ay * bx;
    spread += ax * ax + ay * ay;
  }
  const turn = [re / spread, im / spread];
  const step = Math.hypot(...turn);
  if (!(step >= 1e-6 && step < Infinity)) {
    throw new RangeError(`expected eyes and corners of the mouth in separate places, got ${JSON.stringify(target)}`);
  }
  return { turn, shift: [tx - (turn[0] * sx - turn[1] * sy), ty - (turn[0] * sy + turn[1] * sx)] };
}

function centre(points) {
  return [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length);
}

/** Sample crop pixel z of a view at picture position turn * z + shift, averaging so that nothing aliases. */
export function resample(view, [re, im], [dx, dy], size) {
  const xs = [0, re, -im, re - im].map((v) => v * size + dx);
  const ys = [0, im, re, im + re].map((v) => v * size + dy);
  // First shrink by a whole factor with a box filter, until fewer than 4 picture pixels a crop pixel remain ...
  const factor = Math.max(1, Math.floor(Math.hypot(re, im) / 2));
  const margin = 2 * factor;
  const left = Math.floor(Math.min(...xs)) - margin;
  const top = Math.floor(Math.min(...ys)) - margin;
  const columns = Math.ceil((Math.ceil(Math.max(...xs)) + margin - left) / factor);
  const rows = Math.ceil((Math.ceil(Math.max(...ys)) + margin - top) / factor);
  let part = shrunk(view, left, top, columns, rows, factor);
  // ... then sample fine x fine points a crop pixel, at most one picture pixel apart, and average.
  const fine = Math.max(1, Math.ceil(Math.hypot(re, im) / factor - 1e-9));
  const turn = [re / factor / fine, im / factor / fine];
  part = similarity(part, size * fine, turn, [(dx - left) / factor, (dy - top) / factor]);
  if (fine > 1) part = reduce(part, fine);
  const out = new Uint8Array(size * size * 3);
  for (let i = 0, o = 0; o < out.length; i += 4) {
    out[o++] = part.data[i];
    out[o++] = part.data[i + 1];
    out[o++] = part.data[i + 2];
  }
  return out;
}

/** The means of columns x rows blocks of factor x factor pixels, the first at (left, top). */
function shrunk(view, left, top, columns, rows, factor) {
  const out = { width: columns, height: rows, data: new Uint8Array(columns * rows * 4) };
  for (const [first, end] of strips(rows, columns * factor * factor)) {
    const part = around(view, left, top + first * factor, columns * factor, (end - first) * factor);
    out.data.set(factor > 1 ? reduce(part, factor).data : part.data, first * columns * 4);
  }
  return out;
}
