"""Measure `phiz watch`: steadiness, identity switches, lag, speed and memory; writes results/speed/stream*.

    python benchmarks/stream.py steady crossing lag     # counts and errors: the same on any machine
    python benchmarks/stream.py speed                   # wall-clock on an otherwise idle machine
    python benchmarks/stream.py memory --minutes 10     # samples of one process, plotted

The videos are made here from the one bundled portrait: its head moves over a plain background, with motion
blur, noise and changes of size and sharpness, so that it is known at every frame where which head is. Rows of
results/speed/stream.csv that belong to other parts are kept.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

import phiz
from phiz.data import ASTRONAUT
from phiz.image import load
from phiz.provenance import cells
from phiz.stream import track
from phiz.stream.motion import centre
from phiz.stream.track import Tracker
from phiz.types import Box, Face

ROOT = Path(__file__).resolve().parents[1]
RATE = 25.0
WIDTHS = "% of face width"
SIZE = (640, 480)
WATCH = [sys.executable, "-m", "phiz", "watch", "--no-window"]
#: The head in the portrait, and the box that the detector gives its face: x, y, width, height.
HEAD, FACE = (140, 20, 170, 210), (172, 72, 105, 105)
Row = dict[str, object]
#: Of each analysed frame: its number and its faces.
Looks = list[tuple[int, list[Face]]]


@dataclass
class Actor:
    """A head on its way: centre of its face (complex, in pixels) and face width at frame `i`."""

    start: complex
    speed: complex
    sway: complex
    period: float
    width: float
    grow: float = 0.0

    def at(self, i: int) -> tuple[complex, float]:
        wave = np.sin(2 * np.pi * i / self.period)
        return self.start + self.speed * i + self.sway * wave, self.width * (1 + self.grow * wave)


class Scene:
    """Frames of one or several heads, and the truth about them; later actors walk in front of others."""

    def __init__(
        self, actors: list[Actor], *, noise: float = 6.0, shutter: float = 0.5, defocus: bool = False
    ):
        self.actors, self._noise, self._shutter, self._defocus = actors, noise, shutter, defocus
        x, y, w, h = HEAD
        self._head = load(ASTRONAUT)[y : y + h, x : x + w].astype(np.float32)
        down, across = np.mgrid[0:h, 0:w]
        far = np.hypot((across - w / 2) / (w / 2), (down - h / 2) / (h / 2))
        self._mask = np.clip((1 - far) * 8, 0, 1).astype(np.float32)
        shade = np.linspace(70, 150, SIZE[0], dtype=np.float32)
        self._background = np.repeat(np.tile(shade, (SIZE[1], 1))[:, :, None], 3, axis=2)

    def boxes(self, i: int) -> list[Box]:
        places = [actor.at(i) for actor in self.actors]
        return [(c.real - w / 2, c.imag - w / 2, w, w) for c, w in places]

    def frame(self, i: int) -> np.ndarray:
        random = np.random.default_rng(i)
        picture = self._background.copy()
        for actor in self.actors:
            self._draw(picture, actor, i)
        if self._defocus:  # out of focus and back, once in four seconds
            sigma = max(0.0, 3 * np.sin(2 * np.pi * i / 100))
            picture = cv2.GaussianBlur(picture, (0, 0), sigma) if sigma > 0.3 else picture
        picture += random.normal(0, self._noise, picture.shape)
        return np.clip(picture, 0, 255).astype(np.uint8)

    def _draw(self, picture: np.ndarray, actor: Actor, i: int) -> None:
        centre, width = actor.at(i)
        scale = width / FACE[2]
        x = FACE[0] + FACE[2] / 2 - HEAD[0]
        y = FACE[1] + FACE[3] / 2 - HEAD[1]
        matrix = np.array([[scale, 0, centre.real - scale * x], [0, scale, centre.imag - scale * y]])
        head = cv2.warpAffine(self._head, matrix, SIZE, flags=cv2.INTER_AREA)
        mask = cv2.warpAffine(self._mask, matrix, SIZE)
        way = (
            actor.at(i + 1)[0] - actor.at(i)[0]
        ) * self._shutter  # how far it goes while the shutter is open
        if abs(way) >= 1:
            kernel = np.zeros((31, 31), np.float32)
            half = way / 2 * min(1, 30 / abs(way))
            ends = [(round(15 + sign * half.real), round(15 + sign * half.imag)) for sign in (-1, 1)]
            cv2.line(kernel, *ends, 1.0)
            kernel /= kernel.sum()
            head, mask = cv2.filter2D(head * mask[:, :, None], -1, kernel), cv2.filter2D(mask, -1, kernel)
            picture *= 1 - mask[:, :, None]
            picture += head
        else:
            picture *= 1 - mask[:, :, None]
            picture += head * mask[:, :, None]


ONE = [Actor(320 + 220j, 0, 90 + 30j, 60, 105, 0.25)]
CROSSING = [
    Actor(90 + 150j, 2.6 + 0.1j, 12j, 50, 85),
    Actor(560 + 170j, -2.4 + 0j, 10j, 40, 95),
    Actor(60 + 330j, 3.4 - 0.2j, 15j, 35, 75),
    Actor(590 + 320j, -2.9 + 0j, 8j, 55, 90),
]


def analysed(scene: Scene, count: int) -> Iterator[tuple[int, list[Face]]]:
    analyzer = phiz.Analyzer()
    for i in range(count):
        image = scene.frame(i)
        yield i, list(analyzer.analyze(image).faces)


def steady() -> list[Row]:
    """One head, 300 frames: change from frame to frame, before (each look) and after (the track's answer)."""
    rows = []
    for name, defocus in (("motion, blur and noise", False), ("the same, out of focus every 4 s", True)):
        scene = Scene(ONE, defocus=defocus)
        clean = phiz.Analyzer().analyze(Scene(ONE, noise=0, shutter=0).frame(0)).faces[0]
        weighted, alike = Tracker(), Tracker()
        before, after, even = [], [], []
        for i, faces in analysed(scene, 300):
            if not faces:
                continue
            before.append(faces[0])
            after.append(weighted.update(faces[:1], i / RATE)[-1].face)
            plain = [replace(face, age_interval=None) for face in faces[:1]]
            even.append(alike.update(plain, i / RATE)[-1].face)
        answers = {"look": before, "track": after, "even": even}
        ages = {key: np.array([face.age for face in value]) for key, value in answers.items()}
        step = {key: np.abs(np.diff(value)) for key, value in ages.items()}
        late = {key: value[50:] for key, value in step.items()}
        flips = {key: sum(a.gender != b.gender for a, b in pairwise(value)) for key, value in answers.items()}
        off = np.abs(ages["track"] - ages["track"][-1]) > 1
        settled = int(off.nonzero()[0].max(initial=-1)) + 1
        error = {key: np.abs(value - clean.age) for key, value in ages.items()}
        rows += [
            row("steady", name, "frames with the face found, of 300", len(before), "frames"),
            row(
                "steady",
                name,
                "age: mean change from frame to frame, each look",
                step["look"].mean(),
                "years",
            ),
            row("steady", name, "age: mean change from frame to frame, track", step["track"].mean(), "years"),
            row("steady", name, "the same after the first 2 s, each look", late["look"].mean(), "years"),
            row("steady", name, "the same after the first 2 s, track", late["track"].mean(), "years"),
            row(
                "steady",
                name,
                "age: largest change from frame to frame, each look",
                step["look"].max(),
                "years",
            ),
            row(
                "steady", name, "age: largest change from frame to frame, track", step["track"].max(), "years"
            ),
            row("steady", name, "changes of the named gender, each look", flips["look"], "changes"),
            row("steady", name, "changes of the named gender, track", flips["track"], "changes"),
            row(
                "steady", name, "frames until the age stays within 1 year of the final one", settled, "frames"
            ),
            row(
                "steady",
                name,
                "age: mean error against the clean picture, each look",
                error["look"].mean(),
                "years",
            ),
            row(
                "steady",
                name,
                "age: final error against it, weighted by the interval",
                error["track"][-1],
                "years",
            ),
            row("steady", name, "age: final error against it, all looks alike", error["even"][-1], "years"),
        ]
    return rows


def iou(a: Box, b: Box) -> float:
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0.0, across) * max(0.0, down)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def cast(seed: int, count: int) -> list[Actor]:
    """Return four heads that meet around the middle of the picture, half-way through `count` frames."""
    random = np.random.default_rng(seed)
    actors = []
    for number in range(4):
        speed = complex(random.uniform(1.5, 4) * (-1) ** number, random.uniform(-0.4, 0.4))
        middle = complex(random.uniform(220, 420), random.uniform(140, 340))
        sway = complex(random.uniform(0, 10), random.uniform(0, 20))
        start = middle - speed * count / 2
        actors.append(Actor(start, speed, sway, random.uniform(30, 60), random.uniform(70, 100)))
    return actors


