"""What a run goes on from: its own checkpoint alone; what it ships: its own best alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from made_faces import make  # noqa: E402

from phiz.errors import DataError, RecipeError  # noqa: E402
from phiz.toml_file import read_toml  # noqa: E402
from phiz.training import checkpoint, loop  # noqa: E402
from phiz.training.age_gender import AgeAndGender  # noqa: E402
from phiz.training.attribute_recipe import is_attribute_recipe, load_attribute_recipe  # noqa: E402
from phiz.training.crops import Crops  # noqa: E402
from phiz.training.recipe import load_recipe  # noqa: E402
from phiz.training.sections import Optimisation  # noqa: E402

ROOT = Path(__file__).parents[2]


class Line:
    """A task of one number to learn; `scores` are what its epochs are told on validation."""

    seed, columns = 1, ("score",)

    def __init__(self, scores: list[float], made_by: str = "a") -> None:
        self.scores, self.made_by = iter(scores), made_by
        self.optimisation = Optimisation(epochs=len(scores), batch=4, device="cpu")

    def blank(self) -> torch.nn.Module:
        return torch.nn.Conv2d(3, 1, 1)

    start = blank

    def identity(self) -> dict[str, str]:
        return {"recipe": self.made_by}

    def learnt(self) -> tuple[Any, ...]:
        return ()

    def order(self, random: torch.Generator) -> list[Any]:
        return [np.arange(4)]

    def batches(self, epoch: int, rank: int, world: int) -> Any:
        yield (torch.ones(4, 3, 2, 2),)

    def loss(self, net: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        return net(x).square().mean()

    def validate(self, net: torch.nn.Module) -> dict[str, float]:
        return {"score": next(self.scores)}

    def line(self, row: dict[str, Any]) -> str:
        return ""


def best(folder: Path) -> dict[str, Any]:
    return checkpoint.load_checkpoint(folder / "best.pt")


NAN = float("nan")


def test_a_run_of_nan_ships_nothing_older(tmp_path: Path) -> None:
    loop.train(Line([3.0, 2.0]), tmp_path)
    assert best(tmp_path)["epoch"] == 2
    with pytest.raises(
        RecipeError, match="expected a validation score, got none that is a number in 2 epochs"
    ):
        loop.train(Line([NAN, NAN], made_by="b"), tmp_path)
    assert not (tmp_path / "best.pt").exists()


def test_a_run_keeps_its_own_best_beside_nan(tmp_path: Path) -> None:
    loop.train(Line([9.0]), tmp_path)
    loop.train(Line([NAN, 2.0, NAN], made_by="b"), tmp_path)
    assert (best(tmp_path)["score"], best(tmp_path)[checkpoint.MADE_BY]) == (2.0, {"recipe": "b"})


def test_another_runs_checkpoint_is_not_gone_on_from(tmp_path: Path) -> None:
    loop.train(Line([3.0, 2.0]), tmp_path)
    kept = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(
        RecipeError, match=r"last\.pt: .*got one that differs in recipe; train without --resume"
    ):
        loop.train(Line([3.0, 2.0], made_by="b"), tmp_path, resume=True)
    assert (tmp_path / "last.pt").read_bytes() == kept
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    del state[checkpoint.MADE_BY]
    torch.save(state, tmp_path / "last.pt")
    with pytest.raises(RecipeError, match="expected a checkpoint that says what made it"):
        loop.train(Line([3.0, 2.0]), tmp_path, resume=True)


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def touch(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))


PICTURE = "data/UTKFace/0.jpg"
#: What is done to the folder of a run, and the parts that then differ.
EDITS: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "nothing": (lambda folder: None, []),
    "a comment": (lambda f: replace_in(f / "recipe.toml", "seed = 3", "seed = 3  # lucky"), []),
    "seed": (lambda f: replace_in(f / "recipe.toml", "seed = 3", "seed = 4"), ["seed"]),
    "crop": (lambda f: replace_in(f / "recipe.toml", "[0.35, 0.75]", "[0.35, 0.8]"), ["[crop]"]),
    "epochs": (lambda f: replace_in(f / "recipe.toml", "epochs = 3", "epochs = 4"), ["[optimisation]"]),
    "loss": (lambda f: replace_in(f / "recipe.toml", "distribution = 0.5", "mean = 1"), ["[loss]"]),
    "network": (
        lambda f: (f / "recipe.toml").write_text((f / "recipe.toml").read_text() + '[network]\nname = "x"\n'),
        ["[network]", "[decision]"],
    ),
    "split": (
        lambda f: replace_in(f / "split.csv", ",train,", ",validation,"),
        ["[[train]] split of utkface", "[[validation]] split of utkface"],
    ),
    "conflicts": (
        lambda f: replace_in(f / "conflicts.csv", ",age", ",gender"),
        ["[[train]] without of utkface"],
    ),
    "start": (lambda f: (f / "start.pt").write_bytes(b"other"), ["start"]),
    "picture": (lambda f: (f / PICTURE).write_bytes(b"other"), ["pictures of train utkface"]),
    "time": (lambda f: touch(f / PICTURE), ["pictures of train utkface"]),
    "place": (lambda f: (f / "data").rename(f / "moved"), ["pictures of train utkface"]),
    "label": (lambda f: (f / "age").write_text("31"), ["labels of train utkface"]),
}


@pytest.mark.parametrize("edit", list(EDITS))
def test_what_differs_is_named(tmp_path: Path, edit: str) -> None:
    recipe = make(tmp_path, train=2, validation=1, photos=1)
    replace_in(recipe, "seed = 3", 'seed = 3\nstart = "start.pt"')
    (tmp_path / "start.pt").write_bytes(b"weights")
    (tmp_path / PICTURE).write_bytes(b"picture")
    (tmp_path / "age").write_text("30")

    def identity() -> dict[str, str]:
        moved = tmp_path / PICTURE if (tmp_path / "data").exists() else tmp_path / "moved/UTKFace/0.jpg"
        age = np.array([float((tmp_path / "age").read_text())], np.float32)
        train = Crops(
            np.zeros((1, 96, 96, 3), np.uint8),
            age,
            age * 0,
            np.array([str(moved)]),
            np.zeros((1, 3), np.float32),
            np.full((1, 2), np.nan, np.float32),
        )
        return AgeAndGender(load_recipe(recipe), {"train utkface": train}).identity()

    before = identity()
    change, differs = EDITS[edit]
    change(tmp_path)
    if not differs:
        checkpoint.check_same(identity(), {checkpoint.MADE_BY: before}, tmp_path)
        return
    with pytest.raises(RecipeError) as caught:
        checkpoint.check_same(identity(), {checkpoint.MADE_BY: before}, tmp_path)
    assert f"differs in {', '.join(differs)}; train" in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "refused"), [("crop", True), ("network", True), ("epochs", False), ("seed", False)]
)
def test_a_run_is_exported_by_the_recipe_that_trained_it(tmp_path: Path, edit: str, refused: bool) -> None:
    recipe = make(tmp_path, train=2, validation=1, photos=1)
    made_by = AgeAndGender(load_recipe(recipe), {}).identity()
    checkpoint.save(tmp_path / "best.pt", {"net": {}, checkpoint.MADE_BY: made_by})
    EDITS[edit][0](tmp_path)
    if not refused:
        checkpoint.check_recipe(load_recipe(recipe), tmp_path / "best.pt")
        return
    with pytest.raises(
        RecipeError, match=r"best\.pt: expected the recipe that trained it, got one that differs"
    ):
        checkpoint.check_recipe(load_recipe(recipe), tmp_path / "best.pt")


def test_a_run_from_before_recipes_named_their_sets_is_exported(tmp_path: Path) -> None:
    """What such a run was made by: [data] with other keys, [validation] and no [[train]]."""
    recipe = load_recipe(make(tmp_path, train=2, validation=1, photos=1))
    made_by = AgeAndGender(recipe, {}).identity()
    older = {name: value for name, value in made_by.items() if not name.startswith("[[")}
    older |= {"[data]": "of other keys", "[data] utkface": "a split", "[validation]": "of domains"}
    checkpoint.save(tmp_path / "best.pt", {"net": {}, checkpoint.MADE_BY: older})
    checkpoint.check_recipe(recipe, tmp_path / "best.pt")
    checkpoint.save(tmp_path / "best.pt", {"net": {}, checkpoint.MADE_BY: older | {"[crop]": "another"}})
    with pytest.raises(RecipeError, match=r"got one that differs in \[crop\]; give"):
        checkpoint.check_recipe(recipe, tmp_path / "best.pt")
    with pytest.raises(RecipeError, match="train without --resume"):
        checkpoint.check_same(made_by, {checkpoint.MADE_BY: older}, tmp_path)


def test_answers_of_another_run_are_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "folds"
    checkpoint.check_kept(folder, {"seed": "1", "protocol": "2"}, "folds")
    checkpoint.check_kept(folder, {"seed": "1", "protocol": "2"}, "folds")
    with pytest.raises(DataError) as caught:
        checkpoint.check_kept(folder, {"seed": "1", "protocol": "3", "start": "4"}, "folds")
    assert str(caught.value) == (
        f"{folder}: holds folds of another run, which differs in protocol, start; remove it or choose "
        "another --output"
    )


@pytest.mark.parametrize(
    "content", [b"", b"no checkpoint", "a tensor"], ids=["empty", "no checkpoint", "a tensor"]
)
def test_what_is_no_checkpoint_says_so(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "start.pt"
    if isinstance(content, str):
        torch.save(torch.zeros(1), path)
    else:
        path.write_bytes(content)
    with pytest.raises(RecipeError, match=r"start\.pt: expected a checkpoint that phiz train wrote"):
        checkpoint.load_weights(path)


def test_two_devices_leave_one_log_and_one_model(tmp_path: Path) -> None:
    """Two processes train together; one alone validates, writes and exports."""
    recipe = make(tmp_path, train=12, validation=4, photos=1)
    replace_in(recipe, "epochs = 3", 'epochs = 1\ndevice = "cpu"\ndevices = 2')
    replace_in(recipe, '[[train]]\ndataset = "celeba"\nsplit = "celeba.csv"\nshare = 0.5\n', "")
    command = [sys.executable, "-m", "phiz", "train", str(recipe), "--data", str(tmp_path / "data")]
    command += ["--output", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Starting with 2 processes" in done.stderr
    assert done.stdout.count("epoch 1/1: ") == done.stdout.count("written: ") == 1


def unmade() -> list[Path]:
    """Recipes of the repository that start from a run which is not in it."""
    found = []
    for path in sorted((ROOT / "recipes").rglob("*.toml")):
        start = read_toml(path, "recipe").get("start")
        if start and not (path.parent / start).exists():
            found.append(path)
    return found


def load(path: Path) -> Any:
    return load_attribute_recipe(path) if is_attribute_recipe(path) else load_recipe(path)


@pytest.mark.parametrize("path", unmade(), ids=lambda path: path.stem)
def test_a_start_that_is_not_there_says_how_to_make_it(path: Path) -> None:
    recipe = load(path)
    with pytest.raises(RecipeError, match=r"expected the checkpoint .* got no such file; ") as caught:
        checkpoint.check_start(recipe)
    if "make it first: phiz train " not in str(caught.value):  # no recipe makes it
        assert "which the recipe's first lines may say" in str(caught.value)
        assert "makes the start" in path.read_text().partition("\nname = ")[0]
        return
    named = Path(str(caught.value).partition("phiz train ")[2].partition(" --data")[0])
    maker = load(named)
    assert str(recipe.start).endswith(f"runs/{maker.name}-{maker.seed}/best.pt")


def test_a_start_that_nothing_here_makes_says_so(tmp_path: Path) -> None:
    recipe = make(tmp_path, train=2, validation=1, photos=1)
    replace_in(recipe, "seed = 3", 'seed = 3\nstart = "elsewhere/best.pt"')
    with pytest.raises(
        RecipeError, match="got no such file; train what makes it, which the recipe's first lines may say"
    ):
        checkpoint.check_start(load_recipe(recipe))


def test_every_command_that_trains_looks_for_the_start_before_the_pictures(tmp_path: Path) -> None:
    from phiz.training.folds import run_folds
    from phiz.training.run import run

    recipe = make(tmp_path, train=2, validation=1, photos=1)
    replace_in(recipe, "seed = 3", 'seed = 3\nstart = "elsewhere/best.pt"')
    protocol = ROOT / "protocols" / "utkface-5-fold.toml"
    for train in (
        lambda: run(load_recipe(recipe), tmp_path / "absent", tmp_path, tmp_path),
        lambda: run_folds(recipe, protocol, tmp_path / "absent", tmp_path, tmp_path),
    ):
        with pytest.raises(RecipeError, match=r"expected the checkpoint .*best\.pt to start from"):
            train()
