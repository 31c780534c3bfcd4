"""Folds of a protocol, trained for real on a made FG-NET of three people."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("sklearn", reason="the extra eval brings scikit-learn")

import shutil  # noqa: E402
from pathlib import Path  # noqa: E402

from made_faces import chip  # noqa: E402
from PIL import Image  # noqa: E402

from phiz.data import ASTRONAUT  # noqa: E402
from phiz.errors import DataError, RecipeError  # noqa: E402
from phiz.training import crops, folds  # noqa: E402

RECIPE = """
name = "folds"
seed = 5

[data]
aligner = "landmarks"

[crop]
right_eye = [0.28, 0.28]
left_eye = [0.72, 0.28]
right_mouth = [0.35, 0.75]
left_mouth = [0.65, 0.75]
chip = [0.05, 0.05, 0.9]

[optimisation]
epochs = 1
batch = 4

[decision]
age = [0.5, 0.0, 0.5]
"""
PROTOCOL = """
name = "made-leave-one-person-out"
about = "made"
dataset = "fgnet"
kind = "leave-one-person-out"
"""
UNMARKED = "002A30.JPG"


def landmarks(size: int) -> np.ndarray:
    """68 points in FG-NET's order on a made chip; those that the crop needs are where the chip has them."""
    points = np.full((68, 2), 0.5)
    points[27:32], points[32:37], points[48:60] = (0.32, 0.4), (0.68, 0.4), (0.5, 0.74)
    return points * size


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fgnet")
    for name in ("images", "points"):
        (folder / "data" / "FGNET" / name).mkdir(parents=True)
    for person in (1, 2, 3):
        for age in (5, 20, 30, 45):
            name = f"{person:03d}A{age:02d}"
            chip(age, person == 2).save(folder / "data/FGNET/images" / f"{name}.JPG")
            rows = "\n".join(f"{x:.2f} {y:.2f}" for x, y in landmarks(80))
            if f"{name}.JPG" != UNMARKED:
                text = f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n"
                (folder / "data/FGNET/points" / f"{name.lower()}.pts").write_text(text)
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "protocol.toml").write_text(PROTOCOL)
    return folder


def run(made: Path, output: str, **how):
    paths = made / "recipe.toml", made / "protocol.toml", made / "data", made / output, made / "cache"
    return folds.run_folds(*paths, **how)


@pytest.fixture(scope="module")
def scored(made):
    return run(made, "out")


def test_every_picture_is_answered_once_by_the_fold_of_its_person(scored) -> None:
    assert sorted(row.file for row in scored) == sorted(
        f"{person:03d}A{age:02d}.JPG" for person in (1, 2, 3) for age in (5, 20, 30, 45)
    )
    for row in scored:
        assert row.cluster == row.file[:3]
        assert row.true_age == float(row.file[4:6])
        assert row.true_gender is None
        others = {other.fold for other in scored if other.cluster != row.cluster}
        assert row.fold not in others
    assert [row.file for row in scored if row.problem] == [UNMARKED]


def test_each_row_is_the_mean_of_its_own_pictures_branches(made, monkeypatch) -> None:
    # The recipe weighs the branches 1/2, 0, 1/2, so a picture named after an age is told to be 3 years older.
    def told(net, crops, size):
        true = torch.tensor([float(Path(path).name[4:6]) for path in crops.paths])
        return torch.stack([true + 6, true + 1000, true]), torch.empty(0)

    monkeypatch.setattr(folds, "train_to_the_end", lambda task: None)
    monkeypatch.setattr(folds, "predict", told)
    rows = run(made, "told")
    assert [row.age for row in rows if not row.problem] == [
        row.true_age + 3 for row in rows if not row.problem
    ]
    assert sum(not row.problem for row in rows) == 11
    assert {row.gender for row in rows} == {None}  # of a network without gender


def test_the_tested_person_does_not_train(made, scored, monkeypatch) -> None:
    seen = []
    train = folds.train_to_the_end

    def spy(task):
        seen.append({Path(path).name[:3] for path in task.parts["train fgnet"].paths})
        return train(task)

    monkeypatch.setattr(folds, "train_to_the_end", spy)
    again = run(made, "again")
    assert seen == [{"002", "003"}, {"001", "003"}, {"001", "002"}]
    assert again == scored  # and the same seed gives the same answers


