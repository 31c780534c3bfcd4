"""Write the tables of docs/comparison.md from comparison.csv and comparison_sizes.csv of results/networks/.

    python tools/comparison.py          rewrite the page
    python tools/comparison.py --check  say whether the page is up to date (exit status 1 if not)

tools/comparison_measure.py makes both files. A network that was not measured has a row that says so.
"""

from __future__ import annotations

import csv
import sys
from functools import partial
from pathlib import Path

import published
from pages import fill_blocks, table, update

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "comparison.md"
RESULTS = ROOT / "results" / "networks"
ABSENT = "not measured yet"
#: The recipes of recipes/comparison/small in the order of the page, with what each row is called.
RIVALS = {
    "multitask": "the light network, whole",
    "ssr-net": "SSR-Net",
    "c3ae": "C3AE",
    "mobilenet-v1": "MobileNet-V1",
    "densenet": "DenseNet",
    "lmtcnn": "LMTCNN-1-1 at 64 pixels",
    "mobilenetv3-small": "MobileNetV3-small, half width",
}
ABLATIONS = {
    "multitask": "whole",
    "multitask-no-auxiliary": "without the auxiliary pair",
    "multitask-no-ensemble": "without the ensemble pair",
    "multitask-main-alone": "main pair alone",
    "multitask-age-alone": "age alone",
    "multitask-gender-alone": "gender alone",
    "multitask-standard-convolutions": "standard convolutions",
    "multitask-bce-mae": "BCE + MAE alone, as the papers",
}
#: Columns of figures: protocol, metric, title, and 100 for shares in percent.
FIGURES = (
    ("utkface-test", "mae", "UTKFace MAE", 1),
    ("utkface-test", "cs5", "UTKFace CS(5)", 100),
    ("utkface-test", "gender_accuracy", "UTKFace gender", 100),
    ("fgnet-cross-dataset", "mae", "FG-NET MAE", 1),
)
Row = dict[str, str]


def read(name: str) -> list[Row]:
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(row: Row, keys: tuple[str, str, str], scale: int, sign: str = "") -> str:
    """Return value and interval; scale 100 turns shares into percent."""
    digits, unit = (2, "") if scale == 1 else (1, "%")
    value, low, high = (f"{float(row[key]) * scale:{sign}.{digits}f}" for key in keys)
    return f"{value}{unit} [{low}, {high}]"


def cells(network: str, differences: bool) -> list[str]:
    """Return a network's figures, or its differences to the whole light network."""
    found = {(r["protocol"], r["metric"]): r for r in read("comparison") if r["network"] == network}
    if not found:
        return ["", *[ABSENT] * len(FIGURES)]
    made = [next(iter(found.values()))["seeds"]]
    for protocol, metric, _, scale in FIGURES:
        row = found.get((protocol, metric))
        if row is None:
            made.append("-")
        elif not differences:
            made.append(number(row, ("value", "low", "high"), scale))
        else:
            known = bool(row["difference"])
            made.append(number(row, ("difference", "d_low", "d_high"), scale, "+") if known else "-")
    return made


def rivals() -> str:
    """Return the table of the rivals: sizes, what is published, what was measured."""
    sizes = {row["network"]: row for row in read("comparison_sizes")}
    rows = []
    for network, title in RIVALS.items():
        size = sizes.get(network)
        held = [ABSENT] * 4
        if size:
            held = [
                f"{int(size['parameters']):,}",
                f"{int(size['multiply_adds']) / 1e6:.1f}M",
                f"{int(size['bytes']) / 1000:.0f} KB",
                f"{float(size['milliseconds']):.2f} ms",
            ]
        printed = published.figure(
            "morph2-age", "Proposed" if network == "multitask" else title, "parameters"
        )
        rows.append([title, f"`{network}.toml`", *held, printed, *cells(network, False)])
    head = ["network", "recipe", "parameters", "multiply-adds", "file", "one face, one thread"]
    return table(
        [*head, "parameters, published", "seeds", *(title for *_, title, _ in FIGURES)], rows, left=2
    )


def ablations(differences: bool) -> str:
    """Return the table of the light network with a part left out."""
    names = [name for name in ABLATIONS if not (differences and name == "multitask")]
    rows = [[ABLATIONS[name], f"`{name}.toml`", *cells(name, differences)] for name in names]
    return table(["light network", "recipe", "seeds", *(title for *_, title, _ in FIGURES)], rows, left=2)


BLOCKS = {
    "rivals": rivals,
    "ablations": partial(ablations, False),
    "differences": partial(ablations, True),
}


def main() -> int:
    return update(PAGE, fill_blocks(PAGE, PAGE.read_text(encoding="utf-8"), BLOCKS))


if __name__ == "__main__":
    sys.exit(main())
