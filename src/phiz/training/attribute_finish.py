"""From a trained network of attributes to the shipped pair: thresholds, figures, export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phiz.evaluation import metrics
from phiz.networks.attribute_net import AttributeNet
from phiz.training.attribute_answers import predict
from phiz.training.attribute_data import Part, frequencies
from phiz.training.attribute_export import export
from phiz.training.attribute_recipe import AttributeRecipe
from phiz.training.attribute_thresholds import balanced_accuracies, fit_thresholds
from phiz.training.learnt import Learnt
from phiz.training.sets import under


def finish(
    recipe: AttributeRecipe, net: AttributeNet, parts: Mapping[str, Part], output: Path, learnt: Learnt
) -> Path:
    """Fit the thresholds, export the network into `output` and return the ONNX path.

    The validation figures, over the pictures of all data sets, stand on the card; validation.json beside it
    repeats them. learnt: what the network has learnt from.
    """
    sets = list(under("validation", parts).values())
    answers = np.concatenate([predict(net, part, recipe.network.size).sigmoid().numpy() for part in sets], 1)
    labels = np.concatenate([part.labels for part in sets])
    thresholds = fit_thresholds(answers[-1], labels)
    balanced = balanced_accuracies(answers[-1], labels, thresholds)
    figures: dict[str, Any] = {"final": figures_of(answers[-1], labels, thresholds)}
    if len(answers) > 1:
        figures["first"] = figures_of(answers[0], labels, thresholds)
    figures |= {
        "bar": recipe.decision.bar,
        "pictures": len(labels),
        "no face found": sum(part.missed for part in sets),
        "frequency": _named(recipe, frequencies(labels)),
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / "validation.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return export(net, recipe, thresholds, balanced, {"validation": figures}, output, learnt)


def figures_of(
    probability: NDArray[np.float32], labels: NDArray[np.float32], thresholds: NDArray[np.float64]
) -> dict[str, float]:
    """Return mean accuracy and mean balanced accuracy, at 1/2 and at the thresholds."""
    found = {}
    for where, said in (("at 1/2", probability >= 0.5), ("at thresholds", probability >= thresholds)):
        for name, mean in (
            ("accuracy", metrics.mean_attribute_accuracy),
            ("balanced accuracy", metrics.mean_attribute_balanced_accuracy),
        ):
            found[f"{name} {where}"] = round(float(mean(said.astype(np.float64), labels)), 4)
    return found


def _named(recipe: AttributeRecipe, values: NDArray[np.float32]) -> dict[str, float]:
    return {name: round(float(v), 4) for name, v in zip(recipe.attributes, values, strict=True)}
