"""Fit how sure a model is, write it to the model's card, and measure it on other pictures.

    python tools/fit_certainty.py MODEL --data DIR                 # fits; figures on validation alone
    python tools/fit_certainty.py MODEL --data DIR --last-look     # figures on the test parts, for results/

MODEL: a shipped model's name, or a .onnx with its card. Fitted on the validation parts of UTKFace, CelebA
and Families in the Wild and on FG-NET's tuning people, each as it is and spoilt. Every domain is also left
out of a fit and measured under it, which is the figure that counts. docs/certainty.md explains it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from phiz.evaluation import certainty_report as report
from phiz.evaluation.flagging import fit_covered, thresholds
from phiz.evaluation.look_domains import FGNET, FIT, TEST, collect
from phiz.evaluation.looks_at_faces import Looks, join
from phiz.evaluation.report_files import write_csv
from phiz.evaluation.sureness import HIGHEST, LEVELS, fit_age, fit_gender
from phiz.models.card import ModelCard
from phiz.models.certainty import Certainty
from phiz.models.model_store import find_model
from phiz.provenance import cells, commit
from phiz.training.covered import covered_looks

ROOT = Path(__file__).resolve().parent.parent
AGED, GENDERED = ("UTKFace", FGNET), ("UTKFace", "CelebA", "FIW")


def fit(looks: list[Looks], model: str, data: Path) -> Certainty:
    """Return the tables fitted on all these looks."""
    everything = join(looks)
    scale, age = fit_age(everything)
    covered, flag = fit_covered(*covered_looks(model, ROOT / "protocols", data))
    domains = {str(each.domain[0]): len(each) for each in looks}
    return Certainty(
        scale=scale,
        age=age,
        gender=fit_gender(everything),
        highest=HIGHEST,
        covered=covered,
        flags={**thresholds(everything), "covered": flag},
        fit={"looks": domains, "levels": list(LEVELS), "commit": commit() or "unknown"},
    )


def left_out(looks: list[Looks], tests: list[Looks]) -> list[report.Row]:
    """Return the figures of every domain under the tables fitted on the others."""
    rows = []
    for test in tests:
        domain = str(test.domain[0])
        others = join([each for each in looks if str(each.domain[0]) != domain])
        scale, age = fit_age(others)
        rows += report.rows(test, "other domains", scale, age, fit_gender(others))
    return rows


def main() -> None:
    """Fit, write the card, measure, write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "certainty")
    parser.add_argument("--cache", type=Path, default=ROOT / "runs" / "looks")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--last-look", action="store_true", help="measure on the test parts")
    options = parser.parse_args()
    card, path = find_model(options.model)
    cache = options.cache / f"{card.name}-{card.sha256[:12]}"
    where = (options.model, ROOT / "protocols", options.data, cache, options.workers)
    looks = collect(FIT, *where)
    made = fit(looks, options.model, options.data)
    replace(card, certainty=made).save(path.with_suffix(".json"))
    print(f"written: {path.with_suffix('.json')}")
    tests = collect(TEST, *where) if options.last_look else looks
    rows = left_out(looks, tests)
    for test in tests:
        rows += report.rows(test, "all domains", made.scale, made.age, made.gender)
        rows += report.flagged(test, made.flags)
    stem = f"certainty_{card.name}"
    for row in rows:
        if row.looks == "as they are":
            print(*report.cells(row), sep="  ")
    if not options.last_look:
        return
    options.results.mkdir(parents=True, exist_ok=True)
    how = cells("phiz", "scikit-learn", "onnxruntime", "numpy", "pillow")
    header = (*report.COLUMNS, *how)
    write_csv(options.results / f"{stem}.csv", header, [[*report.cells(row), *how.values()] for row in rows])
    curves = {
        str(test.domain[0]): report.risk(test.rows(~test.spoilt), made.gender)
        for test in tests
        if str(test.domain[0]) in GENDERED
    }
    points = [(name, *np.round(point, 4).tolist()) for name, curve in curves.items() for point in curve]
    write_csv(options.results / f"{stem}.risk.csv", ("domain", "told", "wrong", "least score"), points)
    (options.results / f"{stem}.risk.svg").write_text(
        report.risk_plot(curves, f"Risk and coverage of {card.name}")
    )
    for signal in ("size", "sharpness", "brightness", "yaw", "inside"):
        drawn = report.signal_plot(join(looks), signal, made.flags, f"Errors of {card.name} by {signal}")
        (options.results / f"{stem}.{signal}.svg").write_text(drawn)
    ModelCard.load(path.with_suffix(".json"))


if __name__ == "__main__":
    main()
