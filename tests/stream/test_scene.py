"""Cuts are told from what else changes a picture: light, a camera that moves, people who come near."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scenes import HEIGHT, WIDTH, scene, with_patch

from phiz.image import load
from phiz.stream.scene import Scene

SHARED = Path(__file__).parents[3] / "shared" / "data"


def cuts(frames: Sequence[np.ndarray]) -> list[int]:
    """Numbers of the frames that begin another scene."""
    seen = Scene()
    return [number for number, frame in enumerate(frames) if seen.cut(frame)]


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_another_scene_is_a_cut(seed: int) -> None:
    one, other = scene(seed), scene(seed + 1)
    assert cuts([one, one, other, other, one]) == [2, 4]


def test_a_scene_of_another_size_is_a_cut_and_the_same_scene_is_none() -> None:
    assert cuts([scene(0), scene(0, 640, 480), scene(1, 640, 480)]) == [2]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_a_camera_that_turns_is_no_cut(seed: int, share: float) -> None:
    wide = scene(seed, 3 * WIDTH, HEIGHT)
    step = round(share * WIDTH)
    assert cuts([wide[:, x : x + WIDTH] for x in range(0, 2 * WIDTH, step)]) == []


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("light", [0.3, 0.6, 1.6])
def test_a_light_that_goes_on_or_off_is_no_cut(seed: int, light: float) -> None:
    lit = np.clip(scene(seed) * light, 0, 255).astype(np.uint8)
    assert cuts([scene(seed), lit, scene(seed)]) == []


@pytest.mark.parametrize("seed", range(8))
def test_somebody_who_steps_before_the_camera_is_no_cut(seed: int) -> None:
    room, person = scene(seed), scene(100 + seed, WIDTH // 2, HEIGHT // 2)
    assert cuts([room, with_patch(room, person, 40, 100), with_patch(room, person, 120, 100), room]) == []


@pytest.mark.parametrize("colour", [0, 255])
def test_a_frame_of_one_colour_is_looked_past(colour: int) -> None:
    nothing = np.full((HEIGHT, WIDTH, 3), colour, np.uint8)
    assert cuts([nothing, scene(0), nothing, scene(0)]) == []
    assert cuts([scene(0), nothing, nothing, scene(1)]) == [3]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (500, 1, 3), (7, 3, 3)])
def test_a_tiny_frame_is_no_error(shape: tuple[int, int, int]) -> None:
    random = np.random.default_rng(0)
    assert cuts([random.integers(0, 255, shape, np.uint8) for _ in range(3)]) in ([], [1], [2], [1, 2])


@pytest.mark.shared_data
def test_cuts_between_portraits_are_seen_and_moves_within_photos_are_none() -> None:
    portraits = sorted((SHARED / "CelebA" / "img_align_celeba").glob("*.jpg"))[:400]
    photos = sorted((SHARED / "WIDER").rglob("*.jpg"))[:30]
    if not portraits or not photos:
        pytest.skip("needs CelebA and WIDER in ../shared/data")
    frames = [load(path) for path in portraits]
    assert len(cuts(frames)) >= 0.97 * (len(frames) - 1)
    for photo in map(load, photos):
        width = photo.shape[1]
        wide, step = width * 2 // 3, width // 20
        assert cuts([photo[:, x : x + wide] for x in range(0, width - wide, step)]) == []
        for person, other in pairwise(frames[:4]):
            person, other = person[::2, ::2], other[::2, ::2]
            if photo.shape[0] > person.shape[0] and photo.shape[1] > person.shape[1]:
                assert cuts([photo, with_patch(photo, person, 9, 0), with_patch(photo, other, 9, 0)]) == []
