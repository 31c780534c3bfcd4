"""How much alignment matters: FG-NET's faces cut by each aligner, and by the 68 points set by hand.

    python benchmarks/alignment.py --data ../shared/data --fan-weights FILE

The same shipped weights, which were trained on crops by the detector's points and are not fine-tuned, read
every crop of each picture. Without --fan-weights the package face-alignment fetches FAN's weights; where that
fails there are no rows of FAN. Writes results/detection/alignment_fgnet.csv: age error by each crop with a
95% bootstrap interval over people, the paired difference from the detector's, and how far the crop's points
lie from the hand-set ones.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from phiz import image
from phiz.crop import POINTS, face_crop
from phiz.datasets.fgnet import read_fgnet
from phiz.detect import Detector
from phiz.errors import ModelError
from phiz.evaluation import metrics
from phiz.landmarks import LANDMARKERS, Landmarker, keypoints, load_landmarker
from phiz.landmarks.orders import keypoints_of_fgnet
from phiz.models.model_store import DEFAULT_MODEL
from phiz.models.session import load_model
from phiz.provenance import environment
from phiz.types import KEYPOINT_NAMES, Point

ROOT = Path(__file__).resolve().parents[1]
BY_HAND = "landmarks set by hand"
Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare automatic with manual alignment on FG-NET.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--fan-weights", type=Path, help="FAN's weights, where there is no network")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "detection" / "alignment_fgnet.csv")
    options = parser.parse_args()
    model, detector = load_model(options.model), Detector()
    finders: dict[str, Landmarker | None] = {"detector": None}
    for name in LANDMARKERS:
        try:
            finders[name] = load_landmarker(name, fan_weights=options.fan_weights)
        except ModelError as why:
            print(f"{name} is left out: {why}")
    true, people = [], []
    ages: dict[str, list[float]] = {name: [] for name in (*finders, BY_HAND)}
    offsets: dict[str, list[list[float]]] = {name: [] for name in finders}
    pictures = 0
    for record in tqdm(list(read_fgnet(options.data / "FGNET")), unit="picture"):
        pictures += 1
        picture = image.load(record.path)
        faces = detector.detect(picture)
        if not faces or record.landmarks is None:
            continue
        by_hand = keypoints_of_fgnet(record.landmarks)
        found = {name: keypoints(picture, faces[0], finder) for name, finder in finders.items()}
        for name, points in {**found, BY_HAND: by_hand}.items():
            crop = face_crop(picture, points, model.size, model.template)
            ages[name].append(model.decode(model.run(crop[None]))[0].age)
        for name, points in found.items():
            offsets[name].append(_offsets(points, by_hand))
        true.append(record.age)
        people.append(record.subject)
    rows = []

    def measured(measure: str, score: Callable[..., Floats]) -> None:
        rows.append((measure, float(score()), *metrics.bootstrap(score, people)))

    for name, predicted in ages.items():
        measured(f"age MAE, {name}, years", partial(metrics.mae, predicted, true))
    error = {name: np.abs(np.subtract(predicted, true)) for name, predicted in ages.items()}
    for name in list(ages)[1:]:
        measured(
            f"age MAE, {name} less detector, years", partial(metrics.bias, error[name], error["detector"])
        )
    for name in finders:
        for point, distances in zip(POINTS, np.transpose(offsets[name]), strict=True):
            score = partial(metrics.mae, distances, np.zeros(len(distances)))
            measured(f"{name}: distance of {point}, share of eye distance", score)
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["measure", "value", "low", "high", "n"])
        for measure, *values in rows:
            writer.writerow([measure, *(f"{value:.4f}" for value in values), len(true)])
            print(f"{measure:<55}", " ".join(f"{value:8.3f}" for value in values))
    facts = {
        "command": "python benchmarks/alignment.py --data DIR",
        "model": {"name": model.card.name, "sha256": model.card.sha256},
        "pictures": pictures,
        "measured": len(true),
        "bootstrap": {"seed": 0, "resamples": 1000, "level": 0.95, "unit": "person"},
        **environment("face-alignment", "torch"),
    }
    options.output.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(f"{len(true)} of {pictures} pictures; written: {options.output}")


def _offsets(found: Sequence[Point], wanted: Sequence[Point]) -> list[float]:
    """Return the distances of POINTS in units of the hand-set distance between the eyes."""
    a, b = (np.array([points[KEYPOINT_NAMES.index(name)] for name in POINTS]) for points in (found, wanted))
    return [float(distance) for distance in np.linalg.norm(a - b, axis=1) / np.linalg.norm(b[0] - b[1])]


if __name__ == "__main__":
    main()
