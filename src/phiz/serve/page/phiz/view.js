// Pictures seen part by part, so that a large one never has to be in memory as a whole.
//
// A view is {width, height, part(left, top, columns, rows)}: the pixels of a rectangle within the picture, as
// {width, height, data} with four bytes a pixel, R G B and one that is ignored (an ImageData fits).
// It may have shrunk(width, height): the whole picture at that size, where that is cheaper than its parts.

import { region } from "./pixels.js";

// Most pixels that one part has: some phones give no canvas of many more than this.
const PART_PIXELS = 1 << 20;

/** The view of a picture that is there as a whole; throws TypeError unless it has four bytes a pixel. */
export function viewOf(picture) {
  if (typeof picture?.part === "function") return picture;
  const { width, height, data } = picture ?? {};
  if (!(width >= 1 && height >= 1 && data?.length === width * height * 4)) {
    throw new TypeError("expected {width, height, data} with four bytes a pixel, such as an ImageData");
  }
  return { width, height, part: (...rectangle) => region(picture, ...rectangle) };
}

/** A rectangle that may reach past the picture; there the nearest edge pixel is repeated. */
export function around(view, left, top, columns, rows) {
  const [x, right] = [left, left + columns - 1].map((at) => Math.min(Math.max(at, 0), view.width - 1));
  const [y, bottom] = [top, top + rows - 1].map((at) => Math.min(Math.max(at, 0), view.height - 1));
  const part = view.part(x, y, right - x + 1, bottom - y + 1);
  const inside = part.width === columns && part.height === rows;
  return inside ? part : region(part, left - x, top - y, columns, rows);
}

/** [first, one past the last] of `count` lines, as many at a time as a part may have; weight: a line's pixels. */
export function* strips(count, weight) {
  const most = Math.max(1, Math.floor(PART_PIXELS / weight));
  for (let first = 0; first < count; first += most) yield [first, Math.min(first + most, count)];
}
