// Resampling with the arithmetic of Pillow, so that Python and JavaScript see the same pixels.
//
// A picture is {width, height, data}: four bytes a pixel, R G B and one that is ignored (an ImageData fits).
// Each function gives what Pillow's function of that name gives, to the bit: 8-bit results between the two
// passes of resize, 22-bit weights, truncation in the affine transform.

const WEIGHT_BITS = 22;
// Pillow shrinks by a whole factor first where more than this many times the wanted size is left after it.
const REDUCING_GAP = 2;

/** Mean of every fx x fy block of the box [left, top, right, bottom], like Image.reduce; the last may be smaller. */
export function reduce(picture, fx, fy, [left, top, right, bottom] = [0, 0, picture.width, picture.height]) {
  const width = Math.ceil((right - left) / fx);
  const height = Math.ceil((bottom - top) / fy);
  const out = blank(width, height);
  const { data } = picture;
  for (let y = 0; y < height; y++) {
    const y0 = top + y * fy;
    const y1 = Math.min(y0 + fy, bottom);
    for (let x = 0; x < width; x++) {
      const x0 = left + x * fx;
      const x1 = Math.min(x0 + fx, right);
      const count = (x1 - x0) * (y1 - y0);
      const half = count >> 1;
      let r = half, g = half, b = half;
      for (let yy = y0; yy < y1; yy++) {
        const end = (yy * picture.width + x1) * 4;
        for (let i = (yy * picture.width + x0) * 4; i < end; i += 4) {
          r += data[i];
          g += data[i + 1];
          b += data[i + 2];
        }
      }
      const times = Math.trunc(Math.fround(2 ** 32 / (256 * count))); // division by multiplying and shifting
      const o = (y * width + x) * 4;
      out.data[o] = (r * times) / 2 ** 24;
      out.data[o + 1] = (g * times) / 2 ** 24;
      out.data[o + 2] = (b * times) / 2 ** 24;
    }
  }
  return out;
}

/** Antialiased bilinear resize of the box [left, top, right, bottom], like Image.resize with reducing_gap=2. */
export function resize(picture, width, height, box) {
  const fx = Math.trunc((box[2] - box[0]) / width / REDUCING_GAP) || 1;
  const fy = Math.trunc((box[3] - box[1]) / height / REDUCING_GAP) || 1;
  if (fx > 1 || fy > 1) {
    const safe = neighbourhood(picture, width, height, box);
    picture = reduce(picture, fx, fy, safe);
    box = [(box[0] - safe[0]) / fx, (box[1] - safe[1]) / fy, (box[2] - safe[0]) / fx, (box[3] - safe[1]) / fy];
  }
  const rows = weights(picture.height, box[1], box[3], height);
  const first = rows.starts[0];
  const last = rows.starts[height - 1] + rows.counts[height - 1];
  const across = horizontal(picture, weights(picture.width, box[0], box[2], width), width, first, last);
  return vertical(across, rows, height, first);
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

/** Whole-pixel box with the neighbours that the filter will read, within the picture. */
function neighbourhood(picture, width, height, box) {
  const across = (0.5 * (box[2] - box[0])) / width;
  const down = (0.5 * (box[3] - box[1])) / height;
  return [
    Math.max(0, Math.trunc(box[0] - across)),
    Math.max(0, Math.trunc(box[1] - down)),
    Math.min(picture.width, Math.ceil(box[2] + across)),
    Math.min(picture.height, Math.ceil(box[3] + down)),
  ];
}

/** Fixed-point weights of a triangle filter that takes [from, to) of `length` samples to `size` samples. */
function weights(length, from, to, size) {
  const scale = Math.fround(Math.fround(to) - Math.fround(from)) / size; // 32 bits, as Pillow's arguments
  const support = Math.max(scale, 1);
  const most = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(size);
  const counts = new Int32Array(size);
  const values = new Int32Array(size * most);
  const exact = new Float64Array(most);
  for (let i = 0; i < size; i++) {
    const centre = Math.fround(from) + (i + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const count = Math.min(Math.trunc(centre + support + 0.5), length) - start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      exact[k] = Math.max(1 - Math.abs((k + start - centre + 0.5) * (1 / support)), 0);
      sum += exact[k];
    }
    for (let k = 0; k < count; k++) {
      values[i * most + k] = Math.trunc(0.5 + (sum ? exact[k] / sum : exact[k]) * 2 ** WEIGHT_BITS);
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, values, most };
}

function horizontal(picture, { starts, counts, values, most }, width, first, last) {
  const out = blank(width, last - first);
  const { data } = picture;
  for (let y = first; y < last; y++) {
    for (let x = 0; x < width; x++) {
      let r = 1 << (WEIGHT_BITS - 1), g = r, b = r;
      let i = (y * picture.width + starts[x]) * 4;
      for (let k = x * most; k < x * most + counts[x]; k++, i += 4) {
        r += data[i] * values[k];
        g += data[i + 1] * values[k];
        b += data[i + 2] * values[k];
      }
      const o = ((y - first) * width + x) * 4;
      out.data[o] = byte(r);
      out.data[o + 1] = byte(g);
      out.data[o + 2] = byte(b);
    }
  }
  return out;
}

function vertical(picture, { starts, counts, values, most }, height, first) {
  const { width, data } = picture;
  const out = blank(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let r = 1 << (WEIGHT_BITS - 1), g = r, b = r;
      let i = ((starts[y] - first) * width + x) * 4;
      for (let k = y * most; k < y * most + counts[y]; k++, i += width * 4) {
        r += data[i] * values[k];
        g += data[i + 1] * values[k];
        b += data[i + 2] * values[k];
      }
      const o = (y * width + x) * 4;
      out.data[o] = byte(r);
      out.data[o + 1] = byte(g);
      out.data[o + 2] = byte(b);
    }
  }
  return out;
}

function byte(sum) {
  return Math.min(sum >> WEIGHT_BITS, 255); // rounded weights may sum to just over 1
}
