"""Every kind of corruption on the bundled portrait, and by hand where that is possible."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("scipy")

from phiz.data import ASTRONAUT as PHOTO
from phiz.evaluation.corruptions import CORRUPTIONS, MARGIN, SIDE


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.asarray(Image.open(PHOTO).convert("RGB").crop((150, 0, 374, 224)))


def change(made: np.ndarray, before: np.ndarray) -> float:
    if made.shape != before.shape:
        made = np.asarray(Image.fromarray(made).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    return float(np.abs(made.astype(float) - before).mean())


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_stronger_one_changes_more_and_chance_is_the_seeds(name: str, portrait: np.ndarray) -> None:
    kind = CORRUPTIONS[name]
    assert len(kind.settings) == 5
    weak, strong = (kind(portrait, strength, rng()) for strength in (1, 5))
    assert weak.dtype == np.uint8
    assert 0.1 < change(weak, portrait) < change(strong, portrait)
    assert (kind(portrait, 5, rng()) == strong).all()


@pytest.mark.parametrize(
    "name", ["defocus blur", "glass blur", "motion blur", "zoom blur", "elastic", "pixelate"]
)
def test_what_moves_light_about_leaves_one_colour_as_it_is(name: str) -> None:
    flat = np.full((SIDE, SIDE, 3), (200, 90, 30), np.uint8)
    for strength in (1, 5):
        assert np.abs(CORRUPTIONS[name](flat, strength, rng()).astype(int) - flat).max() <= 1


def test_light_by_hand() -> None:
    grey = np.full((SIDE, SIDE, 3), 100, np.uint8)
    grey[: SIDE // 2] = 200
    assert set(np.unique(CORRUPTIONS["brightness"](grey, 1, rng()))) == {126, 226}  # 0.1 of 255 more
    assert set(np.unique(CORRUPTIONS["contrast"](grey, 1, rng()))) == {130, 170}  # 0.4 of the way from 150
    assert set(np.unique(CORRUPTIONS["darkness"](grey, 1, rng()))) == {73, 146}  # 2 ** (-1 / 2.2) = 0.7297


def test_noise_by_hand() -> None:
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    noisy = CORRUPTIONS["Gaussian noise"](grey, 1, rng()).astype(float)
    assert noisy.std() / 255 == pytest.approx(0.08, rel=0.02)
    shots = CORRUPTIONS["shot noise"](grey, 1, rng()).astype(float)
    assert shots.std() / 255 == pytest.approx((128 / 255 / 60) ** 0.5, rel=0.02)
    hit = CORRUPTIONS["impulse noise"](grey, 5, rng())
    assert np.mean(hit != 128) == pytest.approx(0.27, abs=0.005)
    assert set(np.unique(hit)) == {0, 128, 255}


def test_few_pixels_and_a_bright_dot() -> None:
    dot = np.zeros((SIDE, SIDE, 3), np.uint8)
    dot[100:103, 100:103] = 255
    assert CORRUPTIONS["resolution"](dot, 5, rng()).shape == (12 * MARGIN, 12 * MARGIN, 3)
    blurred = CORRUPTIONS["defocus blur"](dot, 1, rng()).astype(float)
    assert blurred.sum() == pytest.approx(float(dot.sum()), rel=0.05)  # light is spread, not lost
    rows, columns = np.nonzero(blurred[..., 0] > 2)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (97, 105, 97, 105)  # radius 3 around