@dataclass
class Followed:
    """How well the tracks of one scene followed its heads."""

    switches: int = 0
    tracks: int = 0
    pairs: int = 0
    missed: int = 0


def follow(scene: Scene, looks: Looks, every: int) -> Followed:
    """Return how often a head's track changed its number, over the frames that show the head uncovered."""
    tracker, owner, found = Tracker(), dict[int, int](), Followed()
    numbers: set[int] = set()
    for i, faces in looks[::every]:
        tracks = tracker.update(faces, i / RATE)
        numbers.update(one.id for one in tracks)
        boxes = scene.boxes(i)
        for head, box in enumerate(boxes):
            inside = box[0] >= 0 and box[1] >= 0 and box[0] + box[2] <= SIZE[0] and box[1] + box[3] <= SIZE[1]
            if not inside or any(iou(box, other) > 0.1 for other in boxes[head + 1 :]):
                continue
            best = max(tracks, key=lambda one: iou(one.face.box, box), default=None)
            if best is None or iou(best.face.box, box) < 0.5:
                found.missed += 1
                continue
            found.pairs += 1
            found.switches += owner.get(head, best.id) != best.id
            owner[head] = best.id
    found.tracks = len(numbers)
    return found


def optimal(tracks, faces, allowed, time, least):
    """Stand in for track.match with an optimal assignment, as ByteTrack's own code uses."""
    from scipy.optimize import linear_sum_assignment

    if not tracks or not allowed:
        return {}
    expected = np.array([one.expected(time) for one in tracks])
    table = track.overlaps(expected, np.array([faces[index].box for index in allowed]))
    pairs = zip(*linear_sum_assignment(-np.where(table >= least, table, 0)), strict=True)
    return {tracks[row]: allowed[column] for row, column in pairs if table[row, column] >= least}


