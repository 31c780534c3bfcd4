// A decoded picture (an ImageBitmap) as a view of phiz/view.js: its pixels part by part, through one small canvas.

// Most pixels that the canvas keeps from one part to the next.
const KEPT_PIXELS = 1 << 21;

let canvas;

/** The view of a bitmap; coarse: let the browser shrink it, as is good enough for a camera's frame. */
export function viewOfBitmap(bitmap, coarse = false) {
  const { width, height } = bitmap;
  const view = { width, height, part: (left, top, columns, rows) => draw(bitmap, [left, top, columns, rows], columns, rows) };
  // A half is the mean of four pixels either way; for less the browser has to take more of them.
  const quality = (columns) => (width > 2 * columns ? "medium" : "low");
  if (coarse) view.shrunk = (columns, rows) => draw(bitmap, [0, 0, width, height], columns, rows, quality(columns));
  return view;
}

/** A rectangle of a bitmap at a size, on white, as Python lays transparent pictures on white. */
function draw(bitmap, rectangle, width, height, quality = "low") {
  canvas ??= new OffscreenCanvas(1, 1);
  if (canvas.width < width || canvas.height < height) grow(width, height);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw { key: "error.memory" };
  context.imageSmoothingQuality = quality;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, ...rectangle, 0, 0, width, height);
  try {
    return context.getImageData(0, 0, width, height);
  } catch {
    throw { key: "error.memory" };
  }
}

/** Make the canvas large enough, for the parts before too where that is cheap: each new size costs. */
function grow(width, height) {
  const [across, down] = [Math.max(width, canvas.width), Math.max(height, canvas.height)];
  const both = across * down <= KEPT_PIXELS;
  canvas.width = both ? across : width;
  canvas.height = both ? down : height;
}
