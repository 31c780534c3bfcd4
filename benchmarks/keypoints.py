"""How far the detector's points lie from FG-NET's, as shares of a crop's side: what `keypoints` augments by.

    python benchmarks/keypoints.py --data ../shared/data

Each picture is turned and scaled so that FG-NET's own points fit the crop template best. A constant
difference is a matter of where a corner of the mouth is held to be, so it is taken off; the deviation that is
left counts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from phiz import image
from phiz.crop import CropTemplate
from phiz.datasets import registry
from phiz.detect import Detector
from phiz.landmarks.orders import keypoints_of_fgnet
from phiz.models.session import load_model
from phiz.types import KEYPOINT_NAMES

NAMES = ("right_eye", "left_eye", "right_mouth", "left_mouth")


def main() -> None:
    """Print the deviations along and down of each point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds FGNET/")
    parser.add_argument("--every", type=int, default=5, help="take every so-manieth picture")
    options = parser.parse_args()
    template = CropTemplate.from_dict(load_model("multitask-64").card.crop)
    wanted = np.array([complex(*getattr(template, name)) for name in NAMES])
    rows = [KEYPOINT_NAMES.index(name) for name in NAMES]
    detector = Detector()
    found = []
    for record in [r for r in registry.read("fgnet", options.data) if r.landmarks][:: options.every]:
        faces = detector.detect(image.load(record.path))
        if not faces or record.landmarks is None:
            continue
        theirs = keypoints_of_fgnet(record.landmarks)
        seen, true = (
            np.array([complex(*points[row]) for row in rows]) for points in (faces[0].keypoints, theirs)
        )
        centred = true - true.mean()
        turn = np.sum((wanted - wanted.mean()) * centred.conj()) / np.sum(np.abs(centred) ** 2)
        found.append(turn * (seen - true))
    errors = np.array(found)
    errors -= np.median(errors.real, 0) + 1j * np.median(errors.imag, 0)
    print(f"{len(errors)} pictures; deviation as a share of the crop's side")
    for name, along, down in zip(NAMES, errors.real.std(0), errors.imag.std(0), strict=True):
        print(f"{name:12} along {along:.3f}  down {down:.3f}")


if __name__ == "__main__":
    main()
