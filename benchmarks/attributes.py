"""Time the attribute networks side by side in ONNX Runtime and write results/networks/attribute_latency.csv.

    python benchmarks/attributes.py          # wall-clock on an otherwise idle machine

The shipped model as it is, the recipes' networks with random weights: time does not depend on them. All are
called in turn, so that a disturbance meets all alike.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from phiz.benchmark.timing import Effort, row, times_in_turn
from phiz.models.attribute_model import ATTRIBUTES, DEFAULT_ATTRIBUTES, load_attributes
from phiz.models.runtime import onnxruntime, open_session
from phiz.networks.attribute_net import AttributeNet
from phiz.provenance import cells, write_rows
from phiz.training.attribute_export import DeployedAttributes
from phiz.training.attribute_recipe import load_attribute_recipe
from phiz.training.export import write_graph

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ("plain-mobilefacenet-celeba", "label2label-mobilefacenet-celeba", "label2label-resnet50-celeba")


def network(name: str, folder: Path, threads: int) -> onnxruntime.InferenceSession:
    recipe = load_attribute_recipe(ROOT / "recipes" / f"{name}.toml")
    path = folder / f"{name}.onnx"
    net = AttributeNet(recipe.network, len(recipe.attributes))
    write_graph(DeployedAttributes(net).eval(), recipe.network.size, [ATTRIBUTES], path)
    return open_session(path.read_bytes(), threads=threads)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the attribute networks side by side.")
    parser.add_argument("--repeats", type=int, default=100, help="timed calls of each network")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "results" / "networks" / "attribute_latency.csv"
    )
    options = parser.parse_args()
    setting, rows = cells("torch"), []
    shipped = load_attributes()
    for threads in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            sessions = {name: network(name, Path(folder), threads) for name in RECIPES}
        for faces in (1, 8):
            crops = np.random.default_rng(0).integers(
                0, 256, (faces, shipped.size, shipped.size, 3), np.uint8
            )
            calls = {DEFAULT_ATTRIBUTES: partial(load_attributes(threads=threads).run, crops)}
            calls |= {name: partial(s.run, [ATTRIBUTES], {"faces": crops}) for name, s in sessions.items()}
            effort = Effort(max(options.repeats, 3), 1e9)
            for name, seconds in zip(calls, times_in_turn(list(calls.values()), effort), strict=True):
                found = row("attributes", name, seconds, count=faces)
                print(f"{threads} threads, {faces} faces, {name:<34} {found.median:8.2f} ms", flush=True)
                times = {key: f"{getattr(found, key):.3f}" for key in ("fastest", "median", "p95")}
                rows.append({"network": name, "threads": threads, "faces": faces} | times)
    write_rows(options.output, rows, setting)
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
