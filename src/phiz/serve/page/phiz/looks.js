// How finely a picture is looked at, and the shrinking of it: the same policy and pixels as phiz.detect.looks.

import { strips } from "./view.js";

// Most rows and columns of a block that its mean is made of.
const SAMPLES = 4;

/** By how much a picture is shrunk for its first look; minFace: smallest face asked for, or nothing. */
export function firstFactor(width, height, minFace, card) {
  const pixels = width * height;
  const wanted = Math.max(1, Math.floor((4 * (minFace || card.min_face)) / card.fills) / 4);
  if (minFace) return Math.max(wanted, fitting(pixels, card.asked_look_pixels));
  const small = Math.min(wanted, fitting(pixels, card.least_look_pixels));
  return Math.max(small, Math.min(fitting(pixels, card.look_pixels), 2), fitting(pixels, card.finest_look_pixels));
}

/** The smallest number of quarters that leaves at most `most` of `pixels`. */
export function fitting(pixels, most) {
  return Math.max(1, Math.ceil(4 * Math.sqrt(pixels / most)) / 4);
}

/** By how much the first look is shrunk again for the coarse one; null where no face can be too large for the first. */
export function secondFactor(width, height, card) {
  if (Math.min(width, height) <= card.coarse_above) return null;
  return Math.max(2, Math.ceil(Math.max(width, height) / card.coarse_side));
}

/**
 * What the network sees of a view shrunk by `factor`, in quarters, as {width, height, data} with three bytes
 * a pixel and black added right and below up to multiples of `multiple`; columns, rows: the picture's part of that.
 *
 * A whole number takes the mean of each block, any other the nearest pixels. channels: bytes a pixel of the view's
 * parts.
 */
export function look(view, factor, multiple, channels = 4) {
  const across = axis(view.width, factor);
  const down = axis(view.height, factor);
  const [width, height] = [across.count, down.count].map((side) => Math.ceil(side / multiple) * multiple);
  const out = { width, height, columns: across.count, rows: down.count, data: new Uint8Array(width * height * 3) };
  for (const [first, end] of strips(down.count, view.width * Math.ceil(factor))) {
    const top = down.sources[first * down.each];
    const bottom = down.sources[end * down.each - 1] + 1;
    average(view.part(0, top, view.width, bottom - top), channels, { across, down, first, end, top }, out);
  }
  return out;
}

/** A look as the view of a coarser one. */
export function viewOfLook({ width, columns, rows, data }) {
  const part = (left, top, _, height) => ({ width, height, data: data.subarray(top * width * 3, (top + height) * width * 3) });
  return { width: columns, height: rows, part };
}

/** Write rows `first` to `end` of a look; part: the view's pixels from row `top` on. */
function average({ width, data }, channels, { across, down, first, end, top }, out) {
  const times = Math.ceil(2 ** 16 / (across.each * down.each)); // a product and a shift instead of a division
  for (let y = first; y < end; y++) {
    let o = y * out.width * 3;
    for (let x = 0; x < across.count; x++) {
      let r = 0, g = 0, b = 0;
      for (let j = y * down.each; j < (y + 1) * down.each; j++) {
        const row = (down.sources[j] - top) * width;
        for (let i = x * across.each; i < (x + 1) * across.each; i++) {
          const at = (row + across.sources[i]) * channels;
          r += data[at];
          g += data[at + 1];
          b += data[at + 2];
        }
      }
      out.data[o++] = (r * times) >> 16;
      out.data[o++] = (g * times) >> 16;
      out.data[o++] = (b * times) >> 16;
    }
  }
}

/** Which pixels of a line each of the shrunk line's is the mean of: `each` of `sources`, for `count` pixels. */
function axis(length, factor) {
  if (!Number.isInteger(factor)) return nearest(length, factor);
  const block = Math.min(factor, length);
  const count = Math.floor(length / block);
  const step = Math.ceil(block / SAMPLES);
  const each = Math.ceil(block / step);
  const start = Math.floor((block - 1 - (each - 1) * step) / 2);
  const sources = Int32Array.from({ length: count * each }, (_, i) => Math.floor(i / each) * block + start + (i % each) * step);
  return { count, each, sources };
}

/** The nearest pixels, by Pillow's rule. */
function nearest(length, factor) {
  const count = Math.max(1, Math.trunc(length / factor));
  const step = Math.max(1, Math.trunc(count * factor)) / count;
  const sources = new Int32Array(count);
  for (let i = 0, place = step / 2; i < count; i++, place += step) sources[i] = Math.floor(place);
  return { count, each: 1, sources };
}
