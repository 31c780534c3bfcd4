// YuNet: one small anchor-free network that finds faces and five points of each; the same as phiz.detect.yunet.
// Source: W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20,
// 2023. A face is an array of 15 numbers: left, top, right, bottom, five points as x, y, the score.

import { firstFactor, look, secondFactor, viewOfLook } from "./looks.js";

export const SCORE = 14;
const KINDS = ["cls", "obj", "bbox", "kps"];
// Boxes with this intersection over union are two sights of one face; their mean is steadier than either.
const SAME = 0.5;

/** Finds the faces of a picture in one look, or in two where some may be larger than the network reaches. */
export class Detector {
  /** card: the parsed yunet.json. */
  constructor(ort, session, card) {
    this.ort = ort;
    this.session = session;
    this.card = card;
    this.outputs = card.strides.flatMap((stride) => KINDS.map((kind) => `${kind}_${stride}`));
    this.multiple = Math.max(...card.strides);
  }

  /**
   * The faces of a view, largest first, as {box: [x, y, width, height], score, keypoints}.
   *
   * minFace: width in pixels of the smallest face to look for and return; without it the card's default. A view that
   * has `shrunk(width, height)` is asked for its looks itself.
   */
  async detect(view, minFace) {
    const factor = firstFactor(view.width, view.height, minFace, this.card);
    const first = this.first(view, factor);
    let faces = await this.find(first, factor);
    const again = secondFactor(first.columns, first.rows, this.card);
    if (again !== null) {
      const coarse = await this.find(look(viewOfLook(first), again, this.multiple, 3), factor * again);
      const least = this.card.coarse_least * factor * again;
      faces = faces.concat(coarse.filter((face) => face[2] - face[0] >= least));
    }
    const least = this.card.slack * (minFace ?? this.card.min_face);
    return suppress(faces, this.card.overlap)
      .filter((face) => face[2] - face[0] >= least)
      .map(toDetection)
      .sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
  }

  /** The watch's smallest face in a frame of that size. */
  watchMinFace(width, height) {
    return Math.max(1, Math.round(this.card.watch_share * Math.max(width, height)));
  }

  first(view, factor) {
    if (!view.shrunk || factor === 1) return look(view, factor, this.multiple);
    const [width, height] = [view.width, view.height].map((side) => Math.max(1, Math.floor(side / factor)));
    const small = view.shrunk(width, height);
    return look({ width, height, part: () => small }, 1, this.multiple);
  }

  /** What the network sees in a look, overlapping boxes included, times `factor`. */
  async find({ width, height, data }, factor) {
    const image = new this.ort.Tensor("uint8", data, [1, height, width, 3]);
    const faces = decode(await this.session.run({ image }, this.outputs), width, this.card.strides, this.card.score);
    return faces.map((face) => face.map((value, i) => (i === SCORE ? value : value * factor)));
  }
}

/**
 * Turn the network's outputs into faces of at least that score, in pixels of its input of that width.
 *
 * For each stride s: cls_s and obj_s, whose geometric mean is the score, bbox_s and kps_s, cells row by row. A box's
 * centre is (cell + d) x s, its side exp(d) x s; a point is (cell + d) x s (the paper's section 3.3).
 */
export function decode(outputs, width, strides, least) {
  const found = [];
  for (const stride of strides) {
    const [cls, obj, bbox, kps] = KINDS.map((kind) => outputs[`${kind}_${stride}`].data);
    const columns = Math.floor(width / stride);
    for (let i = 0; i < cls.length; i++) {
      const score = Math.sqrt(cls[i] * obj[i]);
      if (!(score >= least)) continue;
      const cell = [i % columns, Math.floor(i / columns)];
      const place = (value, axis) => (cell[axis] + value) * stride;
      const centre = [place(bbox[4 * i], 0), place(bbox[4 * i + 1], 1)];
      const half = [2, 3].map((k) => (Math.exp(Math.min(bbox[4 * i + k], 10)) * stride) / 2);
      const points = Array.from(kps.subarray(10 * i, 10 * i + 10), (value, k) => place(value, k % 2));
      found.push([centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1], ...points, score]);
    }
  }
  return found;
}

/** Keep of boxes that overlap more than so much the best, its box and points the mean, by score, of those at SAME place. */
export function suppress(faces, most) {
  let left = [...faces].sort((a, b) => b[SCORE] - a[SCORE]);
  const kept = [];
  while (left.length) {
    const [best] = left;
    const shared = left.map((face, i) => (i === 0 ? 1 : overlap(best, face)));
    const same = left.filter((_, i) => shared[i] > SAME);
    const total = same.reduce((sum, face) => sum + face[SCORE], 0);
    const mean = best.map((_, k) => same.reduce((sum, face) => sum + face[k] * face[SCORE], 0) / total);
    mean[SCORE] = best[SCORE];
    kept.push(mean);
    left = left.filter((_, i) => shared[i] <= most);
  }
  return kept;
}

/** Intersection over union of two boxes, in [0, 1]. */
export function overlap(one, other) {
  const across = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const down = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  const shared = Math.max(across, 0) * Math.max(down, 0);
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return shared / Math.max(area(one) + area(other) - shared, 1e-12);
}

function toDetection(face) {
  const [left, top, right, bottom] = face;
  const keypoints = [];
  for (let k = 4; k < SCORE; k += 2) keypoints.push([face[k], face[k + 1]]);
  return { box: [left, top, right - left, bottom - top], score: face[SCORE], keypoints };
}
