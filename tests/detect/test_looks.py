"""How finely a picture is looked at, and the shrinking of it."""

from __future__ import annotations

import numpy as np
import pytest

from phiz.detect import load_card
from phiz.detect.looks import first_factor, fitting, nearest, padded, second_factor, shrink

CARD = load_card()


@pytest.mark.parametrize(
    ("size", "factor"),
    [
        ((100, 80), 1),
        ((400, 350), 1),  # 0.14 megapixels: smaller pictures are not shrunk
        ((500, 400), 1.25),  # and larger ones not below it
        ((640, 480), 1.5),
        ((1024, 768), 1.5),
        ((1280, 960), 1.5),
        ((1920, 1080), 1.75),
        ((1920, 1440), 2),
        ((2560, 1920), 2),
        ((4000, 3000), 3),
        ((4032, 3024), 3),
        ((6000, 4000), 4.25),
        ((8064, 6048), 6),
        ((1, 100_000_000), 8.5),
    ],
)
def test_the_default_look_is_as_fine_as_its_bounds_allow(size: tuple[int, int], factor: float) -> None:
    assert first_factor(*size, None, CARD) == factor


@pytest.mark.parametrize(
    ("size", "min_face", "factor"),
    [
        ((640, 480), 1, 1),
        ((640, 480), 16, 1),
        ((640, 480), 24, 1.5),
        ((640, 480), 32, 2),
        ((640, 480), 100, 6.25),
        ((4000, 3000), 24, 1.5),
        ((4000, 3000), 48, 3),
        ((8064, 6048), 24, 2),  # bounded
        ((640, 480), 37.5, 2.25),
    ],
)
def test_the_smallest_face_fills_what_the_card_says(
    size: tuple[int, int], min_face: int, factor: float
) -> None:
    assert first_factor(*size, min_face, CARD) == factor
    pixels = size[0] * size[1] / factor**2
    assert pixels <= CARD.asked_look_pixels * 1.01
    if min_face >= CARD.fills and factor != fitting(size[0] * size[1], CARD.asked_look_pixels):
        assert min_face / factor >= CARD.fills


@pytest.mark.parametrize("size", [(w, h) for w in (7, 640, 1500, 4032, 9000) for h in (9, 480, 3024, 8000)])
def test_no_default_look_is_larger_than_its_bounds(size: tuple[int, int]) -> None:
    factor = first_factor(*size, None, CARD)
    pixels = size[0] * size[1] / factor**2
    assert pixels <= CARD.finest_look_pixels
    assert factor <= 2 or pixels * (factor / (factor - 0.25)) ** 2 > CARD.finest_look_pixels
    assert factor >= 2 or pixels <= CARD.look_pixels
    assert size[0] * size[1] <= CARD.least_look_pixels or factor > 1


@pytest.mark.parametrize("size", [(w, h) for w in (40, 300, 420, 640, 800) for h in (30, 240, 480, 640)])
def test_a_small_picture_is_shrunk_no_further_than_to_the_least_look(size: tuple[int, int]) -> None:
    factor = first_factor(*size, None, CARD)
    pixels = size[0] * size[1]
    assert factor == 1 or pixels / (factor - 0.25) ** 2 > CARD.least_look_pixels
    assert CARD.min_face / factor >= CARD.fills or pixels > CARD.look_pixels


def test_a_coarse_look_follows_only_where_a_face_may_be_too_large() -> None:
    assert second_factor(640, 480, CARD) is None
    assert second_factor(640, 480, CARD, always=True) == 2
    assert second_factor(1280, 960, CARD) == 4
    assert second_factor(200, 200, CARD, always=True) == 2
    for width, height in ((1280, 720), (2000, 1500), (481, 3000)):
        factor = second_factor(width, height, CARD)
        assert factor is not None
        assert max(width, height) / factor <= CARD.coarse_side


@pytest.mark.parametrize(
    ("wanted", "known"), [(0.5, 1), (1.1, 1), (1.2, 1.25), (1.7, 1.75), (2.4, 2.5), (5.6, 5.5)]
)
def test_the_nearest_known_factor(wanted: float, known: float) -> None:
    assert nearest(wanted) == known


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_small_blocks_become_their_means(factor: int) -> None:
    picture = np.random.default_rng(factor).integers(
        0, 256, (factor * 40 + 1, factor * 5 + 1, 3), dtype=np.uint8
    )
    blocks = picture[: factor * 40, : factor * 5].reshape(40, factor, 5, factor, 3)
    assert np.abs(shrink(picture, factor) - blocks.mean((1, 3))).max() <= 1


@pytest.mark.parametrize("factor", [2, 3, 5, 6, 7, 12, 30])
def test_a_plain_picture_keeps_its_values_and_a_ramp_its_place(factor: int) -> None:
    for value in (0, 1, 127, 254, 255):
        assert (shrink(np.full((factor * 2, factor * 3, 3), value, np.uint8), factor) == value).all()
    ramp = np.tile(np.arange(240, dtype=np.uint8)[None, :, None], (factor, 1, 3))
    middle = (np.arange(240 // factor) + 0.5) * factor - 0.5
    assert np.abs(shrink(ramp, factor)[0, :, 0] - middle).max() <= 1


@pytest.mark.parametrize("factor", [1.25, 1.75, 2.5, 4.25])
def test_the_nearest_pixels_stay_at_their_place(factor: float) -> None:
    ramp = np.tile(np.arange(240, dtype=np.uint8)[None, :, None], (9, 1, 3))
    shrunk = shrink(ramp, factor)
    assert shrunk.shape == (int(9 / factor), int(240 / factor), 3)
    middle = (np.arange(shrunk.shape[1]) + 0.5) * factor - 0.5
    assert np.abs(shrunk[0, :, 0] - middle).max() <= 0.5 + factor / 2


def test_two_of_three_pixels_stay_at_their_place() -> None:
    ramp = np.tile(np.arange(240, dtype=np.uint8)[None, :, None], (6, 1, 3))
    shrunk = shrink(ramp, 1.5)
    assert shrunk.shape == (4, 160, 3)
    assert shrunk[0, :6, 0].tolist() == [0, 2, 3, 5, 6, 8]


@pytest.mark.parametrize("factor", [1.5, 2, 5])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_at_least_one_block_is_kept(factor: float, shape: tuple[int, int]) -> None:
    shrunk = shrink(np.full((*shape, 3), 9, np.uint8), factor)
    assert min(shrunk.shape[:2]) >= 1
    assert (shrunk == 9).all()


def test_a_factor_of_one_copies_nothing() -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    assert shrink(picture, 1) is picture
    assert np.shares_memory(padded(picture, 32), picture)


def test_padding_is_black_and_lies_right_and_below() -> None:
    picture = np.full((33, 64, 3), 7, np.uint8)
    batch = padded(picture, 32)
    assert batch.shape == (1, 64, 64, 3)
    assert (batch[0, :33] == 7).all()
    assert not batch[0, 33:].any()
