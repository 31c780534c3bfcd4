"""How far the points of a small face lie off, by how finely a 640x480 picture is looked at.

    python benchmarks/small_faces.py

The bundled portrait, shrunk and put in 45 places on grey, against eyes and corners of the mouth as they are
found in it at full size; writes results/tried/small_faces.csv: the worst point's median distance, as a share
of the eyes' distance.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from phiz import image
from phiz.data import ASTRONAUT
from phiz.detect import Detector
from phiz.provenance import cells

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "results" / "tried" / "small_faces.csv"
SHARES = (0.4, 0.5, 0.6, 0.8)
MIN_FACES = (16, 20, 24)


def off(detector: Detector, portrait: Image.Image, share: float) -> float:
    """Return the median, over places, of the worst point's distance to its like at full size."""
    whole = np.array(Detector(min_face=16).detect(np.asarray(portrait))[0].keypoints)
    eyes = share * np.linalg.norm(whole[0] - whole[1])
    small = portrait.resize([round(share * side) for side in portrait.size], Image.Resampling.LANCZOS)
    worst = []
    for left in range(90, 120, 2):
        for top in (50, 51, 53):
            canvas = Image.new("RGB", (640, 480), (127, 127, 127))
            canvas.paste(small, (left, top))
            (face, *_) = detector.detect(np.asarray(canvas))
            errors = np.linalg.norm(np.array(face.keypoints) - (whole * share + (left, top)), axis=1)
            worst.append(np.delete(errors, 2).max() / eyes)  # without the nose, which no crop is fitted to
    return float(np.median(worst))


def main() -> None:
    portrait = Image.fromarray(image.load(ASTRONAUT))
    width = Detector().detect(np.asarray(portrait))[0].box[2]
    made = cells()
    with OUTPUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["face_pixels", "min_face", "shrunk_by", "worst_point", *made])
        for share in SHARES:
            for min_face in MIN_FACES:
                detector = Detector(min_face)
                factor = detector.reduction(640, 480)
                worst = off(detector, portrait, share)
                writer.writerow([round(share * width), min_face, factor, f"{worst:.3f}", *made.values()])


if __name__ == "__main__":
    main()
