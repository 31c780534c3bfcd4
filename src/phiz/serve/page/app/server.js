// Pictures analysed by the phiz service that serves this page; the interface of device.js.

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
  /** token: what the service asks for, or an empty text. */
  constructor(token) {
    this.token = token;
    this.ready = this.check();
    this.ready.catch(() => {}); // whoever waits for it is told
  }

  async check() {
    const response = await this.fetch("v1/models");
    if (!response.ok) throw await refusal(response);
  }

  /** The faces of an encoded picture, as {width, height, faces}. */
  async analyze(blob) {
    if (blob.size === 0) throw new Plain("error.empty");
    const headers = { "Content-Type": blob.type || "application/octet-stream" };
    const response = await this.fetch("v1/analyze", { method: "POST", body: blob, headers });
    if (!response.ok) throw await refusal(response);
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
    if (result.error) throw new Plain("error.server", { detail: result.error });
    return result;
  }

  close() {
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
    return ask(path, this.token, options);
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

function closed({ code, reason }) {
  if (code === 1013) return new Plain("error.busy"); // "try again later"
  return reason ? new Plain("error.broken", { detail: reason }) : new Plain("error.offline");
}

/** Say in words why the service did not answer. */
async function refusal(response) {
  const answer = await response.json().catch(() => ({}));
  // Of one picture that cannot be read the reason is enough.
  const reason = answer.results?.[0].error?.replace(/^picture bytes: /, "");
  const detail = reason ?? answer.detail ?? `HTTP ${response.status}`;
  if (response.status === 401) return new Plain("error.token");
  if (response.status === 429 || response.status === 503) return new Plain("error.busy");
  return new Plain(response.status < 500 ? "error.server" : "error.broken", { detail });
}
