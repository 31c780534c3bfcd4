"""A face seen from the side, made from one seen from the front: its surface turned and drawn anew.

The face mesh gives the depth of the face; hair, ears and neck round it fall back along a slope, and what lies
further out stays where it was, as a background does. Zhu et al., "Face Alignment Across Large Poses: A 3D
Solution", CVPR 2016, made profiles in this manner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

#: Depth is worked out at every so-manieth pixel, and interpolated in between.
STEP = 4
#: Samples drawn per pixel and direction: what is turned towards the camera is stretched up to so much.
FINE = 3
#: In widths of the face: how far from its rim the head still turns as a whole, and where nothing turns.
HEAD, STILL = 0.3, 0.9
#: How deep the head falls away behind the face's rim, widths of the face per width of distance.
SLOPE = 0.8
#: Deviation of the filter that smooths the depth, steps.
SMOOTH = 1.5


def yaw(surface: Floats) -> float:
    """Return by how many degrees a face looks away from the camera, to the picture's right if positive.

    surface: (468, 3) x, y and depth of the mesh's points, in one unit, depth growing away from the camera.
    """
    across = surface[454] - surface[234]  # from ear to ear
    return float(np.degrees(np.arctan2(across[2], across[0])))


def turn(picture: Pixels, surface: Floats, degrees: float) -> Pixels:
    """Return the picture with the face turned by so many degrees about its vertical axis.

    picture: (S, S, 3) uint8, the face level and about its middle. surface: (468, 3) x, y and depth, pixels.
    degrees: to the picture's right if positive. Needs scipy (extra eval).
    """
    side = picture.shape[0]
    at = (np.arange(side * FINE) + 0.5) / FINE
    depth, loose = (_fine(values, at) for values in _depth(surface, side))
    x, y = np.meshgrid(at, at)
    axis, back = surface[[234, 454], 0].mean(), surface[[234, 454], 2].mean()
    angle = np.radians(degrees)
    # The middle of the face stays in the middle of the picture: the neck turns, and the head with it.
    middle = (surface[:, 2].mean() - back) * np.sin(angle)
    moved = axis + (x - axis) * np.cos(angle) - (depth - back) * np.sin(angle) + middle
    nearer = (x - axis) * np.sin(angle) + (depth - back) * np.cos(angle)
    moved = moved + (x - moved) * loose
    return _drawn(picture, x, y, moved, nearer + loose * side)


def _depth(surface: Floats, side: int) -> tuple[Floats, Floats]:
    """Return depth (G, G) at every STEP pixels, and how loose a point is: 0 of the head, 1 behind it."""
    from scipy.interpolate import LinearNDInterpolator
    from scipy.ndimage import gaussian_filter
    from scipy.spatial import cKDTree

    at = np.arange(0, side + STEP, STEP, dtype=float)
    x, y = np.meshgrid(at, at)
    places = np.stack([x.ravel(), y.ravel()], 1)
    inside = LinearNDInterpolator(surface[:, :2], surface[:, 2])(places)
    distance, nearest = cKDTree(surface[:, :2]).query(places)
    width = np.ptp(surface[:, 0])
    outside = surface[nearest, 2] + SLOPE * distance
    deepest = surface[:, 2].max() + HEAD * width
    depth = np.where(np.isnan(inside), np.minimum(outside, deepest), inside)
    far = np.where(np.isnan(inside), (distance / width - HEAD) / (STILL - HEAD), 0.0).clip(0, 1)
    loose = far * far * (3 - 2 * far)
    # Smooth, because the rim of the mesh is a polygon
    smooth: Floats = gaussian_filter(depth.reshape(x.shape), SMOOTH)
    return smooth, loose.reshape(x.shape)


def _fine(values: Floats, at: Floats) -> Floats:
    """Return values of the coarse grid between its points, along both directions."""
    coarse = np.arange(len(values)) * float(STEP)
    rows = np.array([np.interp(at, coarse, row) for row in values])
    return np.stack([np.interp(at, coarse, column) for column in rows.T], axis=1)


def _drawn(picture: Pixels, x: Floats, y: Floats, moved: Floats, depth: Floats) -> Pixels:
    """Draw the samples where they moved to, the nearest last.

    Where none came, the deeper of the row's next pixels on either side: what is behind comes to light.
    Between the last of a row and the picture's edge, the edge's pixel.
    """
    side = picture.shape[0]
    order = np.argsort(-depth, axis=None)
    order = order[(moved.ravel()[order] >= 0) & (moved.ravel()[order] < side)]
    to = y.astype(int).ravel()[order], moved.astype(int).ravel()[order]
    drawn, deep = np.zeros_like(picture), np.full((side, side), -np.inf)
    drawn[to] = picture[to[0], x.astype(int).ravel()[order]]
    deep[to] = depth.ravel()[order]
    filled, row = np.isfinite(deep), np.arange(side)[:, None]
    at = np.broadcast_to(np.arange(side), filled.shape)
    before = np.maximum.accumulate(np.where(filled, at, 0), axis=1)
    after = np.minimum.accumulate(np.where(filled, at, side - 1)[:, ::-1], axis=1)[:, ::-1]
    taken = np.where(deep[row, before] >= deep[row, after], before, after)
    drawn = drawn[row, np.where(filled, at, taken)]
    for missing, edge in ((~filled[row, before], 0), (~filled[row, after], -1)):
        drawn = np.where(missing[..., None], picture[:, [edge]], drawn)
    return drawn
