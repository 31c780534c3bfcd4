"""The default detector: BlazeFace's two networks, each used where it reaches, every face looked at twice.

1. `short` looks at the whole picture, slightly padded: large faces and tight chips.
2. `back` looks at the whole picture and at tiles of it, as far down as `min_face` asks for: small faces. It
   takes texture for faces easily, so what it finds is only a proposal.
3. `short` looks at every proposal again, from afar (unless it has already) and close up. The mean of the two
   scores decides. Box and keypoints come from the close-up: there the keypoints are two to three times
   steadier, and the face is as large as in a padded face chip, the form in which training sees it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL.Image

from phiz.detect.base import MIN_FACE_SLACK, Image, check_image
from phiz.detect.blazeface import BlazeFace, to_detections
from phiz.detect.boxes import COLUMNS, SCORE, Floats, overlaps, same_face, suppress
from phiz.detect.window import Window, around, tiles, whole
from phiz.types import Detection

#: Width of the smallest face searched for where the caller names none, in pixels: what one look of `back`
#: reaches in a 640 x 480 picture, and about what the face fills of the analysing network's 64-pixel crop.
MIN_FACE = 48
#: Smallest face width that a network finds reliably, as a share of its window (docs/detector.md).
SHORT_REACH, BACK_REACH = 0.16, 0.075
#: Neighbouring tiles share this part of their side: more than the face width from which the next coarser
#: level reaches, so that every face lies whole in some tile.
TILE_OVERLAP = 0.25
#: Most looks of `back` at one picture (about 10 ms each); most proposals looked at again (about 5 ms each).
MAX_TILES, MAX_PROPOSALS = 100, 200
#: Width of the face as a share of its window in the look from afar and in the close-up.
AFAR, CLOSE = 0.25, 0.6
#: Least score of a proposal; least overlap (intersection over union) between a proposal and its second look.
PROPOSAL, SAME_FACE = 0.5, 0.3
#: Least mean score of a face seen in the one look at the whole picture, and of one that `back` proposed: many
#: tiles are many chances to be wrong. Both chosen by measurement (docs/detector.md).
LARGE_THRESHOLD, SMALL_THRESHOLD = 0.65, 0.7


class AutoDetector:
    """BlazeFace `short` and `back` together, on the whole picture and on tiles of it.

    min_face: width in pixels of the smallest face to search for and return; None searches down to MIN_FACE
    and returns smaller faces too where they are found. threads: processor threads; with two or more, the two
    networks run side by side. provider: see `phiz.models.runtime.PROVIDERS`.
    Raises ModelError on an unknown provider or damaged weights.
    """

    def __init__(self, min_face: int | None = None, threads: int = 1, provider: str = "cpu") -> None:
        self._reach = MIN_FACE if min_face is None else min_face
        self._least = 0 if min_face is None else min_face
        # Networks this small gain little from threads inside a call, more from running side by side.
        each = threads // 2 if threads > 1 else threads
        self._short = BlazeFace("short", each, provider=provider)
        self._back = BlazeFace("back", each, provider=provider)
        self._side = ThreadPoolExecutor(1, thread_name_prefix="phiz-back") if threads > 1 else None

    def detect(self, image: Image, padding: float | None = None) -> list[Detection]:
        """Return the faces of `image` (uint8, H x W x 3, RGB), largest first, in its own pixels.

        padding: one look of `short` only, with this share of the longer side added all round.
        Raises ValueError on another type or shape.
        """
        if padding is not None:
            return self._short.detect(image, padding)
        check_image(image)
        picture = PIL.Image.fromarray(image)
        first = whole(picture.width, picture.height, self._short.variant.padding)
        windows: list[Window] = []
        if SHORT_REACH * first.side > self._reach:
            side = self._reach / BACK_REACH
            windows = tiles(picture.width, picture.height, side, TILE_OVERLAP, MAX_TILES)
        proposed = self._side.submit(self._propose, picture, windows) if self._side and windows else None
        large = self._short.candidates(picture, [first], threshold=PROPOSAL)
        faces = self._close_up(picture, large, large[:, SCORE], LARGE_THRESHOLD)
        if windows:
            small = proposed.result() if proposed else self._propose(picture, windows)
            for face in faces:
                small = small[~same_face(face, small)]
            small = suppress(small)[:MAX_PROPOSALS]
            faces = np.concatenate([faces, self._look_twice(picture, small)])
        faces = suppress(faces)
        return to_detections(faces[faces[:, 2] - faces[:, 0] >= MIN_FACE_SLACK * self._least])

    def _propose(self, picture: PIL.Image.Image, windows: list[Window]) -> Floats:
        """Return what `back` takes for faces in the windows."""
        return self._back.candidates(picture, windows, threshold=PROPOSAL, trim=True)

    def _look_twice(self, picture: PIL.Image.Image, proposals: Floats) -> Floats:
        """Return what `short` confirms of `proposals` from afar and close up."""
        seen, scores = [], []
        for proposal in proposals:
            face = self._look(picture, proposal, AFAR)
            if face is not None:
                seen.append(face)
                scores.append(face[SCORE])
        return self._close_up(picture, np.array(seen).reshape(-1, COLUMNS), np.array(scores), SMALL_THRESHOLD)

    def _close_up(
        self, picture: PIL.Image.Image, proposals: Floats, scores: Floats, threshold: float
    ) -> Floats:
        """Return the close-ups of `proposals` whose score, in the mean with `scores`, reaches `threshold`."""
        faces = []
        for proposal, score in zip(proposals, scores, strict=True):
            face = self._look(picture, proposal, CLOSE)
            if face is not None and (face[SCORE] + score) / 2 >= threshold:
                face[SCORE] = (face[SCORE] + score) / 2
                faces.append(face)
        return np.array(faces).reshape(-1, COLUMNS)

    def _look(self, picture: PIL.Image.Image, proposal: Floats, share: float) -> Floats | None:
        """Return the face that `short` sees where `proposal` is, filling `share` of the window's width."""
        found = self._short.candidates(picture, [around(proposal, share)], threshold=PROPOSAL)
        found = found[overlaps(proposal, found) > SAME_FACE]
        return found[np.argmax(found[:, SCORE])] if len(found) else None
