"""Teachers' answers on the training pictures, as labels that a smaller network learns from."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from phiz.crop import CropTemplate
from phiz.datasets.record import FaceRecord
from phiz.errors import ModelError
from phiz.models.session import AGE, FEMALE, Model, load_model
from phiz.training import learnt
from phiz.training.age_gender_data import training_records
from phiz.training.crops import canonical, load_crops
from phiz.training.recipe import Recipe
from phiz.training.teachers import picture, write_answers

#: The output of a teacher's graph that says how wide its distribution over ages is, in years.
STD = "age_std"
BATCH = 64

Answers = NDArray[np.float64]


def teach(teachers: Sequence[str | Path], recipe: Recipe, data: Path, cache: Path, output: Path) -> int:
    """Write what the teachers say of the recipe's training pictures, and return of how many.

    teachers: models as `load_model` takes them, with the outputs age, age_std and female. Each sees
    every picture in its own canonical crop and mirrored. Ages are averaged over teachers and mirrors; the
    variance is the mean of theirs plus that of their ages, so it grows where they disagree. output: a CSV
    file; a JSON file beside it names the teachers and what they learnt from.
    Pictures of the validation and test parts are never asked about.
    Raises: ModelError where a teacher lacks an output.
    """
    found: dict[str, list[Answers]] = {}
    cards = []
    for teacher in teachers:
        model = load_model(teacher)
        if lacking := {STD, FEMALE} - {spec.name for spec in model.card.outputs}:
            raise ModelError(
                f"{teacher}: a teacher needs the outputs {STD} and {FEMALE}, it lacks "
                f"{', '.join(sorted(lacking))}; train it as a network of timm, with gender"
            )
        for records, chips in filter(itemgetter(0), training_records(recipe, data)):
            for name, looks in _ask(model, records, chips, cache):
                found.setdefault(name, []).append(looks)
        cards.append(model.card)
    answers = {name: combined(np.concatenate(looks)) for name, looks in found.items()}
    write_answers(
        output,
        answers,
        {
            "teachers": [{"name": card.name, "sha256": card.sha256} for card in cards],
            learnt.KEY: learnt.to_plain(learnt.together(card.training_data for card in cards)),
        },
    )
    return len(answers)


def combined(looks: Answers) -> tuple[float, float, float]:
    """Return age, its standard deviation and the probability of female of several looks: (L, 3) -> three."""
    age, std, female = looks.T
    return float(age.mean()), float(np.sqrt((std**2).mean() + age.var())), float(female.mean())


def _ask(model: Model, records: Sequence[FaceRecord], chips: bool, cache: Path) -> list[tuple[str, Answers]]:
    template = CropTemplate.from_dict(model.card.crop)
    crops = load_crops(
        records,
        chips=chips,
        template=template,
        size=model.size,
        cache=cache,
        aligner=model.card.aligner,
    )
    answers: list[tuple[str, Answers]] = []
    for start in tqdm(range(0, len(crops), BATCH), desc=model.card.name, unit="batch"):
        pixels = canonical(crops.pixels[start : start + BATCH], model.size)
        looks = [model.run(np.ascontiguousarray(view)) for view in (pixels, pixels[:, :, ::-1])]
        stacked = np.array([[look[name] for name in (AGE, STD, FEMALE)] for look in looks], np.float64)
        names = map(picture, crops.paths[start : start + BATCH])
        answers += [(name, stacked[:, :, i]) for i, name in enumerate(names)]
    return answers
