"""Arithmetic on candidate faces: anchors, decoding, overlap, weighted non-maximum suppression.

A set of candidates is a float array of n x 17: left, top, right, bottom, then six keypoints as x, y
(the order of phiz.types.KEYPOINT_NAMES), then the score in [0, 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

COLUMNS = 17
SCORE = 16
#: Logits are clipped to this before the sigmoid, so that exp cannot overflow in float32.
LOGIT_LIMIT = 80.0


def make_anchors(grids: tuple[tuple[int, int], ...], height: int, width: int) -> Floats:
    """Return the anchor centres of an input of `height` x `width` pixels, n x 2 (x, y) in pixels.

    grids: (pixels per cell, anchors per cell) of each output grid. Rows run as the network's outputs do:
    grid by grid, row by row, cell by cell. BlazeFace's anchors have no size of their own: boxes are
    regressed in units of the input (arXiv 1907.05047, section 3.2).
    """
    centres = []
    for cell, repeats in grids:
        y, x = np.meshgrid(
            (np.arange(height // cell) + 0.5) * cell, (np.arange(width // cell) + 0.5) * cell, indexing="ij"
        )
        centres.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0))
    return np.concatenate(centres)


def sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-logits)) without overflow."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -LOGIT_LIMIT, LOGIT_LIMIT))))


def decode(regressors: Floats, logits: Floats, anchors: Floats, threshold: float) -> Floats:
    """Turn one picture's raw outputs into candidates in input pixels, keeping scores >= threshold.

    regressors: n x 16, pixels of the input: centre x, y relative to the anchor, width, height, then six
    keypoints relative to the anchor. logits: n. anchors: n x 2 in pixels of the input.
    """
    scores = sigmoid(logits.astype(np.float64))
    kept = np.flatnonzero(scores >= threshold)
    raw = regressors[kept].astype(np.float64)
    origin = anchors[kept]
    centre = raw[:, 0:2] + origin
    half = raw[:, 2:4] / 2
    keypoints = raw[:, 4:16].reshape(-1, 6, 2) + origin[:, None, :]
    parts = [centre - half, centre + half, keypoints.reshape(-1, 12), scores[kept, None]]
    return np.concatenate(parts, axis=1)


def areas(candidates: Floats) -> Floats:
    """Return the box areas, n; zero for a box turned inside out."""
    sides = np.maximum(candidates[:, 2:4] - candidates[:, 0:2], 0.0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def intersections(one: Floats, many: Floats) -> Floats:
    """Return the area that box `one` (a candidate row) shares with each row of `many`."""
    low = np.maximum(one[0:2], many[:, 0:2])
    high = np.minimum(one[2:4], many[:, 2:4])
    sides = np.maximum(high - low, 0.0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def overlaps(one: Floats, many: Floats) -> Floats:
    """Return the intersection over union of box `one` with each row of `many`, in [0, 1]."""
    shared = intersections(one, many)
    union = areas(one[None])[0] + areas(many) - shared
    return np.asarray(shared / np.maximum(union, 1e-12))


def weighted_nms(candidates: Floats, threshold: float) -> Floats:
    """Blend overlapping candidates into one each, best score first (arXiv 1907.05047, section 3.3).

    Candidates whose intersection over union with the best one left is above `threshold` are replaced by
    their mean weighted by score, which steadies boxes and keypoints; the best score is kept.
    """
    left = candidates[np.argsort(-candidates[:, SCORE], kind="stable")]
    blended = []
    while len(left):
        same = overlaps(left[0], left) > threshold
        same[0] = True  # a box without area overlaps nothing, not even itself
        group = left[same]
        face = np.average(group, axis=0, weights=group[:, SCORE])
        face[SCORE] = group[0, SCORE]
        blended.append(face)
        left = left[~same]
    return np.stack(blended) if blended else np.zeros((0, COLUMNS))


def same_face(one: Floats, many: Floats) -> NDArray[np.bool_]:
    """Say which rows of `many` show the same face as `one`, seen in another window.

    They do where their intersection over union is above 0.3, or where more than 0.7 of the smaller box lies
    in the other: a face that a tile cuts off gives too small a box.
    """
    smaller = np.maximum(np.minimum(areas(one[None])[0], areas(many)), 1e-12)
    return np.asarray((overlaps(one, many) > 0.3) | (intersections(one, many) / smaller > 0.7))


def suppress(candidates: Floats) -> Floats:
    """Keep the best of the candidates that show one face in different windows, best score first."""
    left = candidates[np.argsort(-candidates[:, SCORE], kind="stable")]
    kept = []
    while len(left):
        kept.append(left[0])
        left = left[1:][~same_face(left[0], left[1:])]
    return np.stack(kept) if kept else np.zeros((0, COLUMNS))
