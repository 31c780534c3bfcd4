// What a file is, by its first bytes: for saying why it is no picture that can be read here.

import { Plain } from "./words.js";

const READABLE = ["\xff\xd8\xff", "\x89PNG", "GIF8", "BM"];
// Pictures that some programs write and few browsers read, and papers.
const FORMATS = [
  ["II*\0", "TIFF"],
  ["MM\0*", "TIFF"],
  ["8BPS", "PSD"],
  ["\0\0\0\x0cjP  ", "JPEG 2000"],
  ["\0\0\0\x0cJXL ", "JPEG XL"],
  ["\xff\x0a", "JPEG XL"],
  ["%PDF", "PDF"],
];
// Brands of the family of MP4 (ISO/IEC 14496-12) that are pictures; every other one is a recording.
const BRANDS = { avif: "AVIF", avis: "AVIF", heic: "HEIC", heix: "HEIC", heim: "HEIC", heis: "HEIC", "crx ": "CR3" };
const ANY_PICTURE = ["mif1", "msf1"];
// Matroska and WebM, MPEG streams, Windows Media, Flash, Ogg; QuickTime's boxes before there were brands.
const RECORDINGS = ["\x1aE\xdf\xa3", "\0\0\x01\xba", "\0\0\x01\xb3", "0&\xb2u", "FLV\x01", "OggS"];
const BOXES = ["moov", "mdat", "wide", "skip", "free", "pnot"];
const PACKET = 188; // of an MPEG transport stream; each begins with a G

// How many bytes `kindOf` looks at.
const HEAD = 256;

/** "picture" of a format that browsers read, "recording", "unknown", or a format's name such as "HEIC". */
export function kindOf(bytes) {
  const head = String.fromCharCode(...bytes.subarray(0, HEAD));
  const begins = (mark) => head.startsWith(mark);
  const riff = begins("RIFF") ? head.slice(8, 12) : "";
  if (READABLE.some(begins) || riff === "WEBP") return "picture";
  if (head.startsWith("ftyp", 4)) return branded(head);
  const boxes = BOXES.includes(head.slice(4, 8)) || (head[0] === "G" && head[PACKET] === "G");
  if (RECORDINGS.some(begins) || riff === "AVI " || boxes) return "recording";
  return FORMATS.find(([mark]) => begins(mark))?.[1] ?? "unknown";
}

/** By the major brand, or else by those it is compatible with. */
function branded(head) {
  const size = head.slice(0, 4).split("").reduce((sum, byte) => 256 * sum + byte.charCodeAt(0), 0);
  const [major, , ...others] = head.slice(8, size).match(/.{4}/gs) ?? [];
  const brands = [major, ...others];
  const named = brands.map((brand) => BRANDS[brand]).find(Boolean);
  return named ?? (ANY_PICTURE.some((brand) => brands.includes(brand)) ? "HEIF" : "recording");
}

/** Say why a picture cannot be read, judging by its first bytes. */
export async function unreadable(blob) {
  const head = await blob.slice(0, HEAD).arrayBuffer().catch(() => new ArrayBuffer(0));
  const kind = kindOf(new Uint8Array(head));
  const plain = { picture: "error.damaged", recording: "error.recording", unknown: "error.type" }[kind];
  return plain ? new Plain(plain) : new Plain("error.format", { format: kind });
}
