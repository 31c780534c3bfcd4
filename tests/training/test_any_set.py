"""Every data set into a model: its recipe on a miniature, from pictures to ONNX and card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("onnx", reason="the extra train brings onnx")
pytest.importorskip("scipy", reason="the extra eval brings scipy, for IMDB-WIKI's Matlab files")

from made_sets import MAKERS  # noqa: E402

from phiz import Analyzer  # noqa: E402
from phiz.data import ASTRONAUT  # noqa: E402
from phiz.datasets.registry import DATA_SETS  # noqa: E402
from phiz.errors import RecipeError  # noqa: E402
from phiz.models.session import load_model  # noqa: E402
from phiz.training.recipe import Recipe, load_recipe  # noqa: E402
from phiz.training.run import load_parts, run  # noqa: E402

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "recipes" / "datasets"


def short(name: str) -> Recipe:
    """The recipe for one data set, for one epoch of batches of four."""
    recipe = load_recipe(RECIPES / f"{name}.toml")
    return replace(recipe, optimisation=replace(recipe.optimisation, epochs=1, batch=4, device="cpu"))


@pytest.mark.parametrize("name", list(MAKERS))
def test_a_miniature_becomes_a_model(tmp_path: Path, name: str) -> None:
    torch.set_num_threads(1)
    MAKERS[name](tmp_path / "data")
    recipe = short(name)
    path = run(recipe, tmp_path / "data", tmp_path / "out", tmp_path / "cache")
    card = load_model(path).card
    assert [each.name for each in card.training_data] == [DATA_SETS[name].title]
    outputs = {spec.name for spec in card.outputs}
    assert "age" in outputs
    assert ("female" in outputs) == recipe.network.gender == (name not in ("megaage-asian", "fgnet"))
    figures = card.figures["validation"]["fixed"]
    assert ("age_range_error" in figures) == (name == "fairface")
    assert ("age_mae" in figures) == (name != "fairface")
    assert ("gender_accuracy" in figures) == recipe.network.gender
    (face,) = Analyzer(path).analyze(ASTRONAUT).faces
    assert face.gender in ("female", "male")  # of a network without gender by the shipped one


def test_every_recipe_of_a_data_set_is_tried_here_and_in_the_documentation() -> None:
    page = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert {path.stem for path in RECIPES.glob("*.toml")} == MAKERS.keys()
    assert all(f"phiz train recipes/datasets/{name}.toml --data DIR" in page for name in MAKERS)


def test_parts_are_drawn_by_person_and_a_published_test_part_stays_out(tmp_path: Path) -> None:
    MAKERS["megaage-asian"](tmp_path / "data")
    parts = load_parts(short("megaage-asian"), tmp_path / "data", tmp_path / "cache")
    names = {part: {Path(path).name for path in crops.paths} for part, crops in parts.items()}
    published_as_test = {"12.jpg", "13.jpg"}
    assert set.union(*names.values()) == {f"{i}.jpg" for i in range(14)} - published_as_test
    assert not set.intersection(*names.values())


def test_a_head_without_labels_is_refused(tmp_path: Path) -> None:
    MAKERS["megaage-asian"](tmp_path / "data")
    recipe = short("megaage-asian")
    untrained = replace(recipe, network=replace(recipe.network, gender=True))
    with pytest.raises(RecipeError, match=r"\[network\] gender: no training picture .* gender = false"):
        run(untrained, tmp_path / "data", tmp_path / "out", tmp_path / "cache")


def test_a_start_with_a_head_more_serves(tmp_path: Path) -> None:
    """MegaAge-Asian goes on from a network of age and gender; the other way round something is missing."""
    from phiz.training.age_gender import AgeAndGender
    from phiz.training.checkpoint import save

    whole, ages = short("morph2"), short("megaage-asian")
    save(tmp_path / "best.pt", {"net": AgeAndGender(whole, {}).blank().state_dict()})
    net = AgeAndGender(replace(ages, start=tmp_path / "best.pt"), {}).start()
    assert net.state_dict().keys() < torch.load(tmp_path / "best.pt", weights_only=True)["net"].keys()
    save(tmp_path / "best.pt", {"net": net.state_dict()})
    with pytest.raises(RecipeError, match="expected a checkpoint of the recipe's network; gender_"):
        AgeAndGender(replace(whole, start=tmp_path / "best.pt"), {}).start()
