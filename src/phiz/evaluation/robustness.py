"""What bad pictures and badly cut crops do to a model's answers, on pictures with labels.

The face is found once, in the picture as it is; then a patch around it is spoilt and analysed anew with the
face's place known. So every face is answered at every strength, and what is measured is the network, not the
detector. A patch is SIDE pixels wide, MARGIN times as wide as the crop, and upright: so many pixels mean the
same on every face.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..analyzer import Analyzer
from ..crop import CropTemplate, fit, resample
from ..datasets.record import FaceRecord
from ..errors import DataError
from ..types import Detection, Face, Point
from . import metrics
from .corruptions import COMMON, CORRUPTIONS, MARGIN, SIDE, Corruption
from .metrics import Floats

Image = NDArray[np.uint8]
#: What a look is: the patch and the five points of its face, spoilt.
Look = tuple[Image, tuple[Point, ...]]
Spoil = Callable[[Image, tuple[Point, ...], np.random.Generator], Look]

#: How the crop is cut amiss: degrees, shares of its side, and how much wider or narrower.
ROTATIONS, SHIFTS, SCALES = (5, 10, 15, 20, 30), (0.02, 0.04, 0.06, 0.09, 0.12), (1.05, 1.1, 1.15, 1.2, 1.3)
#: Looks that should change nothing: the mirrored face, and the crop so many of its pixels aside.
MIRROR, ASIDE, PIXELS = "mirror", "two pixels aside", 2
CLEAN = "as it is"
#: Every measure: what it is called, and 100 where a share is shown in percent.
MEASURES: dict[str, tuple[str, float]] = {
    "error": ("age error, years", 1.0),
    "added": ("added error, years", 1.0),
    "moved": ("age moved by, years", 1.0),
    "right": ("gender right, %", 100.0),
    "flipped": ("gender flipped, %", 100.0),
    "covered": ("age in its interval, %", 100.0),
    "width": ("interval's width, years", 1.0),
    "flagged": ("flagged, %", 100.0),
}


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to spoil a look. kind, group, strength, setting: as a row of the table says them."""

    kind: str
    group: str
    strength: int
    setting: str
    spoil: Spoil


@dataclass(frozen=True, slots=True)
class Row:
    """One measure under one kind and strength: a mean over n pictures with its 95% bootstrap interval.

    strength: 1 to 5; 0 where there is but one, and for a mean over kinds, whose kind is "mean of GROUP".
    """

    kind: str
    group: str
    strength: int
    setting: str
    measure: str
    value: float
    low: float
    high: float
    n: int


#: Columns of the table as CSV.
COLUMNS = ("kind", "group", "strength", "setting", "measure", "value", "low", "high", "n")


def cells(row: Row) -> list[object]:
    """Return a row as its cells under COLUMNS."""
    return [getattr(row, name) for name in COLUMNS]


@dataclass(frozen=True, slots=True)
class Answers:
    """One picture's labels, the unit of the bootstrap, and the face as it is and under every variant."""

    cluster: str
    age: float | None
    gender: str | None
    clean: Face
    spoilt: Sequence[Face]


def variants(size: int) -> list[Variant]:
    """Return every way to spoil a look. size: side of the network's input, by which two pixels are told."""
    crop = SIDE / MARGIN
    made = []
    for kind in CORRUPTIONS.values():
        for strength, setting in enumerate(kind.settings, 1):
            text = "; ".join(f"{v:g}" for v in (setting if isinstance(setting, tuple) else (setting,)))
            made.append(Variant(kind.name, kind.group, strength, text, partial(_corrupted, kind, strength)))
    amiss: tuple[tuple[str, Sequence[float], str, Callable[..., Spoil]], ...] = (
        ("rotation", ROTATIONS, "{:g} degrees", lambda by: partial(_cut_amiss, turn=by)),
        ("shift", SHIFTS, "{:.0%} of the side", lambda by: partial(_cut_amiss, shift=by * crop)),
        ("scale", SCALES, "times {:g} or its inverse", lambda by: partial(_cut_amiss, scale=by)),
    )
    for name, settings, text, spoil in amiss:
        made += [Variant(name, "crop", i, text.format(v), spoil(v)) for i, v in enumerate(settings, 1)]
    made.append(Variant(MIRROR, "consistency", 0, "", _mirrored))
    step = PIXELS * crop / size
    made += [
        Variant(ASIDE, "consistency", 0, "left, right, up, down", partial(_moved, by=(x * step, y * step)))
        for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1))
    ]
    return made