def test_a_killed_run_goes_on_with_the_folds_that_it_lacks(made, scored, monkeypatch) -> None:
    answered = []
    answer = folds.answer

    def dies_at_the_third(job, **settings):
        answered.append(job.name)
        if len(answered) == 3:
            raise KeyboardInterrupt
        return answer(job, **settings)

    monkeypatch.setattr(folds, "answer", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run(made, "killed")
    assert run(made, "killed") == scored
    assert len(answered) == 4
    assert answered[2] == answered[3]


def test_ray_gives_the_same_answers(made, scored) -> None:
    pytest.importorskip("ray", reason="the extra scale brings Ray")
    assert run(made, "ray", engine="ray", workers=2) == scored


@pytest.fixture
def half(made, tmp_path) -> Path:
    """The same people, the third without the points that their crops need; and three photos beside them."""
    shutil.copytree(made / "data" / "FGNET", tmp_path / "data" / "FGNET")
    for path in (tmp_path / "data/FGNET/points").glob("003*"):
        path.unlink()
    for name in ("recipe.toml", "protocol.toml"):
        shutil.copy(made / name, tmp_path)
    return tmp_path


def test_a_fold_on_whose_test_pictures_no_face_is_found_trains_nothing(half, monkeypatch) -> None:
    trained = []
    train = folds.train_to_the_end

    def spy(task):
        trained.append(len(task.parts["train fgnet"]))
        return train(task)

    monkeypatch.setattr(folds, "train_to_the_end", spy)
    rows = run(half, "out")
    assert len(trained) == 2
    assert {row.file for row in rows if row.problem} == {
        UNMARKED,
        *(f"003A{age:02d}.JPG" for age in (5, 20, 30, 45)),
    }


def test_a_fold_on_whose_training_pictures_no_face_is_found_says_so(half) -> None:
    for path in (half / "data/FGNET/points").glob("002*"):
        path.unlink()
    with pytest.raises(DataError, match=r"^001: expected faces on the 8 pictures that train, found none$"):
        run(half, "out")


def test_every_crop_is_there_before_the_folds_start(half, monkeypatch) -> None:
    """Several workers would otherwise cut what trains beside the folds each for itself."""
    recipe = (half / "recipe.toml").read_text().replace("[data]", '[[train]]\ndataset = "csv"\n[data]')
    (half / "recipe.toml").write_text(recipe.replace('aligner = "landmarks"', ""))
    (half / "data" / "faces.csv").write_text("file,age,gender\nbeside.jpg,36,female\n")
    portrait = Image.open(ASTRONAUT).convert("RGB").crop((120, 0, 320, 245))
    portrait.save(half / "data" / "beside.jpg")
    for path in (half / "data" / "FGNET" / "images").iterdir():
        portrait.save(path)  # on drawn faces the detector need not find anything
    cut, at_work = [], []
    unwatched, answer = crops._cut, folds.answer

    def watched(jobs, *rest, **how):
        cut.append((len(jobs), bool(at_work)))
        return unwatched(jobs, *rest, **how)

    def working(job, **settings):
        at_work.append(job)
        return answer(job, **settings)

    monkeypatch.setattr(crops, "_cut", watched)
    monkeypatch.setattr(folds, "answer", working)
    run(half, "out")
    assert sorted(cut) == [(1, False), (12, False)]
    assert len(at_work) == 3


def test_folds_of_other_pictures_are_refused(half) -> None:
    run(half, "out")
    path = half / "data/FGNET/images/001A05.JPG"
    chip(60, True).save(path)
    with pytest.raises(DataError, match="differs in pictures of fgnet; remove it"):
        run(half, "out")


def test_folds_train_on_one_device(half) -> None:
    recipe = half / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("epochs = 1", "epochs = 1\ndevices = 2"))
    with pytest.raises(RecipeError, match=r"devices must be 1 for folds and experiments"):
        run(half, "out")


def test_folds_of_another_recipe_are_refused(made, scored) -> None:
    recipe = made / "recipe.toml"
    text = recipe.read_text()
    recipe.write_text(text.replace("seed = 5", "seed = 6"))
    try:
        with pytest.raises(DataError, match="holds folds of another run, which differs in seed; remove it"):
            run(made, "out")
    finally:
        recipe.write_text(text)


def test_a_protocol_that_only_tests_wants_a_model(made) -> None:
    protocol = made / "cross.toml"
    protocol.write_text(
        'name = "x"\nabout = "y"\ndataset = "fgnet"\nkind = "cross-dataset"\ntrained_on = "utkface"\n'
    )
    with pytest.raises(DataError, match=r"cross\.toml: this protocol has no training pictures; give a model"):
        folds.run_folds(made / "recipe.toml", protocol, made / "data", made / "x", made / "cache")


def test_repeated_draws_share_one_network(made, monkeypatch) -> None:
    protocol = made / "draws.toml"
    settings = 'kind = "random-repeats"\ntrain = 6\ntest = 3\nrepeats = 3\n'
    protocol.write_text(f'name = "draws"\nabout = "made"\ndataset = "fgnet"\n{settings}')
    trained = []
    train = folds.train_to_the_end

    def spy(task):
        trained.append(len(task.parts["train fgnet"]))
        return train(task)

    monkeypatch.setattr(folds, "train_to_the_end", spy)
    rows = folds.run_folds(made / "recipe.toml", protocol, made / "data", made / "draws", made / "cache")
    assert len(trained) == 1
    assert len(rows) == 9
    assert len({row.fold for row in rows}) == 3
    answers = {}
    for row in rows:
        assert answers.setdefault(row.file, row.age) == row.age
