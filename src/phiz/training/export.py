"""From a trained network to the shipped pair: one ONNX file and its card."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from phiz.models.card import InputSpec, ModelCard, OutputSpec
from phiz.models.session import AGE, FEMALE, load_model
from phiz.networks.age import AgeNet
from phiz.networks.build import TrainableNet
from phiz.networks.c3ae import C3AE
from phiz.networks.layers import count
from phiz.networks.multitask import BRANCHES, MultiTaskNet
from phiz.networks.ssr_net import SSRNet
from phiz.provenance import commit
from phiz.training.attribute_recipe import AttributeRecipe
from phiz.training.decision import Weights
from phiz.training.learnt import Learnt, license_of, of_recipe
from phiz.training.recipe import Recipe

OPSET = 17
#: Largest difference allowed between PyTorch and ONNX Runtime: relative to 1, or to the value if larger.
TOLERANCE = 1e-4


class Deployed(nn.Module):
    """The whole decision as one graph: normalisation, network, weighted mean of the branches.

    forward: uint8 (N, 64, 64, 3) RGB to age (N,) years and female (N,) probability, both combined, then age1,
    age2, age3, female1, female2, female3, one of each per branch, and last age_std, the standard deviation of
    the main branch's distribution over ages in years. What a network lacks, a task or a branch, has no
    output; with one branch the combined answers and age_std are all there is.

    The fully connected layers are one matrix here, zero where a layer does not look: small
    operators cost a small network more time than their arithmetic.
    """

    def __init__(self, net: MultiTaskNet, age: Weights, gender: Weights) -> None:
        super().__init__()
        self.net = net.eval()
        # The vectors that `features` returns side by side, and the one that each layer looks at.
        layers = [*net.female, *(output.fc for output in net.years)]
        looks_at = [*net.for_female, *net.for_age]
        widths = {name: layer.in_features for name, layer in zip(looks_at, layers, strict=True)}
        self.names: list[str] = [name for name in ("main", "gender", "age", "ensemble") if name in widths]
        starts = {name: sum(widths[n] for n in self.names[:i]) for i, name in enumerate(self.names)}
        self.bins, self.females, self.branches = len(net.ages), len(net.female), len(net.branches)
        self.ages = len(net.years)
        self.fc = nn.Linear(sum(widths.values()), self.females + self.ages * self.bins)
        with torch.no_grad():
            self.fc.weight.zero_()
            row = 0
            for layer, name in zip(layers, looks_at, strict=True):
                rows = slice(row, row + layer.out_features)
                self.fc.weight[rows, starts[name] : starts[name] + layer.in_features] = layer.weight
                self.fc.bias[rows] = layer.bias
                row += layer.out_features
        self.register_buffer("by_age", torch.tensor(age, dtype=torch.float32))
        self.register_buffer("by_gender", torch.tensor(gender, dtype=torch.float32))

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs, see the class."""
        vectors = self.net.features(faces.permute(0, 3, 1, 2).float() / 127.5 - 1)
        said = self.fc(torch.cat([vectors[name] for name in self.names], dim=1))
        female, bins = said.split([self.females, self.ages * self.bins], dim=1)
        combined, each, spread = [], [], []
        if self.ages:
            p = bins.reshape(-1, self.ages, self.bins).softmax(2)
            ages = p @ self.net.ages
            combined.append(ages @ self.by_age)
            spread.append(_spread(p[:, 0], self.net.ages, ages[:, 0]))
            each += [ages[:, i] for i in range(self.ages)]
        if self.females:
            female = female.sigmoid()
            combined.append(female @ self.by_gender)
            each += [female[:, i] for i in range(self.females)]
        return (*combined, *(each if self.branches > 1 else ()), *spread)


class DeployedNumber(nn.Module):
    """A network that answers one number as one graph.

    Uint8 (N, 64, 64, 3) RGB to age (N,) and female (N,).
    """

    def __init__(self, net: SSRNet) -> None:
        super().__init__()
        self.net = net.eval()

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        """Return age in years and, where the network has gender, the probability of female."""
        female, ages = self.net(faces.permute(0, 3, 1, 2).float() / 127.5 - 1)
        return (ages[0, :, 0], *((female[0].sigmoid(),) if self.net.female is not None else ()))


