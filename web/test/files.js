// What the tests share: the fixture, and the networks through the page's own copy of ONNX Runtime Web.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { readPng } from "./png.js";

const root = join(import.meta.dirname, "..", "..");
const runtime = join(root, "src", "phiz", "serve", "page", "onnxruntime-web");

export const fixture = JSON.parse(readFileSync(join(import.meta.dirname, "fixture", "fixture.json"), "utf8"));

const pictures = new Map(); // each is read once

/** A picture of the fixture. */
export function picture(file) {
  if (!pictures.has(file)) pictures.set(file, readPng(join(import.meta.dirname, "fixture", file)));
  return pictures.get(file);
}

/** One of the files that phiz-web's `load` asks for. */
export async function read(name) {
  const folder = name.startsWith("yunet") ? "detect" : "models";
  return readFileSync(join(root, "src", "phiz", folder, "weights", name));
}

/** The detector's card. */
export const detectorCard = JSON.parse(await read("yunet.json"));

/** The module onnxruntime-web, on the processor. */
export async function openRuntime() {
  const ort = await import(join(runtime, "ort.wasm.bundle.min.mjs"));
  ort.env.wasm.wasmBinary = gunzipSync(readFileSync(join(runtime, "ort-wasm-simd-threaded.wasm.gz")));
  ort.env.wasm.numThreads = 1;
  return ort;
}

/** Three bytes a pixel against a picture: at most so many grey levels apart, and not all of one colour. */
export function compare(pixels, expected, most = 1) {
  assert.equal(pixels.length, expected.width * expected.height * 3);
  let worst = 0;
  let other = 0; // bytes unlike the first pixel's, so that a crop of nothing cannot pass
  for (let i = 0; i < expected.width * expected.height; i++) {
    for (let k = 0; k < 3; k++) {
      worst = Math.max(worst, Math.abs(pixels[i * 3 + k] - expected.data[i * 4 + k]));
      other += pixels[i * 3 + k] !== pixels[k];
    }
  }
  assert.ok(worst <= most, `differs by ${worst} grey levels`);
  assert.ok(other > expected.width);
}
