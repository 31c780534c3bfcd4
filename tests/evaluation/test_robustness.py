"""Looks that are spoilt, and the figures of made answers worked out by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")

from phiz import image
from phiz.analyzer import Analyzer
from phiz.crop import CropTemplate, face_crop
from phiz.data import ASTRONAUT as PHOTO
from phiz.datasets.record import FaceRecord
from phiz.errors import DataError
from phiz.evaluation import robustness
from phiz.evaluation.corruptions import MARGIN, SIDE
from phiz.types import Face

SIZE = 64


def face(
    age: float,
    gender: str = "female",
    interval: tuple[float, float] | None = None,
    flags: tuple[str, ...] = (),
) -> Face:
    box = (0.0, 0.0, 9.0, 9.0)
    return Face(box, 1.0, (), age, gender, 0.8, age_interval=interval, flags=flags)


def asked(age: float | None, gender: str | None, clean: Face, spoilt: Face) -> robustness.Answers:
    """Answers that are the same under every variant."""
    return robustness.Answers(str(id(clean)), age, gender, clean, [spoilt] * len(robustness.variants(SIZE)))


@pytest.fixture(scope="module")
def portrait() -> tuple[np.ndarray, Face, CropTemplate]:
    picture, analyzer = image.load(PHOTO), Analyzer()
    return picture, analyzer.analyze(picture).faces[0], CropTemplate.from_dict(analyzer.card.crop)


def crop(look: robustness.Look, template: CropTemplate) -> np.ndarray:
    return face_crop(*look, SIZE, template).astype(int)


def spoil(kind: str, look: robustness.Look, strength: int | None = None) -> list[robustness.Look]:
    rng = np.random.default_rng(0)
    ways = [v for v in robustness.variants(SIZE) if v.kind == kind and strength in (None, v.strength)]
    return [way.spoil(*look, rng) for way in ways]


def test_the_patch_gives_the_crop_of_the_picture(portrait: tuple[np.ndarray, Face, CropTemplate]) -> None:
    picture, found, template = portrait
    look = robustness.look_at(picture, found, template)
    assert look[0].shape == (SIDE, SIDE, 3)
    direct = face_crop(picture, found.keypoints, SIZE, template).astype(int)
    assert np.abs(crop(look, template) - direct).mean() < 2.5  # sampled twice, so a little softer


def test_two_pixels_aside_are_two_pixels_of_the_crop(portrait: tuple[np.ndarray, Face, CropTemplate]) -> None:
    look = robustness.look_at(*portrait)
    before = crop(look, portrait[2])
    left, right, up, down = (crop(each, portrait[2]) for each in spoil(robustness.ASIDE, look))
    for moved, same in (
        (left[:, 2:], before[:, :-2]),
        (right[:, :-2], before[:, 2:]),
        (up[2:], before[:-2]),
        (down[:-2], before[2:]),
    ):
        assert np.abs(moved - same).max() <= 3


def test_a_mirrored_look_gives_the_mirrored_crop(portrait: tuple[np.ndarray, Face, CropTemplate]) -> None:
    look = robustness.look_at(*portrait)
    (mirrored,) = spoil(robustness.MIRROR, look)
    (again,) = spoil(robustness.MIRROR, mirrored)
    assert (again[0] == look[0]).all()
    assert np.allclose(again[1], look[1])
    assert mirrored[1][0][0] < mirrored[1][1][0]  # the right eye is on the picture's left again
    assert np.abs(crop(mirrored, portrait[2])[:, ::-1] - crop(look, portrait[2])).mean() < 3


def test_points_are_turned_shifted_and_scaled_as_said() -> None:
    patch = np.zeros((SIDE, SIDE, 3), np.uint8)
    points = ((80.0, 90.0), (140.0, 90.0), (112.0, 120.0), (90.0, 150.0), (130.0, 150.0))
    eyes = [complex(*points[1]) - complex(*points[0])]

    def between(look: robustness.Look) -> complex:
        return complex(*look[1][1]) - complex(*look[1][0])

    (turned,) = spoil("rotation", (patch, points), 5)
    assert abs(np.degrees(np.angle(between(turned) / eyes[0]))) == pytest.approx(30)
    (scaled,) = spoil("scale", (patch, points), 5)
    assert abs(between(scaled)) / 60 in (pytest.approx(1.3), pytest.approx(1 / 1.3))
    (shifted,) = spoil("shift", (patch, points), 5)
    assert abs(complex(*shifted[1][2]) - complex(*points[2])) == pytest.approx(0.12 * SIDE / MARGIN)
    (small,) = spoil("resolution", (patch, points), 5)
    assert small[0].shape[0] == 18
    assert small[1][1][0] == pytest.approx(140 * 18 / SIDE)


def test_every_kind_has_five_strengths_and_two_pixels_are_of_the_networks_size() -> None:
    ways = robustness.variants(112)
    kinds = {way.kind for way in ways if way.strength}
    assert len(kinds) == 20
    assert all([w.strength for w in ways if w.kind == kind] == [1, 2, 3, 4, 5] for kind in kinds)
    patch, points = np.zeros((SIDE, SIDE, 3), np.uint8), ((10.0, 10.0),) * 5
    left = next(way for way in ways if way.kind == robustness.ASIDE)
    assert left.spoil(patch, points, np.random.default_rng())[1][0][0] == pytest.approx(
        10 - 2 * SIDE / MARGIN / 112
    )


def test_figures_by_hand() -> None:
    found = [
        asked(30, "female", face(32), face(37)),  # error 2, then 7; moved 5
        asked(40, "male", face(39, "male"), face(39.5, "female")),  # error 1, then 0.5; flipped, and wrong
        asked(None, "female", face(20, "male"), face(20, "female")),  # flipped, and right
        asked(10, None, face(10), face(16)),
    ]
    rows = robustness.rows(found, SIZE, resamples=20)
    by = {(row.kind, row.strength, row.measure): row for row in rows}
    clean, noisy = (
        {m: by[k, s, m] for m in ("error", "added", "moved", "right", "flipped")}
        for k, s in (("as it is", 0), ("fog", 3))
    )
    assert [clean[m].value for m in ("error", "added", "moved", "flipped")] == [1.0, 0.0, 0.0, 0.0]
    assert clean["right"].value == pytest.approx(2 / 3)
    assert noisy["error"].value == pytest.approx((7 + 0.5 + 6) / 3)
    assert noisy["added"].value == pytest.approx((5 - 0.5 + 6) / 3)
    assert noisy["moved"].value == pytest.approx((5 + 0.5 + 0 + 6) / 4)
    assert noisy["flipped"].value == 0.5
    assert noisy["right"].value == pytest.approx(2 / 3)
    assert (noisy["error"].n, noisy["right"].n, noisy["moved"].n) == (3, 3, 4)
    assert noisy["error"].low <= noisy["error"].value <= noisy["error"].high
    assert by["mean of all of these", 0, "moved"].value == noisy["moved"].value
    assert {row.kind for row in rows if row.kind.startswith("mean")} == {
        f"mean of {group}" for group in ("noise", "blur", "weather", "digital", "all of these")
    }


def test_a_mean_over_kinds_is_over_the_papers_kinds_and_all_strengths() -> None:
    ways = robustness.variants(SIZE)
    clean = face(30)
    spoilt = [replace(clean, age=40.0) if way.kind == "fog" else clean for way in ways]
    (each,) = [robustness.Answers("a", 30.0, "female", clean, spoilt)]
    by = {(row.kind, row.measure): row.value for row in robustness.rows([each], SIZE, resamples=5)}
    assert by["mean of weather", "added"] == pytest.approx(10 / 3)  # of snow, fog and brightness
    assert by["mean of all of these", "added"] == pytest.approx(10 / 14)


def test_how_sure_by_hand() -> None:
    found = [
        asked(30, "male", face(30, interval=(25, 35)), face(50, interval=(30, 70), flags=("blurred",))),
        asked(40, "male", face(30, interval=(25, 35)), face(50, interval=(41, 61))),
    ]
    by = {
        (row.kind, row.strength, row.measure): row.value for row in robustness.rows(found, SIZE, resamples=5)
    }
    assert [by["as it is", 0, m] for m in ("covered", "width", "flagged")] == [0.5, 10.0, 0.0]
    assert [by["fog", 1, m] for m in ("covered", "width", "flagged")] == [0.5, 30.0, 0.5]
    without = robustness.rows([asked(30, "male", face(30), face(31))], SIZE, resamples=5)
    assert not {row.measure for row in without} & {"covered", "width", "flagged"}


def test_without_ages_there_is_no_error_and_without_pictures_a_message() -> None:
    rows = robustness.rows([asked(None, "male", face(3), face(4))], SIZE, resamples=5)
    assert {row.measure for row in rows} == {"moved", "right", "flipped"}
    with pytest.raises(DataError, match="got none"):
        robustness.rows([], SIZE)


def test_the_draw_is_the_same_whatever_else_is_there() -> None:
    names = [f"{i}.jpg" for i in range(50)]
    drawn = robustness.draw(names, 5, seed=1)
    assert robustness.draw(reversed(names), 5, seed=1) == drawn
    assert robustness.draw(names, 5, seed=2) != drawn
    assert robustness.draw([n for n in names if n in drawn or n > "3"], 5, seed=1) == drawn


def test_a_face_is_asked_under_every_variant(fake_model: Path) -> None:
    """The fake model says a quarter of the mean pixel: darkness lowers its age, mirroring does not."""
    analyzer = Analyzer(fake_model)
    answers = robustness.ask(analyzer, "a", FaceRecord(PHOTO, age=30.0, gender="female"), "c")
    assert answers is not None
    ways = robustness.variants(SIZE)
    assert len(answers.spoilt) == len(ways)
    dark = [f.age for f, way in zip(answers.spoilt, ways, strict=True) if way.kind == "darkness"]
    assert dark == sorted(dark, reverse=True)
    assert dark[0] == pytest.approx(answers.clean.age * 2 ** (-1 / 2.2), rel=0.02)
    mirrored = next(f for f, way in zip(answers.spoilt, ways, strict=True) if way.kind == robustness.MIRROR)
    assert mirrored.age == pytest.approx(answers.clean.age, rel=0.05)
    again = robustness.ask(analyzer, "a", FaceRecord(PHOTO), "c")
    assert again is not None
    assert [f.age for f in again.spoilt] == [f.age for f in answers.spoilt]