def crossing() -> list[Row]:
    """Heads that cross and cover each other, 180 frames a scene: how often a head's track changes its number.

    The tracker's constants were set on the first scene; the other five were made after that.
    """
    scenes = {
        "the scene it was set on": [Scene(CROSSING)],
        "five others": [Scene(cast(n, 180)) for n in range(5)],
    }
    rows = []
    greedy = track.match
    for name, group in scenes.items():
        looks = [list(analysed(scene, 180)) for scene in group]
        for every in (1, 2, 3, 5):
            for how, match in (("greedy", greedy), ("optimal assignment", optimal)):
                track.match = match
                found = [follow(scene, seen, every) for scene, seen in zip(group, looks, strict=True)]
                setting = f"four crossing heads, {name}, every {every}, {how}"
                total = [
                    sum(getattr(one, key) for one in found)
                    for key in ("switches", "tracks", "pairs", "missed")
                ]
                rows.append(row("crossing", setting, "identity switches", total[0], "switches"))
                if how == "greedy":
                    rows.append(
                        row("crossing", setting, f"tracks for {4 * len(group)} people", total[1], "tracks")
                    )
                    rows.append(row("crossing", setting, "uncovered heads followed", total[2], "heads"))
                    rows.append(row("crossing", setting, "uncovered heads not found", total[3], "heads"))
    track.match = greedy
    return rows


def lag() -> list[Row]:
    """One head that sways: how far the box shown is from the true one, with the detector every N frames."""
    scene = Scene(ONE)
    looks = list(analysed(scene, 240))
    rows = []
    for every in (1, 2, 3, 5):
        tracker = Tracker()
        errors: dict[str, list[float]] = {"moved on": [], "held still": []}
        held = None
        for i, faces in looks:
            (truth,) = scene.boxes(i)
            if i % every == 0:
                tracks = tracker.update(faces, i / RATE)
                held = tracks
            else:
                tracks = tracker.expect(i / RATE)
            for name, shown in (("moved on", tracks), ("held still", held or [])):
                if shown:
                    box = shown[0].face.box
                    errors[name].append(100 * abs(centre(box) - centre(truth)) / truth[2])
        for name, values in errors.items():
            if every > 1 or name == "moved on":
                setting = f"every {every}, box {name} between"
                rows.append(
                    row("lag", setting, "mean distance from the true centre", np.mean(values), WIDTHS)
                )
    steps = [abs(ONE[0].at(i + 1)[0] - ONE[0].at(i)[0]) / ONE[0].at(i)[1] for i in range(240)]
    rows.append(row("lag", "the head itself", "mean way from frame to frame", 100 * np.mean(steps), WIDTHS))
    return rows


def write_video(path: Path, scene: Scene, count: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, SIZE)
    for i in range(count):
        writer.write(cv2.cvtColor(scene.frame(i), cv2.COLOR_RGB2BGR))
    writer.release()


