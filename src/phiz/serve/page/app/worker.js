// The analysis on this device, off the page's own thread. Messages in: {id, task: "load", gpu} once, then
// {id, task, bitmap}, task "analyze" for a picture and "frame" for one of a camera's. Messages out: {id, value}, of
// "load" the card of the network, or {id, error: {key, values}}.

import { load } from "../phiz/index.js";
import { viewOfBitmap } from "./bitmap.js";

const RUNTIMES = {
  cpu: { module: "ort.wasm.bundle.min.mjs", binary: "ort-wasm-simd-threaded.wasm.gz", providers: ["wasm"] },
  gpu: {
    module: "ort.webgpu.bundle.min.mjs",
    binary: "ort-wasm-simd-threaded.asyncify.wasm.gz",
    providers: ["webgpu", "wasm"],
  },
};

let analyzer;

self.onmessage = async ({ data: { id, task, gpu, bitmap } }) => {
  try {
    const value = await { load: () => start(gpu), analyze: () => analyze(bitmap), frame: () => analyze(bitmap, true) }[task]();
    self.postMessage({ id, value });
  } catch (error) {
    const { key = "error.crash", values = { detail: error.message } } = error;
    self.postMessage({ id, error: { key, values } });
  }
};

async function start(gpu) {
  for (const name of ["OffscreenCanvas", "DecompressionStream", "WebAssembly"]) {
    if (!(name in self)) throw { key: "error.old", values: { lacks: name } };
  }
  const { module, binary, providers } = RUNTIMES[gpu ? "gpu" : "cpu"];
  const [ort, wasm] = await Promise.all([
    import(`../onnxruntime-web/${module}`),
    read(`../onnxruntime-web/${binary}`).then(unpack),
  ]);
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.numThreads = 1; // these networks are too small to share
  analyzer = await load(ort, (name) => read(`../models/${name}`), providers);
  await analyzer.analyze({ width: 64, height: 64, data: new Uint8Array(64 * 64 * 4) }); // the first call is slow
  return analyzer.card;
}

async function read(path) {
  const response = await fetch(new URL(path, import.meta.url));
  const file = path.replace(/^\.\.\//, "");
  if (response.status === 404) throw { key: "error.missing", values: { file } };
  if (!response.ok) throw { key: "error.load", values: { detail: `${file}: HTTP ${response.status}` } };
  return response.arrayBuffer();
}

/** Unpack gzip, unless the web server has told the browser to do so already. */
async function unpack(buffer) {
  const [first, second] = new Uint8Array(buffer, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return buffer;
  return new Response(new Blob([buffer]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function analyze(bitmap, coarse = false) {
  const view = viewOfBitmap(bitmap, coarse);
  try {
    return await (coarse ? analyzer.watch(view) : analyzer.analyze(view));
  } finally {
    bitmap.close();
  }
}
