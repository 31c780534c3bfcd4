"""The readers whose labels are in file names or plain lists, on trees in the published layouts."""

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import pictures, points, text

from phiz.datasets import registry
from phiz.datasets.all_age_faces import read_all_age_faces
from phiz.datasets.celeba import read_celeba
from phiz.datasets.fgnet import read_fgnet
from phiz.datasets.megaage_asian import read_megaage_asian
from phiz.datasets.record import FaceRecord, Skipped
from phiz.datasets.utkface import read_utkface
from phiz.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"


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


@pytest.mark.parametrize("name", list(registry.DATA_SETS))
def test_every_reader_names_a_missing_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"absent.*: expected "):
        registry.named(name).reader(tmp_path / "absent", [])


@pytest.mark.parametrize("name", list(registry.DATA_SETS))
def test_every_reader_refuses_or_yields_nothing_of_an_empty_folder(tmp_path: Path, name: str) -> None:
    reads_names = name in ("utkface", "morph2")
    if reads_names:
        assert list(registry.named(name).reader(tmp_path, [])) == []
    else:
        with pytest.raises(DataError, match=re.escape(str(tmp_path))):
            registry.named(name).reader(tmp_path, [])


def test_every_data_set_is_whole_and_told_apart() -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    for name, known in registry.DATA_SETS.items():
        assert name == known.name
        assert known.kind in (registry.CHIP, registry.PHOTO)
        assert known.title
        assert known.terms
        (row,) = [line for line in rows if f"`{name}`" in line.split("|")[1]]
        assert f"`{known.folder}`" in row
        assert known.kind in row
        assert known.terms in row
    for key in ("name", "title", "folder"):
        values = [getattr(known, key).lower() for known in registry.DATA_SETS.values()]
        values = [value for value in values if value != "."]
        assert len(set(values)) == len(values)


def test_a_pool_shares_pictures_with_its_halves() -> None:
    shared = [pair for pair in combinations(registry.DATA_SETS, 2) if registry.share(*pair)]
    assert shared == [("imdb-wiki", "imdb"), ("imdb-wiki", "wiki")]


def test_read_takes_the_usual_folder(tmp_path: Path) -> None:
    touch(tmp_path / "UTKFace", "9_1_3_20170110.jpg", "x.txt")
    skipped: list[Skipped] = []
    assert [r.age for r in registry.read("utkface", tmp_path, skipped)] == [9.0]
    assert [row.name for row in skipped] == ["x.txt"]
    with pytest.raises(DataError, match="'utk': expected a data set among utkface, celeba"):
        registry.read("utk", tmp_path)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("d/9_1_3_1.jpg", "9_1_3_1.jpg"),
        ("d/images/001A02.JPG", "001A02.JPG"),
        ("d/Img/img_align_celeba/000001.jpg", "000001.jpg"),
        ("d/lfw/A_B/A_B_0001.jpg", "A_B/A_B_0001.jpg"),
        ("d/Album2/009055_0M54.JPG", "009055_0M54.JPG"),
        ("d/train/1.jpg", "train/1.jpg"),
        ("d/01/nm1.jpg", "01/nm1.jpg"),
        ("d/images", "images"),
        ("elsewhere/images/1.jpg", "1.jpg"),
    ],
)
def test_key_is_the_path_less_the_folder_of_all_pictures(path: str, key: str) -> None:
    assert registry.key(FaceRecord(Path(path)), Path("d")) == key


