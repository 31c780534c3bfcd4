"""What a camera does: each link alone, on the rows it picks, within its bounds."""

from __future__ import annotations

import io
from dataclasses import fields, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from PIL import Image  # noqa: E402

from phiz.data import ASTRONAUT  # noqa: E402
from phiz.training.augment import at_epoch, augment, prepare  # noqa: E402
from phiz.training.covers import black_corners, cover  # noqa: E402
from phiz.training.jpeg_blocks import jpeg  # noqa: E402
from phiz.training.poor_camera import photograph  # noqa: E402
from phiz.training.sections import Augmentation  # noqa: E402

NOTHING = Augmentation(
    **{field.name: 0.0 for field in fields(Augmentation) if field.name not in ("flip", "faint")}, flip=False
)
COVERS = ("mask", "scarf", "hat", "glasses", "patch")
CAMERA = ("light", "lens", "motion", "shrink", "sensor", "jpeg")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def portrait(side):
    return Image.open(ASTRONAUT).convert("RGB").crop((160, 40, 288, 168)).resize((side, side))


def faces(n=8, side=64):
    one = torch.from_numpy(np.array(portrait(side))).permute(2, 0, 1) / 255
    return one.expand(n, -1, -1, -1).clone()


@pytest.mark.parametrize("side", [64, 48, 37, 112])
@pytest.mark.parametrize("quality", [20, 50, 90])
def test_jpeg_is_what_an_encoder_writes_and_a_decoder_reads(side, quality):
    picture = portrait(side)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling=2)
    expected = np.array(Image.open(file)).astype(float)
    ours = jpeg(faces(1, side), torch.tensor([quality]))[0].permute(1, 2, 0).numpy() * 255
    lost = np.abs(np.array(picture).astype(float) - expected).mean()
    assert np.abs(ours - expected).mean() < min(2.0, lost / 2)


def test_nothing_changes_where_nothing_is_asked_for():
    x = faces()
    cover(x, NOTHING, seeded())
    photograph(x, NOTHING, seeded())
    black_corners(x, 0.0, seeded())
    assert torch.equal(x, faces())


@pytest.mark.parametrize("name", [*CAMERA, *COVERS])
def test_each_link_changes_about_its_share_of_the_pictures_and_follows_its_seed(name):
    how = replace(NOTHING, **{name: 0.5})

    def changed(seed):
        x = faces(60)
        cover(x, how, seeded(seed))
        photograph(x, how, seeded(seed))
        assert x.isfinite().all()
        return x

    x = changed(1)
    rows = (x - faces(60)).abs().amax((1, 2, 3)) > 1e-4
    assert 15 < rows.sum() < 45
    assert torch.equal(x, changed(1))
    assert not torch.equal(x, changed(2))


def test_few_pixels_and_blur_take_detail_away_and_leave_the_mean():
    def detail(x):
        return x.diff(dim=3).abs().mean((1, 2, 3))

    for name in ("shrink", "lens", "motion"):
        x = faces(20)
        photograph(x, replace(NOTHING, **{name: 1.0}), seeded())
        assert (detail(x) < detail(faces(20))).all(), name
        assert (x.mean((1, 2, 3)) - faces(20).mean((1, 2, 3))).abs().max() < 0.02, name


def test_a_plain_wall_stays_plain_through_lens_and_pixels():
    wall = torch.full((10, 3, 64, 64), 0.4)
    photograph(wall, replace(NOTHING, shrink=1.0, lens=1.0, motion=1.0), seeded())
    torch.testing.assert_close(wall, torch.full_like(wall, 0.4), atol=1e-5, rtol=0)


def test_light_from_one_side_is_a_slope():
    wall = torch.full((20, 3, 64, 64), 0.2)
    photograph(wall, replace(NOTHING, light=1.0), seeded())
    stops = wall.log2()
    for steps in (stops.diff(dim=3), stops.diff(dim=2)):
        assert (steps.amax((1, 2, 3)) - steps.amin((1, 2, 3))).max() < 1e-3
    assert 0.5 < (stops.amax((1, 2, 3)) - stops.amin((1, 2, 3))).max() < 4


