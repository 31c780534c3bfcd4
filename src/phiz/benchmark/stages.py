"""The parts of the benchmark, each a few rows of the table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ..analyzer import Analyzer
from ..crop import face_crop
from ..detect import Detector
from ..errors import PhizError
from ..image import load
from ..models.model_store import WEIGHTS
from ..models.session import load_model
from . import made_pictures, profile, rivals, system
from .timing import Effort, Row, row, timed, times_in_turn

Part = Callable[[str, Effort], Iterator[Row]]
#: Most rows of one network's operators.
OPERATORS = 6


def stages(model: str, effort: Effort) -> Iterator[Row]:
    """One face in 640x480 on one thread: each stage alone, then all of them."""
    image = made_pictures.photo()
    file = made_pictures.jpeg(image)
    network, finder = load_model(model, threads=1), Detector()
    faces = finder.detect(image)
    if len(faces) != 1:
        raise PhizError(f"the 640x480 photo shows one face; the detector found {len(faces)}")
    points = faces[0].keypoints
    crop = face_crop(image, points, network.size, network.template)[None]
    analyzer = Analyzer(model, threads=1)
    steps: dict[str, Callable[[], object]] = {
        "read: decode the JPEG": lambda: load(file),
        "detector: find the face": lambda: finder.detect(image),
        "crop: cut the face out": lambda: face_crop(image, points, network.size, network.template),
        f"network {network.card.name}: one face": lambda: network.run(crop),
        "end to end, from an array": lambda: analyzer.analyze(image),
        "end to end, from a JPEG": lambda: analyzer.analyze(file),
    }
    for name, step in steps.items():
        yield row("stages", name, timed(step, effort))


def threads(model: str, effort: Effort) -> Iterator[Row]:
    """End to end from a JPEG of 640x480 with more threads."""
    file = made_pictures.jpeg(made_pictures.photo())
    most = os.cpu_count() or 1
    counts = sorted({1, *(2**i for i in range(1, 7) if 2**i <= most), most})
    for count in counts[: 2 if effort.quick else None]:
        analyzer = Analyzer(model, threads=count)
        name = f"{count} thread{'s' if count > 1 else ''}, end to end"
        yield row("threads", name, timed(partial(analyzer.analyze, file), effort))


def batch(model: str, effort: Effort) -> Iterator[Row]:
    """The network with more faces in one call, on one thread; the rate counts faces."""
    network = load_model(model)
    for count in (1, 4) if effort.quick else (1, 4, 16, 64):
        crops = _crops(network.size, count)
        name = f"{count} face{'s' if count > 1 else ''} in one call"
        seconds = timed(partial(network.run, crops), effort)
        yield row("batch", name, seconds, count=count)


def precision(model: str, effort: Effort) -> Iterator[Row]:
    """The float32 network and the versions of it with fewer bits that are shipped, called in turn."""
    names = [name for name in (model, f"{model}-int8", f"{model}-fp16") if name == model or _shipped(name)]
    networks = [load_model(name) for name in names]
    for count in (1, 16):
        crops = _crops(networks[0].size, count)
        calls = [partial(network.run, crops) for network in networks]
        for name, seconds in zip(names, times_in_turn(calls, effort), strict=True):
            measure = f"{Path(name).stem}, {count} face{'s' if count > 1 else ''}"
            yield row("precision", measure, seconds, count=count)


def sizes(model: str, effort: Effort) -> Iterator[Row]:
    """End to end from an array, one face, as the picture grows (and the face with it)."""
    analyzer = Analyzer(model, threads=1)
    for megapixels, (width, height) in list(made_pictures.SIZES.items())[: 1 if effort.quick else None]:
        image = made_pictures.photo(megapixels)
        seconds = timed(partial(analyzer.analyze, image), effort)
        yield row("picture size", f"{megapixels:g} megapixels, {width}x{height}", seconds)


def faces(model: str, effort: Effort) -> Iterator[Row]:
    """End to end from an array of 1920x1440 as its faces grow in number."""
    analyzer = Analyzer(model, threads=1)
    for count in (1, 4) if effort.quick else (1, 2, 5, 10, 20, 50, 100):
        image = made_pictures.crowd(count)
        found = len(analyzer.analyze(image).faces)
        seconds = timed(partial(analyzer.analyze, image), effort)
        note = "" if found == count else f"{found} found"
        yield row("faces", f"{count} face{'s' if count > 1 else ''} in 1920x1440", seconds, note=note)


def calls(model: str, effort: Effort) -> Iterator[Row]:
    """All that is done against the ONNX calls in it (aimed at: 1.5 times at most), and their operators."""
    image = made_pictures.photo()
    for source, name in ((image, "an array"), (made_pictures.jpeg(image), "a JPEG")):
        with profile.watch_sessions() as watched:
            analyzer = Analyzer(model, threads=1)
        sums: list[float] = []
        whole = np.array(timed(partial(_note_calls, analyzer, source, watched, sums), effort))
        within = np.diff(sums)[-len(whole) :]  # the warm-up came first
        yield Row(
            "ONNX calls",
            f"end to end from {name} / sum of its ONNX calls",
            "x",
            median=float(np.median(whole / within)),
            repeats=len(whole),
            note=f"{np.median(within) * 1000:.2f} ms a picture in ONNX calls; aimed at: 1.5 at most",
        )
    repeats = 2 if effort.quick else 50
    for network, found in profile.operators(lambda: Analyzer(model, threads=1), image, repeats).items():
        total = sum(found.values())
        for operator, microseconds in found.most_common(OPERATORS):
            share = f"{100 * microseconds / max(total, 1):.0f}% of the network's operators"
            ms = microseconds / repeats / 1000
            yield Row("operators", f"{network}: {operator}", "ms", median=ms, repeats=repeats, note=share)


def rival(model: str, effort: Effort) -> Iterator[Row]:
    """Other programs on the same picture, called in turn with phiz; every one on its own default threads."""
    image = made_pictures.photo()
    analyzer = Analyzer(model)
    for one in rivals.RIVALS:
        call, name = rivals.installed(one)
        if call is None:
            yield Row("rivals", one.package, "", note=name)
            continue
        found = len(call(image))
        ours, theirs = times_in_turn([partial(analyzer.analyze, image), partial(call, image)], effort)
        yield row("rivals", f"phiz, beside {name}", ours)
        yield row("rivals", name, theirs, note=f"{found} face{'s' if found != 1 else ''} found")
        ratio = float(np.median(np.array(theirs) / np.array(ours)))
        yield Row("rivals", f"{name} / phiz, pair by pair", "x", median=ratio, repeats=len(ours))


def resources(model: str, effort: Effort) -> Iterator[Row]:
    """Peak memory of a process of its own for each, and energy where the machine tells it."""
    start = f"import phiz; from phiz.benchmark import made_pictures; a = phiz.Analyzer({model!r})"
    jobs = {
        "one 640x480 picture": "made_pictures.photo()",
        "one picture of 12 megapixels": "made_pictures.photo(12.0)",
        "one picture with 100 faces": "made_pictures.crowd(100)",
    }
    for name, picture in list(jobs.items())[: 1 if effort.quick else None]:
        mebibytes = system.peak_memory_of(f"{start}; a.analyze({picture})")
        note = "Python and all libraries included" if mebibytes is not None else "not told by this system"
        yield Row("memory", f"peak, {name}", "MiB", median=mebibytes, repeats=1, note=note)
    analyzer, image = Analyzer(model, threads=1), made_pictures.photo()
    repeats = 3 if effort.quick else effort.repeats
    joules, reason = system.energy_of(lambda: [analyzer.analyze(image) for _ in range(repeats)])
    each = None if joules is None else joules / repeats
    note = reason or "whole processor, idle power included"
    yield Row("energy", "640x480 array, end to end", "J", median=each, repeats=repeats, note=note)


def _note_calls(
    analyzer: Analyzer, source: made_pictures.Image | bytes, watched: profile.Watched, sums: list[float]
) -> None:
    """Analyse a picture and note the seconds spent in ONNX calls until now."""
    analyzer.analyze(source)
    sums.append(watched.seconds)


def _crops(size: int, count: int) -> made_pictures.Image:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def _shipped(name: str) -> bool:
    return (WEIGHTS / f"{name}.json").exists()


PARTS: dict[str, Part] = {
    "stages": stages,
    "threads": threads,
    "batch": batch,
    "precision": precision,
    "sizes": sizes,
    "faces": faces,
    "calls": calls,
    "rivals": rival,
    "resources": resources,
}
