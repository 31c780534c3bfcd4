// How good a look at a face is: the same signals as phiz.quality, by the same arithmetic.

import { KEYPOINTS } from "./crop.js";

// Share of the crop's side that is left out on each side; blocks to a side; blocks between the two of a coarse
// difference; points to a side that lie inside the picture or not.
const EDGE = 1 / 8;
const BLOCKS = 32;
const REACH = 4;
const GRID = 16;
// Nose, and middle of the mouth, of an average head in eye distances: depth before the eyes, height below them.
const NOSE = { depth: 0.55, down: 0.57 };
const MOUTH = { depth: -0.07, down: 1 };
const DEGREES = 180 / Math.PI;

/**
 * The quality of a look, by the names that a face's `quality` has.
 *
 * crop: size x size x 3 bytes. keypoints: [x, y] in pixels of the picture, in the order of KEYPOINTS. turn, shift: where
 * the crop lies, as `fit` gives them. view: the picture's {width, height}.
 */
export function qualityOf(crop, size, keypoints, { turn, shift }, view) {
  const { sharpness, brightness } = light(crop, size);
  const { yaw, pitch, roll } = pose(keypoints);
  return { size: Math.hypot(...turn) * size, sharpness, brightness, yaw, pitch, roll, inside: inside(turn, shift, size, view) };
}

/** Sharpness and brightness of a crop, both from 0 to 1. */
export function light(crop, side) {
  const edge = Math.trunc(side * EDGE);
  const block = Math.max(1, evenly(side / BLOCKS));
  const many = Math.floor((side - 2 * edge) / block);
  const sums = new Int32Array(many * many);
  let whole = 0;
  for (let y = 0; y < many * block; y++) {
    for (let x = 0; x < many * block; x++) {
      const at = ((y + edge) * side + x + edge) * 3;
      const grey = crop[at] + 2 * crop[at + 1] + crop[at + 2]; // 0 to 1020
      sums[Math.floor(y / block) * many + Math.floor(x / block)] += grey;
      whole += grey;
    }
  }
  return {
    sharpness: Math.min(detail(sums, many, 1, many), detail(sums, many, many, 1)),
    brightness: whole / (1020 * (many * block) ** 2),
  };
}

/** Of what changes over REACH blocks along an axis, how much changes over one; step, across: to the next block, line. */
function detail(sums, many, step, across) {
  const change = (apart) => {
    let sum = 0;
    for (let line = 0; line < many; line++) {
      for (let i = apart; i < many; i++) sum += Math.abs(sums[line * across + i * step] - sums[line * across + (i - apart) * step]);
    }
    return sum;
  };
  return Math.min(1, change(1) / Math.max(change(REACH), 1));
}

/** To the nearest whole number, a half to the even one, as Python rounds. */
function evenly(value) {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 ? near - 1 : near;
}

/** Roughly by how many degrees a head is turned: yaw to the picture's right, pitch down, roll clockwise. */
export function pose(keypoints) {
  const [right, left, nose, rightMouth, leftMouth] = KEYPOINTS.map((_, i) => keypoints[i]);
  const [ax, ay] = [left[0] - right[0], left[1] - right[1]];
  if (Math.hypot(ax, ay) < 1e-6) return { yaw: 90, pitch: 0, roll: 0 };
  const roll = Math.atan2(ay, ax) * DEGREES;
  const [cx, cy] = middle(right, left);
  // In the frame of the eyes: one eye distance long, x from the right eye to the left, y towards the mouth.
  const inFrame = ([x, y]) => {
    const [dx, dy, square] = [x - cx, y - cy, ax * ax + ay * ay];
    return [(dx * ax + dy * ay) / square, (dy * ax - dx * ay) / square];
  };
  const [noseAcross, noseDown] = inFrame(nose);
  const [, mouthDown] = inFrame(middle(rightMouth, leftMouth));
  if (mouthDown <= 0) return { yaw: 90, pitch: 0, roll };
  const low = noseDown / mouthDown;
  const yaw = Math.atan2(noseAcross, NOSE.depth) * DEGREES;
  const pitch = Math.atan2(low * MOUTH.down - NOSE.down, Math.max(NOSE.depth - low * MOUTH.depth, 1e-6)) * DEGREES;
  return { yaw, pitch, roll };
}

function middle([ax, ay], [bx, by]) {
  return [(ax + bx) / 2, (ay + by) / 2];
}

/** The share of a crop that lies inside the picture, told by GRID x GRID of its points. */
export function inside([re, im], [dx, dy], size, { width, height }) {
  const lies = (x, y) => {
    const px = re * x - im * y + dx;
    const py = im * x + re * y + dy;
    return px >= 0 && px <= width && py >= 0 && py <= height;
  };
  if ([0, size].every((x) => [0, size].every((y) => lies(x, y)))) return 1;
  let within = 0;
  for (let y = 0; y < GRID; y++) {
    for (let x = 0; x < GRID; x++) within += lies((x + 0.5) * (size / GRID), (y + 0.5) * (size / GRID));
  }
  return within / GRID ** 2;
}
