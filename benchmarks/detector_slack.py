"""What keeping boxes narrower than `min_face` finds, and what it costs: the detector card's `slack`.

    python benchmarks/detector_slack.py --data DIR

On the photos of WIDER FACE in DIR; writes results/tried/detector_slack.csv, rows as in detector_recall.csv.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import replace
from pathlib import Path

from detector_recall import COLUMNS, ROOT, wider

from phiz.detect import Detector
from phiz.provenance import cells

SLACKS = (0.8, 0.75, 0.7, 0.66, 0.6, 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "tried" / "detector_slack.csv")
    options = parser.parse_args()
    made = cells()
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["look", "slack", *COLUMNS, *made], restval="", lineterminator="\n")
        writer.writeheader()
        detector = Detector()
        for name, min_face in (("a photo's", None), ("a stream's", detector.card.watch_share)):
            detector = Detector(min_face)
            for slack in SLACKS:
                detector.card = replace(detector.card, slack=slack)
                for row in wider(detector, options.data):
                    writer.writerow({"look": name, "slack": slack, **row, **made})


if __name__ == "__main__":
    main()
