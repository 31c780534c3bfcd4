// Square windows onto a picture: what a detector's input shows, and the way back to picture pixels.
// A window is {x, y, side} in picture pixels, top-left corner and width; it may reach past the picture.

import { resize } from "./pixels.js";

// The middle of the range, zero to the network.
const GREY = 127;

/** The centred square that holds the picture and `padding` of its longer side all round it. */
export function whole(width, height, padding = 0) {
  const side = Math.max(width, height) * (1 + 2 * padding);
  return { x: (width - side) / 2, y: (height - side) / 2, side };
}

/** The square round a candidate's box whose side the box's longer side fills to `share`. */
export function around([left, top, right, bottom], share) {
  const side = Math.max(right - left, bottom - top, 1) / share;
  return { x: (left + right - side) / 2, y: (top + bottom - side) / 2, side };
}

/** The whole picture, then levels of overlapping tiles, each half as large, down to `least`; at most `limit`. */
export function tiles(width, height, least, overlap, limit) {
  let sides;
  for (; ; least *= 1.05) {
    const levels = Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / least)));
    sides = Array.from({ length: levels }, (_, i) => least * 2 ** (levels - 1 - i));
    const count = sides.reduce((sum, side) => sum + steps(width, side, overlap) * steps(height, side, overlap), 1);
    if (count <= limit) break;
  }
  const windows = [{ x: 0, y: 0, side: Math.max(width, height) }];
  for (const side of sides) {
    for (const y of starts(height, side, overlap)) {
      for (const x of starts(width, side, overlap)) windows.push({ x, y, side });
    }
  }
  return windows;
}

function steps(length, side, overlap) {
  return length <= side ? 1 : Math.ceil((length - side) / (side * (1 - overlap))) + 1;
}

function starts(length, side, overlap) {
  const count = steps(length, side, overlap);
  if (count === 1) return [(length - side) / 2];
  return Array.from({ length: count }, (_, step) => (step * (length - side)) / (count - 1));
}

/**
 * What `window` shows at `size` pixels a side, shrunk with antialiasing, grey beyond the picture.
 *
 * cell: columns and rows past the picture's end are left out, as far as whole cells of this many pixels can be.
 * Returns {width, height, data} with three bytes a pixel.
 */
export function sample(picture, window, size, cell = size) {
  const scale = size / window.side;
  const [left, right] = inside(window.x, picture.width, scale, size);
  const [top, bottom] = inside(window.y, picture.height, scale, size);
  const [width, height] = [right, bottom].map((end) => Math.min(size, Math.max(1, Math.ceil(end / cell)) * cell));
  const data = new Uint8Array(width * height * 3).fill(GREY);
  if (left >= right || top >= bottom) return { width, height, data }; // thinner than one pixel of the result
  const part = resize(picture, right - left, bottom - top, [
    Math.max(window.x + left / scale, 0),
    Math.max(window.y + top / scale, 0),
    Math.min(window.x + right / scale, picture.width),
    Math.min(window.y + bottom / scale, picture.height),
  ]);
  for (let y = 0; y < part.height; y++) {
    let o = ((top + y) * width + left) * 3;
    for (let i = y * part.width * 4; i < (y + 1) * part.width * 4; i += 4) {
      data[o++] = part.data[i];
      data[o++] = part.data[i + 1];
      data[o++] = part.data[i + 2];
    }
  }
  return { width, height, data };
}

/** The first and one past the last result pixel that lie wholly in the picture on one axis. */
function inside(start, length, scale, size) {
  const slack = 1e-6; // a border that falls on a whole pixel may miss it by rounding
  const first = Math.ceil(-start * scale - slack);
  const last = Math.floor((length - start) * scale + slack);
  return [Math.max(first, 0), Math.min(last, size)];
}