def look_at(picture: Image, face: Face | Detection, template: CropTemplate) -> Look:
    """Return the patch around a face and its five points in it."""
    turn, shift = fit(face.keypoints, SIDE, template.zoomed_out(MARGIN))
    points = [(complex(*point) - shift) / turn for point in face.keypoints]
    return resample(picture, turn, shift, SIDE), tuple((z.real, z.imag) for z in points)


def draw(keys: Iterable[str], count: int, seed: int) -> list[str]:
    """Return so many keys, drawn by the SHA-256 of "seed:key": the same ones whatever else is there."""
    return sorted(keys, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())[:count]


def answers(
    records: Mapping[str, FaceRecord],
    clusters: Mapping[str, str],
    model: str,
    *,
    cropped: bool = False,
    workers: int | None = None,
) -> Iterator[Answers | None]:
    """Yield each picture's answers in order, None where no face is found or the picture cannot be read.

    records, clusters: pictures with labels, and the cluster of each, by key. workers: processes; one for each
    core by default. The chances are those of the picture's key, so that every model is asked the same.
    """
    jobs = [(key, record, clusters[key]) for key, record in records.items()]
    with ProcessPoolExecutor(workers or os.cpu_count(), initializer=_load, initargs=(model, cropped)) as pool:
        yield from pool.map(_ask, jobs)


_loaded: Analyzer | None = None  # one per worker process


def _load(model: str, cropped: bool) -> None:
    global _loaded
    _loaded = Analyzer(model, cropped=cropped)


def _ask(job: tuple[str, FaceRecord, str]) -> Answers | None:
    assert _loaded is not None
    return ask(_loaded, *job)


