"""Run `phiz watch` and `phiz serve` for very long, in pieces, and plot their memory in results/endurance/.

    python benchmarks/soak.py stream --minutes 30      # a looping stream, until 500,000 frames in all calls
    python benchmarks/soak.py service --minutes 30     # until 100,000 requests in all calls

Each call is one process of phiz for so long, after which results say how far all calls together went: memory
every ten seconds in soak_PART.csv and .svg, and what it tells in soak.csv, of results/endurance/. The loop
shows two people who come and go, so that tracks begin and end; every frame is looked at, none is dropped. The
service runs on the loopback interface and is asked by one client after another, also for what it has to
refuse.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image
from serve_load import Service

from phiz.data import ASTRONAUT
from phiz.provenance import cells

ROOT = Path(__file__).resolve().parents[1]
GOALS = {"stream": 500_000, "service": 100_000}
WHAT = {"stream": "frames", "service": "requests"}
#: Seconds between two looks at the memory.
EVERY = 10.0
#: Most memory that phiz may ask the system for, in bytes of addresses.
MOST = 8 << 30
SAMPLE = ("piece", "done", "seconds", "resident_mib")

Sample = tuple[int, int, float, float]


def loop() -> list[bytes]:
    """Return 240 frames of 320x240 as JPEG: two heads cross an empty room at different times."""
    head = Image.open(ASTRONAUT).convert("RGB").crop((150, 0, 310, 200)).resize((80, 100))
    frames = []
    for number in range(240):
        room = Image.new("RGB", (320, 240), (96, 110, 104))
        for start, top in ((0, 30), (70, 110)):
            room.paste(head, (3 * (number - start) - 80, top))
        file = io.BytesIO()
        room.save(file, "JPEG", quality=85)
        frames.append(file.getvalue())
    return frames


def resident(pid: int) -> float:
    """Return a process's resident memory in MiB (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def stream(piece: int, most: int, seconds: float) -> tuple[list[Sample], str]:
    """Feed the loop to `phiz watch` until so many frames are answered or the time is up."""
    frames, samples, begun = itertools.cycle(loop()), [], time.monotonic()
    answered = 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "phiz", "watch", "-", "--no-window", "--jsonl", "-"]
        child = subprocess.Popen(
            [*command, "--audience", str(Path(folder) / "audience.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdin
        assert child.stdout

        def count() -> None:
            nonlocal answered
            for _ in child.stdout:
                answered += 1

        counter = threading.Thread(target=count)
        counter.start()
        for sent in range(most):
            now = time.monotonic() - begun
            if now > seconds:
                break
            if now >= EVERY * (len(samples) + 1):
                samples.append((piece, answered, now, resident(child.pid)))
            with suppress(BrokenPipeError):
                child.stdin.write(next(frames))
            if child.poll() is not None:
                sys.exit(f"phiz watch ended after {sent} frames: {child.stderr.read().decode()}")
        memory = resident(child.pid)
        child.stdin.close()
        counter.join()
        said = child.stderr.read().decode().strip()
        if child.wait() != 0:
            sys.exit(said)
    return [*samples, (piece, answered, time.monotonic() - begun, memory)], said.splitlines()[-1]


def questions() -> Iterator[tuple[str, bytes, str, int]]:
    """Yield (path, body, content type, the status that must come), most of them pictures with faces."""
    pictures = [frame for number, frame in enumerate(loop()) if 30 <= number <= 200]
    part = b'--b\r\nContent-Disposition: form-data; name="x"; filename="a"\r\n\r\n%s\r\n'
    form = "multipart/form-data; boundary=b"
    for number in itertools.count():
        picture = pictures[number % len(pictures)]
        yield "/v1/analyze", picture, "image/jpeg", 200
        if number % 10 == 0:
            yield "/v1/analyze", part % picture + part % picture[:-200] + b"--b--\r\n", form, 200
            yield "/v1/analyze", picture[:99], "image/jpeg", 422
            yield "/v1/analyze", part % picture, form, 400
            yield "/v1/analyze", b"text", "text/plain", 415
            yield f"/v1/{number}", b"", "image/jpeg", 405


def service(piece: int, most: int, seconds: float) -> tuple[list[Sample], str]:
    """Ask `phiz serve` one thing after another until so many are answered or the time is up."""
    statuses: Counter[int] = Counter()
    with Service() as served:
        samples, begun, pid = [], time.monotonic(), served.process.pid
        line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=300)
        for done, (path, body, kind, expected) in enumerate(questions()):
            now = time.monotonic() - begun
            if now >= EVERY * (len(samples) + 1):
                samples.append((piece, done, now, resident(pid)))
            if done == most or now > seconds:
                samples.append((piece, done, now, resident(pid)))
                break
            if done % 1000 == 0:
                line.close()  # a new client
            line.request("POST", path, body, {"Content-Type": kind})
            answer = line.getresponse()
            answer.read()
            if answer.status != expected:
                sys.exit(f"expected {expected} from {path} ({kind}, {len(body)} bytes), got {answer.status}")
            statuses[answer.status] += 1
        line.close()
    return samples, "; ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))


def read(path: Path) -> list[Sample]:
    """Return the samples of earlier calls."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [(int(r["piece"]), int(r["done"]), float(r["seconds"]), float(r["resident_mib"])) for r in rows]


def told(part: str, samples: list[Sample]) -> dict[str, str]:
    """Return what all samples tell; growth is that of the longest piece's second half, by least squares."""
    pieces = {piece: [one for one in samples if one[0] == piece] for piece, *_ in samples}
    done = sum(piece[-1][1] for piece in pieces.values())
    longest = max(pieces.values(), key=lambda piece: piece[-1][1])
    _, count, _, mib = np.array(longest).T
    half = count >= count[-1] / 2
    slope = np.polyfit(count[half] / 1e5, mib[half], 1)[0] if half.sum() > 2 else float("nan")
    return {
        "part": part,
        "done": str(done),
        "of": f"{GOALS[part]} {WHAT[part]}",
        "pieces": str(len(pieces)),
        "longest_piece": str(longest[-1][1]),
        "hours": f"{sum(piece[-1][2] for piece in pieces.values()) / 3600:.2f}",
        "largest_mib": f"{max(one[3] for one in samples):.1f}",
        "growth_mib_per_100000": f"{slope:.2f}",
    }


def plot(part: str, samples: list[Sample], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "phiz"
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    before = 0
    for _, group in itertools.groupby(samples, key=lambda one: one[0]):
        piece = list(group)
        axes.plot([before + one[1] for one in piece], [one[3] for one in piece])
        before += piece[-1][1]
    axes.set(xlabel=f"{WHAT[part]}; a colour is one process", ylabel="resident memory, MiB", ylim=(0, None))
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=list(GOALS))
    parser.add_argument("--minutes", type=float, default=10, help="length of this piece, at most 600")
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "endurance")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))  # what is started inherits it
    part, path = options.part, options.results / f"soak_{options.part}.csv"
    samples = read(path)
    before = sum(max(one[1] for one in group) for _, group in itertools.groupby(samples, lambda one: one[0]))
    if before >= GOALS[part]:
        sys.exit(f"all {GOALS[part]} {WHAT[part]} are done")
    setting = cells()  # now: the sources may change while it runs
    piece, run = 1 + max((one[0] for one in samples), default=0), {"stream": stream, "service": service}[part]
    made, said = run(piece, GOALS[part] - before, 60 * min(options.minutes, 600))
    samples += made
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SAMPLE)
        writer.writerows((a, b, f"{seconds:.1f}", f"{mib:.1f}") for a, b, seconds, mib in samples)
    plot(part, samples, path.with_suffix(".svg"))
    row = told(part, samples) | {"last_piece": said} | setting
    summary, rows = options.results / "soak.csv", {}
    if summary.exists():
        with summary.open(newline="", encoding="utf-8") as file:
            rows = {old["part"]: old for old in csv.DictReader(file)}
    rows[part] = row
    with summary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in GOALS if name in rows)
    print("; ".join(f"{key} {value}" for key, value in list(row.items())[:9]))


if __name__ == "__main__":
    main()
