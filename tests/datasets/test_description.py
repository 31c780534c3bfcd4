from pathlib import Path

import pytest
from PIL import Image
from trees import picture, pictures

from phiz.datasets import contact_sheet, description, near_duplicates
from phiz.datasets.record import FaceRecord, Skipped
from phiz.errors import DataError


def record(name: str, **labels: object) -> FaceRecord:
    return FaceRecord(Path(name), **labels)  # type: ignore[arg-type]


def test_counts_give_every_label_there_is() -> None:
    records = [
        record("a", age=9.5, gender="male", group="Black", subject="1", part="test"),
        record("b", age=30, gender="female", subject="1", attributes={"Young": True, "Bald": False}),
        record("c", age=31, gender="female", subject="2", attributes={"Young": False}),
        record("d", age=39, landmarks=((0.0, 0.0),) * 68),
        record("e"),
    ]
    assert list(description.counts(records)) == [
        "age, years: 9.5 to 39, mean 27.4, of 4 pictures",
        "  0-9    1  #############",
        "  10-19  0",
        "  20-29  0",
        "  30-39  3  ########################################",
        "gender, of 3 pictures:",
        "  female  2  ########################################",
        "  male    1  ####################",
        "group, of 1 pictures:",
        "  Black  1  ########################################",
        "official part, of 1 pictures:",
        "  test  1  ########################################",
        "people: 2",
        "pictures with landmarks: 1",
        "attributes, present of labelled:",
        "  Bald   0 of 1",
        "  Young  1 of 2",
    ]


def test_counts_of_nothing_say_nothing() -> None:
    assert list(description.counts([])) == []
    assert list(description.counts([record("a")])) == []


def test_the_smallest_number_above_zero_has_a_bar() -> None:
    assert list(description.bars({"a": 100_000, "b": 1})) == ["  a  100000  " + "#" * 40, "  b       1  #"]


def test_left_out_gives_each_reason_with_names() -> None:
    skipped = [Skipped(f"{n}.jpg", "missing") for n in range(6)] + [Skipped("x\n", "bad")]
    assert list(description.left_out(skipped)) == [
        "left out, bad: 1 ('x\\n')",
        "left out, missing: 6 ('0.jpg', '1.jpg', '2.jpg', '3.jpg', '4.jpg' ...)",
    ]
    assert len(list(description.left_out(skipped, everything=True))) == 2 + 7


def test_alike_names_clusters_and_contradictions(tmp_path: Path) -> None:
    for index, seed in enumerate([1, 1, 2, 3, 3, 3, 4]):
        picture(tmp_path / f"{index}.png", seed)
    ages = [20, 20, 30, 30, 40, 30, 50]
    records = [FaceRecord(tmp_path / f"{index}.png", float(age), "male") for index, age in enumerate(ages)]
    small = near_duplicates.shrink(r.path for r in records)
    assert list(description.alike(records, tmp_path, small)) == [
        "near-duplicates, correlation of 0.75 or more: 5 pictures in 2 clusters; "
        "labels of one photo contradict in 1",
        "  '3.png' 30 male, '4.png' 40 male, '5.png' 30 male",
        "  '0.png' 20 male, '1.png' 20 male",
    ]
    assert list(description.alike(records[1:4], tmp_path, small[1:4])) == [
        "near-duplicates, correlation of 0.75 or more: none"
    ]


def test_alike_shortens_what_is_long_unless_told_otherwise(tmp_path: Path) -> None:
    records = [FaceRecord(picture(tmp_path / f"{n}.png", n // 7)) for n in range(42)]
    small = near_duplicates.shrink(r.path for r in records)
    lines = list(description.alike(records, tmp_path, small))
    assert lines[1] == "  '0.png', '1.png', '2.png', '3.png', '4.png' and 2 more"
    assert len(lines) == 7
    assert lines[6] == "  ... and 1 clusters more"
    lines = list(description.alike(records, tmp_path, small, everything=True))
    assert len(lines) == 7
    assert all(line.count(".png") == 7 for line in lines[1:])


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    for name, content in (("empty.jpg", b""), ("cut.jpg", picture(tmp_path / "a.jpg").read_bytes()[:400])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name}: expected a picture, could not read it"):
            near_duplicates.shrink([tmp_path / name])


def test_a_contact_sheet_spreads_over_the_ages() -> None:
    records = [record(f"{n:03}", age=float(99 - n)) for n in range(96)] + [record("none")]
    chosen = contact_sheet.chosen(records)
    assert len(chosen) == 48
    ages = [r.age for r in chosen]
    assert ages == sorted(ages)
    assert (ages[0], ages[-1]) == (4.0, 98.0)
    assert contact_sheet.chosen(records[:3]) == records[2::-1]


def test_a_contact_sheet_shows_each_picture_in_its_place(tmp_path: Path) -> None:
    colours = {10: "red", 20: "lime", 30: "blue"}
    records = []
    for age, colour in colours.items():
        path = tmp_path / f"{age}.png"
        Image.new("RGB", (30, 30), colour).save(path)
        records.append(FaceRecord(path, float(age), "female"))
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    records.append(FaceRecord(tmp_path / "bad.jpg"))
    (problem,) = contact_sheet.write_contact_sheet(tmp_path / "sheet.png", records)
    assert "bad.jpg: expected JPEG" in problem
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 * 128, 128 + 16)
        middles = [sheet.getpixel((64 + 128 * place, 64)) for place in range(5)]
        captions = [sheet.crop((128 * p, 128, 128 * p + 128, 144)).getextrema()[0][0] for p in range(5)]
    assert middles == [(255, 0, 0), (0, 255, 0), (0, 0, 255), (96, 96, 96), (255, 255, 255)]
    assert [darkest < 100 for darkest in captions] == [True] * 4 + [False]


def test_a_contact_sheet_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    pictures(tmp_path, "a.jpg")
    for name in ("absent/sheet.png", "sheet.unknown"):
        with pytest.raises(DataError, match=r"expected a place for a \.png, \.jpg or \.webp file"):
            contact_sheet.write_contact_sheet(tmp_path / name, [FaceRecord(tmp_path / "a.jpg")])


def test_captions() -> None:
    assert contact_sheet.caption(record("a", age=31.0, gender="female")) == "31 female"
    assert contact_sheet.caption(record("a", gender="male")) == "male"
    assert contact_sheet.caption(record("a")) == "no label"
