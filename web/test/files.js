// What the tests share: the fixture, and the networks through the page's own copy of ONNX Runtime Web.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { readPng } from "./png.js";

const root = join(import.meta.dirname, "..", "..");
const runtime = join(root, "src", "phiz", "serve", "page", "onnxruntime-web");

export const fixture = JSON.parse(readFileSync(join(import.meta.dirname, "fixture", "fixture.json"), "utf8"));

/** A picture of the fixture. */
export function picture(file) {
  return readPng(join(import.meta.dirname, "fixture", file));
}

/** One of the files that phiz-web's `load` asks for. */
export async function read(name) {
  const folder = name.startsWith("blazeface") ? "detect" : "models";
  return readFileSync(join(root, "src", "phiz", folder, "weights", name));
}

/** The module onnxruntime-web, on the processor. */
export async function openRuntime() {
  const ort = await import(join(runtime, "ort.wasm.bundle.min.mjs"));
  ort.env.wasm.wasmBinary = gunzipSync(readFileSync(join(runtime, "ort-wasm-simd-threaded.wasm.gz")));
  ort.env.wasm.numThreads = 1;
  return ort;
}
