"""Measure how large phiz is and how long it takes to start, print a table and write results/speed/size.csv.

    python benchmarks/size.py

Speed is measured by `phiz benchmark`. Starting is wall-clock on an otherwise idle machine, each start timed
alone.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import phiz
from phiz.benchmark.timing import Effort, row, timed
from phiz.models.model_store import DEFAULT_MODEL
from phiz.provenance import cells, write_rows

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, object]


def fresh_python(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def starts(model_name: str) -> list[Row]:
    codes = {
        "start Python and do nothing": "pass",
        "start Python and import phiz": "import phiz",
        "start Python and load an Analyzer": f"import phiz; phiz.Analyzer({model_name!r})",
    }
    rows = []
    for name, code in codes.items():
        made = row("start", name, timed(fresh_python(code), Effort(11, 60.0)))
        figures = {key: f"{getattr(made, key):.3f}" for key in ("fastest", "median", "p95")}
        rows.append({"measure": name, "unit": made.unit, **figures, "repeats": made.repeats})
    return rows


def size_row(name: str, size: int) -> Row:
    return {
        "measure": name,
        "unit": "MB",
        "fastest": "",
        "median": f"{size / 1e6:.1f}",
        "p95": "",
        "repeats": 1,
    }


def folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def base_packages(name: str = "phiz", found: dict[str, metadata.Distribution] | None = None) -> dict:
    """Return the installed packages that `pip install phiz` brings without any extra, by name."""
    found = {} if found is None else found
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return found
    try:
        found[key] = metadata.distribution(key)
    except metadata.PackageNotFoundError:  # needed on another system only
        return found
    for requirement in found[key].requires or ():
        if "extra ==" not in requirement:
            base_packages(re.match(r"[\w.-]+", requirement)[0], found)
    return found


def sizes() -> list[Row]:
    package = Path(phiz.__file__).parent
    others = [found for name, found in base_packages().items() if name != "phiz"]
    files = [Path(file.locate()) for found in others for file in found.files or ()]
    dependencies = sum(path.stat().st_size for path in files if path.is_file())
    weights = sum(path.stat().st_size for path in package.rglob("weights/*.onnx"))
    return [
        size_row("all weights in the package", weights),
        size_row("the package", folder_size(package)),
        size_row("base install: the package and all it needs", folder_size(package) + dependencies),
        size_row("the environment that this ran in", folder_size(Path(sys.prefix))),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the size of phiz and how long it takes to start.")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or path of the model")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "speed" / "size.csv")
    options = parser.parse_args()
    setting = cells()
    rows = starts(options.model) + sizes()
    for one in rows:
        print(f"{one['measure']:<45} {one['median']:>9} {one['unit']}")
    print(setting["hardware"], setting["versions"], sep="\n")
    write_rows(options.output, rows, setting)
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
