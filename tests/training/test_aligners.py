"""What aligns a training crop: the detector, the data set's own points, or a landmark finder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="the extra train brings PyTorch")

from made_faces import RECIPE

from phiz.crop import CropTemplate, face_crop
from phiz.data import ASTRONAUT
from phiz.datasets.record import FaceRecord
from phiz.detect import Detector
from phiz.errors import ModelError, RecipeError
from phiz.landmarks import load_landmarker
from phiz.landmarks.orders import keypoints_of_fgnet, keypoints_of_ibug
from phiz.training.crops import MARGIN, load_crops
from phiz.training.recipe import load_recipe, with_fan_weights

TEMPLATE = CropTemplate((0.3, 0.35), (0.7, 0.35), (0.35, 0.75), (0.65, 0.75), (0.0, 0.0, 1.0))
SIZE = 32
POINTS = tuple((float(170 + i), float(90 + i % 17)) for i in range(68))


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> list[FaceRecord]:
    """The portrait, a tight chip of it, and a picture without a face."""
    folder = tmp_path_factory.mktemp("photos")
    portrait = Image.open(ASTRONAUT).convert("RGB")
    portrait.save(folder / "portrait.png")
    portrait.crop((160, 60, 290, 190)).save(folder / "chip.png")
    Image.new("RGB", (130, 130), (90, 90, 90)).save(folder / "grey.png")
    return [
        FaceRecord(folder / "portrait.png", age=40.0, landmarks=POINTS),
        FaceRecord(folder / "chip.png", age=40.0),
        FaceRecord(folder / "grey.png", age=40.0),
    ]


def cut(records: list[FaceRecord], cache: Path, aligner: str, chips: bool = False) -> np.ndarray:
    crops = load_crops(records, chips=chips, template=TEMPLATE, size=SIZE, cache=cache, aligner=aligner)
    return np.array(crops.pixels)


def picture(record: FaceRecord) -> np.ndarray:
    return np.asarray(Image.open(record.path))


def test_mesh_cuts_by_the_points_it_finds(photos: list[FaceRecord], tmp_path: Path) -> None:
    (found,) = cut(photos[:1], tmp_path, "mesh")
    image = picture(photos[0])
    points = load_landmarker("mesh").find(image, Detector().detect(image)[0])
    wide, side = TEMPLATE.zoomed_out(MARGIN), round(SIZE * MARGIN)
    np.testing.assert_array_equal(found, face_crop(image, keypoints_of_ibug(points), side, wide))
    assert (found != cut(photos[:1], tmp_path, "detector")[0]).any()  # same cache folder, other crops


def test_mesh_works_on_chips_and_does_without_a_face(photos: list[FaceRecord], tmp_path: Path) -> None:
    chip, grey = cut(photos[1:], tmp_path, "mesh", chips=True)
    image = picture(photos[1])
    points = load_landmarker("mesh").find(image, Detector().detect_chip(image))
    wide, side = TEMPLATE.zoomed_out(MARGIN), round(SIZE * MARGIN)
    np.testing.assert_array_equal(chip, face_crop(image, keypoints_of_ibug(points), side, wide))
    np.testing.assert_array_equal(grey, np.full_like(grey, 90))  # the template's chip crop


def test_landmarks_cuts_by_the_records_own(photos: list[FaceRecord], tmp_path: Path) -> None:
    crops = cut(photos, tmp_path, "landmarks")
    assert len(crops) == 1  # the others have none
    wide, side = TEMPLATE.zoomed_out(MARGIN), round(SIZE * MARGIN)
    expected = face_crop(picture(photos[0]), keypoints_of_fgnet(POINTS), side, wide)
    np.testing.assert_array_equal(crops[0], expected)


def test_landmarks_without_any_say_so(photos: list[FaceRecord], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r'"landmarks" needs a data set with its own.*none of these 2'):
        cut(photos[1:], tmp_path, "landmarks")


def test_fan_that_cannot_be_loaded_stops_before_a_crop_is_kept(
    photos: list[FaceRecord], tmp_path: Path
) -> None:
    missing = tmp_path / "fan.pth"
    with pytest.raises(ModelError, match=r"phiz\[fan\]|cannot read FAN's weights: No such file"):
        load_crops(
            photos[:1],
            chips=False,
            template=TEMPLATE,
            size=SIZE,
            cache=tmp_path / "cache",
            aligner="fan",
            fan_weights=missing,
        )
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("aligner", ["detector", "landmarks", "mesh", "fan"])
def test_a_recipe_names_its_aligner(tmp_path: Path, aligner: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.replace("[data]", f'[data]\naligner = "{aligner}"'))
    assert load_recipe(path).data.aligner == aligner


def test_an_unknown_aligner_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.replace("[data]", '[data]\naligner = "dlib"'))
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert str(caught.value) == (
        f"{path}: [data] aligner must be one of detector, landmarks, mesh, fan, got 'dlib'"
    )


def test_fans_weights_lie_beside_the_recipe_or_where_the_user_says(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    recipe = load_recipe(path)
    assert recipe.fan_weights is None
    beside = replace(recipe, data=replace(recipe.data, fan_weights="fan.pth"))
    assert beside.fan_weights == tmp_path / "fan.pth"
    monkeypatch.chdir(tmp_path)
    assert with_fan_weights(recipe, Path("sub/fan.pth")).fan_weights == tmp_path / "sub" / "fan.pth"
    assert with_fan_weights(recipe, None) is recipe
