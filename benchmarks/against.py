"""Time this checkout against another one, picture by picture in turn, each in a process of its own.

    git worktree add ../before e12dc92
    python benchmarks/against.py ../before

One thread each. Writes results/detection/against.csv: for each picture the fastest and the median time of
both, their ratio (median of the pairs), the faces found, and both processes' peak memory after that picture
alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from phiz.provenance import cells, write_rows

ROOT = Path(__file__).resolve().parents[1]
#: Name, what makes the picture in a checkout, and options of its Analyzer there and here.
CASES: dict[str, tuple[str, str, str]] = {
    "640x480 array, one face": ("photo(0.3)", "", ""),
    "640x480 array, one face, as in a stream": ("photo(0.3)", "", "min_face=0.0625"),
    "640x480 JPEG, one face": ("jpeg(photo(0.3))", "", ""),
    "1920x1440 array, one face": ("large(1920, 1440)", "", ""),
    "12 megapixels, JPEG, one face": ("jpeg(photo(12.0))", "", ""),
    "12 megapixels, array, one face": ("photo(12.0)", "", ""),
    "1920x1440 array, 100 faces": ("crowd(100)", "", ""),
}
WORKER = """
import json, resource, sys, time
import numpy as np, PIL.Image
import phiz
try:
    from phiz.benchmark.made_pictures import crowd, jpeg, photo
except ImportError:  # as earlier commits name them
    from phiz.benchmark.pictures import crowd, jpeg, photo

def large(width, height):
    return np.asarray(PIL.Image.fromarray(photo(0.3)).resize((width, height), PIL.Image.Resampling.LANCZOS))

picture = eval(sys.argv[1])
analyzer = phiz.Analyzer(threads=1, **eval("dict(" + sys.argv[2] + ")"))
faces = len(analyzer.analyze(picture).faces)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"faces": faces, "peak": peak}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    analyzer.analyze(picture)
    print(json.dumps(time.perf_counter() - start), flush=True)
"""


class Checkout:
    """A process that analyses one picture whenever it is asked to."""

    def __init__(self, root: Path, picture: str, options: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(root / "src")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, picture, options],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin: IO[str] = self._process.stdin
        self._stdout: IO[str] = self._process.stdout
        self.first: dict[str, Any] = json.loads(self._stdout.readline())

    def seconds(self) -> float:
        self._stdin.write("\n")
        self._stdin.flush()
        return float(json.loads(self._stdout.readline()))

    def close(self) -> None:
        self._stdin.close()
        self._process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="the other checkout")
    parser.add_argument("--seconds", type=float, default=20.0, help="about how long each picture takes")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "detection" / "against.csv")
    options = parser.parse_args()
    made = cells()
    rows = []
    for name, (picture, there, here) in CASES.items():
        old, new = Checkout(options.before, picture, there), Checkout(ROOT, picture, here)
        pairs: list[tuple[float, float]] = []
        while len(pairs) < 5 or (sum(map(sum, pairs)) < options.seconds and len(pairs) < 300):
            pairs.append((old.seconds(), new.seconds()))
        before, after = zip(*pairs, strict=True)
        row = {
            "picture": name,
            "before_fastest_ms": f"{1000 * min(before):.2f}",
            "before_median_ms": f"{1000 * statistics.median(before):.2f}",
            "fastest_ms": f"{1000 * min(after):.2f}",
            "median_ms": f"{1000 * statistics.median(after):.2f}",
            "ratio": f"{statistics.median(b / a for a, b in pairs):.3f}",
            "before_faces": old.first["faces"],
            "faces": new.first["faces"],
            "before_peak_mib": f"{old.first['peak']:.0f}",
            "peak_mib": f"{new.first['peak']:.0f}",
            "pairs": len(pairs),
        }
        old.close()
        new.close()
        rows.append(row)
        print(*row.values(), sep="\t", flush=True)
    write_rows(options.output, rows, made)


if __name__ == "__main__":
    main()
