"""Facial landmarks: a picture and a detected face in, 68 points out. Loaded only where asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phiz.detect import Image
from phiz.errors import ModelError
from phiz.landmarks.base import Landmarker, Landmarks
from phiz.landmarks.orders import keypoints_of_ibug
from phiz.types import Detection, Point

__all__ = ["LANDMARKERS", "Landmarker", "Landmarks", "keypoints", "load_landmarker"]

#: What load_landmarker takes.
LANDMARKERS = ("mesh", "fan")


def load_landmarker(
    name: str = "mesh", *, threads: int = 1, provider: str = "cpu", fan_weights: Path | None = None
) -> Landmarker:
    """Load a landmark finder: "mesh" (ships with phiz) or "fan" (the extra fan; large, wants a GPU).

    threads, provider: of mesh, see `phiz.models.runtime.PROVIDERS`. fan_weights: of fan, its weights' file;
    without one the package face-alignment takes its own copy, which it fetches at first use.
    Raises ModelError on an unknown name, where the extra is missing, and where weights are damaged or cannot
    be had.
    """
    # Imported here: neither belongs to the main job, and fan brings PyTorch.
    if name == "mesh":
        from phiz.landmarks.mesh import FaceMesh

        return FaceMesh(threads, provider)
    if name == "fan":
        from phiz.landmarks.fan import Fan

        return Fan(fan_weights)
    raise ModelError(f"unknown landmark finder {name!r}; there are {', '.join(LANDMARKERS)}")


def keypoints(image: Image, face: Detection, landmarker: Landmarker | None) -> Sequence[Point]:
    """Return the points by which `phiz.crop.face_crop` cuts the face, in the order of types.KEYPOINT_NAMES.

    They are the landmark finder's; the detector's own without one, or where it sees no face.
    """
    points = None if landmarker is None else landmarker.find(image, face)
    return face.keypoints if points is None else keypoints_of_ibug(points)
