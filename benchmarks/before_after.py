"""Compare what a model answers here with what it answers in another checkout, on the validation pictures.

    git worktree add ../before e12dc92
    python benchmarks/before_after.py ../before --data ../shared/data

Each checkout finds, cuts and answers with its detector, crop and weights. Writes
results/detection/before_after.csv: age error, share of right genders and, for attributes, of right answers
at a half; the difference on the same pictures has a 95% bootstrap interval over people where they are known,
else over pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from phiz.datasets import registry
from phiz.datasets.fgnet import TUNING_PEOPLE
from phiz.datasets.splits import load_split
from phiz.provenance import cells, write_rows

ROOT = Path(__file__).resolve().parents[1]
WORKER = """
import json, sys
import phiz

jobs = json.load(sys.stdin)
analyzers = {}
for name, cropped, attributes, path in jobs:
    key = name, cropped, attributes
    if key not in analyzers:
        more = {"attributes": "all"} if attributes else {}
        analyzers[key] = phiz.Analyzer(name, cropped=cropped, threads=1, **more)
    faces = analyzers[key].analyze(path).faces
    if not faces:
        print("null", flush=True)
        continue
    face = faces[0]
    female = face.gender_score if face.gender == "female" else 1 - face.gender_score
    told = dict(face.attributes) if attributes else {}
    print(json.dumps([face.age, female, told]), flush=True)
"""
RESAMPLES = 2000


def answers(root: Path, jobs: list[tuple[str, bool, bool, str]]) -> list[list[object] | None]:
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        input=json.dumps(jobs),
        env=os.environ | {"PYTHONPATH": str(root / "src")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def pictures(data: Path) -> dict[str, list[registry.FaceRecord]]:
    """Return the validation records of each data set."""
    found = {}
    for name in ("utkface", "celeba", "fiw"):
        part = set(load_split(ROOT / "splits" / f"{name}.csv")["validation"])
        found[name] = [record for record in registry.read(name, data) if record.path.name in part]
    found["fgnet"] = [record for record in registry.read("fgnet", data) if record.subject in TUNING_PEOPLE]
    return found


def interval(values: np.ndarray, people: list[str]) -> tuple[float, float]:
    """Return the 95% bootstrap interval of a mean over people, resampled with replacement."""
    groups: dict[str, list[float]] = {}
    for person, value in zip(people, values.tolist(), strict=True):
        groups.setdefault(person, []).append(value)
    sums, counts = (np.array([f(group) for group in groups.values()]) for f in (sum, len))
    drawn = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975]).tolist()
    return low, high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="the other checkout")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--model", action="append", help="by default multitask-64 and age-accurate")
    parser.add_argument("--attributes", action="store_true", help="attributes-112 on CelebA too")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "detection" / "before_after.csv")
    options = parser.parse_args()
    rows: list[dict[str, object]] = []

    def compare(
        measure: str, model: str, part: str, old: np.ndarray, new: np.ndarray, people: list[str]
    ) -> None:
        low, high = interval(new - old, people)
        row = {"model": model, "pictures": part, "measure": measure, "number": len(old)}
        row |= {"before": f"{old.mean():.4f}", "after": f"{new.mean():.4f}"}
        row |= {"difference": f"{(new - old).mean():+.4f}", "low": f"{low:+.4f}", "high": f"{high:+.4f}"}
        rows.append(row)
        print(*row.values(), sep="\t", flush=True)

    for part, records in pictures(options.data).items():
        chips = registry.named(part).chips
        for model in options.model or ["multitask-64", "age-accurate"]:
            told = options.attributes and part == "celeba" and model == "multitask-64"
            jobs = [(model, chips, told, str(record.path)) for record in records]
            both = zip(answers(options.before, jobs), answers(ROOT, jobs), records, strict=True)
            pairs = [(old, new, record) for old, new, record in both if old and new]
            people = [record.subject or str(record.path) for _, _, record in pairs]
            ages = np.array([record.age if record.age is not None else np.nan for *_, record in pairs])
            if np.isfinite(ages).all():
                old, new = (np.abs(np.array([pair[i][0] for pair in pairs]) - ages) for i in (0, 1))
                compare("age error, years", model, part, old, new, people)
            genders = [record.gender for *_, record in pairs]
            if all(genders):
                female = np.array([gender == "female" for gender in genders])
                right = [(np.array([p[i][1] for p in pairs]) >= 0.5) == female for i in (0, 1)]
                compare("gender right", model, part, *(each.astype(float) for each in right), people)
            if told:
                names = list(pairs[0][0][2])
                truth = np.array([[record.attributes[name] for name in names] for *_, record in pairs])
                said = [np.array([[pair[i][2][name] for name in names] for pair in pairs]) for i in (0, 1)]
                right = [((answer >= 0.5) == truth).mean(axis=1) for answer in said]
                compare("attributes right", "attributes-112", part, *right, people)
    made = cells()
    write_rows(options.output, rows, made)


if __name__ == "__main__":
    main()
