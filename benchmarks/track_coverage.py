"""Measure how often a track's age interval holds, and its gender; writes results/track_coverage.csv.

    python benchmarks/track_coverage.py share       # of errors, by pairs of FG-NET's photographs
    python benchmarks/track_coverage.py tracks      # coverage, on films

A film shows one photograph of a person for a second, or up to four of nearly one age after each other, as a
poor camera takes them (`made_films.py`). Photographs are looks that depend on each other through the person
alone; frames of one photograph are one look many times. FG-NET has ages: its tuning people give `SHARED` of
phiz.stream.steady, the others are the test. CelebA's validation people have genders, and no ages. The films
hold faces: --films keeps them for another run, outside of the repository; else they are never written.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, sqrt
from pathlib import Path

import cv2
import numpy as np
from made_films import RATE, film, frames
from track_cast import APART, Part, celeba, fgnet

import phiz
from phiz.detect import load_card
from phiz.models.certainty import Caution
from phiz.provenance import cells, write_rows
from phiz.stream.track import Tracker
from phiz.types import Box, Face

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
Row = dict[str, object]
SEED = 17
LEVELS = (0.5, 0.8, 0.9)
#: Draws of people for an interval of the shared part.
DRAWS = 1000


@dataclass
class Answer:
    """What one film came to: its looks; the one in the middle and the track by coverage; how many frames."""

    part: Part
    looks: list[tuple[float, dict[float, list[Face]]]]
    look: dict[float, Face] = field(default_factory=dict)
    track: dict[float, Face] = field(default_factory=dict)
    seen: int = 0

    def follow(self) -> None:
        """Follow the face at each coverage; where it becomes several tracks, the longest counts."""
        for level in LEVELS:
            tracker = Tracker(pace=1 / RATE, caution=Caution(level))
            for time, faces in self.looks:
                tracker.update(faces[level], time)
            if tracks := tracker.finish():
                longest = max(tracks, key=lambda track: track.seen)
                self.track[level], self.seen = longest.face, longest.seen
                self.look[level] = self.middle()[level][0]

    def middle(self) -> dict[float, list[Face]]:
        """Return the faces of the middle one of the frames that show any; no first frame is out of focus."""
        shown = [faces for _, faces in self.looks if faces[LEVELS[0]]]
        return shown[len(shown) // 2] if shown else {level: [] for level in LEVELS}


def look(analyzer: phiz.Analyzer, part: Part, video: bytes) -> Answer:
    """Return the looks of a film, their intervals of every coverage."""
    looks = []
    for time, image in frames(video):
        located = analyzer.locate(image)
        estimates = analyzer.estimate(located.crops)
        answers = {level: analyzer.combine(located, estimates, None, Caution(level)) for level in LEVELS}
        looks.append((time, {level: list(answer.faces) for level, answer in answers.items()}))
    return Answer(part, looks)


def give_intervals(answers: Sequence[Answer]) -> None:
    """Give every look an interval as wide as any, for a model whose card has none.

    Split conformal prediction (V. Vovk et al., 2005) on one look of each of the tuning people's films.
    """
    tuning = [(a.middle()[0.9], a.part.age) for a in answers if a.part.domain == "fgnet tuning"]
    errors = sorted(abs(faces[0].age - age) for faces, age in tuning if faces)
    for level in LEVELS:
        reach = errors[min(len(errors), ceil((len(errors) + 1) * level)) - 1]
        for a in answers:
            for _, seen in a.looks:
                seen[level] = [
                    replace(face, age_interval=(max(0.0, face.age - reach), face.age + reach))
                    for face in seen[level]
                ]


def covered(face: Face, age: float) -> bool:
    """Whether a face's interval holds its age."""
    low, high = face.age_interval
    return low <= age <= high


def frames_as_looks(a: Answer, level: float) -> Face:
    """Return a track with the interval that it would have if every frame were a look of its own."""
    track, look = a.track[level], a.look[level]
    low, high = (track.age + (end - look.age) / sqrt(a.seen) for end in look.age_interval)
    return replace(track, age_interval=(low, high))


def ages(answers: Sequence[Answer]) -> Iterator[tuple[str, float, str]]:
    """Yield measures, values and units of films whose people's ages are known."""
    for level in LEVELS:
        rows = [
            (a.look[level], a.track[level], frames_as_looks(a, level), a.part.age)
            for a in answers
            if a.part.age is not None and a.track
        ]
        for name, faces in zip(
            ("one look", "track", "frames taken as looks"), zip(*rows, strict=True), strict=False
        ):
            share = np.mean([covered(face, row[-1]) for face, row in zip(faces, rows, strict=True)])
            width = np.mean([face.age_interval[1] - face.age_interval[0] for face in faces])
            yield f"{name}: intervals of {level:g} that hold", 100 * share, "%"
            yield f"{name}: mean width of intervals of {level:g}", width, "years"
    for name, kept in (("one look", "look"), ("track", "track")):
        errors = [getattr(a, kept)[0.9].age - a.part.age for a in answers if a.track]
        yield f"{name}: mean absolute error of age", np.mean(np.abs(errors)), "years"


def genders(answers: Sequence[Answer]) -> Iterator[tuple[str, float, str]]:
    """Yield measures, values and units of films whose people's genders are known."""
    for name, kept in (("one look", "look"), ("track", "track")):
        faces = [(getattr(a, kept)[0.9], a.part.gender) for a in answers if a.track]
        yield f"{name}: right genders", 100 * np.mean([face.gender == true for face, true in faces]), "%"
        yield f"{name}: mean gender_score", 100 * np.mean([face.gender_score for face, _ in faces]), "%"
        sure = [face.gender == true for face, true in faces if face.gender_score >= 0.9]
        yield f"{name}: told with gender_score 0.9 or more", 100 * len(sure) / len(faces), "%"
        yield f"{name}: right of these", 100 * np.mean(sure), "%"


