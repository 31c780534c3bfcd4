"""Measure networks trained by recipes/comparison/small side by side; answers, sizes, latency into results/.

    python tools/comparison_measure.py runs/multitask-1 runs/ssr-net-1 ... --data DIR    # name all: latency
    is of one run

A run's folder is NAME-SEED, as phiz train makes it. Every network sees the crops that analysis cuts of
UTKFace's test part and of all FG-NET, and its answers lie in results/networks/comparison/ as CSV. From all
answers there the figures are made anew: comparison.csv, mean over seeds with a 95% interval over clusters of
pictures, and the paired difference to the whole light network. comparison_sizes.csv has parameters,
multiply-adds, file size and one-thread latency, rounds of all networks in turn.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from phiz.datasets import registry
from phiz.evaluation import answering, metrics, report_files
from phiz.evaluation.groups import Scored
from phiz.evaluation.protocols import load_protocol
from phiz.models.session import AGE, FEMALE, Model, load_model
from phiz.provenance import cells
from phiz.training.crops import Crops, canonical, load_crops

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "recipes" / "comparison" / "small"
RESULTS = ROOT / "results" / "networks"
#: The network that differences are to, and what is measured on.
WHOLE = "multitask"
PROTOCOLS = tuple(ROOT / "protocols" / f"{name}.toml" for name in ("utkface-test", "fgnet-cross-dataset"))
COLUMNS = (
    "network",
    "protocol",
    "metric",
    "seeds",
    "value",
    "low",
    "high",
    "difference",
    "d_low",
    "d_high",
    "n",
)
ROUNDS = 200
BATCH = 64


def network_and_seed(folder: Path) -> tuple[str, int]:
    """Return the two of a run's folder; SystemExit where it is none of the comparison."""
    name, _, seed = folder.name.rpartition("-")
    if not seed.isdigit() or not (RECIPES / f"{name}.toml").is_file():
        raise SystemExit(
            f"{folder}: expected a run NAME-SEED of a recipe in {RECIPES}; train it, or leave it out"
        )
    return name, int(seed)


def answers(model: Model, plan: answering.Plan, crops: Crops) -> list[Scored]:
    """Return a model's answer to each test picture of a plan; a picture without a face says so."""
    pixels, found = canonical(crops.pixels[:], model.size), {}
    for start in range(0, len(crops), BATCH):
        said = model.run(pixels[start : start + BATCH])
        for i, path in enumerate(crops.paths[start : start + BATCH]):
            found[str(path)] = {name: float(values[i]) for name, values in said.items()}
    rows = []
    for key, record in plan.records.items():
        row, said_here = answering.labels(plan, key), found.get(str(record.path))
        rows.append(_scored(row, said_here) if said_here else replace(row, problem="no face found"))
    return rows


def _scored(row: Scored, said: dict[str, float]) -> Scored:
    female = said.get(FEMALE)
    if female is None:
        return replace(row, age=said[AGE])
    gender = "female" if female >= 0.5 else "male"
    return replace(row, age=said.get(AGE), gender=gender, gender_score=max(female, 1 - female))


def figures(by_seed: Sequence[Sequence[Scored]]) -> dict[str, dict[str, tuple[str, float]]]:
    """Return, by metric, each picture's mean over the seeds: file -> (cluster, value).

    Values as in metrics.
    """
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    clusters = {row.file: row.cluster for rows in by_seed for row in rows}
    for row in (row for rows in by_seed for row in rows):
        if row.age is not None and row.true_age is not None:
            error = abs(row.age - row.true_age)
            found["mae"][row.file].append(error)
            found["cs5"][row.file].append(float(error <= 5))
        if row.gender is not None and row.true_gender is not None:
            found["gender_accuracy"][row.file].append(float(row.gender == row.true_gender))
    return {
        metric: {file: (clusters[file], float(np.mean(values))) for file, values in by_file.items()}
        for metric, by_file in found.items()
    }


