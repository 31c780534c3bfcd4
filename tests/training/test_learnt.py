"""What a network has learnt from reaches its checkpoint and its card, through start and teachers too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from made_faces import make  # noqa: E402

from phiz.datasets.registry import DATA_SETS  # noqa: E402
from phiz.models.card import UNKNOWN, ModelCard, TrainingData  # noqa: E402
from phiz.models.model_store import WEIGHTS  # noqa: E402
from phiz.toml_file import read_toml  # noqa: E402
from phiz.training import checkpoint, learnt, teachers  # noqa: E402
from phiz.training.recipe import Recipe, load_recipe  # noqa: E402
from phiz.training.sections import TrainingSet  # noqa: E402

ROOT = Path(__file__).parents[2]
MORPH = TrainingData("MORPH-II", DATA_SETS["morph2"].terms)
OWN = TrainingData("our kiosk's pictures", "with consent")


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return load_recipe(make(tmp_path, train=2, validation=1, photos=1))


def names(recipe: Recipe) -> list[str]:
    return [each.name for each in learnt.of_recipe(recipe)]


def started(recipe: Recipe, *said: TrainingData, silent: bool = False) -> Recipe:
    about = {} if silent else {learnt.KEY: learnt.to_plain(said)}
    checkpoint.save(recipe.path.parent / "start.pt", {"net": {}, **about})
    return replace(recipe, start=recipe.path.parent / "start.pt")


def test_a_recipes_own_data_sets_with_their_terms(recipe: Recipe) -> None:
    every = replace(recipe, train=tuple(map(TrainingSet, DATA_SETS)))
    assert {each.name: each.terms for each in learnt.of_recipe(every)} == {
        known.title: known.terms for known in DATA_SETS.values()
    }
    assert names(replace(recipe, train=recipe.train[:1])) == ["UTKFace"]
    assert names(replace(recipe, network=replace(recipe.network, pretrained=True)))[-1] == "ImageNet"


def test_what_start_learnt_from_comes_with_it(recipe: Recipe) -> None:
    found = learnt.of_recipe(started(recipe, MORPH, OWN, learnt.of_data_set("celeba")))
    assert [each.name for each in found] == ["UTKFace", "CelebA", "MORPH-II", "our kiosk's pictures"]
    assert {MORPH, OWN} < set(found)
    pretrained = replace(started(recipe, MORPH), network=replace(recipe.network, pretrained=True))
    assert "ImageNet" not in names(pretrained)  # start replaces those weights


def test_a_start_that_does_not_say_is_unknown(recipe: Recipe) -> None:
    *_, last = learnt.of_recipe(started(recipe, silent=True))
    assert last == TrainingData("what start.pt learnt from", UNKNOWN)


def test_what_the_teachers_learnt_from_comes_with_their_answers(recipe: Recipe) -> None:
    path = recipe.path.parent / "taught.csv"
    teachers.write_answers(path, {"UTKFace/1.jpg": (30.0, 3.0, 0.5)}, {learnt.KEY: learnt.to_plain([MORPH])})
    recipe = replace(recipe, data=replace(recipe.data, taught="taught.csv"))
    assert names(recipe) == ["UTKFace", "CelebA", "MORPH-II"]
    path.write_text(path.read_text().replace("30", "31"))  # others than those that were written
    assert learnt.of_recipe(recipe)[-1] == TrainingData("what taught.csv learnt from", UNKNOWN)


def test_a_run_that_is_exported_later_needs_no_start(recipe: Recipe) -> None:
    folder = recipe.path.parent
    checkpoint.save(folder / "best.pt", {"net": {}, learnt.KEY: learnt.to_plain([MORPH])})
    assert learnt.of_run(replace(recipe, start=folder / "gone.pt"), folder) == (MORPH,)
    checkpoint.save(folder / "best.pt", {"net": {}})  # an older run
    assert learnt.of_run(recipe, folder) == learnt.of_recipe(recipe)


def test_the_licence_follows_the_terms() -> None:
    own = learnt.of_data_set("csv")
    assert learnt.license_of([own]) == learnt.OWN_LICENSE
    free = [learnt.of_data_set("fairface"), learnt.of_data_set("lagenda")]
    assert learnt.license_of(free) == learnt.license_of([*free, own]) == learnt.FREE_LICENSE
    for others in ([], [MORPH], [*free, MORPH], [own, MORPH], [own, learnt.IMAGENET]):
        assert learnt.license_of(others) == learnt.RESEARCH_LICENSE


def test_every_recipe_here_knows_what_its_start_and_its_teachers_learnt_from() -> None:
    told = 0
    for path in sorted((ROOT / "recipes").rglob("*.toml")):
        if "task" in read_toml(path, "recipe"):
            continue
        recipe = load_recipe(path)
        files = [*recipe.files.values(), *([recipe.start] if recipe.start else [])]
        if all(file.exists() for file in files):
            assert UNKNOWN not in [each.terms for each in learnt.of_recipe(recipe)], path
            told += recipe.start is not None
    assert told > 3


def test_the_shipped_cards_name_data_sets_that_are_known() -> None:
    known = {known.title for known in DATA_SETS.values()} | {learnt.IMAGENET.name}
    for path in WEIGHTS.glob("*.json"):
        assert {each.name for each in ModelCard.load(path).training_data} <= known, path


def test_the_answers_here_name_their_teachers() -> None:
    found = sorted((ROOT / "recipes" / "taught").glob("*.csv"))
    assert found
    for path in found:
        about = teachers.read_about(path)
        assert all(each["name"] and len(each["sha256"]) == 64 for each in about["teachers"])
        assert UNKNOWN not in [terms for _, terms in about[learnt.KEY]]