def test_fgnet_reads_age_subject_and_points(tmp_path: Path) -> None:
    touch(tmp_path / "images", "002A31.JPG", "001A02.JPG", "001A02b.JPG", "notes.txt")
    for name in ("001a02", "001a02b", "002A31"):
        text(tmp_path / "points" / f"{name}.pts", points())
    skipped: list[Skipped] = []
    records = list(read_fgnet(tmp_path, skipped))
    assert [(r.path.name, r.age, r.subject, r.gender) for r in records] == [
        ("001A02.JPG", 2.0, "001", None),
        ("001A02b.JPG", 2.0, "001", None),
        ("002A31.JPG", 31.0, "002", None),
    ]
    assert [row.name for row in skipped] == ["notes.txt"]
    assert all(r.landmarks == tuple((10.5 + i, 200.25 - i) for i in range(68)) for r in records)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("", "points/001a02.pts:1: expected 'version: 1', got ''"),
        (points(67), "points/001a02.pts:2: expected 'n_points: 68', got 'n_points: 67'"),
        (points().replace("{", ""), "points/001a02.pts:3: expected '{', got ''"),
        (points().replace("12.5 198.25", "12.5"), "points/001a02.pts:6: expected x and y of a point"),
        (points().replace("12.5 198.25", "12.5 nan"), "points/001a02.pts:6: expected x and y of a point"),
        (points()[:500], "points/001a02.pts:72: expected '}', got 'the end'"),
        (points().replace("1\n", "é\n", 1), "points/001a02.pts: expected a .pts file, could not read it"),
        (None, "points/ 001A02.JPG"),
    ],
)
def test_fgnet_keeps_a_picture_whose_points_are_bad_and_counts_it(
    tmp_path: Path, content: str | None, where: str
) -> None:
    touch(tmp_path / "images", "001A02.JPG", "001A05.JPG")
    text(tmp_path / "points" / "001a05.pts", points())
    if content is not None:
        text(tmp_path / "points" / "001a02.pts", content)
    skipped: list[Skipped] = []
    bad, good = read_fgnet(tmp_path, skipped)
    assert (bad.landmarks, bad.age) == (None, 2.0)
    assert good.landmarks is not None
    assert [row.name.startswith(where) for row in skipped] == [True], skipped
    assert skipped[0].reason.endswith("the picture is kept, without landmarks")


def test_fgnet_without_points_says_so_once(tmp_path: Path) -> None:
    touch(tmp_path / "images", "001A02.JPG", "001A05.JPG")
    skipped: list[Skipped] = []
    assert [r.landmarks for r in read_fgnet(tmp_path, skipped)] == [None, None]
    assert skipped == [Skipped("points/", "folder missing; every picture is kept, without landmarks")]


def celeba_tree(folder: Path, attributes: str, identities: str, partition: str | None = None) -> Path:
    touch(folder / "img_align_celeba", "000001.jpg", "000002.jpg", "000003.jpg", "000005.jpg")
    (folder / "list_attr_celeba.txt").write_text(attributes)
    (folder / "identity_CelebA.txt").write_text(identities)
    if partition is not None:
        (folder / "list_eval_partition.txt").write_text(partition)
    return folder


def test_celeba_reads_every_label_and_counts_what_is_missing(tmp_path: Path) -> None:
    celeba_tree(
        tmp_path,
        "6\nBald Male Young \n000002.jpg -1  1 -1\n000001.jpg  1 -1  1\n"
        "000003.jpg 1 1 1\n000004.jpg 1 1 1\n000005.jpg 1 0 1\n000001.jpg 1 1 1\n",
        "000001.jpg 7\n000002.jpg 8\n000004.jpg 7\n000005.jpg 7\n",
        "000001.jpg 2\n",
    )
    skipped: list[Skipped] = []
    records = list(read_celeba(tmp_path, skipped))
    assert [(r.path.name, r.gender, r.subject, r.age, r.part) for r in records] == [
        ("000001.jpg", "female", "7", None, "test"),
        ("000002.jpg", "male", "8", None, None),
    ]
    assert records[0].attributes == {"Bald": True, "Male": False, "Young": True}
    assert records[1].attributes == {"Bald": False, "Male": True, "Young": False}
    assert skipped == [
        Skipped("list_attr_celeba.txt:8 000001.jpg", "listed twice, the first row counts"),
        Skipped("list_attr_celeba.txt:5 000003.jpg", "no identity"),
        Skipped("list_attr_celeba.txt:6 000004.jpg", "picture missing"),
        Skipped("list_attr_celeba.txt:7 000005.jpg", "attribute Male is not 1 or -1"),
    ]


def test_celeba_is_also_read_as_its_archive_unpacks(tmp_path: Path) -> None:
    pictures(tmp_path / "Img" / "img_align_celeba", "000001.jpg")
    text(tmp_path / "Anno" / "list_attr_celeba.txt", "1\nMale\n000001.jpg 1\n")
    text(tmp_path / "Anno" / "identity_CelebA.txt", "000001.jpg 7\n")
    text(tmp_path / "Eval" / "list_eval_partition.txt", "000001.jpg 1\n")
    (record,) = read_celeba(tmp_path)
    assert (record.part, record.subject, registry.key(record, tmp_path)) == ("validation", "7", "000001.jpg")


