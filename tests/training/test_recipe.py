"""Recipes: what is read, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from phiz.errors import RecipeError
from phiz.toml_file import read_toml
from phiz.training.recipe import load_recipe
from phiz.training.sections import TrainingSet

GOOD = """
name = "try"
seed = 1
[[train]]
dataset = "utkface"
split = "split.csv"
[[validation]]
dataset = "fgnet"
split = "tuning"
[data]
[crop]
right_eye = [0.3, 0.3]
left_eye = [0.7, 0.3]
right_mouth = [0.35, 0.7]
left_mouth = [0.65, 0.7]
chip = [0.0, 0.0, 1.0]
[optimisation]
epochs = 2
"""

RECIPES = Path(__file__).parents[2] / "recipes"


def test_defaults_fill_what_is_left_out(tmp_path):
    (tmp_path / "r.toml").write_text(GOOD)
    recipe = load_recipe(tmp_path / "r.toml")
    assert (recipe.loss.main, recipe.loss.auxiliary, recipe.loss.ensemble) == (1.0, 0.3, 0.5)
    assert recipe.train == (TrainingSet("utkface", "split.csv", share=1.0, without=""),)
    assert recipe.files == {("[train]", "split of utkface"): tmp_path / "split.csv"}


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(RECIPES.rglob("*.toml")) if "task" not in read_toml(path, "recipe")],
    ids=lambda path: path.name,
)
def test_every_recipe_reads_and_its_splits_exist(path):
    recipe = load_recipe(path)
    for name, file in recipe.files.items():
        assert file.is_file() or name == ("data", "fan_weights"), file


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 1\n", "", "missing key 'seed'"),
        ("epochs = 2", "epoch = 2", r"\[optimisation\] unknown key 'epoch'; expected some of average"),
        ("epochs = 2", 'epochs = "2"', r"\[optimisation\] epochs must be of type int, got '2'"),
        ("epochs = 2", "epochs = true", r"\[optimisation\] epochs must be of type int, got True"),
        ("right_mouth = [0.35, 0.7]\n", "", "expected the fields"),
        ('"fgnet"', '"wider"', r"\[\[validation\]\] dataset must be one of utkface, .*, got 'wider'"),
        (
            '"utkface"',
            '"fgnet"\n[[train]]\ndataset = "fgnet"',
            "must name each data set once, got 'fgnet' twice",
        ),
        ('dataset = "utkface"\n', "", r"\[\[train\]\] missing key 'dataset'"),
        ('"split.csv"', '"tuning"', "split = 'tuning' divides fgnet alone, got it for 'utkface'"),
        ('"split.csv"', '"split.csv"\nshare = 0', "share must be over 0 and at most 1, got 0"),
        ('"split.csv"', '"split.csv"\npoor = true', r"\[\[train\]\] unknown key 'poor'"),
        ("[[validation]]", "[validation]", r"expected \[\[validation\]\] for each data set"),
        ("[data]", "[data]\nbalance = 1.5", r"\[data\] balance is a share from 0 to 1, got 1.5"),
        (
            "[data]",
            "[loss]\ntaught_age = 1.5\n[data]",
            r"\[loss\] taught_age is a share from 0 to 1, got 1.5",
        ),
        ("[data]", "colour = 1\n[data]", "unknown key 'colour'"),
        ("[data]", "[data", "not a TOML file"),
        ("[data]", '[decision]\nweights = "best"\n[data]', 'weights must be "fixed" or "fitted"'),
        ("[data]", "[decision]\nage = [1.0, 1.0, 0.0]\n[data]", "three weights that sum to 1"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    path = tmp_path / "r.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"nowhere\.toml: cannot read the recipe: No such file"):
        load_recipe(tmp_path / "nowhere.toml")
