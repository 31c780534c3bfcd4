from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from phiz.detect.boxes import COLUMNS
from phiz.detect.window import GREY, Window, around, sample, tiles, whole


def with_dot(width: int, height: int, x: int, y: int, radius: int) -> Image.Image:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[y - radius : y + radius, x - radius : x + radius] = 255
    return Image.fromarray(pixels)


def test_whole_is_the_centred_padded_square() -> None:
    assert whole(200, 100) == Window(0, -50, 200)
    assert whole(100, 200, 0.25) == Window(-100, -50, 300)


def test_around_centres_the_box_at_its_share() -> None:
    row = np.zeros(COLUMNS)
    row[:4] = 10, 20, 30, 30
    assert around(row, 0.5) == Window(0, 5, 40)


@settings(deadline=None)
@given(
    st.integers(60, 400),
    st.integers(60, 400),
    st.floats(0.15, 0.85),
    st.floats(0.15, 0.85),
    st.floats(0, 0.5),
    st.sampled_from([128, 256]),
)
def test_a_dot_comes_back_to_where_it_was(width, height, across, down, padding, size) -> None:
    x, y, radius = round(across * width), round(down * height), 8
    window = whole(width, height, padding)
    pixel = window.side / size  # up to one pixel of the result is left out at the picture's edge
    assume(min(x, y, width - x, height - y) >= radius + 2 * pixel)
    seen = sample(with_dot(width, height, x, y, radius), window, size, 0)[:, :, 0].astype(float)
    assert seen.sum() > 0
    centre = np.arange(size) + 0.5
    back_x = window.x + (seen.sum(0) @ centre) / seen.sum() * pixel
    back_y = window.y + (seen.sum(1) @ centre) / seen.sum() * pixel
    tolerance = 0.15 * pixel + 0.05
    assert abs(back_x - x) < tolerance
    assert abs(back_y - y) < tolerance


def test_beyond_the_picture_is_grey_or_its_edge() -> None:
    picture = Image.fromarray(np.full((50, 100, 3), 200, np.uint8))
    grey = sample(picture, whole(100, 50), 128, GREY)
    assert (grey[:31] == GREY).all()
    assert (grey[33:95] == 200).all()
    assert (sample(picture, whole(100, 50), 128, "edge") == 200).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 3000), (3000, 5), (2, 1)])
def test_odd_sizes_give_a_full_input(width: int, height: int) -> None:
    picture = Image.fromarray(np.full((height, width, 3), 9, np.uint8))
    for padding in (0, 0.15, 0.25):
        seen = sample(picture, whole(width, height, padding), 128, GREY)
        assert seen.shape == (128, 128, 3)
        assert set(np.unique(seen)) <= {9, GREY}


def test_a_window_off_the_picture_is_blank() -> None:
    picture = Image.fromarray(np.zeros((10, 10, 3), np.uint8))
    assert (sample(picture, Window(50, 50, 10), 128, GREY) == GREY).all()


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (640, 480, (192, 256)),
        (480, 640, (256, 192)),
        (640, 360, (160, 256)),
        (640, 640, (256, 256)),
        (999, 1, (32, 256)),
    ],
)
def test_whole_cells_past_the_pictures_end_are_trimmed(width, height, shape) -> None:
    picture = Image.new("RGB", (width, height), (200, 200, 200))
    window = Window(0, 0, max(width, height))
    full, seen = sample(picture, window, 256, GREY), sample(picture, window, 256, GREY, cell=32)
    assert seen.shape == (*shape, 3)
    np.testing.assert_array_equal(seen, full[: shape[0], : shape[1]])
    assert (full[shape[0] :] == GREY).all()
    assert (full[:, shape[1] :] == GREY).all()


def test_a_small_picture_needs_no_tiles() -> None:
    assert tiles(640, 480, 640, 0.25, 100) == [Window(0, 0, 640)]


@settings(deadline=None)
@given(st.integers(1, 6000), st.integers(1, 6000), st.floats(100, 800), st.floats(0, 1), st.floats(0, 1))
def test_every_small_square_lies_whole_in_a_tile_of_each_level(width, height, side, across, down) -> None:
    limit = 100
    windows = tiles(width, height, side, 0.25, limit)
    assert 1 <= len(windows) <= limit
    finest = windows[-1].side
    if finest >= max(width, height):
        return
    face = 0.2 * finest
    x, y = across * max(width - face, 0), down * max(height - face, 0)
    assert any(
        tile.x <= x + 1e-6
        and x + min(face, width) <= tile.x + tile.side + 1e-6
        and tile.y <= y + 1e-6
        and y + min(face, height) <= tile.y + tile.side + 1e-6
        for tile in windows
        if tile.side == finest
    )


def test_tiles_go_down_to_the_side_asked_for_within_the_limit() -> None:
    assert min(tile.side for tile in tiles(4000, 3000, 640, 0.25, 100)) == 640
    assert len(tiles(20000, 4000, 100, 0.25, 100)) <= 100
    assert len(tiles(80_000_000, 1, 13, 0.25, 100)) <= 100