def ask(analyzer: Analyzer, key: str, record: FaceRecord, cluster: str) -> Answers | None:
    """Return one picture's answers, see `answers`; of several faces the largest."""
    found = next(iter(analyzer.analyze_many([record.path])))
    if not found.faces or not found.faces[0].keypoints:
        return None
    face, card = found.faces[0], analyzer.card
    picture = analyzer.read(record.path).whole()
    patch, points = look_at(picture, face, CropTemplate.from_dict(card.crop))
    spoilt = []
    for number, variant in enumerate(variants(card.input.size)):
        seed = hashlib.sha256(f"{key}:{variant.kind}:{variant.strength}:{number}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(seed[:8], "big"))
        spoilt.append(_face(analyzer, *variant.spoil(patch, points, rng)))
    return Answers(cluster, record.age, record.gender, _face(analyzer, patch, points), spoilt)


def _face(analyzer: Analyzer, picture: Image, points: tuple[Point, ...]) -> Face:
    """Return what the analyzer says of the face at these points of a picture."""
    xs, ys = zip(*points, strict=True)
    box = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    located = analyzer.locate(picture, [Detection(box, 1.0, points)])
    (face,) = analyzer.combine(located, analyzer.estimate(located.crops), None).faces
    return face


def rows(found: Sequence[Answers], size: int, *, seed: int = 0, resamples: int = 1000) -> list[Row]:
    """Return every measure under every kind and strength, and the means over the paper's groups of kinds."""
    if not found:
        raise DataError("expected pictures in which a face is found, got none")
    groups: dict[tuple[str, str, int, str], list[int]] = {(CLEAN, "", 0, ""): [-1]}
    means: dict[tuple[str, str, int, str], list[int]] = {}
    for number, way in enumerate(variants(size)):
        groups.setdefault((way.kind, way.group, way.strength, way.setting), []).append(number)
        for group in (way.group, "all of these") if way.group in COMMON else ():
            means.setdefault((f"mean of {group}", group, 0, ""), []).append(number)
    groups |= means
    keys = [(key, measure) for key in groups for measure in MEASURES]
    table = np.array([[_measured(each, groups[key], m) for key, m in keys] for each in found], np.float64)
    known = ~np.isnan(table)
    kept = np.asarray(known.any(axis=0))
    filled, weight = np.where(known, table, 0.0)[:, kept], known[:, kept].astype(np.float64)

    def mean(times: Floats) -> Floats:
        with np.errstate(invalid="ignore"):  # a resample may leave out every picture with a label
            return np.asarray((times @ filled) / (times @ weight), np.float64)

    value = mean(np.ones((1, len(found))))[0]
    cluster = [each.cluster for each in found]
    low, high = metrics.intervals(mean, cluster, seed=seed, resamples=resamples)
    columns = [key for key, ok in zip(keys, kept, strict=True) if ok]
    counts = weight.sum(axis=0).astype(int).tolist()
    numbers = zip(value.tolist(), low.tolist(), high.tolist(), counts, strict=True)
    return [Row(*key, measure, *row) for (key, measure), row in zip(columns, numbers, strict=True)]


def _measured(each: Answers, numbers: Sequence[int], measure: str) -> float:
    """Return one picture's measure, the mean over some variants (-1: as it is); NaN without a label."""
    faces = [each.clean if number < 0 else each.spoilt[number] for number in numbers]
    return float(np.mean([_measure(face, each, measure) for face in faces]))


def _measure(face: Face, each: Answers, measure: str) -> float:
    assert face.age is not None  # nothing is refused here
    assert each.clean.age is not None
    if measure == "moved":
        return abs(face.age - each.clean.age)
    if measure == "flipped":
        return float(face.gender != each.clean.gender)
    if measure == "right":
        return math.nan if each.gender is None else float(face.gender == each.gender)
    if measure in ("covered", "width", "flagged"):
        return _sure(face, each, measure)
    if each.age is None:
        return math.nan
    error = abs(face.age - each.age)
    return error - abs(each.clean.age - each.age) if measure == "added" else error


def _sure(face: Face, each: Answers, measure: str) -> float:
    """Return a measure of how sure an answer says it is; NaN from a model that does not say."""
    if face.age_interval is None:
        return math.nan
    low, high = face.age_interval
    if measure == "covered":
        return math.nan if each.age is None else float(low <= each.age <= high)
    return high - low if measure == "width" else float(bool(face.flags))


def _corrupted(
    kind: Corruption, strength: int, patch: Image, points: tuple[Point, ...], rng: np.random.Generator
) -> Look:
    made = kind(patch, strength, rng)
    share = made.shape[0] / patch.shape[0]
    return made, tuple((x * share, y * share) for x, y in points)


def _cut_amiss(
    patch: Image,
    points: tuple[Point, ...],
    rng: np.random.Generator,
    *,
    turn: float = 0.0,
    shift: float = 0.0,
    scale: float = 1.0,
) -> Look:
    """Move the points as if the face were elsewhere, turned or of another size; which way is chance."""
    sign, angle = rng.choice((-1, 1)), rng.uniform(0, 2 * math.pi)
    factor = scale**sign * complex(math.cos(math.radians(sign * turn)), math.sin(math.radians(sign * turn)))
    middle, away = complex(SIDE / 2, SIDE / 2), shift * complex(math.cos(angle), math.sin(angle))
    moved = [middle + factor * (complex(*point) - middle) + away for point in points]
    return patch, tuple((z.real, z.imag) for z in moved)


def _moved(
    patch: Image, points: tuple[Point, ...], rng: np.random.Generator, *, by: tuple[float, float]
) -> Look:
    return patch, tuple((x + by[0], y + by[1]) for x, y in points)


def _mirrored(patch: Image, points: tuple[Point, ...], rng: np.random.Generator) -> Look:
    """Mirror the patch; the person's right eye is then the left one."""
    right_eye, left_eye, nose, right_mouth, left_mouth = ((SIDE - x, y) for x, y in points)
    swapped = (left_eye, right_eye, nose, left_mouth, right_mouth)
    return np.ascontiguousarray(patch[:, ::-1]), swapped