def interval(pairs: Iterable[tuple[str, float]]) -> tuple[float, float, float]:
    """Return the mean of (cluster, value) pairs with its 95% bootstrap interval over clusters."""
    cluster, values = zip(*pairs, strict=True)
    column = np.array(values)
    low, high = metrics.bootstrap(partial(_weighted, column), cluster)
    return float(column.mean()), low, high


def _weighted(values: metrics.Floats, weight: metrics.Floats) -> metrics.Floats:
    return np.asarray(weight @ values / weight.sum(axis=-1))


def summary(folder: Path) -> list[tuple[Any, ...]]:
    """Return the rows of comparison.csv from all answers in a folder, NAME-SEED_PROTOCOL.csv."""
    kept: dict[tuple[str, str], list[list[Scored]]] = defaultdict(list)
    for path in sorted(folder.glob("*_*.csv")):
        run_name, _, protocol = path.stem.partition("_")
        kept[run_name.rpartition("-")[0], protocol].append(report_files.read_predictions(path))
    rows: list[tuple[Any, ...]] = []
    for (name, protocol), by_seed in sorted(kept.items()):
        whole = figures(kept.get((WHOLE, protocol), []))
        for metric, ours in figures(by_seed).items():
            theirs, difference = whole.get(metric, {}), (None, None, None)
            both = [(ours[f][0], ours[f][1] - theirs[f][1]) for f in ours if f in theirs]
            if both and name != WHOLE:
                difference = interval(both)
            rows.append(
                (name, protocol, metric, len(by_seed), *interval(ours.values()), *difference, len(ours))
            )
    return rows


def latencies(models: dict[str, Model]) -> dict[str, float]:
    """Return the median milliseconds of one face in one call, all networks in turn round by round."""
    took: dict[str, list[float]] = defaultdict(list)
    random = np.random.default_rng(0)
    for _ in range(ROUNDS):
        for name, model in models.items():
            crop = random.integers(0, 256, (1, model.size, model.size, 3), dtype=np.uint8)
            began = time.perf_counter()
            model.run(crop)
            took[name].append(1000 * (time.perf_counter() - began))
    return {name: median(times[ROUNDS // 10 :]) for name, times in took.items()}


def measure(
    folders: Sequence[Path], data: Path, cache: Path, results: Path, protocols: Sequence[Path] = PROTOCOLS
) -> None:
    """Write the answers of every run, the figures of all answers, and the sizes of these runs' networks."""
    kept = results / "comparison"
    kept.mkdir(parents=True, exist_ok=True)
    models: dict[str, Model] = {}
    for folder in folders:
        name, seed = network_and_seed(folder)
        model = load_model(folder / f"{name}.onnx", gender_alone=True)
        for protocol in map(load_protocol, protocols):
            records = registry.read(protocol.dataset, data)
            plan = answering.plan(protocol, records, data / registry.named(protocol.dataset).folder)
            chips = registry.named(protocol.dataset).chips
            tested = list(plan.records.values())
            crops = load_crops(tested, chips=chips, template=model.template, size=model.size, cache=cache)
            path = kept / f"{name}-{seed}_{protocol.name}.csv"
            report_files.write_answers(path, answers(model, plan, crops))
        models.setdefault(name, model)
        print(f"measured: {folder.name}", flush=True)
    report_files.write_csv(results / "comparison.csv", COLUMNS, summary(kept))
    timed, made = latencies(models), cells("torch")
    folder_of = {network_and_seed(folder)[0]: folder for folder in reversed(folders)}
    rows = [
        (
            *(name, model.card.parameters, model.card.multiply_adds),
            *((folder_of[name] / f"{name}.onnx").stat().st_size, timed[name], *made.values()),
        )
        for name, model in models.items()
    ]
    head = ("network", "parameters", "multiply_adds", "bytes", "milliseconds", *made)
    report_files.write_csv(results / "comparison_sizes.csv", head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs, NAME-SEED")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds UTKFace/ and FGNET/")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="folder of the cut crops")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    options = parser.parse_args()
    measure(options.runs, options.data, options.cache, options.results)


if __name__ == "__main__":
    main()
