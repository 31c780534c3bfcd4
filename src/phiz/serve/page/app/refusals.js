// Why the service did not answer, in the page's words: its own are English and for developers. The page knows a
// refusal by its `code`, else by its status; the service's words go to the console.

import { unreadable } from "./kinds.js";
import { Plain } from "./words.js";

// Codes of src/phiz/serve/refusal.py that say what the visitor can do; the others are faults of a program.
const CODES = {
  unknown_host: "error.origin",
  foreign_origin: "error.origin",
  token_required: "error.token",
  body_timeout: "error.slow",
  body_too_large: "error.bytes",
  empty_file: "error.empty",
  too_many_bytes: "error.bytes",
  too_many_pixels: "error.pixels",
  unknown_depth: "error.depth",
  damaged_picture: "error.damaged",
  busy: "error.busy",
  answer_timeout: "error.busy",
  ending: "error.ending",
  failed: "error.broken",
};
const STATUSES = {
  401: "error.token",
  403: "error.origin",
  408: "error.slow",
  413: "error.bytes",
  429: "error.busy",
  503: "error.busy",
};
// Closing a stream; the codes of src/phiz/serve/stream.py.
const CLOSES = { 1009: "error.bytes", 1012: "error.ending", 1013: "error.busy" };

/** The error for a response that is not ok. picture: the {blob} that was sent and the service's {limits}. */
export async function refusal(response, picture) {
  const answer = await response.json().catch(() => ({}));
  const other = STATUSES[response.status] ?? (response.status < 500 ? "error.server" : "error.broken");
  const code = answer.code ?? answer.results?.[0].code;
  return inWords(code, other, answer.detail ?? `HTTP ${response.status}`, picture);
}

/** The error for a result that has one; see `refusal`. */
export function refused({ code, error }, picture) {
  return inWords(code, "error.server", error, picture);
}

/** The error for a stream that was closed. */
export function closed({ code, reason }) {
  return new Plain(CLOSES[code] ?? (reason ? "error.broken" : "error.offline"), { detail: reason });
}

async function inWords(code, other, detail, { blob, limits = {} } = {}) {
  if (code === "unknown_format" && blob) return unreadable(blob);
  const key = CODES[code] ?? other;
  const most = { "error.pixels": limits.max_pixels / 1e6, "error.bytes": limits.max_bytes / 2 ** 20 }[key];
  return new Plain(key, { most: Math.floor(10 * most) / 10, detail });
}
