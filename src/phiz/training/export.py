"""From a trained network to the shipped pair: one ONNX file and its card."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from phiz.models.card import InputSpec, ModelCard, OutputSpec, TrainingData
from phiz.models.session import FEMALE, load_model
from phiz.networks.age import AgeNet
from phiz.networks.build import TrainableNet
from phiz.networks.layers import count
from phiz.networks.multitask import BRANCHES, MultiTaskNet
from phiz.provenance import commit
from phiz.training.decision import Weights
from phiz.training.recipe import Recipe

OPSET = 17
#: Largest difference allowed between PyTorch and ONNX Runtime: relative to 1, or to the value if larger.
TOLERANCE = 1e-4

TERMS = {
    "UTKFace": "non-commercial research",
    "CelebA": "non-commercial research, pictures not to be passed on",
    "fgnet": "research",
    "fiw": "non-commercial research and education, pictures not to be passed on",
    "morph2": "those of the release that you licensed",
    "megaage-asian": "non-commercial research",
    "all-age-faces": "non-commercial research",
    "imdb-wiki": "academic research",
    "imdb": "academic research",
    "wiki": "academic research",
    "lfwa": "non-commercial research",
    "aihub-korean": "those of AI Hub, on application",
    "csv": "your own",
    "teachers' answers": "those of the pictures that the teachers learnt from",
    "ImageNet": "non-commercial research (the weights to start from are published under Apache-2.0)",
}
LICENSE = (
    "Weights trained on pictures that are licensed for non-commercial research only; "
    "use them within those terms. The code is Apache-2.0."
)


class Deployed(nn.Module):
    """The whole decision as one graph: normalisation, network, weighted mean of the branches.

    forward: uint8 (N, 64, 64, 3) RGB to age (N,) years and female (N,) probability, both combined,
    then age1, age2, age3, female1, female2, female3, one of each per branch.

    The six fully connected layers are one matrix here, zero where a layer does not look: small
    operators cost a small network more time than their arithmetic.
    """

    def __init__(self, net: MultiTaskNet, age: Weights, gender: Weights) -> None:
        super().__init__()
        self.net = net.eval()
        # The vectors that `features` returns side by side, and the one that each layer looks at.
        widths = [net.female[0].in_features, net.female[1].in_features]
        widths += [net.years[1].fc.in_features, net.female[2].in_features]
        starts = [sum(widths[:i]) for i in range(4)]
        layers = [*net.female, *(output.fc for output in net.years)]
        looks_at = [starts[i] for i in (0, 1, 3, 0, 2, 3)]
        self.bins = len(net.ages)
        self.fc = nn.Linear(sum(widths), 3 + 3 * self.bins)
        with torch.no_grad():
            self.fc.weight.zero_()
            row = 0
            for layer, start in zip(layers, looks_at, strict=True):
                rows = slice(row, row + layer.out_features)
                self.fc.weight[rows, start : start + layer.in_features] = layer.weight
                self.fc.bias[rows] = layer.bias
                row += layer.out_features
        self.register_buffer("by_age", torch.tensor(age, dtype=torch.float32))
        self.register_buffer("by_gender", torch.tensor(gender, dtype=torch.float32))

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        """Return the eight outputs, see the class."""
        vectors = self.net.features(faces.permute(0, 3, 1, 2).float() / 127.5 - 1)
        female, bins = self.fc(torch.cat(vectors, dim=1)).split([3, 3 * self.bins], dim=1)
        ages = bins.reshape(-1, 3, self.bins).softmax(2) @ self.net.ages
        female = female.sigmoid()
        branches = [values[:, i] for values in (ages, female) for i in range(3)]
        return ages @ self.by_age, female @ self.by_gender, *branches


class DeployedAge(nn.Module):
    """A larger age network as one graph, normalisation inside.

    forward: uint8 (N, S, S, 3) RGB to age (N,) and age_std (N,), years: mean and standard deviation of the
    distribution over ages; then female (N,), a probability, where the network has gender.
    """

    def __init__(self, net: AgeNet) -> None:
        super().__init__()
        self.net = net.eval()

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs, see the class."""
        years, female = self.net.outputs(faces.permute(0, 3, 1, 2).float() / 127.5 - 1)
        p = years.softmax(1)
        age = p @ self.net.ages
        # not E[a^2] - E[a]^2: a difference of thousands leaves nothing of a narrow distribution
        std = (p * (self.net.ages - age[:, None]).square()).sum(1).sqrt()
        return (age, std) if female is None else (age, std, female.sigmoid())


