"""What the networks say of every picture, and which of it counts as a label."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phiz.datasets import registry
from phiz.datasets.record import FaceRecord
from phiz.errors import DataError
from phiz.evaluation import report_files
from phiz.models.session import FEMALE, load_model
from phiz.training.annotate.annotator import Annotator
from phiz.training.crops import canonical, load_crops
from phiz.training.fingerprint import differing, digest, of_file, of_pictures

ANSWERS, MADE_BY, JOURNAL, TABLE = "answers.csv", "made_by.json", "reviewed.jsonl", "faces.csv"
BATCH = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """One picture: its key in the data set, and each network's probability of female."""

    file: str
    female: tuple[float, ...]

    @property
    def agreed(self) -> str | None:
        """Return the gender that all networks name; None where they differ."""
        named = {"female" if p >= 0.5 else "male" for p in self.female}
        return named.pop() if len(named) == 1 else None


def records_to_label(annotator: Annotator, data: Path) -> dict[str, FaceRecord]:
    """Return the pictures to label by their path within the data set's folder, in order. Raises DataError."""
    name, limit = annotator.annotation.unlabelled, annotator.annotation.limit
    folder = data / registry.named(name).folder
    records = registry.read(name, data)
    if limit and len(records) > limit:
        records = [records[i * len(records) // limit] for i in range(limit)]
    return {record.path.relative_to(folder).as_posix(): record for record in records}


def ask(annotator: Annotator, models: Sequence[Path], data: Path, folder: Path, cache: Path) -> list[Answer]:
    """Return every network's answer to every picture with a face, and keep them in folder as answers.csv.

    Answers that are there already are taken where recipe, networks and pictures are the same.
    Raises: DataError where they are those of others, naming what differs.
    """
    records = records_to_label(annotator, data)
    made_by = {
        "recipe": of_file(annotator.recipe.path),
        "networks": digest([of_file(path) for path in models]),
        "pictures": of_pictures(record.path for record in records.values()),
    }
    path, identity = folder / ANSWERS, folder / MADE_BY
    if identity.exists():
        before = json.loads(identity.read_text(encoding="utf-8"))
        if parts := differing(before, made_by):
            raise DataError(
                f"{folder}: expected answers of the same making, got another {' and other '.join(parts)}; "
                "label into another --output, or remove this folder with the reviews in it"
            )
        return read_answers(folder)
    said = {name: _one(path, annotator, list(records.values()), cache) for name, path in _named(models)}
    keys = {str(record.path): key for key, record in records.items()}
    answers = [
        Answer(keys[picture], tuple(found[picture] for found in said.values()))
        for picture in next(iter(said.values()))
    ]
    report_files.make_folder(folder)
    report_files.write_csv(path, ("file", *said), ((a.file, *a.female) for a in answers))
    report_files.write_text(
        identity, json.dumps(made_by, indent=2) + "\n"
    )  # last: with it the answers are whole
    return answers


def _named(models: Iterable[Path]) -> list[tuple[str, Path]]:
    return [(path.stem, path) for path in models]


def _one(path: Path, annotator: Annotator, records: list[FaceRecord], cache: Path) -> dict[str, float]:
    """Return one network's probability of female by picture; those without a face are left out."""
    model = load_model(path, gender_alone=True)
    crops = load_crops(
        records,
        chips=registry.named(annotator.annotation.unlabelled).chips,
        template=model.template,
        size=model.size,
        cache=cache,
        aligner=model.card.aligner,
    )
    said: dict[str, float] = {}
    for start in range(0, len(crops), BATCH):
        pixels = canonical(np.asarray(crops.pixels[start : start + BATCH]), model.size)
        female = model.run(pixels)[FEMALE].tolist()
        said |= dict(zip(map(str, crops.paths[start : start + BATCH]), female, strict=True))
    return said


def read_answers(folder: Path) -> list[Answer]:
    """Return the answers kept in a folder. Raises DataError where there are none or they are damaged."""
    found = []
    for number, row in report_files.read_csv(folder / ANSWERS, ("file",), "the networks' answers"):
        try:
            female = tuple(float(value) for name, value in row.items() if name != "file")
        except ValueError as error:
            raise DataError(f"{folder / ANSWERS}, line {number}: expected probabilities: {error}") from error
        found.append(Answer(row["file"], female))
    return found


def write_table(
    folder: Path, answers: Sequence[Answer], decided: Mapping[str, str], records: Mapping[str, FaceRecord]
) -> dict[str, int]:
    """Write faces.csv, in the format of the reader `csv`, and return how many labels each source gave.

    A person's label goes before the networks'. The column gender_by says where each comes from: "agreed" or
    "reviewed". What was skipped, or is not decided, has no row. The data set's own ages, people and parts are
    kept, its genders are not. Raises DataError.
    """
    rows, counts = [], {"agreed": 0, "reviewed": 0}
    for answer in answers:
        by = "reviewed" if answer.file in decided else "agreed"
        gender = decided.get(answer.file, answer.agreed)
        if gender in ("female", "male"):
            record = records[answer.file]
            rows.append((answer.file, record.age, gender, record.subject, record.part, by))
            counts[by] += 1
    report_files.write_csv(folder / TABLE, ("file", "age", "gender", "subject", "part", "gender_by"), rows)
    return counts
