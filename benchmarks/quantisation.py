"""Try ways of 8-bit quantisation on the validation part and write results/networks/quantisation.csv.

    python benchmarks/quantisation.py --data ../shared/data

Each row: size of the file, age error and gender accuracy on the validation part of the recipe's split, and
how far the answers are from the float model's. Calibrated on crops of the training part; the test part is not
read.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from phiz.models.model_store import DEFAULT_MODEL, find_model
from phiz.models.session import load_model
from phiz.provenance import cells, write_rows
from phiz.training import quantise as q
from phiz.training.age_gender_data import load_parts
from phiz.training.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = q.Settings()
START = ("/start1/", "/start2/", "/start8/")
VARIANTS: dict[str, q.Settings | None] = {
    "float32": None,
    "float16 weights": None,
    "no equalisation, all convolutions": q.Settings("minmax", None, (), False),
    "no equalisation, percentile": q.Settings("percentile", None, (), False),
    "no equalisation, entropy": q.Settings("entropy", None, (), False),
    "equalisation 0": q.Settings("minmax", 0.0, (), False),
    "equalisation 0.5": q.Settings("minmax", 0.5, (), False),
    "equalisation 1": q.Settings("minmax", 1.0, (), False),
    "0.5, start1 in float": q.Settings("minmax", 0.5, ("/start1/",), False),
    "0.5, start8 in float": q.Settings("minmax", 0.5, ("/start8/",), False),
    "0.5, common in float": q.Settings("minmax", 0.5, ("/common/",), False),
    "0.5, gender branch in float": q.Settings("minmax", 0.5, ("/gender/",), False),
    "0.5, age branch in float": q.Settings("minmax", 0.5, ("/age/",), False),
    "0.5, main branch in float": q.Settings("minmax", 0.5, ("/main/",), False),
    "0.5, ensemble branch in float": q.Settings("minmax", 0.5, ("/ensemble/",), False),
    "0.5, start2 in float": q.Settings("minmax", 0.5, ("/start2/",), False),
    "0.5, start2 in float, percentile": q.Settings("percentile", 0.5, ("/start2/",), False),
    "0.5, start2 in float, entropy": q.Settings("entropy", 0.5, ("/start2/",), False),
    "0.5, start2 in float, 7-bit weights": q.Settings("minmax", 0.5, ("/start2/",), True),
    "0.5, start2 in float, 7-bit weights, percentile": q.Settings("percentile", 0.5, ("/start2/",), True),
    "0.5, the whole start in float, 7-bit weights": q.Settings("minmax", 0.5, START, True),
    "shipped": SHIPPED,
    "shipped, quantise-dequantise pairs": replace(SHIPPED, operators=False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Try ways of 8-bit quantisation on the validation part.")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or path of the float model")
    parser.add_argument("--recipe", type=Path, default=ROOT / "recipes" / "multitask-utkface.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds UTKFace/")
    parser.add_argument("--cache", type=Path, default=ROOT / "runs" / "cache")
    parser.add_argument("--only", default="", help="variants whose name holds this; nothing is written")
    options = parser.parse_args()
    recipe = load_recipe(options.recipe)
    train, *_ = load_parts(recipe, options.data, options.cache, ["train"]).values()
    validation, *_ = load_parts(recipe, options.data, options.cache, ["validation"]).values()
    size = load_model(options.model).size
    calibration = q.calibration_crops(train, size)
    faces = q.canonical(validation.pixels, size)
    card, path = find_model(options.model)
    graph = onnx.load(path)
    setting = {"model": f"{card.name} {card.sha256[:12]}", **cells("onnx")}
    rows = []
    with TemporaryDirectory() as folder:
        reference = answers(path, faces)
        for name, how in VARIANTS.items():
            if options.only not in name:
                continue
            if how is None:
                model = graph if name == "float32" else q.half(graph)
            else:
                model = q.quantise(graph, calibration, how)
            file = q.write(model, options.model, "tried", {}, Path(folder))
            age, female = answers(file, faces)
            row = {
                "variant": name,
                "bytes": file.stat().st_size,
                **q.measure(file, validation),
                "age_change_mean": f"{np.abs(age - reference[0]).mean():.3f}",
                "age_change_p99": f"{np.percentile(np.abs(age - reference[0]), 99):.2f}",
                "gender_changed": f"{((female >= 0.5) != (reference[1] >= 0.5)).mean():.4f}",
            }
            print(*row.values(), sep="\t", flush=True)
            rows.append(row)
    if options.only:
        sys.exit()
    write_rows(ROOT / "results" / "networks" / "quantisation.csv", rows, setting)


def answers(path: Path, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    model = load_model(path)
    found = [model.run(faces[i : i + 64]) for i in range(0, len(faces), 64)]
    return tuple(np.concatenate([part[name] for part in found]) for name in ("age", "female"))


if __name__ == "__main__":
    main()
