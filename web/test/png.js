// A PNG reader for the tests' own pictures: 8-bit RGB, not interlaced, as Pillow writes them.

import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";

/** The picture in a file, as {width, height, data} with four bytes a pixel. */
export function readPng(path) {
  const file = readFileSync(path);
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  if (file[24] !== 8 || file[25] !== 2 || file[28] !== 0) throw new Error(`${path}: not a plain RGB PNG`);
  const parts = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const row = width * 3;
  const data = new Uint8Array(width * height * 4).fill(255);
  let above = new Uint8Array(row);
  for (let y = 0; y < height; y++) {
    const line = raw.subarray(y * (row + 1) + 1, (y + 1) * (row + 1));
    const filter = raw[y * (row + 1)];
    for (let i = 0; i < row; i++) {
      const left = i < 3 ? 0 : line[i - 3];
      const corner = i < 3 ? 0 : above[i - 3];
      line[i] += [0, left, above[i], (left + above[i]) >> 1, paeth(left, above[i], corner)][filter];
    }
    for (let x = 0; x < width; x++) data.set(line.subarray(x * 3, x * 3 + 3), (y * width + x) * 4);
    above = line;
  }
  return { width, height, data };
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [dl, du, dc] = [left, up, corner].map((value) => Math.abs(guess - value));
  return dl <= du && dl <= dc ? left : du <= dc ? up : corner;
}
