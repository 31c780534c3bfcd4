// Arithmetic on candidate faces: anchors, decoding, overlap, weighted non-maximum suppression.
// A candidate is an array of 17 numbers: left, top, right, bottom, six keypoints as x, y, the score in [0, 1].

export const SCORE = 16;
const LOGIT_LIMIT = 80;

/** Anchor centres [x, y] of an input, in its pixels; grids: [pixels per cell, anchors per cell] of each output. */
export function makeAnchors(grids, height, width) {
  const centres = [];
  for (const [cell, repeats] of grids) {
    for (let y = 0; y < Math.floor(height / cell); y++) {
      for (let x = 0; x < Math.floor(width / cell); x++) {
        for (let k = 0; k < repeats; k++) centres.push([(x + 0.5) * cell, (y + 0.5) * cell]);
      }
    }
  }
  return centres;
}

/** Turn one window's raw outputs into candidates in input pixels, keeping scores >= threshold. */
export function decode(regressors, logits, anchors, threshold) {
  const candidates = [];
  anchors.forEach(([ax, ay], i) => {
    const logit = Math.min(Math.max(logits[i], -LOGIT_LIMIT), LOGIT_LIMIT);
    const score = 1 / (1 + Math.exp(-logit));
    if (score < threshold) return;
    const raw = regressors.subarray(i * 16, i * 16 + 16);
    const x = raw[0] + ax;
    const y = raw[1] + ay;
    const candidate = [x - raw[2] / 2, y - raw[3] / 2, x + raw[2] / 2, y + raw[3] / 2];
    for (let k = 4; k < 16; k += 2) candidate.push(raw[k] + ax, raw[k + 1] + ay);
    candidate.push(score);
    candidates.push(candidate);
  });
  return candidates;
}

function area(box) {
  return Math.max(box[2] - box[0], 0) * Math.max(box[3] - box[1], 0);
}

function intersection(one, other) {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return Math.max(width, 0) * Math.max(height, 0);
}

/** Intersection over union of two boxes, in [0, 1]. */
export function overlap(one, other) {
  const shared = intersection(one, other);
  return shared / Math.max(area(one) + area(other) - shared, 1e-12);
}

/** Whether two candidates show the same face, seen in different windows. */
export function sameFace(one, other) {
  const smaller = Math.max(Math.min(area(one), area(other)), 1e-12);
  return overlap(one, other) > 0.3 || intersection(one, other) / smaller > 0.7;
}

/** Blend candidates that overlap by more than `threshold` into one each (arXiv 1907.05047, section 3.3). */
export function weightedNms(candidates, threshold) {
  let left = bestFirst(candidates);
  const blended = [];
  while (left.length) {
    const best = left[0];
    const same = left.map((other, i) => i === 0 || overlap(best, other) > threshold);
    const group = left.filter((_, i) => same[i]);
    const total = group.reduce((sum, other) => sum + other[SCORE], 0);
    const face = best.map((_, k) => group.reduce((sum, other) => sum + other[k] * other[SCORE], 0) / total);
    face[SCORE] = best[SCORE];
    blended.push(face);
    left = left.filter((_, i) => !same[i]);
  }
  return blended;
}

/** Keep the best of the candidates that show one face in different windows, best score first. */
export function suppress(candidates) {
  let left = bestFirst(candidates);
  const kept = [];
  while (left.length) {
    const best = left[0];
    kept.push(best);
    left = left.slice(1).filter((other) => !sameFace(best, other));
  }
  return kept;
}

function bestFirst(candidates) {
  return [...candidates].sort((a, b) => b[SCORE] - a[SCORE]);
}
