"""How exact the landmarks are: both finders against FG-NET's points set by hand.

    python benchmarks/landmarks.py --data ../shared/data --fan-weights FILE

Without --fan-weights the package face-alignment fetches FAN's weights; where that fails FAN's row says so.
Writes results/detection/landmarks.csv: the normalised mean error (mean distance of the places that both
orders of 68 points mark, phiz.landmarks.orders, over the distance of the outer eye corners, as in the 300-W
challenge) with a 95% bootstrap interval over people, its median, and the failures: pictures on which no
points were found, and those whose error over the whole face is above 0.1. A picture without points counts in
no mean.
"""

from __future__ import annotations

import argparse
import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from phiz import image
from phiz.ages import AGE_BANDS, age_band
from phiz.datasets.fgnet import read_fgnet
from phiz.datasets.record import FaceRecord
from phiz.detect import Detector
from phiz.errors import ModelError
from phiz.evaluation import metrics
from phiz.landmarks import LANDMARKERS, Landmarker, load_landmarker
from phiz.landmarks.orders import OUTER_CORNERS, PARTS, shared_of_fgnet, shared_of_ibug
from phiz.provenance import environment

ROOT = Path(__file__).resolve().parents[1]
#: A larger error over the whole face is a failure, as in the 300-W challenge.
FAILURE = 0.1
COLUMNS = ("finder", "points", "ages", "pictures", "nme", "low", "high", "median", "none", "failures", "note")
PART_OF_POINT = np.repeat(list(PARTS), list(PARTS.values()))
POINTS = {
    "all": np.ones(len(PART_OF_POINT), dtype=bool),
    "without the jaw": PART_OF_POINT != "jaw",
    **{part: part == PART_OF_POINT for part in PARTS},
}
Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure both landmark finders on FG-NET.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--fan-weights", type=Path, help="FAN's weights, where there is no network")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "detection" / "landmarks.csv")
    options = parser.parse_args()
    finders, missing = {}, {}
    for name in LANDMARKERS:
        try:
            finders[name] = load_landmarker(name, fan_weights=options.fan_weights)
        except ModelError as error:
            missing[name] = f"not measured: {error}"
            print(f"{name} is {missing[name]}")
    records = [record for record in read_fgnet(options.data / "FGNET") if record.landmarks is not None]
    errors = measure(records, finders)
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name in finders:
            for points, ages, *values in summary(records, errors[name]):
                writer.writerow([name, points, ages, *values, ""])
                print(f"{name:<5} {points:<16} {ages:<6}", *values)
        for name, why in missing.items():
            writer.writerow([name, "all", "all", len(records), *[""] * 6, why])
    facts = {
        "command": "python benchmarks/landmarks.py --data DIR",
        "pictures": len(records),
        "unit": "distance of the outer eye corners",
        "bootstrap": {"seed": 0, "resamples": 1000, "level": 0.95, "unit": "person"},
        **environment("face-alignment", "torch"),
    }
    options.output.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(f"written: {options.output}")


def measure(records: list[FaceRecord], finders: dict[str, Landmarker]) -> dict[str, Floats]:
    """Return each finder's error of every shared place, N x 49 in eye distances, NaN without points."""
    detector = Detector()
    errors = {name: np.full((len(records), len(PART_OF_POINT)), np.nan) for name in finders}
    for row, record in enumerate(tqdm(records, unit="picture")):
        assert record.landmarks is not None
        true = shared_of_fgnet(record.landmarks)
        right, left = (np.array(record.landmarks[corner]) for corner in OUTER_CORNERS)
        picture = image.load(record.path)
        for face in detector.detect(picture)[:1]:
            for name, finder in finders.items():
                points = finder.find(picture, face)
                if points is not None:
                    off = np.linalg.norm(shared_of_ibug(points) - true, axis=1)
                    errors[name][row] = off / np.linalg.norm(left - right)
    return errors


def summary(records: list[FaceRecord], errors: Floats) -> list[tuple[object, ...]]:
    """Return rows as COLUMNS has them, from the points on: over all ages by part, then by age band."""
    people = np.array([record.subject for record in records])
    bands = np.array([age_band(record.age or 0.0) for record in records])
    rows = [(points, "all", np.ones(len(records), dtype=bool)) for points in POINTS]
    names = [age_band(low) for low, _ in AGE_BANDS]
    rows += [(points, band, bands == band) for points in ("all", "without the jaw") for band in names]
    made: list[tuple[object, ...]] = []
    for points, ages, chosen in rows:
        if not chosen.any():
            continue
        here, everywhere = errors[chosen][:, POINTS[points]].mean(axis=1), errors[chosen].mean(axis=1)
        found = ~np.isnan(here)
        score = partial(metrics.mae, here[found], np.zeros(int(found.sum())))
        figures = (float(score()), *metrics.bootstrap(score, people[chosen][found]), np.median(here[found]))
        none = int((~found).sum())
        failures = none + int((everywhere[found] > FAILURE).sum())
        made.append((points, ages, len(found), *(f"{value:.4f}" for value in figures), none, failures))
    return made


if __name__ == "__main__":
    main()