def speed() -> list[Row]:
    """A 640x480 MP4 with one head, 500 frames, on one processor core; median of five runs of the command."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "one.mp4"
        write_video(video, Scene(ONE), 500)
        for options in (
            ["--every", "1"],
            ["--every", "2"],
            ["--every", "3"],
            ["--every", "1"],
            ["--every", "2", "--jsonl", os.devnull],
            ["--every", "2", "--output", str(Path(folder) / "out.mp4")],
        ):
            rates = [run_once(video, options) for _ in range(5)]
            shown = " ".join(options).replace(folder, "").replace("/out.mp4", "FILE.mp4")
            name = f"phiz watch {shown}, one core"
            rows.append(
                row("speed", name, "frames a second, without start and end", np.median(rates), "frames/s")
            )
            rows.append(row("speed", name, "slowest of five", min(rates), "frames/s"))
    return rows


def run_once(video: Path, options: list[str]) -> float:
    """Return the rate that one run of the command says, pinned to one core where the system can."""
    pin = None
    if hasattr(os, "sched_setaffinity"):
        core = min(os.sched_getaffinity(0))
        pin = lambda: os.sched_setaffinity(0, {core})  # noqa: E731
    command = [*WATCH, str(video), *options]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=pin, check=True)
    return float(done.stderr.rsplit(" a second", 1)[0].rsplit(" ", 1)[1])


def memory(minutes: float) -> list[Row]:
    """A looping live stream of 25 JPEG frames a second into `phiz watch -`, its memory every second."""
    scene = Scene(CROSSING)
    pictures = [cv2.cvtColor(scene.frame(i), cv2.COLOR_RGB2BGR) for i in range(180)]
    loop = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
    samples: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        outputs = ["--jsonl", str(Path(folder) / "a.jsonl"), "--output", str(Path(folder) / "a.mp4")]
        command = [*WATCH, "-", "--live", "--every", "2", *outputs]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        begun = time.monotonic()
        count = 0
        while (now := time.monotonic() - begun) < minutes * 60:
            child.stdin.write(loop[count % len(loop)])
            count += 1
            if now >= len(samples):
                samples.append((now, resident(child.pid)))
            time.sleep(max(0.0, count / RATE - (time.monotonic() - begun)))
        child.stdin.close()
        said = child.stderr.read().decode().strip()
        if child.wait() != 0:
            sys.exit(said)
    print(said)
    with (ROOT / "results" / "speed" / "stream_memory.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("seconds", "resident_mib"))
        writer.writerows((f"{seconds:.1f}", f"{mib:.1f}") for seconds, mib in samples)
    plot(samples)
    return growth(f"looping live stream, {minutes:g} minutes, {said.rsplit('phiz: ', 1)[-1]}", samples)


def growth(name: str, samples: list[tuple[float, float]]) -> list[Row]:
    """Say what samples of (seconds, MiB) tell: the minutes one by one, and the slope of the second half."""
    seconds, mib = np.array(samples).T
    minute = (seconds // 60).astype(int)
    half = seconds >= seconds[-1] / 2
    slope = np.polyfit(seconds[half] / 60, mib[half], 1)[0]
    means = [
        row(
            "memory",
            name,
            f"resident memory, mean of minute {number + 1}",
            mib[minute == number].mean(),
            "MiB",
        )
        for number in range(minute[-1] + 1)
    ]
    return [
        *means,
        row("memory", name, "largest", mib.max(), "MiB"),
        row("memory", name, "growth in the second half, by least squares", slope, "MiB/minute"),
    ]


def resident(pid: int) -> float:
    """Return a process's resident memory in MiB (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def plot(samples: list[tuple[float, float]]) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "phiz"
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot([seconds / 60 for seconds, _ in samples], [mib for _, mib in samples])
    axes.set(xlabel="minutes", ylabel="resident memory, MiB", ylim=(0, None))
    axes.set_title("phiz watch, a looping live stream of four faces, with --jsonl and --output")
    figure.savefig(ROOT / "results" / "speed" / "stream_memory.svg", metadata={"Date": None})


def row(part: str, setting: str, measure: str, value: float, unit: str) -> Row:
    number = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return {"part": part, "setting": setting, "measure": measure, "value": number, "unit": unit}


def main() -> None:
    parts = {"steady": steady, "crossing": crossing, "lag": lag, "speed": speed, "memory": memory}
    help_lines = "\n".join(f"{name}: {part.__doc__}" for name, part in parts.items() if part.__doc__)
    parser = argparse.ArgumentParser(
        description="Measure phiz watch.",
        epilog=help_lines,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="+", choices=list(parts))
    parser.add_argument("--minutes", type=float, default=10, help="length of the memory part")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "speed" / "stream.csv")
    options = parser.parse_args()
    setting = cells("opencv-python", "opencv-python-headless")
    kept: list[Row] = []
    if options.output.exists():
        with options.output.open(newline="", encoding="utf-8") as file:
            kept = [old for old in csv.DictReader(file) if old["part"] not in options.parts]
    for part in options.parts:
        made = memory(options.minutes) if part == "memory" else parts[part]()
        for one in made:
            print(f"{one['setting']:<50} {one['measure']:<68} {one['value']:>9} {one['unit']}")
        kept += [one | setting for one in made]
    order = list(parts)
    kept.sort(key=lambda one: order.index(str(one["part"])))
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(kept[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
