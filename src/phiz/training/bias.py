"""The bias experiment: measure by group, fine-tune on the group that does worst, then on a balanced mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from phiz.errors import RecipeError
from phiz.evaluation import metrics
from phiz.evaluation.attribute_fairness import worst_group
from phiz.evaluation.attribute_figures import Answers, read_answers, write_answers
from phiz.evaluation.groups import SMALLEST_GROUP
from phiz.networks.attribute_net import AttributeNet
from phiz.training import attribute_answers
from phiz.training.attribute_data import load_parts, of_data, part_of
from phiz.training.attribute_recipe import BALANCED, AttributeRecipe
from phiz.training.attribute_task import Attributes, grown
from phiz.training.checkpoint import check_kept, check_start, load_weights
from phiz.training.crops import cutting
from phiz.training.fingerprint import of_recipe
from phiz.training.loop import filled, train
from phiz.training.toml_settings import check_one_device

#: What a data set of ages and genders tells of attributes.
TOLD = ("Male", "Young")
BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an experiment found.

    worst: the group with the least mean accuracy on validation before. before: each group's, there.
    models, source: answers on the test parts of the new data and of the source data, by the model's name:
    "before", then the group's name and "balanced".
    """

    worst: str
    before: dict[str, float]
    models: dict[str, Answers]
    source: dict[str, Answers]


def experiment(
    recipe: AttributeRecipe, root: Path, output: Path, cache: Path, *, smallest: int = SMALLEST_GROUP
) -> Outcome:
    """Run the experiment of a recipe that starts from a checkpoint, and return every model's answers.

    The worst group is picked on the validation part. Both fine-tunings see equally many pictures: those of
    the worst group, and as many drawn alike from every group. output: keeps each network's run and
    answers; what is there already is not done again, so a run that was killed goes on.
    Raises: RecipeError where the recipe has no start or no source, or its start is not there; DataError where
    data are missing, or `output` holds answers that were made by anything else.
    """
    if recipe.start is None or recipe.source is None:
        raise RecipeError(
            f"{recipe.path}: a bias experiment needs start, the network to measure, and [source]"
        )
    if len(recipe.train) != 1 or [each.dataset for each in recipe.validation] != [recipe.train[0].dataset]:
        raise RecipeError(
            f"{recipe.path}: a bias experiment needs one data set, under [[train]] and [[validation]] alike"
        )
    new, checked = recipe.train[0], recipe.validation[0]
    check_start(recipe)
    check_one_device(recipe.path, recipe.optimisation.devices)
    made_by = of_recipe(recipe) | cutting("detector")
    for data in (new, recipe.source):
        made_by |= of_data(recipe, data, root)
    check_kept(output, made_by, "answers")
    models: dict[str, Answers] = {}
    source: dict[str, Answers] = {}
    net = _start(recipe)
    part = part_of(recipe, checked, "validation", root, cache)
    validation = attribute_answers.of_network(net, recipe, part)
    worst, by_group = worst_group(validation, TOLD, smallest)
    models[BEFORE], source[BEFORE] = _measure(net, recipe, output / BEFORE, root, cache)
    count = 0
    for group in (worst, BALANCED):
        tuned = replace(recipe, data=replace(recipe.data, group=group, limit=count))
        parts = load_parts(tuned, root, cache)
        count = count or len(parts[f"train {new.dataset}"])
        folder = output / group
        if not (folder / "done").exists():
            train(Attributes(tuned, parts), folder, resume=True)
            (folder / "done").touch()
        best = filled(Attributes(tuned, {}).blank(), folder)
        models[group], source[group] = _measure(best, tuned, folder, root, cache)
    return Outcome(worst, by_group, models, source)


def _start(recipe: AttributeRecipe) -> AttributeNet:
    """Return the network to measure, as its checkpoint has it."""
    net = Attributes(recipe, {}).blank()
    assert recipe.start is not None
    net.load_state_dict(grown(load_weights(recipe.start), net.state_dict(), recipe))
    return net.eval()


def _measure(
    net: AttributeNet, recipe: AttributeRecipe, folder: Path, root: Path, cache: Path
) -> tuple[Answers, Answers]:
    """Return the answers on both test parts, read from the folder where they are there already."""
    found = []
    assert recipe.source is not None
    for data, name in ((recipe.train[0], "answers.csv"), (recipe.source, "source.csv")):
        if not (folder / name).exists():
            folder.mkdir(parents=True, exist_ok=True)
            part = part_of(recipe, data, "test", root, cache)
            write_answers(folder / name, attribute_answers.of_network(net, recipe, part))
        found.append(read_answers(folder / name))
    return found[0].of(TOLD), found[1]


def last_young_age(ages: Sequence[float], young: Sequence[bool]) -> tuple[int, float]:
    """Return the last age in years that counts as Young, and how well it does: its balanced accuracy.

    ages: estimated, in years, of source pictures whose label Young is known: the source data has no ages,
    so a model of age reads them. The age chosen is the one at which "at most so old" agrees best with the
    labels.
    """
    old, label = np.asarray(ages, dtype=np.float64), np.asarray(young, dtype=np.float64)
    values = {
        age: float(metrics.balanced_accuracy((np.floor(old) <= age).astype(np.float64), label))
        for age in range(15, 71)
    }
    chosen = max(values, key=lambda age: values[age])
    return chosen, values[chosen]
