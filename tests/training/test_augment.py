"""Augmentation changes what it says and nothing else."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.training.augment import augment, prepare  # noqa: E402
from phiz.training.sections import Augmentation  # noqa: E402

NOTHING = Augmentation(
    flip=False,
    rotation=0,
    scale=0,
    shift=0,
    brightness=0,
    contrast=0,
    saturation=0,
    grey=0,
    blur=0,
    noise=0,
    erase=0,
)


def crops(n=4, size=96):
    return torch.randint(
        0, 256, (n, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nothing_is_the_canonical_crop():
    torch.testing.assert_close(
        augment(crops(), 64, NOTHING, seeded()), prepare(crops(), 64), atol=1e-4, rtol=0
    )


def test_prepare_takes_the_centre_and_scales():
    pixels = torch.zeros(1, 96, 96, 3, dtype=torch.uint8)
    pixels[0, 16, 16] = 255
    x = prepare(pixels, 64)
    assert x[0, :, 0, 0].tolist() == [1, 1, 1]
    assert (x[0, :, 1:, 1:] == -1).all()


def test_flip_mirrors_about_half_of_the_pictures():
    how = Augmentation(**{f: getattr(NOTHING, f) for f in NOTHING.__slots__ if f != "flip"}, flip=True)
    x, plain = augment(crops(200, 24), 16, how, seeded()), prepare(crops(200, 24), 16)
    same = (x - plain).abs().amax((1, 2, 3)) < 1e-3
    mirrored = (x - plain.flip(3)).abs().amax((1, 2, 3)) < 1e-3
    assert (same ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_same_seed_same_pictures_other_seed_others():
    first, again, other = (augment(crops(), 64, Augmentation(), seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_all_of_it_stays_in_range():
    every = Augmentation(grey=1, blur=1, noise=1, erase=1)
    x = augment(crops(), 64, every, seeded())
    assert x.shape == (4, 3, 64, 64)
    assert x.abs().max() <= 1
    assert x.isfinite().all()


def test_shift_stays_inside_the_margin():
    """A white margin round a black centre must not show for a pure shift smaller than the margin."""
    pixels = torch.zeros(50, 96, 96, 3, dtype=torch.uint8)
    how = Augmentation(**{f: getattr(NOTHING, f) for f in NOTHING.__slots__ if f != "shift"}, shift=0.1)
    pixels[:, :9] = pixels[:, -9:] = 255  # reachable only by shifts of more than 7 of 64 pixels
    assert (augment(pixels, 64, how, seeded()) < -0.99).all()
