// The face detector `auto`: BlazeFace's two networks, each used where it reaches, every face looked at twice.
// How it works and what was measured: docs/detector.md. Source: arXiv 1907.05047; weights Apache-2.0.

import { decode, makeAnchors, overlap, sameFace, SCORE, suppress, weightedNms } from "./boxes.js";
import { around, sample, tiles, whole } from "./window.js";

const NMS_THRESHOLD = 0.3;
// Added round the whole picture in the first look, as a share of its longer side.
const PADDING = 0.15;
// Smallest face searched for, in pixels, and the smallest each network finds, as a share of its window.
const MIN_FACE = 48;
const SHORT_REACH = 0.16;
const BACK_REACH = 0.075;
const TILE_OVERLAP = 0.25;
const MAX_TILES = 100;
const MAX_PROPOSALS = 200;
// Width of the face as a share of its window in the look from afar and in the close-up.
const AFAR = 0.25;
const CLOSE = 0.6;
// Least score of a proposal, and least overlap between a proposal and its second look.
const PROPOSAL = 0.5;
const SAME_FACE = 0.3;
// Least mean score of a face seen in the one look at the whole picture, and of one that `back` proposed.
const LARGE_THRESHOLD = 0.65;
const SMALL_THRESHOLD = 0.7;

/** One BlazeFace network that looks at square windows of a picture. */
export class BlazeFace {
  /** side: width of the whole input in pixels; its coarser output grid has 8 x 8 cells, the finer one 16 x 16. */
  constructor(ort, session, side) {
    this.ort = ort;
    this.session = session;
    this.side = side;
    this.cell = side / 8;
    this.grids = [[side / 16, 2], [side / 8, 6]];
  }

  /** The faces seen in each window, as candidates in picture pixels; trim: skip cells past the picture's end. */
  async candidates(picture, windows, threshold, trim = false) {
    const found = [];
    for (const window of windows) {
      const { width, height, data } = sample(picture, window, this.side, trim ? this.cell : this.side);
      const image = new this.ort.Tensor("uint8", data, [1, height, width, 3]);
      const { regressors, classificators } = await this.session.run({ image });
      const anchors = makeAnchors(this.grids, height, width);
      const raw = decode(regressors.data, classificators.data, anchors, threshold);
      const scale = window.side / this.side;
      for (const face of weightedNms(raw, NMS_THRESHOLD)) {
        for (let k = 0; k < SCORE; k += 2) {
          face[k] = face[k] * scale + window.x;
          face[k + 1] = face[k + 1] * scale + window.y;
        }
        found.push(face);
      }
    }
    return found;
  }
}

/** Both networks together, on the whole picture and on tiles of it. */
export class AutoDetector {
  constructor(short, back) {
    this.short = short;
    this.back = back;
  }

  /** The faces of a picture, largest first, as {box: [x, y, width, height], score, keypoints}. */
  async detect(picture) {
    const { width, height } = picture;
    const first = whole(width, height, PADDING);
    const large = await this.short.candidates(picture, [first], PROPOSAL);
    let faces = await this.closeUp(picture, large, large.map((face) => face[SCORE]), LARGE_THRESHOLD);
    if (SHORT_REACH * first.side > MIN_FACE) {
      const windows = tiles(width, height, MIN_FACE / BACK_REACH, TILE_OVERLAP, MAX_TILES);
      const proposed = await this.back.candidates(picture, windows, PROPOSAL, true);
      const fresh = proposed.filter((small) => !faces.some((face) => sameFace(face, small)));
      faces = faces.concat(await this.lookTwice(picture, suppress(fresh).slice(0, MAX_PROPOSALS)));
    }
    return inOrder(suppress(faces));
  }

  /** The faces of the frame before, as `detect` gave them, where they are now; fewer where some are lost. */
  async follow(picture, faces) {
    const before = faces.map(({ box: [x, y, w, h] }) => [x, y, x + w, y + h]);
    const now = await this.closeUp(picture, before, faces.map(({ score }) => score), LARGE_THRESHOLD);
    return inOrder(suppress(now));
  }

  /** What `short` confirms of `proposals` from afar and close up. */
  async lookTwice(picture, proposals) {
    const seen = [];
    for (const proposal of proposals) {
      const face = await this.look(picture, proposal, AFAR);
      if (face) seen.push(face);
    }
    return this.closeUp(picture, seen, seen.map((face) => face[SCORE]), SMALL_THRESHOLD);
  }

  /** The close-ups of `proposals` whose score, in the mean with `scores`, reaches `threshold`. */
  async closeUp(picture, proposals, scores, threshold) {
    const faces = [];
    for (const [i, proposal] of proposals.entries()) {
      const face = await this.look(picture, proposal, CLOSE);
      if (!face) continue;
      face[SCORE] = (face[SCORE] + scores[i]) / 2;
      if (face[SCORE] >= threshold) faces.push(face);
    }
    return faces;
  }

  /** The face that `short` sees where `proposal` is, filling `share` of the window's width; or undefined. */
  async look(picture, proposal, share) {
    const found = await this.short.candidates(picture, [around(proposal, share)], PROPOSAL);
    const same = found.filter((face) => overlap(proposal, face) > SAME_FACE);
    return same.reduce((best, face) => (!best || face[SCORE] > best[SCORE] ? face : best), undefined);
  }
}

/** Candidates as detections, largest first. */
function inOrder(faces) {
  return faces.map(toDetection).sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
}

function toDetection(face) {
  const [left, top, right, bottom] = face;
  const keypoints = [];
  for (let k = 4; k < SCORE; k += 2) keypoints.push([face[k], face[k + 1]]);
  return { box: [left, top, right - left, bottom - top], score: face[SCORE], keypoints };
}
