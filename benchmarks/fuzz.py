"""Mutate every kind of input from outside by the million, and say in results/endurance/ how far it went.

    pip install "phiz[fuzz]"                                # atheris, for Linux and macOS
    python benchmarks/fuzz.py                               # ten minutes, a piece of each target in turn
    python benchmarks/fuzz.py png websocket --minutes 60
    python benchmarks/fuzz.py --inputs 1000000              # until so many inputs in all, over all calls

Targets and their first examples are in tests/fuzz. Each piece runs in a process of its own, bounded in time
and memory, with libFuzzer's mutation guided by coverage. What leads to new code is kept in
runs/fuzz/NAME/corpus, so a later call goes on where this one ended, also after a kill. An input that raises
what it may not, crashes, or takes more than --seconds or --memory is kept in runs/fuzz/NAME/found: mend its
cause and move it to tests/fuzz/found/NAME, where every run of the tests tries it again.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from phiz.provenance import cells

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
NAMES = (
    *("jpeg", "png", "webp", "bmp", "gif", "tiff", "avif", "heic", "multipart", "websocket"),
    *("csv", "toml", "matlab", "hdf5", "card", "onnx"),
)
#: Longest input of each target, in bytes; 4096 where nothing is said.
LONGEST = {"card": 20_000, "matlab": 8192, "hdf5": 16_384, "toml": 6000}
#: Words that mutation would take long to hit upon, put in as they are.
WORDS = {
    "png": (b"IHDR", b"IDAT", b"PLTE", b"tRNS", b"eXIf", b"acTL", b"fdAT"),
    "webp": (b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"EXIF"),
    "heic": (b"ftyp", b"meta", b"iloc", b"iinf", b"ispe", b"hvcC", b"irot", b"mdat"),
    "avif": (b"ftyp", b"meta", b"iloc", b"ispe", b"av1C", b"irot", b"mdat"),
    "multipart": (b"boundary=", b"--b\r\n", b"--b--", b"\r\n\r\n", b'filename="', b"filename*="),
    "csv": (b'""', b"\0", b"\xef\xbb\xbf", b"\r", b"nan", b"1e999", b"../"),
    "toml": (b"nan", b"-inf", b"1e999", b"[[", b"'''", b'"""', b"true", b"\\ud800", b"={", b"0x"),
    "card": (b"NaN", b"-Infinity", b"1e999", b"\\ud800", b"null", b"true", b"[]", b"{}"),
}
COLUMNS = ("target", "inputs", "seconds", "edges", "examples_kept", "found", "peak_mb")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", help=f"some of {', '.join(NAMES)}; all by default")
    parser.add_argument("--minutes", type=float, default=10, help="end after so long, at most 600")
    parser.add_argument("--inputs", type=int, help="end once results hold so many inputs of these targets")
    parser.add_argument("--piece", type=int, default=120, help="seconds of one target before the next")
    parser.add_argument("--seconds", type=int, default=60, help="longest time of one input")
    parser.add_argument("--memory", type=int, default=2048, help="most memory of a process, in MB")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "fuzz", help="folder of the corpora")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "endurance" / "fuzz.csv")
    options = parser.parse_args()
    if wrong := set(options.targets) - set(NAMES):
        parser.error(f"expected targets among {', '.join(NAMES)}, got {min(wrong)}")
    chosen = options.targets or list(NAMES)
    rows = read(options.output)
    end = time.monotonic() + 60 * min(options.minutes, 600)
    for name in itertools.cycle(chosen):
        done = sum(int(rows[each]["inputs"]) for each in chosen if each in rows)
        left = end - time.monotonic()
        if left < 5 or (options.inputs and done >= options.inputs):
            break
        rows[name] = piece(name, min(options.piece, int(left)), options, rows.get(name))
        write(options.output, rows)
        print(", ".join(f"{key} {rows[name][key]}" for key in COLUMNS), flush=True)
    sys.exit(1 if any(int(row["found"]) for row in rows.values()) else 0)


def piece(
    name: str, seconds: int, options: argparse.Namespace, before: dict[str, str] | None
) -> dict[str, str]:
    """Run a target for so long and return its row, added up with the one before."""
    corpus, found = options.work / name / "corpus", options.work / name / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(ROOT / "benchmarks" / "fuzz_piece.py"), name, str(corpus)]
    command += [f"-max_total_time={seconds}", f"-timeout={options.seconds}", f"-artifact_prefix={found}/"]
    command += [f"-rss_limit_mb={options.memory}", f"-max_len={LONGEST.get(name, 4096)}"]
    if name in WORDS:
        words = options.work / name / "words.txt"
        lines = ("".join(f"\\x{byte:02x}" for byte in word) for word in WORDS[name])
        words.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
        command.append(f"-dict={words}")
    paths = [
        str(ROOT / "src"),
        str(TESTS / "helpers"),
        str(TESTS / "fuzz"),
        *filter(None, [os.environ.get("PYTHONPATH")]),
    ]
    start, setting = time.monotonic(), cells("atheris")  # now: the sources may change while it runs
    try:
        done = subprocess.run(
            [*command, "-print_final_stats=1"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds + 20 * options.seconds,  # most of it for a busy machine to import everything
        )
    except subprocess.TimeoutExpired:
        sys.exit(f"{name} did not end in time and was killed; what it found new is in {corpus}")
    said = done.stdout.decode(errors="replace")
    (options.work / name / "log.txt").write_text(said, encoding="utf-8")
    inputs, peak = last(r"stat::number_of_executed_units:\s*(\d+)", said), last(r"rss_mb:\s*(\d+)", said)
    if not inputs and not list(found.iterdir()):
        sys.exit(f"{name} did not run:\n{said[-2000:]}")
    before = before or dict.fromkeys(COLUMNS, "0")
    return {
        "target": name,
        "inputs": str(int(before["inputs"]) + inputs),
        "seconds": f"{float(before['seconds']) + time.monotonic() - start:.0f}",
        "edges": str(max(int(before["edges"]), last(r"cov: (\d+)", said))),
        "examples_kept": str(len(list(corpus.iterdir()))),
        "found": str(len(list(found.iterdir()))),
        "peak_mb": str(max(int(before["peak_mb"]), peak)),
        **setting,
    }


def last(pattern: str, said: str) -> int:
    """Return the last number that was said after the pattern, 0 for none."""
    numbers = re.findall(pattern, said)
    return int(numbers[-1]) if numbers else 0


def read(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of earlier calls by target."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["target"]: row for row in csv.DictReader(file)}


def write(path: Path, rows: dict[str, dict[str, str]]) -> None:
    """Write all rows; a kill leaves the old file or the new one."""
    part = path.with_name(path.name + ".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(next(iter(rows.values()))), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in NAMES if name in rows)
    part.replace(path)


if __name__ == "__main__":
    main()
