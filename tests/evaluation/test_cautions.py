"""Whoever is tested on what it may have learnt from is cautioned, whatever the data set is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phiz.datasets.registry import DATA_SETS, find, share
from phiz.evaluation import cautions
from phiz.evaluation.protocols import Protocol
from phiz.models.card import UNKNOWN, ModelCard, TrainingData
from phiz.models.model_store import WEIGHTS

CARD = ModelCard.load(WEIGHTS / "age-accurate.json")
FLATTERS = "pictures tested here may be among them, which flatters it."


def protocol(dataset: str, kind: str = "cross-dataset", part: str = "") -> Protocol:
    return Protocol("made", "Made here.", dataset, kind, Path("made.toml"), part=part)


def card(*names: str, terms: str = "made") -> ModelCard:
    return replace(CARD, name="one", training_data=tuple(TrainingData(name, terms) for name in names))


@pytest.mark.parametrize("name", list(DATA_SETS))
@pytest.mark.parametrize("by", ["name", "title", "folder"])
def test_a_model_is_cautioned_on_its_own_training_data(name: str, by: str) -> None:
    known, others = DATA_SETS[name], [each for each in DATA_SETS if not share(each, name)]
    if getattr(known, by) == ".":
        return
    caution = cautions.of_models([card("else", getattr(known, by))], protocol(name))
    assert caution == f"one was trained on {known.title}: {FLATTERS}"
    for other in others:
        assert cautions.of_models([card(getattr(known, by))], protocol(other)) == ""


def test_names_of_data_sets_are_told_apart() -> None:
    for known in DATA_SETS.values():
        told = [known.name, known.title, *([known.folder] if known.folder != "." else [])]
        assert {find(text) for text in told} == {known}
    assert find("teachers' answers") is None
    assert find(".") is None


@pytest.mark.parametrize(("learnt", "tested"), [("imdb-wiki", "wiki"), ("imdb", "imdb-wiki")])
def test_a_pool_and_its_halves_are_one_matter(learnt: str, tested: str) -> None:
    assert "was trained on" in cautions.of_models([card(learnt)], protocol(tested))


def test_a_part_that_chose_flatters_a_little_and_a_test_part_does_not() -> None:
    validation = cautions.of_models([card("IMDB")], protocol("imdb", "fixed", "validation"))
    assert validation == "one was chosen by the validation part of IMDB: its figures may flatter a little."
    assert cautions.of_models([card("IMDB")], protocol("imdb", "fixed", "test")) == ""
    assert "was trained on" in cautions.of_models([card("IMDB")], protocol("imdb", "fixed", "train"))


def test_what_is_not_known_is_no_promise() -> None:
    unknown = card("what start.pt learnt from", terms=UNKNOWN)
    assert cautions.of_models([unknown], protocol("wiki")).startswith(
        "one was trained on what start.pt learnt"
    )


def test_every_model_that_answers_counts() -> None:
    two = [card("nothing"), replace(card("WIKI"), name="two")]
    assert cautions.of_models(two, protocol("wiki")) == f"two was trained on WIKI: {FLATTERS}"


def test_a_recipe_that_brings_the_tested_data_set_to_every_fold() -> None:
    ways = {
        "[data]": [TrainingData("CelebA", "made")],
        "its start a.pt": [TrainingData("UTKFace", "made"), TrainingData("WIKI", "made")],
    }
    found = {name: cautions.of_recipe("r", ways, protocol(name)) for name in ("celeba", "wiki", "fgnet")}
    assert found == {
        "celeba": f"r also learnt from CelebA ([data]): {FLATTERS}",
        "wiki": f"r also learnt from WIKI (its start a.pt): {FLATTERS}",
        "fgnet": "",
    }
