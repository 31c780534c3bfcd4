"""What a network or an exported model says of one part's pictures."""

from __future__ import annotations

import numpy as np

from phiz.evaluation.attribute_figures import Answers
from phiz.models.attribute_model import AttributeModel
from phiz.networks.attribute_net import AttributeNet
from phiz.training.attributes.attribute_data import Part
from phiz.training.attributes.attribute_recipe import AttributeRecipe
from phiz.training.attributes.task import predict
from phiz.training.crops import canonical

BATCH = 64


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