class DeployedAge(nn.Module):
    """An age network of one branch as one graph, normalisation inside.

    forward: uint8 (N, S, S, 3) RGB to age (N,) and age_std (N,), years: mean and standard deviation of the
    distribution over ages; then female (N,), a probability, where the network has gender.
    """

    def __init__(self, net: AgeNet | C3AE) -> None:
        super().__init__()
        self.net = net.eval()

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of what the network tells, see the class."""
        years, female = self.net.outputs(faces.permute(0, 3, 1, 2).float() / 127.5 - 1)
        if years is None:
            assert female is not None  # a recipe without either is refused
            return (female.sigmoid(),)
        p = years.softmax(1)
        age = p @ self.net.ages
        std = _spread(p, self.net.ages, age)
        return (age, std) if female is None else (age, std, female.sigmoid())


def _spread(p: Tensor, ages: Tensor, mean: Tensor) -> Tensor:
    """Return the standard deviation (N,) of distributions (N, bins) over ages, given their means (N,)."""
    # not E[a^2] - E[a]^2: a difference of thousands leaves nothing of a narrow distribution
    return (p * (ages - mean[:, None]).square()).sum(1).sqrt()


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
    if isinstance(net, MultiTaskNet):
        return Deployed(net, age, gender).eval()
    return (DeployedNumber(net) if isinstance(net, SSRNet) else DeployedAge(net)).eval()


def outputs(net: TrainableNet) -> tuple[OutputSpec, ...]:
    """Return the outputs as the card lists them, in the graph's order."""
    if not isinstance(net, MultiTaskNet):
        return _one_branch(net)
    tasks = [("age", "years", net.for_age), ("female", "probability", net.for_female)]
    tasks = [task for task in tasks if task[2]]
    number = {name: i for i, name in enumerate(BRANCHES, 1)}
    spread = OutputSpec("age_std", "years", "standard deviation of the main branch's softmax over ages")
    last = (spread,) if net.for_age else ()
    if len(net.branches) == 1:
        return (*(OutputSpec(name, unit, "of the main branch") for name, unit, _ in tasks), *last)
    combined = tuple(
        OutputSpec(name, unit, f"weighted mean of {', '.join(f'{name}{number[b]}' for b in net.branches)}")
        for name, unit, _ in tasks
    )
    each = tuple(
        OutputSpec(f"{name}{number[b]}", unit, f"{b} branch") for name, unit, _ in tasks for b in net.branches
    )
    return (*combined, *each, *last)


def _one_branch(net: AgeNet | SSRNet | C3AE) -> tuple[OutputSpec, ...]:
    female = [] if net.female is None else [OutputSpec("female", "probability", "of the gender output")]
    if isinstance(net, SSRNet):
        return (OutputSpec("age", "years", "of the soft stagewise regression"), *female)
    if isinstance(net, AgeNet) and net.years is None:
        return tuple(female)
    last = int(net.ages[-1])
    age = OutputSpec("age", "years", f"expectation of the softmax over the ages 0 to {last}")
    return (age, OutputSpec("age_std", "years", "standard deviation of that softmax"), *female)


def export(
    net: TrainableNet,
    recipe: Recipe,
    age: Weights,
    gender: Weights,
    figures: dict[str, Any],
    folder: Path,
    learnt: Learnt | None = None,
) -> Path:
    """Write NAME.onnx and NAME.json into `folder`, check that they give the network's answers, return where.

    learnt: what the network has learnt from; by default what the recipe says.
    Raises: RuntimeError where ONNX Runtime and PyTorch differ by more than TOLERANCE.
    """
    source = commit() or "unknown"  # before this call itself changes files
    learnt = of_recipe(recipe) if learnt is None else learnt
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recipe.name}.onnx"
    graph, specs, side = deployed(net.cpu(), age, gender), outputs(net), recipe.network.size
    write_graph(graph, side, [spec.name for spec in specs], path)
    tasks = [task for task, name in (("age", AGE), ("gender", FEMALE)) if name in {s.name for s in specs}]
    by_task = {task: weights for task, weights in (("age", age), ("gender", gender)) if task in tasks}
    card = ModelCard(
        **common(net, recipe, path, learnt, source),
        task=f"{' and '.join(tasks)} of one face",
        aligner=recipe.data.aligner,
        outputs=specs,
        labels={"gender": ("female", "male")} if "gender" in tasks else {},
        branch_weights=by_task if len(net.branches) > 1 else {},
        figures=figures,
    )
    card.save(path.with_suffix(".json"))
    difference = parity(graph, path)
    if difference > TOLERANCE:
        raise RuntimeError(
            f"{path}: expected PyTorch's answers within {TOLERANCE}, they differ by {difference:.2g}"
        )
    return path


def common(
    net: nn.Module, recipe: Recipe | AttributeRecipe, path: Path, learnt: Learnt, source: str
) -> dict[str, Any]:
    """Return what the card of any network says: name, sha256, input, crop, size, origin and terms.

    path: of the written graph. source: the commit before anything was written.
    """
    size = count(net, recipe.network.size)
    return {
        "name": recipe.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "input": InputSpec(recipe.network.size, "NHWC", "uint8", "RGB"),
        "crop": recipe.crop.to_dict(),
        "parameters": size.parameters,
        "multiply_adds": size.multiply_adds,
        "training_data": learnt,
        "license": license_of(learnt),
        "recipe": recipe.path.name,
        "commit": source,
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def parity(graph: nn.Module, path: Path, faces: int = 64) -> float:
    """Return the largest difference between PyTorch and ONNX Runtime on random crops, over all outputs.

    Measured as |a - b| / max(1, |a|), since ages are tens of years and probabilities below one.
    """
    model = load_model(path, gender_alone=True)
    shape = (faces, model.size, model.size, 3)
    crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with torch.no_grad():
        expected = [value.numpy() for value in graph(torch.from_numpy(crops))]
    found = model.run(crops)
    pairs = zip(expected, (found[spec.name] for spec in model.card.outputs), strict=True)
    return max(float(np.max(np.abs(a - b) / np.maximum(1, np.abs(a)))) for a, b in pairs)
