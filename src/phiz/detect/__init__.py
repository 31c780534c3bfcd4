"""Face detection: pictures in, boxes with five keypoints out."""

from __future__ import annotations

from .card import DetectorCard, load_card
from .looks import Image
from .yunet import Detector, check_image

__all__ = ["Detector", "DetectorCard", "Image", "check_image", "load_card"]
