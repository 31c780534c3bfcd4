// Pictures analysed on this device. Once `ready` is resolved, nothing here makes a request.

import { unreadable } from "./kinds.js";
import { Plain } from "./words.js";

const MAX_MEGAPIXELS = 80;

/** One worker with the networks; see worker.js. */
export class Device {
  where = "device";

  /** gpu: use the graphics processor. */
  constructor(gpu) {
    this.waiting = new Map();
    this.count = 0;
    this.ended = null; // why the worker answers nothing any more
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: { id, value, error } }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) reject(new Plain(error.key, error.values));
      else resolve(value);
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.end(new Plain("error.load", { detail: event.message ?? "worker.js" }));
    };
    this.ready = this.ask({ task: "load", gpu }).then((card) => {
      this.cards = { age: card, gender: card };
    });
    this.ready.catch(() => {}); // whoever waits for it is told
  }

  /** The faces of an encoded picture, as {width, height, faces}. */
  async analyze(blob) {
    await this.ready;
    const bitmap = await decode(blob);
    return this.ask({ task: "analyze", bitmap }, [bitmap]);
  }

  /** The faces of a video's current frame. */
  async frame(video) {
    await this.ready;
    const bitmap = await createImageBitmap(video);
    return this.ask({ task: "frame", bitmap }, [bitmap]);
  }

  /** Stop; whoever waits for an answer, or asks for one from now on, is refused. */
  close() {
    this.end(new Plain("error.crash", { detail: "closed" }));
  }

  ask(message, transfer = []) {
    if (this.ended) {
      for (const bitmap of transfer) bitmap.close();
      return Promise.reject(this.ended);
    }
    const id = ++this.count;
    const answer = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.worker.postMessage({ id, ...message }, transfer);
    return answer;
  }

  end(error) {
    this.ended ??= error;
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(this.ended);
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
