// Pictures analysed by the phiz service that serves this page; the interface of device.js.

import { closed, refusal, refused } from "./refusals.js";
import { Plain } from "./words.js";

const ROOT = new URL("../", import.meta.url);
const JPEG_QUALITY = 0.9;

/** Whether a phiz service answers where this page comes from; false for plain files. */
export async function serverIsThere() {
  try {
    const response = await fetch(new URL("healthz", ROOT));
    return response.ok && (await response.json()).status === "ok";
  } catch {
    return false;
  }
}

/** One connection to the service. */
export class Server {
  where = "server";

  /** token: what the service asks for, or an empty text. */
  constructor(token) {
    this.token = token;
    this.closing = new AbortController();
    this.ready = this.check();
    this.ready.catch(() => {}); // whoever waits for it is told
  }

  async check() {
    const response = await this.fetch("v1/models");
    if (!response.ok) throw await refusal(response);
    const { model, gender_model, limits, models } = await response.json();
    const card = (wanted) => models.find(({ name }) => name === wanted);
    this.cards = { age: card(model), gender: card(gender_model) };
    this.limits = limits;
  }

  /** The faces of an encoded picture, as {width, height, faces}. */
  async analyze(blob) {
    await this.ready;
    if (blob.size === 0) throw new Plain("error.empty");
    const headers = { "Content-Type": "application/octet-stream" }; // the content decides, not the file's name
    const response = await this.fetch("v1/analyze", { method: "POST", body: blob, headers });
    if (!response.ok) throw await refusal(response, { limits: this.limits, blob });
    return (await response.json()).results[0];
  }

  /** The faces of a video's current frame; call again only after the answer. */
  async frame(video) {
    await this.open();
    this.canvas ??= document.createElement("canvas");
    this.canvas.width = video.videoWidth;
    this.canvas.height = video.videoHeight;
    this.canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0);
    const jpeg = await new Promise((resolve) => this.canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
    const text = await new Promise((resolve, reject) => {
      this.socket.onmessage = ({ data }) => resolve(data);
      this.socket.onclose = (event) => reject(closed(event));
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(jpeg);
      else reject(new Plain("error.offline"));
    });
    const result = JSON.parse(text);
    if (result.error) throw await refused(result, { limits: this.limits, blob: jpeg });
    return result;
  }

  /** Stop; whoever waits for an answer, or asks for one from now on, is refused. */
  close() {
    this.closing.abort();
    this.socket?.close();
  }

  /** Open the stream where it is not; a refused WebSocket does not say why, so a plain request asks first. */
  async open() {
    if (this.socket?.readyState === WebSocket.OPEN) return;
    await this.check();
    const url = new URL("v1/stream", ROOT);
    url.protocol = url.protocol.replace("http", "ws");
    this.socket = new WebSocket(url, ["phiz.v1", ...(this.token ? [`phiz.token.${this.token}`] : [])]);
    await new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onclose = (event) => reject(closed(event));
    });
  }

  fetch(path, options) {
    return ask(path, this.token, { ...options, signal: this.closing.signal });
  }
}

/** Ask the service, with the token unless it is an empty text. */
export async function ask(path, token, options = {}) {
  const headers = { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) };
  try {
    return await fetch(new URL(path, ROOT), { ...options, headers });
  } catch {
    throw new Plain("error.offline");
  }
}
