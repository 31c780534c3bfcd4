"""Two orders of 68 points, iBUG's and FG-NET's: the crop's keypoints out of either, and what both share.

Both have 68 points but few in the same place. iBUG's order stands in base.py. FG-NET's, seen from the front
(right and left are the person's own): jaw 0-14 from the right ear over the chin, 7, to the left ear; outline
of the left brow 15-20 (15 outer end, 18 inner end) and of the right brow 21-26 (21 outer end, 24 inner end);
right eye 27-31 and left eye 32-36, each outer corner, top, inner corner, bottom, pupil; outline of the nose
37-45 (41 its base, 40 and 42 where its wings end), nostrils 46, 47; outer lips 48-59 as in iBUG; inner lips
60-62 below, from the picture's left to its right, and 63-65 above, back; middle of the mouth 66; nose tip 67.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phiz.types import Point

COUNT = 68

#: Points that make up each of types.KEYPOINT_NAMES, whose mean is taken: the eyes, the tip of the nose, the
#: corners of the mouth.
_IBUG = (range(36, 42), range(42, 48), (30,), (48,), (54,))
_FGNET = (range(27, 32), range(32, 37), (67,), (48,), (54,))


def keypoints_of_ibug(points: Sequence[Point] | NDArray[np.float64]) -> tuple[Point, ...]:
    """Return types.KEYPOINT_NAMES' five points out of 68 landmarks in iBUG's order (base.py), in pixels.

    Eyes are the means of their points. Raises ValueError where there are not 68 points.
    """
    return _means(points, _IBUG)


def keypoints_of_fgnet(points: Sequence[Point] | NDArray[np.float64]) -> tuple[Point, ...]:
    """Return types.KEYPOINT_NAMES' five points out of 68 landmarks in FG-NET's order, in pixels.

    Eyes are the means of their points. Raises ValueError where there are not 68 points.
    """
    return _means(points, _FGNET)


def _means(
    points: Sequence[Point] | NDArray[np.float64], groups: Sequence[Sequence[int]]
) -> tuple[Point, ...]:
    array = _checked(points)
    means = (array[list(group)].mean(axis=0).tolist() for group in groups)
    return tuple((x, y) for x, y in means)


def _checked(points: Sequence[Point] | NDArray[np.float64]) -> NDArray[np.float64]:
    array = np.asarray(points, dtype=np.float64)
    if array.shape != (COUNT, 2):
        raise ValueError(f"expected {COUNT} landmarks (x, y), got an array of shape {array.shape}")
    return array


#: Places that both orders mark, part by part: FG-NET's point, and the iBUG points whose mean it is compared
#: with. FG-NET marks the middle of an eyelid, iBUG a point on either side of it.
_SHARED: dict[str, dict[int, tuple[int, ...]]] = {
    "brows": {21: (17,), 24: (21,), 18: (22,), 15: (26,)},
    "eyes": {
        27: (36,),
        28: (37, 38),
        29: (39,),
        30: (40, 41),
        32: (45,),
        33: (43, 44),
        34: (42,),
        35: (46, 47),
    },
    "nose": {67: (30,), 40: (31,), 41: (33,), 42: (35,)},
    "mouth": {
        **{i: (i,) for i in range(48, 60)},
        **{65: (61,), 64: (62,), 63: (63,), 62: (65,), 61: (66,), 60: (67,)},
    },
}
_JAW_FGNET, _JAW_IBUG = 15, 17
#: The parts of the shared points and how many points each has, in the order in which `shared` returns them.
PARTS = {"jaw": _JAW_FGNET, **{part: len(pairs) for part, pairs in _SHARED.items()}}
#: Outer corners of the eyes, right and left; their distance is the unit of the 300-W challenge's error.
OUTER_CORNERS = (27, 32)


def shared_of_ibug(points: Sequence[Point] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places that FG-NET marks too, 49 x 2, out of 68 landmarks in iBUG's order.

    The jaw's 17 points become 15, interpolated linearly along their numbers, ear to chin and chin to ear.
    Raises ValueError where there are not 68 points.
    """
    array = _checked(points)
    at = np.linspace(0, _JAW_IBUG - 1, _JAW_FGNET)
    jaw = [np.interp(at, np.arange(_JAW_IBUG), array[:_JAW_IBUG, axis]) for axis in (0, 1)]
    rest = [array[list(ibug)].mean(axis=0) for pairs in _SHARED.values() for ibug in pairs.values()]
    return np.concatenate([np.stack(jaw, axis=1), np.stack(rest)])


def shared_of_fgnet(points: Sequence[Point] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places that iBUG marks too, 49 x 2, out of 68 landmarks in FG-NET's order.

    Raises ValueError where there are not 68 points.
    """
    array = _checked(points)
    rest = [fgnet for pairs in _SHARED.values() for fgnet in pairs]
    return array[[*range(_JAW_FGNET), *rest]]