@pytest.mark.parametrize(
    ("attributes", "identities", "partition", "message"),
    [
        ("1\nBald Young\n000001.jpg 1 1\n", "", None, "attribute names with 'Male'; got none"),
        ("", "", None, "attribute names with 'Male'; got none"),
        (
            "1\nBald Male\n000001.jpg 1\n",
            "",
            None,
            r"celeba.txt:3: expected 2 values after '000001.jpg', got 1",
        ),
        ("1\nMale\n", "a.jpg 1\n000001.jpg\n", None, r"CelebA.txt:2: expected 'file identity' on each line"),
        ("1\nMale\n", "a.jpg 1\n\na.jpg 2\n", None, r"CelebA.txt:3: expected each file once, 'a.jpg'"),
        ("1\nMale\n", "", "a.jpg 3\n", r"partition.txt: expected 0, 1 or 2 after 'a.jpg', got '3'"),
        ("1\nMale\n", "", "a.jpg\n", r"partition.txt:1: expected 'file partition' on each line"),
    ],
)
def test_celeba_refuses_other_lists(
    tmp_path: Path, attributes: str, identities: str, partition: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_celeba(celeba_tree(tmp_path, attributes, identities, partition))


def test_celeba_names_a_missing_list(tmp_path: Path) -> None:
    touch(tmp_path / "img_align_celeba")
    with pytest.raises(DataError, match=r"identity_CelebA\.txt: expected CelebA's text list"):
        read_celeba(tmp_path)


def test_megaage_asian_pairs_names_with_ages_and_keeps_the_parts_apart(tmp_path: Path) -> None:
    pictures(tmp_path, "train/1.jpg", "train/2.jpg", "train/4.jpg", "test/1.jpg")
    text(tmp_path / "list/train_name.txt", "1.jpg\n2.jpg\n3.jpg\n4.jpg\n1.jpg\n../test/1.jpg\n")
    text(tmp_path / "list/train_age.txt", "5\n121\n7\nx\n9\n9\n\n")
    text(tmp_path / "list/test_name.txt", "1.jpg\r\n")
    text(tmp_path / "list/test_age.txt", "70\r\n")
    skipped: list[Skipped] = []
    records = list(read_megaage_asian(tmp_path, skipped))
    assert [(registry.key(r, tmp_path), r.age, r.gender, r.part) for r in records] == [
        ("train/1.jpg", 5.0, None, "train"),
        ("test/1.jpg", 70.0, None, "test"),
    ]
    assert skipped == [
        Skipped("list/train_name.txt:2 2.jpg", "age 121 is outside 0 to 120"),
        Skipped("list/train_name.txt:3 3.jpg", "picture missing"),
        Skipped("list/train_name.txt:4 4.jpg", "age 'x' is not a number"),
        Skipped("list/train_name.txt:5 1.jpg", "listed twice, the first row counts"),
        Skipped(
            "list/train_name.txt:6 ../test/1.jpg",
            "'../test/1.jpg' is not the path of a picture in the data set's folder",
        ),
    ]


def test_megaage_asian_refuses_lists_that_do_not_pair(tmp_path: Path) -> None:
    for part in ("train", "test"):
        text(tmp_path / f"list/{part}_name.txt", "1.jpg\n\n2.jpg\n")
        text(tmp_path / f"list/{part}_age.txt", "5\n6\n")
    with pytest.raises(
        DataError, match=r"train_age.txt: expected 3 ages, as train_name.txt has lines; got 2"
    ):
        read_megaage_asian(tmp_path)


def test_all_age_faces_takes_gender_from_the_serial(tmp_path: Path) -> None:
    names = ("00000A02.jpg", "07380A80.jpg", "07381A03.jpg", "13321A80.jpg", "13322A80.jpg", "7A3.jpg")
    pictures(tmp_path / "original images", *names)
    pictures(tmp_path / "aglined faces", "00001A02.jpg")
    text(
        tmp_path / "image sets/train.txt",
        "00000A02.jpg 0\n07381A03 1\n13321A80.jpg 0\n00009A02.jpg 0\n00000A02.jpg 0\nx\n",
    )
    text(tmp_path / "image sets/val.txt", "07380A80.jpg 0\n")
    skipped: list[Skipped] = []
    records = list(read_all_age_faces(tmp_path, skipped))
    assert [(r.path.name, r.age, r.gender, r.subject, r.part) for r in records] == [
        ("00000A02.jpg", 2.0, "female", "00000", "train"),
        ("07380A80.jpg", 80.0, "female", "07380", "validation"),
        ("07381A03.jpg", 3.0, "male", "07381", "train"),
        ("13321A80.jpg", 80.0, "male", "13321", None),
    ]
    assert [(row.name, row.reason) for row in skipped] == [
        (
            "image sets/train.txt:3 13321A80.jpg",
            "gender is not that of the serial; the picture has no part",
        ),
        ("image sets/train.txt:4 00009A02.jpg", "picture missing"),
        ("image sets/train.txt:5 00000A02.jpg", "listed twice, the first row counts"),
        ("image sets/train.txt:6 .jpg", "line is not a file name and a gender, 0 or 1"),
        ("13322A80.jpg", "serial over 13321"),
        ("7A3.jpg", "name is not serialAage.jpg, such as 00000A02.jpg"),
    ]


def test_all_age_faces_falls_back_on_the_aligned_faces(tmp_path: Path) -> None:
    pictures(tmp_path / "aglined faces", "00001A02.jpg")
    (record,) = read_all_age_faces(tmp_path)
    assert (record.part, registry.key(record, tmp_path)) == (None, "00001A02.jpg")


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("read", "folder", "pattern"),
    [
        (read_utkface, "", r"\d{1,3}_\d_\d_\d+\.jpg(\.chip\.jpg)?"),
        (read_fgnet, "images", r"\d{3}A\d{2}[a-z]?\.(jpg|JPG)"),
        (registry.named("morph2").reader, "Album2", r"\d{5,7}_\d{1,3}[MFx]\d{1,3}\.JPG"),
        (read_all_age_faces, "original images", r"\d{5}A\d{2,3}\.jpg"),
    ],
    ids=["utkface", "fgnet", "morph2", "all-age-faces"],
)
def test_any_file_name_is_read_within_bounds_or_counted(read: Callable, folder: str, pattern: str) -> None:
    near = st.from_regex(pattern, fullmatch=True)

    @settings(max_examples=40, deadline=None)
    @given(st.sets(NAMES | near, min_size=2, max_size=8))
    def check(names: set[str]) -> None:
        with TemporaryDirectory() as temporary:
            check_tree(Path(temporary), names)

    def check_tree(root: Path, names: set[str]) -> None:
        made = set()
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in names - {".", ".."}:
            try:
                (root / folder / name).write_bytes(b"")
            except (OSError, ValueError):  # too long once encoded
                continue
            made.add(name)
        skipped: list[Skipped] = []
        records = list(read(root, skipped))
        assert all(0 <= r.age <= 120 and r.gender in ("female", "male", None) for r in records)
        counted = {row.name.removeprefix("Album2/") for row in skipped if not row.name.startswith("points/")}
        assert {r.path.name for r in records} | counted == made
        assert {r.path.name for r in records}.isdisjoint(counted)

    check()


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the research faces are not beside the repository")
@pytest.mark.parametrize(
    ("name", "count", "left_out", "people"),
    [("utkface", 19102, 5, 0), ("fgnet", 1002, 0, 82), ("celeba", 13148, 0, 4540)],
)
def test_the_real_data_sets_are_read_whole(name: str, count: int, left_out: int, people: int) -> None:
    skipped: list[Skipped] = []
    records = registry.read(name, SHARED, skipped)
    assert (len(records), len(skipped)) == (count, left_out)
    assert len({r.subject for r in records} - {None}) == people
    folder = SHARED / registry.named(name).folder
    assert all(registry.key(r, folder) == r.path.name for r in records)
    if name == "fgnet":
        assert all(len(r.landmarks) == 68 for r in records)
    if name == "celeba":
        assert all(len(r.attributes) == 40 and (r.gender == "male") == r.attributes["Male"] for r in records)