def shared(people: dict[str, list[tuple[float, float]]], seed: int) -> tuple[float, float, float]:
    """Return the share of error that two photographs of one person within a year share, and its 90% interval.

    people: each one's (age, error in years). The intraclass correlation about zero, since an age interval has
    to hold an error that all people share, too; the interval is over draws of people.
    """
    pairs = {
        person: [(a[1], b[1]) for i, a in enumerate(looks) for b in looks[:i] if abs(a[0] - b[0]) <= APART]
        for person, looks in people.items()
    }
    pairs = {person: found for person, found in pairs.items() if found}

    def share(names: Sequence[str]) -> float:
        table = np.array([pair for name in names for pair in pairs[name]])
        return float((table[:, 0] * table[:, 1]).mean() / (table**2).mean())

    random, names = np.random.default_rng(seed), sorted(pairs)
    drawn = [share(random.choice(names, len(names)).tolist()) for _ in range(DRAWS)]
    low, high = np.percentile(drawn, [5, 95])
    return share(names), float(low), float(high)


def box(analyzer: phiz.Analyzer, photo: Path) -> Box | None:
    """Return the box of the largest face of a photograph, None where none is found."""
    faces = analyzer.analyze(photo).faces
    return faces[0].box if faces else None


def films(parts: Sequence[Part], every: int, kept: Path | None) -> Iterator[tuple[Part, bytes]]:
    """Yield every part with its film, made or as kept; those without a face are left out."""
    finder = phiz.Analyzer()
    for number, part in list(enumerate(parts))[::every]:
        place = kept / f"{number:04}.mp4" if kept else None
        if place and place.exists():
            yield part, place.read_bytes()
            continue
        boxes = [(photo, box(finder, photo)) for photo in part.photos]
        if any(found is None for _, found in boxes):
            continue
        video = film(
            [(photo, found) for photo, found in boxes if found], np.random.default_rng([SEED, number]), 1.0
        )
        if place:
            place.write_bytes(video)
        yield part, video


def photographs(analyzer: phiz.Analyzer, folder: Path, domain: str) -> dict[str, list[tuple[float, float]]]:
    """Return what `shared` takes, of all photographs of FG-NET's tuning or test people."""
    people: dict[str, list[tuple[float, float]]] = defaultdict(list)
    everyone = fgnet(folder, np.random.default_rng(SEED), 10**6)
    for part in everyone:
        if (
            part.domain == domain
            and len(part.photos) == 1
            and (faces := analyzer.analyze(part.photos[0]).faces)
        ):
            people[part.person].append((part.age, faces[0].age - part.age))
    return people


def share() -> list[Row]:
    """What errors of two photographs of one person within a year have in common, on FG-NET."""
    rows: list[Row] = []
    for domain in ("fgnet tuning", "fgnet test"):
        found = shared(photographs(phiz.Analyzer(), DATA / "FGNET", domain), SEED)
        for name, value in zip(("", ", 5%", ", 95%"), found, strict=True):
            rows.append(
                row("share", domain, f"share of error that two photographs have in common{name}", value)
            )
    return rows


def tracks(every: int, kept: Path | None) -> list[Row]:
    """How often intervals hold and genders are right, of single looks and of tracks, on made films."""
    random = np.random.default_rng(SEED)
    parts = [*fgnet(DATA / "FGNET", random, 180)]
    parts += celeba(DATA / "CelebA", ROOT / "splits" / "celeba.csv", random, 120)
    analyzer = phiz.Analyzer(min_face=load_card().watch_share)
    answers = [look(analyzer, part, video) for part, video in films(parts, every, kept)]
    if analyzer.card.certainty is None:
        print(f"{analyzer.card.name} has no intervals: all are as wide as the tuning people's errors ask")
        give_intervals(answers)
    rows: list[Row] = []
    for domain in dict.fromkeys(part.domain for part in parts):
        for name, few in (("one photograph", True), ("several photographs", False)):
            group = [a for a in answers if a.part.domain == domain and (a.part.looks == 1) == few]
            for one in group:
                one.follow()
            setting, measures = f"{domain}, {name}", genders if domain.startswith("celeba") else ages
            rows.append(row("tracks", setting, "films", len(group)))
            rows.append(row("tracks", setting, "films with a track", sum(bool(a.track) for a in group)))
            followed = [a for a in group if a.track]
            rows += [row("tracks", setting, *measured) for measured in measures(followed)]
    return rows


def row(part: str, setting: str, measure: str, value: float, unit: str = "") -> Row:
    shown = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return {"part": part, "setting": setting, "measure": measure, "value": shown, "unit": unit}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how often a track's answer holds.")
    parser.add_argument("parts", nargs="+", choices=("share", "tracks"))
    parser.add_argument("--every", type=int, default=1, help="make every Nth of the films")
    parser.add_argument("--films", type=Path, help="keep the films there, outside of the repository")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "certainty" / "track_coverage.csv")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    made = cells("opencv-python-headless", "av")
    kept: list[Row] = []
    if options.output.exists():
        with options.output.open(newline="", encoding="utf-8") as file:
            kept = [old for old in csv.DictReader(file) if old["part"] not in options.parts]
    for part in options.parts:
        measured = share() if part == "share" else tracks(options.every, options.films)
        again = f"python benchmarks/track_coverage.py {part}" + f" --every {options.every}" * (
            part == "tracks"
        )
        for one in measured:
            print(f"{one['setting']:<40} {one['measure']:<60} {one['value']:>8} {one['unit']}")
        kept += [one | made | {"command": again} for one in measured]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_rows(options.output, kept, {})


if __name__ == "__main__":
    main()
