"""The cache of crops: what makes it cut anew, and two processes that cut the same pictures at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from made_faces import chip  # noqa: E402

from phiz.crop import CropTemplate  # noqa: E402
from phiz.datasets.record import FaceRecord  # noqa: E402
from phiz.detect import load_card  # noqa: E402
from phiz.errors import DataError  # noqa: E402
from phiz.training import crops, fingerprint  # noqa: E402
from phiz.training.crops import Crops, load_crops  # noqa: E402

TEMPLATE = CropTemplate((0.3, 0.35), (0.7, 0.35), (0.35, 0.75), (0.65, 0.75), (0.0, 0.0, 1.0))
POINTS = tuple((20.0 + i % 7, 20.0 + i) for i in range(68))


def faces(folder: Path, *ages: int, points: tuple[tuple[float, float], ...] = POINTS) -> list[FaceRecord]:
    """Chips in folder/images, numbered, whose brightness tells the age."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for i, age in enumerate(ages):
        chip(age, female=True).save(folder / "images" / f"{i}.png")
    return [FaceRecord(folder / "images" / f"{i}.png", age, landmarks=points) for i, age in enumerate(ages)]


def cut(records: list[FaceRecord], cache: Path) -> Crops:
    return load_crops(records, chips=True, template=TEMPLATE, size=32, cache=cache, aligner="landmarks")


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each cut has cut."""
    counted: list[int] = []
    unwatched = crops._cut

    def watched(jobs: Any, *rest: Any, **how: Any) -> None:
        counted.append(len(jobs))
        unwatched(jobs, *rest, **how)

    monkeypatch.setattr(crops, "_cut", watched)
    return counted


def test_the_same_pictures_are_cut_once(tmp_path: Path, cuts: list[int], monkeypatch) -> None:
    records = faces(tmp_path / "a", 5, 80)
    first = cut(records, tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    relative = [FaceRecord(Path("a/../a/images") / r.path.name, r.age, landmarks=POINTS) for r in records]
    again = cut(relative, tmp_path / "cache")
    assert cuts == [2]
    np.testing.assert_array_equal(first.pixels, again.pixels)


def test_folders_that_end_alike_share_no_crops(tmp_path: Path, cuts: list[int]) -> None:
    dark, bright = faces(tmp_path / "a", 1, 2), faces(tmp_path / "b", 89, 90)
    one, other = cut(dark, tmp_path / "cache"), cut(bright, tmp_path / "cache")
    assert cuts == [2, 2]
    assert other.pixels.mean() > one.pixels.mean() + 10


def replaced(folder: Path, patch: pytest.MonkeyPatch) -> None:
    chip(90, female=True).save(folder / "images" / "0.png")


def only_touched(folder: Path, patch: pytest.MonkeyPatch) -> None:
    path = folder / "images" / "0.png"  # other pixels may have as many bytes
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))


def another_crop(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(crops, "CROP_VERSION", crops.CROP_VERSION + 1)


def another_threshold(folder: Path, patch: pytest.MonkeyPatch) -> None:
    card = replace(load_card(), chip_score=0.2)
    patch.setattr(crops, "load_card", lambda: card)


def other_weights(folder: Path, patch: pytest.MonkeyPatch) -> None:
    card = replace(load_card(), sha256="0" * 64)  # the detector takes no weights but the card's
    patch.setattr(crops, "load_card", lambda: card)


CHANGES = [replaced, only_touched, another_crop, another_threshold, other_weights]


@pytest.mark.parametrize("change", CHANGES)
def test_crops_of_anything_else_are_cut_anew(
    tmp_path: Path, cuts: list[int], change: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    records = faces(tmp_path / "a", 5, 80)
    cut(records, tmp_path / "cache")
    with pytest.MonkeyPatch.context() as patch:
        change(tmp_path / "a", patch)
        found = cut(records, tmp_path / "cache")
    assert cuts == [2, 2]
    if change is replaced:
        assert found.pixels[0].mean() > found.pixels[1].mean()


def test_other_points_cut_other_crops(tmp_path: Path, cuts: list[int]) -> None:
    cut(faces(tmp_path / "a", 5), tmp_path / "cache")
    records = [FaceRecord(tmp_path / "a/images/0.png", 5, landmarks=tuple((x + 9, y) for x, y in POINTS))]
    cut(records, tmp_path / "cache")
    assert cuts == [1, 1]


def test_two_that_cut_the_same_pictures_at_a_time_do_not_meet(tmp_path: Path, monkeypatch) -> None:
    """While one cuts, another cuts the same from start to end; both have every row."""
    records = faces(tmp_path / "a", 5, 40, 80)
    inner: list[Crops] = []

    def interrupted(done: Iterator[Any], **how: Any) -> Iterator[Any]:
        for i, crop in enumerate(done):
            if i == 1 and not inner:
                inner.append(Crops(*[np.empty(0)] * 6))  # only the outer one is interrupted
                inner[0] = cut(records, tmp_path / "cache")
            yield crop

    monkeypatch.setattr(crops, "tqdm", interrupted)
    outer = cut(records, tmp_path / "cache")
    np.testing.assert_array_equal(outer.pixels, inner[0].pixels)
    assert all(row.any() for row in outer.pixels)
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".npy"}  # nothing is left behind


def test_a_cut_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    records = faces(tmp_path / "a", 5, 40)
    records[1].path.write_bytes(b"no picture")
    with pytest.raises(Exception, match=r"1\.png"):
        cut(records, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_no_pictures_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected pictures to cut crops of, got none"):
        load_crops([], chips=True, template=TEMPLATE, size=32, cache=tmp_path)


def test_a_fingerprint_names_the_parts_that_differ() -> None:
    before = {"recipe": "1", "start": "2", "gone": "3"}
    assert fingerprint.differing(before, {"recipe": "1", "start": "4", "new": "5"}) == [
        "start",
        "gone",
        "new",
    ]
    assert fingerprint.differing(before, dict(before)) == []