def test_exposure_is_in_stops_and_clips():
    wall = torch.full((200, 3, 8, 8), 0.4)
    photograph(wall, replace(NOTHING, exposure=1.0), seeded())
    one = 2 ** (1 / 2.2)
    assert 0.4 / one - 1e-4 <= wall.min() < 0.32
    assert 0.5 < wall.max() <= 0.4 * one + 1e-4
    bright = torch.full((200, 3, 8, 8), 0.9)
    photograph(bright, replace(NOTHING, exposure=1.0), seeded())
    assert bright.max() == 1


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("mask", 0.2, 0.7),
        ("scarf", 0.1, 0.75),
        ("hat", 0.0, 0.4),
        ("glasses", 0.0, 0.35),
        ("patch", 0.0, 0.3),
    ],
)
def test_a_cover_hides_a_part_never_the_whole_face(name, least, most):
    x = torch.full((200, 3, 64, 64), 0.5)
    cover(x, replace(NOTHING, **{name: 1.0}), seeded())
    hidden = ((x - 0.5).abs().amax(1) > 0.01).float().mean((1, 2))
    assert least <= hidden.median() <= most
    assert hidden.max() < 0.95


def test_a_hat_is_above_the_eyes_and_a_mask_below_them():
    for name, seen in (("hat", slice(30, 64)), ("mask", slice(0, 17))):
        x = torch.full((100, 3, 64, 64), 0.5)
        cover(x, replace(NOTHING, **{name: 1.0}), seeded())
        assert (x[:, :, seen] == 0.5).all(), name


def test_corners_are_black_and_leave_the_middle():
    x = torch.full((100, 3, 64, 64), 0.7)
    black_corners(x, 1.0, seeded())
    assert ((x == 0).float().mean((1, 2, 3)) > 0).float().mean() > 0.8
    assert (x[:, :, 30:34, 30:34] == 0.7).all()


def test_keypoint_errors_turn_scale_and_shift_as_the_fit_of_four_points_would():
    """Against a least-squares similarity of jittered points: the same deviation of a corner of the crop."""
    from phiz.training.augment import SPREAD

    points = np.array([0.283 + 0.2577j, 0.717 + 0.2577j, 0.3137 + 0.6949j, 0.6863 + 0.6949j])
    centred = points - points.mean()
    spread = np.sqrt((np.abs(centred) ** 2).sum())
    assert pytest.approx(spread, abs=0.02) == SPREAD
    random = np.random.default_rng(0)
    jittered = points + 0.01 * (random.normal(size=(4000, 4)) + 1j * random.normal(size=(4000, 4)))
    turn = (jittered * centred.conj()).sum(1) / (np.abs(centred) ** 2).sum()
    assert np.angle(turn).std() == pytest.approx(0.01 / SPREAD, rel=0.05)
    assert np.log(np.abs(turn)).std() == pytest.approx(0.01 / SPREAD, rel=0.05)
    assert jittered.mean(1).real.std() == pytest.approx(0.01 / 2, rel=0.05)


def test_keypoint_errors_move_the_crop_by_so_many_pixels():
    ramp = torch.arange(96, dtype=torch.uint8)[None, None, :, None].expand(400, 96, 96, 3).contiguous()
    moved = augment(ramp, 64, replace(NOTHING, keypoints=0.02), seeded())
    middle = (moved - prepare(ramp, 64))[:, 0, 31:33, 31:33].mean((1, 2)) * 127.5
    assert middle.std() == pytest.approx(0.02 / 2 * 64, rel=0.15)


def test_strength_rises_and_is_gentle_in_the_end():
    how = Augmentation(shrink=0.4, flip=True, rise=0.5, gentle=0.2, faint=0.25)
    strength = [at_epoch(how, epoch, 10).shrink / 0.4 for epoch in range(10)]
    assert strength == pytest.approx([0.25, 0.4, 0.55, 0.7, 0.85, 1, 1, 1, 0.25, 0.25])
    assert at_epoch(how, 0, 10).flip
    always = Augmentation(shrink=0.4)
    assert at_epoch(always, 0, 10) == at_epoch(always, 9, 10) == always
