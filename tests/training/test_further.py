"""Further data sets beside UTKFace: read whole but for official test parts, each row with its own labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from made_faces import make  # noqa: E402
from PIL import Image  # noqa: E402

from phiz.data import ASTRONAUT  # noqa: E402
from phiz.errors import DataError  # noqa: E402
from phiz.training.age_gender import batches  # noqa: E402
from phiz.training.age_gender_data import load_parts, training_records  # noqa: E402
from phiz.training.recipe import Recipe, load_recipe  # noqa: E402

FACES = "file,age,gender,part\n0.jpg,40,female,\n1.jpg,41,,train\n2.jpg,42,male,test\n3.jpg,43,male,\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made UTKFace and CelebA, and beside them a faces.csv of four photos, one without a face."""
    folder = tmp_path_factory.mktemp("further")
    make(folder, train=12, validation=4)
    portrait = Image.open(ASTRONAUT).convert("RGB").crop((120, 0, 320, 245))
    for i in range(3):
        portrait.rotate(i).save(folder / "data" / f"{i}.jpg")
    Image.new("RGB", (200, 245), "grey").save(folder / "data" / "3.jpg")
    (folder / "data" / "faces.csv").write_text(FACES)
    return folder


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    text = (folder / "recipe.toml").read_text()
    (folder / "further.toml").write_text(
        text.replace("[[train]]", '[[train]]\ndataset = "csv"\n[[train]]', 1)
    )
    return load_recipe(folder / "further.toml")


def test_all_but_the_test_part_and_faceless_pictures_are_learnt(folder: Path, recipe: Recipe) -> None:
    further = load_parts(recipe, folder / "data", folder / "cache")["train csv"]
    assert [Path(name).name for name in further.paths] == ["0.jpg", "1.jpg"]
    assert further.age.tolist() == [40, 41]
    assert further.female[0] == 1
    assert np.isnan(further.female[1])


def test_every_row_comes_once_with_its_own_labels(folder: Path, recipe: Recipe) -> None:
    parts = load_parts(recipe, folder / "data", folder / "cache")
    one = replace(recipe, optimisation=replace(recipe.optimisation, batch=1))
    found = sorted(tuple(float(v) for v in labels[:2]) for _, *labels in batches(one, parts, 1))
    expected = [
        (float(age), float(female))
        for part in (parts["train csv"], parts["train utkface"])
        for age, female in zip(part.age, part.female, strict=True)
    ]
    drawn = round(len(parts["train celeba"]) * 0.5)
    expected += [(float("nan"), 1.0)] * drawn
    assert len(found) == len(expected)
    assert sorted(map(str, found)) == sorted(map(str, expected))


def test_teachers_are_asked_about_them_too(folder: Path, recipe: Recipe) -> None:
    sets = training_records(recipe, folder / "data")
    assert (len(sets[0][0]), sets[0][1]) == (3, False)


def test_pictures_without_any_face_say_so(folder: Path, recipe: Recipe, tmp_path: Path) -> None:
    for i in range(2):
        Image.new("RGB", (64, 64), "grey").save(tmp_path / f"{i}.jpg")
    (tmp_path / "faces.csv").write_text("file,age,gender\n0.jpg,1,male\n1.jpg,2,male\n")
    with pytest.raises(DataError, match="no face was found in any of the 2 pictures"):
        load_parts(recipe, tmp_path, tmp_path / "cache", ["train"])
    assert not list((tmp_path / "cache").iterdir())
