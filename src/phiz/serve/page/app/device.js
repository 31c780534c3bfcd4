// Pictures analysed on this device. Once `ready` is resolved, nothing here makes a request.

import { Plain } from "./words.js";

const MAX_MEGAPIXELS = 80;

/** One worker with the networks; see worker.js. */
export class Device {
  /** gpu: use the graphics processor. */
  constructor(gpu) {
    this.waiting = new Map();
    this.count = 0;
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: { id, value, error } }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) reject(new Plain(error.key, error.values));
      else resolve(value);
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(new Plain("error.load", { detail: event.message ?? "worker.js" }));
    };
    this.ready = this.ask({ task: "load", gpu });
    this.ready.catch(() => {}); // whoever waits for it is told
  }

  /** The faces of an encoded picture, as {width, height, faces}. */
  async analyze(blob) {
    const bitmap = await decode(blob);
    await this.ready;
    return this.ask({ task: "analyze", bitmap }, [bitmap]);
  }

  /** The faces of a video's current frame. */
  async frame(video) {
    await this.ready;
    const bitmap = await createImageBitmap(video);
    return this.ask({ task: "frame", bitmap }, [bitmap]);
  }

  close() {
    this.worker.terminate();
    this.fail(new Plain("error.crash", { detail: "closed" }));
  }

  ask(message, transfer = []) {
    const id = ++this.count;
    const answer = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.worker.postMessage({ id, ...message }, transfer);
    return answer;
  }

  fail(error) {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

/** Decode a picture upright and with its colour profile ignored, as the Python package does. */
async function decode(blob) {
  if (blob.size === 0) throw new Plain("error.empty");
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw await unreadable(blob);
  }
  const pixels = Math.ceil((bitmap.width * bitmap.height) / 1e6);
  if (pixels > MAX_MEGAPIXELS) {
    bitmap.close();
    throw new Plain("error.large", { pixels, most: MAX_MEGAPIXELS });
  }
  return bitmap;
}

/** Say why a picture cannot be read, judging by its first bytes. */
async function unreadable(blob) {
  const head = new Uint8Array(await blob.slice(0, 12).arrayBuffer().catch(() => new ArrayBuffer(0)));
  const text = String.fromCharCode(...head);
  if (text.startsWith("ftyp", 4)) return new Plain("error.heic");
  const known = ["\xff\xd8\xff", "\x89PNG", "GIF8", "BM"].some((mark) => text.startsWith(mark));
  return new Plain(known || text.startsWith("WEBP", 8) ? "error.damaged" : "error.type");
}
