"""Face detection: pictures in, boxes with five keypoints out."""

from __future__ import annotations

from .detector_card import DetectorCard, load_card
from .looks import Image
from .yunet import Detector

__all__ = ["Detector", "DetectorCard", "Image", "load_card"]
