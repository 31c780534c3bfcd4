"""The comparison of small networks: from runs to answers, figures by hand, and the page's tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("onnx", reason="the extra train brings onnx")
pytest.importorskip("sklearn", reason="the extra eval brings scikit-learn")

ROOT = Path(__file__).parents[1]

import comparison  # noqa: E402
import comparison_measure as measuring  # noqa: E402
from made_faces import make  # noqa: E402

from phiz.evaluation import report_files  # noqa: E402
from phiz.evaluation.groups import Scored  # noqa: E402
from phiz.training.recipe import load_recipe  # noqa: E402
from phiz.training.run import run  # noqa: E402

PROTOCOL = """name = "made-test"
about = "Made here."
dataset = "utkface"
kind = "fixed"
split = "split.csv"
part = "validation"
"""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def answered(errors: dict[str, float], gender: str = "female") -> list[Scored]:
    return [Scored(name, name, 40.0, "female", None, 40.0 + e, gender, 0.9) for name, e in errors.items()]


def test_figures_are_means_over_seeds_and_differences_are_paired(tmp_path):
    for name, errors, gender in (
        ("multitask-1", {"a": 1.0, "b": 7.0}, "female"),
        ("multitask-2", {"a": 3.0, "b": 5.0}, "female"),
        ("ssr-net-1", {"a": 4.0, "b": -8.0}, "male"),
    ):
        report_files.write_answers(tmp_path / f"{name}_made-test.csv", answered(errors, gender))
    found = {(r[0], r[2]): r for r in measuring.summary(tmp_path)}
    whole, rival = found["multitask", "mae"], found["ssr-net", "mae"]
    assert (whole[3], whole[4], whole[7]) == (2, 4.0, None)  # seeds, ((1 + 3) / 2 + (7 + 5) / 2) / 2
    assert (rival[3], rival[4], rival[7]) == (1, 6.0, 2.0)  # (4 - 2 + 8 - 6) / 2
    assert rival[8:10] == (2.0, 2.0)  # both pictures are worse by the same
    assert found["multitask", "cs5"][4] == 0.75
    assert found["ssr-net", "gender_accuracy"][7] == -1.0


def test_runs_of_other_recipes_are_refused(tmp_path):
    for name in ("multitask", "other-1"):
        with pytest.raises(SystemExit, match="expected a run NAME-SEED of a recipe"):
            measuring.network_and_seed(tmp_path / name)


@pytest.mark.parametrize(
    "network", ["", "age = false", 'name = "ssr-net"'], ids=["whole", "gender", "ssr-net"]
)
def test_a_run_of_one_epoch_is_trained_measured_and_shown(tmp_path, monkeypatch, network):
    """The road on made faces; a network of gender alone has no age figure, and the page a dash for it."""
    path = make(tmp_path, train=16, validation=6, photos=2)
    text = path.read_text().replace("epochs = 3", "epochs = 1").replace('name = "made"', 'name = "multitask"')
    text += f"\n[network]\n{network}\n" if network else ""
    path.write_text(text.replace("distribution = 0.5", "distribution = 0.0") if "ssr" in network else text)
    torch.set_num_threads(1)
    made = tmp_path / "multitask-1"
    run(load_recipe(path), tmp_path / "data", made, tmp_path / "cache")
    (tmp_path / "made-test.toml").write_text(PROTOCOL)
    monkeypatch.setattr(measuring, "ROUNDS", 20)
    results = tmp_path / "results"
    cache, protocols = tmp_path / "cache", [tmp_path / "made-test.toml"]
    measuring.measure([made], tmp_path / "data", cache, results, protocols)
    metrics = {row["metric"] for row in rows(results / "comparison.csv")}
    wanted = {"gender_accuracy"} if "age" in network else {"mae", "cs5", "gender_accuracy"}
    assert metrics == wanted
    assert len(rows(results / "comparison" / "multitask-1_made-test.csv")) == 6
    size = rows(results / "comparison_sizes.csv")[0]
    assert int(size["bytes"]) == (made / "multitask.onnx").stat().st_size
    monkeypatch.setattr(comparison, "RESULTS", results)
    monkeypatch.setattr(
        comparison, "FIGURES", [("made-test", "mae", "MAE", 1), ("made-test", "cs5", "CS", 100)]
    )
    line = next(line for line in comparison.rivals().splitlines() if "`multitask.toml`" in line)
    assert f" {int(size['parameters']):,} " in line
    assert line.rstrip(" |").endswith("-") == ("age" in network)


def test_every_recipe_of_the_comparison_is_on_the_page_and_no_other():
    files = {path.stem for path in (ROOT / "recipes" / "comparison" / "small").glob("*.toml")}
    assert {*comparison.RIVALS, *comparison.ABLATIONS} == files


def test_all_are_trained_alike():
    """Recipes differ in name, network and, where the paper's loss is the point, the distribution term."""
    made = {path.stem: load_recipe(path) for path in measuring.RECIPES.glob("*.toml")}
    whole = made["multitask"]
    for recipe in made.values():
        for part in ("data", "crop", "optimisation", "augmentation", "seed", "start"):
            assert getattr(recipe, part) == getattr(whole, part), (recipe.name, part)
    other = sorted(name for name, recipe in made.items() if recipe.loss != whole.loss)
    assert other == ["multitask-bce-mae", "ssr-net"]
