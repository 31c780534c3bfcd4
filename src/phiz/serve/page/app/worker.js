// The analysis on this device, off the page's own thread. Messages in: {id, task: "load", gpu} once, then
// {id, task, bitmap}, task "analyze" for a picture and "frame" for one of a camera's. Messages out: {id, value}, of
// "load" the card of the network, or {id, error: {key, values}}.

import { load } from "../phiz/index.js";

const RUNTIMES = {
  cpu: { module: "ort.wasm.bundle.min.mjs", binary: "ort-wasm-simd-threaded.wasm.gz", providers: ["wasm"] },
  gpu: {
    module: "ort.webgpu.bundle.min.mjs",
    binary: "ort-wasm-simd-threaded.asyncify.wasm.gz",
    providers: ["webgpu", "wasm"],
  },
};
// Larger pictures are shrunk before they are searched: some phones give no canvas beyond this.
const MAX_PIXELS = 16_000_000;

// A camera is searched for newcomers after so many milliseconds; in between known faces are followed.
const SEARCH_EVERY = 400;

let analyzer;
let canvas;
let known = []; // faces of the camera's last frame
let searched = -Infinity; // when it was searched

self.onmessage = async ({ data: { id, task, gpu, bitmap } }) => {
  try {
    const value = await { load: () => start(gpu), analyze: () => analyze(bitmap), frame: () => frame(bitmap) }[task]();
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
  canvas = new OffscreenCanvas(1, 1);
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

async function analyze(bitmap) {
  const { width, height } = bitmap;
  const shrink = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height)));
  const result = await analyzer.analyze(pixels(bitmap, Math.floor(width * shrink), Math.floor(height * shrink)));
  if (shrink === 1) return result;
  const [sx, sy] = [width / result.width, height / result.height];
  const scaled = (values) => values.map((value, i) => Math.round(value * (i % 2 ? sy : sx) * 10) / 10);
  const faces = result.faces.map((face) => ({ ...face, box: scaled(face.box), keypoints: face.keypoints.map(scaled) }));
  return { width, height, faces };
}

async function frame(bitmap) {
  const now = performance.now();
  const search = now - searched > SEARCH_EVERY;
  if (search) searched = now;
  const result = await analyzer.analyze(pixels(bitmap, bitmap.width, bitmap.height), search ? [] : known);
  known = result.faces;
  return result;
}

/** The pixels of a bitmap on white, as Python lays transparent pictures on white. */
function pixels(bitmap, width, height) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw { key: "error.memory" };
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  try {
    return context.getImageData(0, 0, width, height);
  } catch {
    throw { key: "error.memory" };
  }
}
