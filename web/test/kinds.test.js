// What a file is, by its first bytes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { kindOf, unreadable } from "../../src/phiz/serve/page/app/kinds.js";

function bytes(...parts) {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part)));
}

/** The first box of a file of MP4's family, and the start of the next. */
function boxed(major, ...others) {
  const brands = others.join("");
  return bytes([0, 0, 0, 16 + brands.length], "ftyp", major, [0, 0, 2, 0], brands, [0, 0, 0, 8], "mif1heic");
}

const FILES = [
  ["picture", "\xff\xd8\xff\xe0", "\x89PNG\r\n\x1a\n", "GIF89a", "BM\0\0", "RIFF\x10\0\0\0WEBPVP8 "],
  ["HEIC", boxed("heic", "mif1", "heic"), boxed("mif1", "heic", "miaf"), boxed("heix"), boxed("msf1", "mif1", "heis")],
  ["AVIF", boxed("avif", "mif1", "miaf"), boxed("mif1", "avif")],
  ["HEIF", boxed("mif1"), boxed("xxxx", "msf1")],
  ["CR3", boxed("crx ", "isom")],
  ["TIFF", "II*\0\x08\0\0\0", "MM\0*\0\0\0\x08"],
  ["PDF", "%PDF-1.7"],
  ["PSD", "8BPS\0\x01"],
  ["recording", boxed("isom", "iso2", "avc1", "mp41"), boxed("mp42"), boxed("qt  "), boxed("M4V "), boxed("3gp5", "isom")],
  ["recording", "\x1aE\xdf\xa3\x9fB\x86", "RIFF\x10\0\0\0AVI LIST", "\0\0\x01\xba", "FLV\x01", "OggS", "0&\xb2u\x8ef"],
  ["recording", "\0\0\0\x08wide\0\0\0\0mdat", "\0\0\0\x6cmoov", `G${"\0".repeat(187)}G`],
  ["unknown", "", "no picture at all", "RIFF\x10\0\0\0WAVEfmt ", "G alone", "PK\x03\x04"],
];

for (const [kind, ...files] of FILES) {
  files.forEach((file, i) => {
    const head = typeof file === "string" ? bytes(file) : file;
    test(`${kind}, file ${i + 1}`, () => assert.equal(kindOf(head), kind));
  });
}

test("why a file cannot be read depends on its bytes, never on its name or type", async () => {
  const why = async (content) => {
    const { key, values } = await unreadable(new Blob([content], { type: "image/heic" }));
    return [key, values.format];
  };
  assert.deepEqual(await why(boxed("isom")), ["error.recording", undefined]);
  assert.deepEqual(await why(boxed("avif")), ["error.format", "AVIF"]);
  assert.deepEqual(await why("\x89PNG"), ["error.type", undefined]); // as UTF-8 these are other bytes
  assert.deepEqual(await why(bytes("\x89PNG")), ["error.damaged", undefined]);
  assert.deepEqual(await why(""), ["error.type", undefined]);
});
