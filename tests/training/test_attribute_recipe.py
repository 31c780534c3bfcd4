"""Recipes for attributes: those that ship, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra train brings PyTorch")

from made_attributes import write_recipe

from phiz.datasets.attribute_names import CELEBA, MASK
from phiz.errors import RecipeError
from phiz.networks.attribute_net import AttributeNet
from phiz.training.attribute_recipe import is_attribute_recipe, load_attribute_recipe
from phiz.training.recipe import load_recipe

RECIPES = sorted(
    path for path in (Path(__file__).parents[2] / "recipes").rglob("*.toml") if is_attribute_recipe(path)
)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_reads_and_its_splits_exist(path):
    recipe = load_attribute_recipe(path)
    assert all(file.is_file() for file in recipe.files.values())
    assert recipe.train
    assert recipe.validation


def test_the_two_heads_are_compared_on_one_budget():
    ours, plain = (
        load_attribute_recipe(path) for path in RECIPES if path.name.endswith("mobilefacenet-celeba.toml")
    )
    for setting in (
        "train",
        "validation",
        "data",
        "crop",
        "optimisation",
        "loss",
        "augmentation",
        "attributes",
        "seed",
    ):
        assert getattr(ours, setting) == getattr(plain, setting), setting
    assert (ours.network.head, plain.network.head) == ("label2label", "plain")


def test_the_edge_recipe_holds_fewer_than_two_and_a_half_million_parameters():
    (path,) = (p for p in RECIPES if p.name == "label2label-mobilefacenet-celeba.toml")
    recipe = load_attribute_recipe(path)
    net = AttributeNet(recipe.network, len(recipe.attributes))
    assert recipe.attributes == CELEBA
    assert sum(p.numel() for p in net.parameters()) < 2.5e6


def test_ai_hub_goes_on_from_celeba_and_adds_the_mask():
    (path,) = (p for p in RECIPES if "aihub" in p.name)
    recipe = load_attribute_recipe(path)
    assert recipe.attributes == (*CELEBA, MASK)
    assert recipe.start is not None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('task = "attributes"', 'task = "age"', "task must be \"attributes\", got 'age'"),
        (
            'dataset = "celeba"',
            'dataset = "celebb"',
            r"\[\[train\]\] dataset must be one of utkface, .* got 'celebb'",
        ),
        ("[[validation]]", "[[validate]]", "unknown key 'validate'"),
        ("width = 16", "width = 15", "width must be a multiple of 4 and of heads, got 15 and 2 heads"),
        ("size = 32", "size = 40", "mobilefacenet takes a size that is a multiple of 16"),
        ("mask = 0.3", "mask = 1.0", r"\[network\] mask must be from 0 to below 1, got 1.0"),
        ('head = "label2label"', 'head = "linear"', r"\[network\] head must be one of label2label, plain"),
        ("mixup = 0.5", "mixup = 2.0", r"\[loss\] mixup must be from 0 to 1, got 2.0"),
        ('["Male", "Young"', '["Male", "Male"', "attributes must be names, each once"),
        ('["Male", "Young"', '["Male", 3', "attributes must be of type list of texts"),
        ('device = "cpu"', 'device = "tpu"', r"\[optimisation\] device must be one of auto, cpu"),
        ("epochs = 3\n", "", r"\[optimisation\] missing key 'epochs'"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    text = write_recipe(tmp_path).read_text()
    assert old in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(RecipeError, match=message) as caught:
        load_attribute_recipe(path)
    assert str(path) in str(caught.value)


def test_each_kind_of_recipe_is_told_from_the_other(tmp_path):
    path = write_recipe(tmp_path)
    assert is_attribute_recipe(path)
    with pytest.raises(RecipeError, match="expected a recipe for age and gender, its task is 'attributes'"):
        load_recipe(path)