def write_graph(graph: nn.Module, side: int, names: list[str], path: Path) -> None:
    """Write a graph as an ONNX file: uint8 (N, side, side, 3) named "faces" to the named outputs, any N."""
    torch.onnx.export(
        graph,
        (torch.zeros(2, side, side, 3, dtype=torch.uint8),),
        str(path),
        input_names=["faces"],
        output_names=names,
        dynamic_axes={name: {0: "N"} for name in ("faces", *names)},
        opset_version=OPSET,
        dynamo=False,
    )


def deployed(net: TrainableNet, age: Weights, gender: Weights) -> nn.Module:
    """Return the graph to ship of a trained network and, where it has several branches, their weights."""
    return Deployed(net, age, gender).eval() if isinstance(net, MultiTaskNet) else DeployedAge(net).eval()


def outputs(net: TrainableNet) -> tuple[OutputSpec, ...]:
    """Return the outputs as the card lists them, in the graph's order."""
    if isinstance(net, AgeNet):
        age = OutputSpec("age", "years", "expectation of the softmax over the ages 0 to 100")
        std = OutputSpec("age_std", "years", "standard deviation of that softmax")
        female = OutputSpec("female", "probability", "of the gender output")
        return (age, std) if net.female is None else (age, std, female)
    combined = (
        OutputSpec("age", "years", "weighted mean of age1, age2, age3"),
        OutputSpec("female", "probability", "weighted mean of female1, female2, female3"),
    )
    ages = tuple(OutputSpec(f"age{i}", "years", f"{name} branch") for i, name in enumerate(BRANCHES, 1))
    females = tuple(
        OutputSpec(f"female{i}", "probability", f"{name} branch") for i, name in enumerate(BRANCHES, 1)
    )
    return combined + ages + females


def export(
    net: TrainableNet, recipe: Recipe, age: Weights, gender: Weights, figures: dict[str, Any], folder: Path
) -> Path:
    """Write NAME.onnx and NAME.json into `folder`, check that they give the network's answers, return where.

    Raises: RuntimeError where ONNX Runtime and PyTorch differ by more than TOLERANCE.
    """
    source = commit() or "unknown"  # before this call itself changes files
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recipe.name}.onnx"
    graph, specs, side = deployed(net.cpu(), age, gender), outputs(net), recipe.network.size
    write_graph(graph, side, [spec.name for spec in specs], path)
    size = count(net, side)
    has_gender = any(spec.name == FEMALE for spec in specs)
    card = ModelCard(
        name=recipe.name,
        task="age and gender of one face" if has_gender else "age of one face",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        input=InputSpec(side, "NHWC", "uint8", "RGB"),
        crop=recipe.crop.to_dict(),
        aligner=recipe.data.aligner,
        outputs=specs,
        labels={"gender": ("female", "male")} if has_gender else {},
        branch_weights={"age": age, "gender": gender} if len(age) > 1 else {},
        parameters=size.parameters,
        multiply_adds=size.multiply_adds,
        training_data=tuple(TrainingData(name, TERMS[name]) for name in data_sets(recipe)),
        license=LICENSE,
        figures=figures,
        recipe=recipe.path.name,
        commit=source,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    )
    card.save(path.with_suffix(".json"))
    difference = parity(graph, path)
    if difference > TOLERANCE:
        raise RuntimeError(
            f"{path}: expected PyTorch's answers within {TOLERANCE}, they differ by {difference:.2g}"
        )
    return path


def parity(graph: nn.Module, path: Path, faces: int = 64) -> float:
    """Return the largest difference between PyTorch and ONNX Runtime on random crops, over all outputs.

    Measured as |a - b| / max(1, |a|), since ages are tens of years and probabilities below one.
    """
    model = load_model(path)
    shape = (faces, model.size, model.size, 3)
    crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with torch.no_grad():
        expected = [value.numpy() for value in graph(torch.from_numpy(crops))]
    found = model.run(crops)
    pairs = zip(expected, (found[spec.name] for spec in model.card.outputs), strict=True)
    return max(float(np.max(np.abs(a - b) / np.maximum(1, np.abs(a)))) for a, b in pairs)


def data_sets(recipe: Recipe) -> list[str]:
    """Return the names of all that a recipe learns from, as the card lists them."""
    celeba = ["CelebA"] if recipe.data.celeba and recipe.data.celeba_share > 0 else []
    taught = ["teachers' answers"] if recipe.data.taught else []
    imagenet = ["ImageNet"] if recipe.network.pretrained else []
    return ["UTKFace", *celeba, *recipe.data.further, *taught, *imagenet]
