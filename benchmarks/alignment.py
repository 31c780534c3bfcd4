"""How much alignment matters: FG-NET's faces cut by the detector and by the 68 points set by hand.

    python benchmarks/alignment.py --data ../shared/data

The same shipped weights, not fine-tuned, read both crops of every picture that has both. Writes
results/alignment_fgnet.csv: age error by either crop with a 95% bootstrap interval over people, the
paired difference, and how far the detector's points lie from the hand-set ones.
"""

from __future__ import annotations

import argparse
import csv
import json
from functools import partial
from pathlib import Path

import numpy as np

from phiz import image
from phiz.crop import face_crop
from phiz.datasets.fgnet import read_fgnet
from phiz.detect import load_detector
from phiz.evaluation import metrics
from phiz.models.session import load_model
from phiz.models.store import DEFAULT_MODEL
from phiz.provenance import environment
from phiz.training.crops import keypoints_of_landmarks
from phiz.types import KEYPOINT_NAMES

ROOT = Path(__file__).resolve().parents[1]
POINTS = ("right_eye", "left_eye", "mouth")


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare automatic with manual alignment on FG-NET.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "alignment_fgnet.csv")
    options = parser.parse_args()
    model, detector = load_model(options.model), load_detector()
    true, people, ages, offsets = [], [], {"detector": [], "landmarks": []}, []
    pictures = 0
    for record in read_fgnet(options.data / "FGNET"):
        pictures += 1
        picture = image.load(record.path)
        faces = detector.detect(picture)
        if not faces or record.landmarks is None:
            continue
        found = {"detector": faces[0].keypoints, "landmarks": keypoints_of_landmarks(record.landmarks)}
        for name, points in found.items():
            crop = face_crop(picture, points, model.size, model.template)
            ages[name].append(model.decode(model.run(crop[None]))[0].age)
        true.append(record.age)
        people.append(record.subject)
        offsets.append(_offsets(found["detector"], found["landmarks"]))
    rows = []
    for name, predicted in ages.items():
        score = partial(metrics.mae, predicted, true)
        rows.append((f"age MAE, {name}, years", float(score()), *metrics.bootstrap(score, people)))
    by_detector, by_hand = (np.abs(np.subtract(ages[name], true)) for name in ("detector", "landmarks"))
    score = partial(metrics.bias, by_detector, by_hand)
    rows.append(
        ("age MAE, detector less landmarks, years", float(score()), *metrics.bootstrap(score, people))
    )
    for i, name in enumerate(POINTS):
        distances = np.array([offset[i] for offset in offsets])
        score = partial(metrics.mae, distances, np.zeros(len(distances)))
        rows.append(
            (f"distance of {name}, share of eye distance", float(score()), *metrics.bootstrap(score, people))
        )
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["measure", "value", "low", "high", "n"])
        for measure, *values in rows:
            writer.writerow([measure, *(f"{value:.4f}" for value in values), len(true)])
            print(f"{measure:<45}", " ".join(f"{value:8.3f}" for value in values))
    facts = {
        "command": "python benchmarks/alignment.py --data DIR",
        "model": {"name": model.card.name, "sha256": model.card.sha256},
        "pictures": pictures,
        "measured": len(true),
        "bootstrap": {"seed": 0, "resamples": 1000, "level": 0.95, "unit": "person"},
        **environment(),
    }
    options.output.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(f"{len(true)} of {pictures} pictures; written: {options.output}")


def _offsets(found: tuple, wanted: tuple) -> list[float]:
    """Return the distances of POINTS in units of the hand-set distance between the eyes."""
    a, b = (np.array([points[KEYPOINT_NAMES.index(name)] for name in POINTS]) for points in (found, wanted))
    return (np.linalg.norm(a - b, axis=1) / np.linalg.norm(b[0] - b[1])).tolist()


if __name__ == "__main__":
    main()
