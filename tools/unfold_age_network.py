"""Make a checkpoint to train on from a shipped age network, whose export has no norms and 8-bit weights.

    git show e12dc92:src/phiz/models/weights/age-accurate.onnx > age-accurate.onnx   # and its .json
    python tools/unfold_age_network.py age-accurate.onnx recipes/age-efficientnet-lite0-utkface.toml \\
        --data ../shared/data --output runs/age-accurate-stage-1/best.pt

The export folds each batch norm into the filter before it. Here every norm is given the mean and variance
that its filter's answers have on training crops, and gain and offset that undo them, so that the network
answers as before and training can go on. Prints how far its answers are off those of the ONNX file.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from phiz.models.card import ModelCard
from phiz.networks.age import AgeNet
from phiz.training import learnt
from phiz.training.age_gender_data import load_parts
from phiz.training.augment import prepare
from phiz.training.checkpoint import save
from phiz.training.crops import canonical
from phiz.training.recipe import load_recipe

#: Crops on which the norms' statistics are taken, evenly from the training part.
CROPS = 1024


def folded(
    path: Path,
) -> tuple[list[tuple[np.ndarray, np.ndarray]], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Return (filter, offset) of each convolution in the graph's order, and of the layers after them."""
    model = onnx.load(path)
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:  # weights in 8 bits: a cast, then a scale per filter
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].astype(np.float32)
        elif node.op_type == "Mul" and all(name in values for name in node.input):
            values[node.output[0]] = values[node.input[0]] * values[node.input[1]]
    filters = [
        (values[node.input[1]], values[node.input[2]]) for node in model.graph.node if node.op_type == "Conv"
    ]
    linear = {
        "years" if len(values[node.input[2]]) > 1 else "female": (
            values[node.input[1]],
            values[node.input[2]],
        )
        for node in model.graph.node
        if node.op_type == "Gemm"
    }
    return filters, linear


def fill(net: AgeNet, path: Path, crops: Tensor) -> None:
    """Put the ONNX file's weights into the network and give every norm the statistics of these crops."""
    filters, linear = folded(path)
    for name, (weight, offset) in linear.items():
        layer = getattr(net, name)
        layer.weight.data = torch.from_numpy(weight.reshape(layer.weight.shape).copy())
        layer.bias.data = torch.from_numpy(offset.copy())
    convolutions = [module for module in net.backbone.modules() if isinstance(module, nn.Conv2d)]
    norms = [module for module in net.backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    if not len(filters) == len(convolutions) == len(norms):
        raise SystemExit(f"expected {len(convolutions)} convolutions, got {len(filters)}")
    for layer, norm, (weight, offset) in zip(convolutions, norms, filters, strict=True):
        layer.weight.data = torch.from_numpy(weight.reshape(layer.weight.shape).copy())
        norm.bias.data = torch.from_numpy(offset.copy())

    def settle(norm: nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
        mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3))
        norm.running_mean, norm.running_var = mean.clone(), variance.clone()
        norm.weight.data = torch.sqrt(variance + norm.eps)
        norm.bias.data = norm.bias.data + mean

    hooks = [norm.register_forward_pre_hook(settle) for norm in norms]
    net.eval()
    with torch.no_grad():
        net(crops)
    for hook in hooks:
        hook.remove()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onnx", type=Path)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    recipe = load_recipe(options.recipe)
    recipe = replace(recipe, data=replace(recipe.data, taught=""))
    train, *_ = load_parts(recipe, options.data, options.cache, ["train"]).values()
    rows = np.linspace(0, len(train) - 1, CROPS).astype(np.int64)
    pixels = canonical(train.pixels[rows], recipe.network.size)
    crops = prepare(torch.from_numpy(np.array(train.pixels[rows])), recipe.network.size)
    net = AgeNet(recipe.network.name, recipe.network.size, gender=recipe.network.gender)
    fill(net, options.onnx, crops)
    with torch.no_grad():
        female, ages = net(crops)
    session = onnxruntime.InferenceSession(options.onnx, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0].name
    wanted = dict(zip(("age", "female"), session.run(["age", "female"], {taken: pixels}), strict=True))
    print(f"age off by {np.abs(net.expected_age(ages)[0].numpy() - wanted['age']).max():.4f} years at most,")
    print(f"female by {np.abs(female[0].sigmoid().numpy() - wanted['female']).max():.5f}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    said = learnt.to_plain(ModelCard.load(options.onnx.with_suffix(".json")).training_data)
    save(options.output, {"net": net.state_dict(), learnt.KEY: said})


if __name__ == "__main__":
    main()
