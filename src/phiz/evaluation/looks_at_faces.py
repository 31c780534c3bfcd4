"""What a model says of labelled faces and how good each look is, in a good picture and in a spoilt one.

The road is the users': the picture is read, the face found, cut and answered by `phiz.Analyzer`. The spoilt
look is the same face through up to three chance troubles of `phiz.evaluation.corruptions`, found and answered
anew.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..analyzer import Analyzer, Located
from ..crop import CropTemplate
from ..datasets.record import FaceRecord
from ..errors import ImageError
from ..models.certainty import SIGNALS
from .corruptions import CORRUPTIONS
from .robustness import look_at

Floats = NDArray[np.float64]
#: Troubles that a look is spoilt by, in the order of a camera, and strengths, 1 to 5, that are drawn from.
TROUBLES = {
    "darkness": (1, 2, 3, 4),
    "brightness": (2, 3, 4, 5),
    "contrast": (1, 2, 3),
    "defocus blur": (1, 2, 3, 4),
    "motion blur": (1, 2, 3, 4),
    "resolution": (1, 2, 3, 4),
    "Gaussian noise": (1, 2, 3),
    "JPEG quality": (3, 4, 5),
}
#: Chances of one, two or three troubles.
HOW_MANY = (0.5, 0.35, 0.15)


@dataclass(frozen=True, slots=True)
class Looks:
    """Answers and labels of N faces, column by column.

    domain: name of the kind of picture. spoilt: whether the look was spoilt. cluster: what is drawn as one
    for intervals. true_age: years, NaN where unknown. true_female: 1, 0, or NaN. age: the model's years.
    female: its probability. signals: (N, len(SIGNALS)), see `phiz.models.certainty.signals`; infinite where
    one is not known.
    """

    domain: NDArray[np.str_]
    spoilt: NDArray[np.bool_]
    cluster: NDArray[np.str_]
    true_age: Floats
    true_female: Floats
    age: Floats
    female: Floats
    signals: Floats

    def __len__(self) -> int:
        return len(self.age)

    def rows(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> Looks:
        """Return these rows alone."""
        return Looks(*(getattr(self, field.name)[index] for field in fields(self)))

    def signal(self, name: str) -> Floats:
        """Return one column of signals (N,)."""
        return np.asarray(self.signals[:, SIGNALS.index(name)])

    @property
    def right(self) -> Floats:
        """1 where the gender is right, 0 where it is wrong, NaN where it is not known."""
        right = (self.female >= 0.5) == (self.true_female == 1)
        return np.where(np.isnan(self.true_female), np.nan, right.astype(np.float64))

    def save(self, path: Path) -> None:
        """Write all columns into one file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(path, **columns)

    @classmethod
    def load(cls, path: Path) -> Looks:
        """Read what `save` wrote."""
        with np.load(path) as file:
            return cls(*(file[field.name] for field in fields(cls)))


def join(parts: Sequence[Looks]) -> Looks:
    """Return the rows of all parts."""
    return Looks(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Looks)))


def look(
    records: Mapping[str, FaceRecord],
    clusters: Mapping[str, str],
    model: str,
    domain: str,
    *,
    cropped: bool,
    workers: int | None = None,
) -> Looks:
    """Return two looks at each picture's largest face, as it is and spoilt, where it is found.

    records, clusters: pictures with labels, and the cluster of each, by key. cropped: they are tight chips.
    What spoils a look is drawn by the picture's key, so that every model sees the same.
    """
    jobs = [(key, record, clusters[key], domain) for key, record in records.items()]
    with ProcessPoolExecutor(workers or os.cpu_count(), initializer=_load, initargs=(model, cropped)) as pool:
        rows = [row for found in pool.map(_look, jobs, chunksize=16) for row in found]
    return Looks(
        *(np.array([row[i] for row in rows]) for i in range(len(fields(Looks)))),
    )


Row = tuple[str, bool, str, float, float, float, float, list[float]]
_loaded: Analyzer | None = None  # one per worker process
_FEMALE = {"female": 1.0, "male": 0.0, None: math.nan}


def _load(model: str, cropped: bool) -> None:
    global _loaded
    _loaded = Analyzer(model, cropped=cropped)


def _look(job: tuple[str, FaceRecord, str, str]) -> list[Row]:
    assert _loaded is not None
    key, record, cluster, domain = job
    labels = math.nan if record.age is None else record.age, _FEMALE[record.gender]
    try:
        picture = _loaded.read(record.path)
        located = _loaded.locate(picture)
    except ImageError:
        return []
    if not located.detections:
        return []
    rows: list[Row] = [(domain, False, cluster, *labels, *said(_loaded, located))]
    detection = located.detections[0]
    if detection is not None:
        template = CropTemplate.from_dict(_loaded.card.crop)
        patch, _ = look_at(picture.whole(), detection, template)
        again = _loaded.locate(spoil(patch, key))
        if again.detections and again.detections[0] is not None:
            rows.append((domain, True, cluster, *labels, *said(_loaded, again)))
    return rows


def said(analyzer: Analyzer, located: Located) -> tuple[float, float, list[float]]:
    """Return age, probability of female and all signals of the largest face."""
    (estimate,) = analyzer.estimate(located.crops[:1])
    told = located.genders[0] if located.genders else estimate
    assert told.gender_score is not None
    found = {**located.quality[0], **estimate.signals, "age": estimate.age}
    found |= {angle: abs(found[angle]) for angle in ("yaw", "roll") if angle in found}
    score = min(told.gender_score, 1 - 1e-6)
    found["gender_logit"] = math.log(score / (1 - score))
    female = told.gender_score if told.gender == "female" else 1 - told.gender_score
    return estimate.age, female, [found.get(name, math.inf) for name in SIGNALS]


def spoil(patch: NDArray[np.uint8], key: str) -> NDArray[np.uint8]:
    """Return the picture of a face through chance troubles; the same key draws the same ones."""
    seed = hashlib.sha256(f"spoilt:{key}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(seed[:8], "big"))
    count = 1 + int(rng.choice(len(HOW_MANY), p=HOW_MANY))
    chosen = rng.permutation(list(TROUBLES))[:count]
    for name, strengths in TROUBLES.items():
        if name in chosen:
            patch = CORRUPTIONS[name](patch, int(rng.choice(strengths)), rng)
    return patch
