// Resampling with the arithmetic of Pillow, so that Python and JavaScript see the same pixels.
//
// A picture is {width, height, data}: four bytes a pixel, R G B and one that is ignored (an ImageData fits).
// `reduce` and `similarity` give what Pillow's reduce and affine transform give, to the bit.

/** Mean of every factor x factor block, like Image.reduce; the picture's sides are multiples of the factor. */
export function reduce(picture, factor) {
  const out = blank(picture.width / factor, picture.height / factor);
  const { data } = picture;
  const count = factor * factor;
  const half = count >> 1;
  const times = Math.trunc(Math.fround(2 ** 32 / (256 * count))); // division by multiplying and shifting
  for (let y = 0; y < out.height; y++) {
    for (let x = 0; x < out.width; x++) {
      let r = half, g = half, b = half;
      for (let row = y * factor; row < (y + 1) * factor; row++) {
        const start = (row * picture.width + x * factor) * 4;
        for (let i = start; i < start + factor * 4; i += 4) {
          r += data[i];
          g += data[i + 1];
          b += data[i + 2];
        }
      }
      const o = (y * out.width + x) * 4;
      out.data[o] = (r * times) / 2 ** 24;
      out.data[o + 1] = (g * times) / 2 ** 24;
      out.data[o + 2] = (b * times) / 2 ** 24;
    }
  }
  return out;
}

/** Picture of size x size whose pixel (x, y) is taken, bilinearly, at turn * (x + iy) + shift; [re, im] pairs. */
export function similarity(picture, size, turn, shift) {
  const { width, height, data } = picture;
  const out = blank(size, size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const sx = turn[0] * (x + 0.5) + -turn[1] * (y + 0.5) + shift[0];
      const sy = turn[1] * (x + 0.5) + turn[0] * (y + 0.5) + shift[1];
      if (sx < 0 || sx >= width || sy < 0 || sy >= height) continue; // black, as Pillow's fill
      const left = Math.floor(sx - 0.5);
      const top = Math.floor(sy - 0.5);
      const dx = sx - 0.5 - left;
      const dy = sy - 0.5 - top;
      const row0 = Math.max(top, 0) * width;
      const row1 = Math.min(top + 1, height - 1) * width;
      const x0 = Math.max(left, 0);
      const x1 = Math.min(left + 1, width - 1);
      const a = (row0 + x0) * 4, b = (row0 + x1) * 4, c = (row1 + x0) * 4, d = (row1 + x1) * 4;
      const o = (y * size + x) * 4;
      for (let k = 0; k < 3; k++) {
        const upper = data[a + k] + (data[b + k] - data[a + k]) * dx;
        const lower = data[c + k] + (data[d + k] - data[c + k]) * dx;
        out.data[o + k] = upper + (lower - upper) * dy; // a Uint8Array truncates
      }
    }
  }
  return out;
}

/** Copy of a region that may reach past the picture; there the nearest edge pixel is repeated. */
export function region(picture, left, top, columns, rows) {
  const out = blank(columns, rows);
  const bytes = picture.data.byteOffset % 4 ? picture.data.slice() : picture.data;
  const from = new Uint32Array(bytes.buffer, bytes.byteOffset, picture.width * picture.height);
  const to = new Uint32Array(out.data.buffer);
  for (let y = 0; y < rows; y++) {
    const row = Math.min(Math.max(top + y, 0), picture.height - 1) * picture.width;
    for (let x = 0; x < columns; x++) {
      to[y * columns + x] = from[row + Math.min(Math.max(left + x, 0), picture.width - 1)];
    }
  }
  return out;
}

function blank(width, height) {
  return { width, height, data: new Uint8Array(width * height * 4) };
}
