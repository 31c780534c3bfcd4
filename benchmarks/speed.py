"""Measure how fast and how large phiz is, print a table and write results/speed.csv.

    python benchmarks/speed.py

Times are wall-clock on an otherwise idle machine, after a warm-up, each call timed alone; the table
gives their median, 95th percentile and fastest (on a machine shared with others the median tells of
the neighbours too). A photo gets two threads, as by default, networks alone one, unless a row says otherwise.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib import metadata
from pathlib import Path

import numpy as np
from PIL import Image

import phiz
from phiz.crop import face_crop
from phiz.data import ASTRONAUT
from phiz.detect import load_detector
from phiz.image import load
from phiz.models.session import load_model
from phiz.models.store import DEFAULT_MODEL
from phiz.provenance import commit, cpu

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, object]


def photo_640x480() -> np.ndarray:
    """Return the bundled portrait as 640x480: its lowest 32 rows cut, its edges repeated to the sides."""
    return np.pad(load(ASTRONAUT)[:480], ((0, 0), (64, 64), (0, 0)), mode="edge")


def timed(name: str, function: Callable[[], object], repeats: int) -> Row:
    for _ in range(max(3, repeats // 10)):
        function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append((time.perf_counter() - start) * 1000)
    return {
        "measure": name,
        "unit": "ms",
        "fastest": f"{min(times):.3f}",
        "median": f"{statistics.median(times):.3f}",
        "p95": f"{np.percentile(times, 95):.3f}",
        "repeats": repeats,
    }


def fresh_python(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def times(model_name: str, repeats: int) -> list[Row]:
    image = photo_640x480()
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    jpeg = file.getvalue()

    analyzer, short = phiz.Analyzer(model_name), phiz.Analyzer(model_name, "short")
    one_thread = phiz.Analyzer(model_name, threads=1)
    for source in (jpeg, image):
        found = len(analyzer.analyze(source).faces)
        if found != 1:
            sys.exit(f"the 640x480 photo must show one face to be a fair measure, {found} were found")

    model, detector = load_model(model_name), load_detector()
    (face,) = detector.detect(image)
    crop = face_crop(image, face.keypoints, model.size, model.template)
    one, sixteen = crop[None], np.repeat(crop[None], 16, axis=0)
    name = model.card.name
    return [
        timed(f"{name}, 1 face", lambda: model.run(one), repeats * 10),
        timed(f"{name}, 16 faces in one call", lambda: model.run(sixteen), repeats),
        timed("640x480 JPEG, one face, end to end", lambda: analyzer.analyze(jpeg), repeats),
        timed("640x480 JPEG, one face, end to end, 1 thread", lambda: one_thread.analyze(jpeg), repeats),
        timed("640x480 array, one face, end to end", lambda: analyzer.analyze(image), repeats),
        timed("640x480 JPEG, end to end, detector short", lambda: short.analyze(jpeg), repeats),
        timed("of which: decode the JPEG", lambda: load(jpeg), repeats),
        timed("of which: find the face, 1 thread", lambda: detector.detect(image), repeats),
        timed(
            "of which: crop the face",
            lambda: face_crop(image, face.keypoints, model.size, model.template),
            repeats,
        ),
        timed("start Python and do nothing", fresh_python("pass"), 11),
        timed("start Python and import phiz", fresh_python("import phiz"), 11),
        timed(
            "start Python and load an Analyzer",
            fresh_python(f"import phiz; phiz.Analyzer({model_name!r})"),
            11,
        ),
    ]


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
    parser = argparse.ArgumentParser(description="Measure the speed and size of phiz.")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or path of the model")
    parser.add_argument("--repeats", type=int, default=300, help="timed calls of a whole photo")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "speed.csv")
    options = parser.parse_args()
    versions = [f"{name} {metadata.version(name)}" for name in ("phiz", "onnxruntime", "numpy", "pillow")]
    setting = {
        "hardware": f"{cpu()}, {os.cpu_count()} CPUs, as many threads as each row says",
        "versions": "; ".join([*versions, f"Python {platform.python_version()}", platform.system()]),
        "command": "python benchmarks/speed.py",
        "commit": commit(ROOT) or "unknown",
        "date": date.today().isoformat(),
    }
    rows = [row | setting for row in times(options.model, options.repeats) + sizes()]
    for row in rows:
        print(
            f"{row['measure']:<45} {row['median']:>9} {row['unit']}   p95 {row['p95'] or '-':>9}   "
            f"fastest {row['fastest'] or '-':>9}"
        )
    print(setting["hardware"], setting["versions"], sep="\n")
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
