"""What a network or an exported model says of one part's pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from phiz.evaluation.attribute_figures import Answers
from phiz.models.attribute_model import AttributeModel
from phiz.networks.attribute_net import AttributeNet
from phiz.training.attribute_data import Part
from phiz.training.attribute_recipe import AttributeRecipe
from phiz.training.augment import prepare
from phiz.training.crops import canonical

BATCH = 64


@torch.no_grad()
def predict(net: AttributeNet, part: Part, size: int, batch: int = 128) -> Tensor:
    """Return the logits (H, N, A) of the canonical crops, on the CPU. size: of the input in pixels."""
    net.eval()
    device = net.mean.device
    found = []
    for start in range(0, len(part), batch):
        pixels = torch.from_numpy(np.array(part.crops.pixels[start : start + batch]))
        x = prepare(pixels, size).contiguous(memory_format=torch.channels_last)
        found.append(net(x.to(device)).float().cpu())
    return torch.cat(found, 1)


def of_network(net: AttributeNet, recipe: AttributeRecipe, part: Part) -> Answers:
    """Return the final answers of a network in training's form."""
    probability = predict(net, part, recipe.network.size)[-1].sigmoid().numpy()
    return _answers(recipe.attributes, part, probability)


def of_model(model: AttributeModel, part: Part) -> Answers:
    """Return the answers of an exported model on the canonical crops, those that analysis would cut.

    part: labelled in the order of the model's attributes.
    """
    found = []
    for start in range(0, len(part), BATCH):
        found.append(model.run(canonical(part.crops.pixels[start : start + BATCH], model.size)))
    return _answers(model.names, part, np.concatenate(found))


def _answers(names: tuple[str, ...], part: Part, probability: np.ndarray) -> Answers:
    groups = tuple(group or "" for group in part.groups)
    label = part.labels.astype(np.float64)
    return Answers(tuple(names), part.keys, part.clusters, groups, probability.astype(np.float64), label)
