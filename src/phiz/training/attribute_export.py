"""From a trained attribute network to the shipped pair: one ONNX file and its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from phiz.datasets.attribute_names import SUBJECTIVE, TOLD_ELSEWHERE
from phiz.models.attribute_model import ATTRIBUTES, load_attributes
from phiz.models.card import AttributeSpec, ModelCard, OutputSpec
from phiz.networks.attribute_net import AttributeNet
from phiz.provenance import commit
from phiz.training.attribute_recipe import AttributeRecipe
from phiz.training.attribute_thresholds import Floats
from phiz.training.export import common, write_graph
from phiz.training.learnt import Learnt

#: Largest difference in a probability allowed between PyTorch and ONNX Runtime.
TOLERANCE = 1e-4
#: A word is said or not by the sign of a first answer: closer to 0 than this, rounding may decide.
DOUBTFUL = 1e-3


class DeployedAttributes(nn.Module):
    """The whole decision as one graph: uint8 (N, S, S, 3) RGB to probabilities (N, A)."""

    def __init__(self, net: AttributeNet) -> None:
        super().__init__()
        self.net = net.eval()

    def forward(self, faces: Tensor) -> Tensor:
        """Return the probabilities of the final answers."""
        logits: Tensor = self.net(faces.permute(0, 3, 1, 2).float() / 127.5 - 1)
        return logits[-1].sigmoid()


def export(
    net: AttributeNet,
    recipe: AttributeRecipe,
    thresholds: Floats,
    balanced: Floats,
    figures: dict[str, Any],
    folder: Path,
    learnt: Learnt,
) -> Path:
    """Write NAME.onnx and NAME.json into `folder`, check that they give the network's answers, return where.

    thresholds, balanced: (A,), each attribute's threshold and its balanced accuracy there, NaN where unknown.
    learnt: what the network has learnt from.
    Raises: RuntimeError where ONNX Runtime and PyTorch differ by more than TOLERANCE.
    """
    source = commit() or "unknown"  # before this call itself changes files
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recipe.name}.onnx"
    graph = DeployedAttributes(net.cpu()).eval()
    write_graph(graph, recipe.network.size, [ATTRIBUTES], path)
    card = ModelCard(
        **common(net, recipe, path, learnt, source),
        task=f"{len(recipe.attributes)} attributes of one face",
        outputs=(
            OutputSpec(ATTRIBUTES, "probability", "that each is present, in the order of `attributes`"),
        ),
        labels={},
        branch_weights={},
        figures=figures,
        attributes=specs(recipe, thresholds, balanced),
    )
    card.save(path.with_suffix(".json"))
    difference = parity(graph, path)
    if not difference <= TOLERANCE:
        raise RuntimeError(
            f"{path}: expected PyTorch's answers within {TOLERANCE}, they differ by {difference:.2g}"
        )
    return path


def specs(recipe: AttributeRecipe, thresholds: Floats, balanced: Floats) -> dict[str, AttributeSpec]:
    """Return what the card says of each attribute.

    Shown by default is what clears the bar, is no judgement, and is not told by the model of age and gender.
    """
    found = {}
    for name, threshold, value in zip(recipe.attributes, thresholds, balanced, strict=True):
        shown = value >= recipe.decision.bar and name not in SUBJECTIVE and name not in TOLD_ELSEWHERE
        measured = 0.0 if np.isnan(value) else round(float(value), 4)
        found[name] = AttributeSpec(round(float(threshold), 4), bool(shown), name in SUBJECTIVE, measured)
    return found


def parity(graph: DeployedAttributes, path: Path, faces: int = 64) -> float:
    """Return the largest difference in a probability between PyTorch and ONNX Runtime on random crops.

    A crop for which a first answer of Label2Label lies so close to 0 that rounding may turn a word round is
    left out; NaN where that is all of them.
    """
    model = load_attributes(path)
    shape = (faces, model.size, model.size, 3)
    crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with torch.no_grad():
        x = torch.from_numpy(crops)
        logits = graph.net(x.permute(0, 3, 1, 2).float() / 127.5 - 1)
        expected = graph(x).numpy()
    clear = (logits[:-1].abs() > DOUBTFUL).flatten(2).all(2).all(0).numpy()
    if not clear.any():
        return float("nan")
    return float(np.abs(expected - model.run(crops))[clear].max())
