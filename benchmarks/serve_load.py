"""Load `phiz serve` on this machine, print what came of it and write results/speed/serve_load.csv.

    python benchmarks/serve_load.py                 # 50 clients for a minute, then 32 clients, three ways
    python benchmarks/serve_load.py --seconds 5 --rounds 1 --output /tmp/try.csv

Every service is started as its own process on a free port of the loopback interface and ended again; the
clients are threads of this process, each with one kept connection, asking again as soon as it is answered
(after the named wait where it is refused). They share the processor with the service, so the figures are a
lower bound. Runs end by themselves: at most 5 minutes and 200 clients each.

The three ways of the comparison, the same pictures and 32 clients each, in turns:
  one at a time   one picture after another, all cores inside its network calls: no batch of any kind
  side by side    a picture per core at the same time, each with a network call of its own
  gathered        the same, and the faces of different clients share network calls (the default)
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from phiz.data import ASTRONAUT
from phiz.image import load
from phiz.provenance import cells, write_rows

ROOT = Path(__file__).resolve().parents[1]
HEADERS = {"Content-Type": "image/jpeg"}
CORES = os.cpu_count() or 1
WAYS = {
    "one at a time": ["--workers", "1", "--threads", str(CORES), "--batch-ms", "0"],
    "side by side": ["--workers", str(CORES), "--batch-ms", "0"],
    "gathered": ["--workers", str(CORES)],
}


class Service:
    """`phiz serve` as a process; `with` ends it."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "phiz", "serve", "--port", "0", "--quiet", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if not found:
            sys.exit(f"the service did not start: {line}{self.process.stderr.read()}")
        self.port = int(found[1])

    def memory(self, kind: str) -> float:
        """Megabytes: "VmRSS" now, "VmHWM" at most so far. Linux only; nan elsewhere."""
        try:
            text = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return float("nan")
        return int(re.search(rf"{kind}:\s*(\d+)", text)[1]) / 1e3

    def cpu_seconds(self) -> float:
        """Processor time used so far. Linux only; nan elsewhere."""
        try:
            values = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("nan")
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stderr.close()


@dataclass
class Outcome:
    """What the clients saw: seconds of every answered request, statuses, the differing answers."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    faces: set[str] = field(default_factory=set)
    ages: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, seconds: float, status: str, body: bytes) -> None:
        with self.lock:
            self.statuses[status] += 1
            if status == "200":
                self.seconds.append(seconds)
                (face,) = json.loads(body)["results"][0]["faces"]
                self.ages.append(face.pop("age"))
                face.pop("gender_score")
                self.faces.add(json.dumps(face))


def client(port: int, jpeg: bytes, until: float, outcome: Outcome) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while time.perf_counter() < until:
        start = time.perf_counter()
        try:
            connection.request("POST", "/v1/analyze", jpeg, HEADERS)
            response = connection.getresponse()
            body, status = response.read(), str(response.status)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            body, status = b"", type(error).__name__
        outcome.add(time.perf_counter() - start, status, body)
        if status in ("429", "503"):
            time.sleep(min(float(response.getheader("Retry-After", "1")), until - time.perf_counter(), 5))
    connection.close()


def load_run(name: str, options: list[str], jpeg: bytes, clients: int, seconds: float) -> dict[str, object]:
    with Service(*options) as service:
        warm = Outcome()
        client(service.port, jpeg, time.perf_counter() + 1, warm)
        before, used = service.memory("VmRSS"), service.cpu_seconds()
        outcome, start = Outcome(), time.perf_counter()
        threads = [
            threading.Thread(target=client, args=(service.port, jpeg, start + seconds, outcome))
            for _ in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall, used = time.perf_counter() - start, service.cpu_seconds() - used
        peak = service.memory("VmHWM")
    done = len(outcome.seconds)
    p50, p95, p99 = np.percentile(outcome.seconds or [float("nan")], (50, 95, 99)) * 1000
    statuses = "; ".join(f"{status}: {count}" for status, count in sorted(outcome.statuses.items()))
    spread = max(outcome.ages) - min(outcome.ages) if outcome.ages else float("nan")
    print(
        f"{name:<14} {clients} clients, {wall:5.1f} s: {done / wall:7.1f} requests/s, "
        f"p50 {p50:6.1f} ms, p95 {p95:6.1f}, p99 {p99:6.1f}, {1000 * used / max(done, 1):5.1f} ms CPU each, "
        f"memory {before:.0f} to {peak:.0f} MB, {statuses}",
        flush=True,
    )
    if len(outcome.faces) > 1 or spread > 0.1:
        sys.exit(f"answers differ: {len(outcome.faces)} boxes and genders, ages by {spread:.1f} years")
    return {
        "way": name,
        "clients": clients,
        "seconds": f"{wall:.1f}",
        "requests_per_second": f"{done / wall:.2f}",
        "p50_ms": f"{p50:.1f}",
        "p95_ms": f"{p95:.1f}",
        "p99_ms": f"{p99:.1f}",
        "cpu_ms_each": f"{1000 * used / max(done, 1):.2f}",
        "memory_before_mb": f"{before:.0f}",
        "memory_peak_mb": f"{peak:.0f}",
        "statuses": statuses,
        "options": " ".join(options),
    }


def photo() -> bytes:
    """The bundled portrait as a 640x480 JPEG: its lowest 32 rows cut, its edges repeated to the sides."""
    file = io.BytesIO()
    image = np.pad(load(ASTRONAUT)[:480], ((0, 0), (64, 64), (0, 0)), mode="edge")
    Image.fromarray(image).save(file, "JPEG", quality=90)
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=50, help="of the long run, at most 200")
    parser.add_argument("--seconds", type=float, default=60, help="of the long run, at most 300")
    parser.add_argument("--rounds", type=int, default=5, help="turns of the comparison, of 10 s each way")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "speed" / "serve_load.csv")
    options = parser.parse_args()
    clients, seconds = min(options.clients, 200), min(options.seconds, 300)
    jpeg = photo()
    rows = [load_run("load", [], jpeg, clients, seconds)]
    for _ in range(min(options.rounds, 20)):
        rows += [load_run(way, arguments, jpeg, 32, min(seconds, 10)) for way, arguments in WAYS.items()]
    medians = {
        way: statistics.median(float(row["requests_per_second"]) for row in rows if row["way"] == way)
        for way in WAYS
        if len(rows) > 1
    }
    for way, rate in medians.items():
        factor = rate / medians["one at a time"]
        print(f"median {way:<14} {rate:7.1f} requests/s, {factor:.2f} times one at a time")
    setting = cells("uvicorn", "fastapi")
    write_rows(options.output, rows, setting)
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
