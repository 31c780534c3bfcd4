"""List suspected labels for a recipe's [data] suspects, from the answers of cross-validation.

    phiz evaluate RECIPE --protocol protocols/utkface-5-fold.toml --data DIR --results runs/folds
    python tools/suspects.py utkface=runs/folds/NAME_utkface-5-fold.csv --output splits/suspects.csv

A data set may be named several times, once for each seed or network; their answers are averaged. The rule
stands in src/phiz/evaluation/suspects.py. Children are never suspected for their gender.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

from phiz.datasets import registry
from phiz.evaluation.groups import Scored
from phiz.evaluation.report_files import read_predictions, write_csv
from phiz.evaluation.suspects import suspects


def main() -> None:
    """Read the answers and write the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("answers", nargs="+", help="DATASET=FILE of answers, such as utkface=a.csv")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    read: dict[str, list[list[Scored]]] = defaultdict(list)
    for answer in options.answers:
        name, _, file = answer.partition("=")
        read[registry.named(name).name].append(read_predictions(file))
    rows = [
        (name, suspect.file, suspect.reason)
        for name, predictions in read.items()
        for suspect in suspects(predictions)
    ]
    write_csv(options.output, ("dataset", "file", "reason"), rows)
    print(f"{options.output}: {len(rows)} suspected labels")


if __name__ == "__main__":
    main()
