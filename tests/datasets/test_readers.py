from pathlib import Path

import pytest

from phiz.datasets.celeba import read_celeba
from phiz.datasets.fgnet import read_fgnet
from phiz.datasets.record import FaceRecord, Skipped
from phiz.datasets.utkface import read_utkface
from phiz.errors import DataError


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def test_utkface_reads_labels_from_names_in_order(tmp_path: Path) -> None:
    touch(tmp_path, "9_1_3_20170110.jpg.chip.jpg", "26_0_4_20170111.jpg.chip.jpg", "116_1_0_20170112.jpg")
    assert list(read_utkface(tmp_path)) == [
        FaceRecord(tmp_path / "116_1_0_20170112.jpg", 116.0, "female", None, "White"),
        FaceRecord(tmp_path / "26_0_4_20170111.jpg.chip.jpg", 26.0, "male", None, "Other"),
        FaceRecord(tmp_path / "9_1_3_20170110.jpg.chip.jpg", 9.0, "female", None, "Indian"),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("39_1_20170116174525125.jpg.chip.jpg", "no group field"),
        ("24_0_1_20170116220224657 .jpg.chip.jpg", "space in the name"),
        ("55_0_0_20170116232725357jpg.chip.jpg", "name is not age_gender_group_date.jpg.chip.jpg"),
        ("readme.txt", "name is not age_gender_group_date.jpg.chip.jpg"),
        ("20_3_0_20170116.jpg.chip.jpg", "gender code is not 0 or 1"),
        ("20_1_5_20170116.jpg.chip.jpg", "group code is not 0 to 4"),
        ("121_1_0_20170116.jpg.chip.jpg", "age over 120"),
        ("٣_1_0_20170116.jpg.chip.jpg", "name is not age_gender_group_date.jpg.chip.jpg"),
    ],
)
def test_utkface_skips_malformed_names_with_the_reason(tmp_path: Path, name: str, reason: str) -> None:
    touch(tmp_path, name, "30_0_0_20170101.jpg.chip.jpg")
    skipped: list[Skipped] = []
    records = list(read_utkface(tmp_path, skipped))
    assert [record.path.name for record in records] == ["30_0_0_20170101.jpg.chip.jpg"]
    assert skipped == [Skipped(name, reason)]


def test_readers_name_a_missing_folder(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    with pytest.raises(DataError, match="absent: expected a folder of pictures, found none"):
        read_utkface(absent)
    with pytest.raises(DataError, match="absent: expected FG-NET's folder with images/ in it"):
        read_fgnet(absent)
    with pytest.raises(DataError, match="expected a folder of pictures"):
        read_celeba(absent)


def test_fgnet_reads_subject_and_age(tmp_path: Path) -> None:
    touch(tmp_path / "images", "002A31.JPG", "001A02.JPG", "001A02b.JPG", "notes.txt")
    skipped: list[Skipped] = []
    records = list(read_fgnet(tmp_path, skipped))
    assert [(r.path.name, r.age, r.subject, r.gender) for r in records] == [
        ("001A02.JPG", 2.0, "001", None),
        ("001A02b.JPG", 2.0, "001", None),
        ("002A31.JPG", 31.0, "002", None),
    ]
    assert [row.name for row in skipped] == ["notes.txt"]


def celeba_tree(folder: Path, attributes: str, identities: str) -> Path:
    touch(folder / "img_align_celeba", "000001.jpg", "000002.jpg", "000003.jpg", "000005.jpg")
    (folder / "list_attr_celeba.txt").write_text(attributes)
    (folder / "identity_CelebA.txt").write_text(identities)
    return folder


def test_celeba_reads_gender_and_identity_and_counts_what_is_missing(tmp_path: Path) -> None:
    celeba_tree(
        tmp_path,
        "5\nBald Male Young \n000002.jpg -1  1 -1\n000001.jpg  1 -1  1\n"
        "000003.jpg 1 1 1\n000004.jpg 1 1 1\n000005.jpg 1 0 1\n",
        "000001.jpg 7\n000002.jpg 8\n000004.jpg 7\n000005.jpg 7\n",
    )
    skipped: list[Skipped] = []
    records = list(read_celeba(tmp_path, skipped))
    assert [(r.path.name, r.gender, r.subject, r.age) for r in records] == [
        ("000001.jpg", "female", "7", None),
        ("000002.jpg", "male", "8", None),
    ]
    assert skipped == [
        Skipped("000003.jpg", "no identity"),
        Skipped("000004.jpg", "picture missing"),
        Skipped("000005.jpg", "attribute Male is not 1 or -1"),
    ]


@pytest.mark.parametrize(
    ("attributes", "identities", "message"),
    [
        ("1\nBald Young\n000001.jpg 1 1\n", "000001.jpg 7\n", "attribute names with 'Male'; found none"),
        ("", "000001.jpg 7\n", "attribute names with 'Male'; found none"),
        ("1\nBald Male\n000001.jpg 1\n", "000001.jpg 7\n", "expected 2 values after '000001.jpg', found 1"),
        ("1\nMale\n000001.jpg 1\n", "000001.jpg\n", "expected 'file identity' on each line"),
    ],
)
def test_celeba_refuses_other_lists(tmp_path: Path, attributes: str, identities: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_celeba(celeba_tree(tmp_path, attributes, identities))


def test_celeba_names_a_missing_list(tmp_path: Path) -> None:
    touch(tmp_path / "img_align_celeba")
    with pytest.raises(DataError, match=r"identity_CelebA\.txt: expected CelebA's text list"):
        read_celeba(tmp_path)
