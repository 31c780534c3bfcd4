"""The readers of CSV and JSON lists, on trees in the published layouts."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from trees import picture, pictures, text

from phiz.datasets import registry
from phiz.datasets.aihub_korean import read_aihub_korean
from phiz.datasets.fairface import read_fairface
from phiz.datasets.fiw import read_fiw
from phiz.datasets.lagenda import read_lagenda
from phiz.datasets.morph2 import read_morph2
from phiz.datasets.record import FaceRecord, Skipped
from phiz.datasets.table import read_table
from phiz.errors import DataError

MORPH_HEADER = "id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo\n"


LAGENDA_HEADER = (
    "img_name,age,gender,face_x0,face_y0,face_x1,face_y1,person_x0,person_y0,person_x1,person_y1\n"
)


def test_lagenda_takes_the_largest_face_of_a_photo(tmp_path: Path) -> None:
    pictures(tmp_path, *(f"lag_benchmark/{name}.jpg" for name in "abcd"))
    text(
        tmp_path / "lagenda_annotation.csv",
        LAGENDA_HEADER
        + "lag_benchmark/a.jpg,10,F,342,583,420,663,10,498,578,1272\n"
        + "lag_benchmark/a.jpg,-1,-1,-1,-1,-1,-1,0,0,900,900\n"  # a person whose face is not marked
        + "lag_benchmark/b.jpg,15,F,0,0,50,50,0,0,90,90\n"
        + "lag_benchmark/b.jpg,-1,-1,0,0,60,60,0,0,90,90\n"
        + "lag_benchmark/c.jpg,-1,-1,-1,-1,-1,-1,0,0,90,90\n"
        + "lag_benchmark/d.jpg,30,X,0,0,50,50,0,0,90,90\n"
        + "lag_benchmark/e.jpg,31,M,0,0,50,50,0,0,90,90\n",
    )
    skipped: list[Skipped] = []
    (record,) = read_lagenda(tmp_path, skipped)
    assert record == FaceRecord(tmp_path / "lag_benchmark/a.jpg", 10.0, "female")
    assert registry.key(record, tmp_path) == "a.jpg"
    where = "lagenda_annotation.csv"
    assert skipped == [
        Skipped(f"{where}:4 lag_benchmark/b.jpg", "the largest face has no label"),
        Skipped(f"{where}:6 lag_benchmark/c.jpg", "no face is marked"),
        Skipped(f"{where}:7 lag_benchmark/d.jpg", "gender 'X' is not one of F, M"),
        Skipped(f"{where}:8 lag_benchmark/e.jpg", "picture missing"),
    ]


def test_morph2_reads_names_where_there_is_no_list(tmp_path: Path) -> None:
    pictures(tmp_path, "Album2/009055_0M54.JPG", "Album2/009055_1F121.JPG", "Album2/01234_10F16.jpg")
    text(tmp_path / "readme.txt", "")
    skipped: list[Skipped] = []
    assert list(read_morph2(tmp_path, skipped)) == [
        FaceRecord(tmp_path / "Album2/009055_0M54.JPG", 54.0, "male", "009055"),
        FaceRecord(tmp_path / "Album2/01234_10F16.jpg", 16.0, "female", "001234"),
    ]
    assert skipped == [
        Skipped("Album2/009055_1F121.JPG", "age 121 is outside 0 to 120"),
        Skipped("readme.txt", "name is not subject_pictureGenderAge.JPG, such as 009055_0M54.JPG"),
    ]


def test_morph2_prefers_its_list(tmp_path: Path) -> None:
    pictures(tmp_path, "Album2/009055_0M54.JPG", "Album2/009055_1M55.JPG", "Album2/9.JPG")
    text(
        tmp_path / "morph_2008_nonCommercial.csv",
        MORPH_HEADER
        + "9055,0,9/9/1950,8/8/2004,B,M,0,54,0,N,Album2/009055_0M54.JPG\n"
        + "9055,1,9/9/1950,8/8/2005,?,F,0,55,1,N,Album2/009055_1M55.JPG\n"
        + "9056,0,9/9/1950,8/8/2005,W,F,0,-3,1,N,Album2/9.JPG\n"
        + "9056,0,9/9/1950,8/8/2005,W,,0,30,1,N,Album2/9.JPG\n"
        + "9056,0,9/9/1950,8/8/2005,W,F,0,30,1,N,Album2/009055_0M54.JPG\n"
        + "9057,0,9/9/1950,8/8/2005,W,F,0,30,1,N,Album2/10.JPG\n"
        + "9058,0\n",
    )
    text(tmp_path / "other.csv", "a\n")
    skipped: list[Skipped] = []
    records = list(read_morph2(tmp_path, skipped))
    assert records == [
        FaceRecord(tmp_path / "Album2/009055_0M54.JPG", 54.0, "male", "009055", "Black"),
        FaceRecord(tmp_path / "Album2/009055_1M55.JPG", 55.0, "female", "009055", None),
    ]
    assert [registry.key(record, tmp_path) for record in records] == ["009055_0M54.JPG", "009055_1M55.JPG"]
    where = "morph_2008_nonCommercial.csv"
    assert skipped == [
        Skipped(f"{where}:8", "expected 11 values, as the header has"),
        Skipped(f"{where}:4 Album2/9.JPG", "age -3 is outside 0 to 120"),
        Skipped(f"{where}:5 Album2/9.JPG", "gender '' is not one of M, F"),
        Skipped(f"{where}:6 Album2/009055_0M54.JPG", "listed twice, the first row counts"),
        Skipped(f"{where}:7 Album2/10.JPG", "picture missing"),
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.csv": "x\n", "b.csv": "x\n"}, "expected one CSV file.*got a.csv, b.csv"),
        (
            {"a.csv": "id_num,age,photo\n"},
            r"a.csv: expected a column 'gender'; got 'id_num', 'age', 'photo'",
        ),
        ({"a.csv": ""}, "a.csv: expected a header with the columns id_num, age, gender, photo; got no row"),
        ({"a.csv": MORPH_HEADER.replace("dob", "age")}, "expected each column once, 'age' comes twice"),
        ({"a.csv": MORPH_HEADER + '1,"2\n'}, r"a.csv:2: expected CSV"),
    ],
)
def test_morph2_refuses_other_lists(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, content in files.items():
        text(tmp_path / name, content)
    with pytest.raises(DataError, match=message):
        read_morph2(tmp_path)


def test_fiw_gives_gender_person_and_family(tmp_path: Path) -> None:
    pictures(tmp_path, "faces/F1_a.jpg", "faces/F2_b.jpg", "faces/F2_c.jpg")
    text(
        tmp_path / "labels.csv",
        "file,family,person,gender,votes_for,votes_against\n"
        "F1_a.jpg,F1,MID1,male,9,0\n"
        "F2_b.jpg,F2,MID1,female,9,1\n"
        "F2_c.jpg,F2,MID2,other,9,1\n"
        "F2_c.jpg,,MID2,female,9,1\n"
        "F2_d.jpg,F2,MID3,female,9,1\n",
    )
    skipped: list[Skipped] = []
    records = list(read_fiw(tmp_path, skipped))
    assert records == [
        FaceRecord(tmp_path / "faces/F1_a.jpg", gender="male", subject="F1/MID1"),
        FaceRecord(tmp_path / "faces/F2_b.jpg", gender="female", subject="F2/MID1"),
    ]
    assert [record.family for record in records] == ["F1", "F2"]
    assert [registry.key(record, tmp_path) for record in records] == ["F1_a.jpg", "F2_b.jpg"]
    assert skipped == [
        Skipped("labels.csv:4 F2_c.jpg", "gender 'other' is not one of female, male"),
        Skipped("labels.csv:5 F2_c.jpg", "no family or no person"),
        Skipped("labels.csv:6 F2_d.jpg", "picture missing"),
    ]


def test_fiw_without_families_is_refused(tmp_path: Path) -> None:
    text(tmp_path / "labels.csv", "file,person,gender\n")
    with pytest.raises(DataError, match=r"labels.csv: expected a column 'family'"):
        read_fiw(tmp_path)


def test_a_table_of_ones_own_pictures(tmp_path: Path) -> None:
    pictures(tmp_path, "a.jpg", "team/b.png", "c.jpg", "images/a.jpg")
    text(
        tmp_path / "faces.csv",
        "\ufeff# our pictures\nFile, age,gender,subject,group,part,eyeglasses,Wearing_Mask\n"
        "a.jpg,31.5,Female,p1,,train,1,0\n\n"
        'team\\b.png,,,,"North, East",,,-1\n'
        "c.jpg,,male,,,exam,,\n"
        "c.jpg,thirty,,,,,,\n"
        "c.jpg,,x,,,,,\n"
        "c.jpg,,,,,,yes,\n"
        "c.jpg,nan,,,,,,\n"
        ",1,,,,,,\n"
        "/etc/a.jpg,1,,,,,,\n"
        "images/a.jpg,1,,,,,,\n"
        "a.jpg,2\n",
    )
    skipped: list[Skipped] = []
    records = list(read_table(tmp_path, skipped))
    assert records == [
        FaceRecord(tmp_path / "a.jpg", 31.5, "female", "p1", part="train"),
        FaceRecord(tmp_path / "team/b.png", group="North, East"),
    ]
    assert [r.attributes for r in records] == [
        {"Eyeglasses": True, "Wearing_Mask": False},
        {"Wearing_Mask": False},
    ]
    assert skipped == [
        Skipped("faces.csv:14", "expected 8 values, as the header has"),
        Skipped("faces.csv:6 c.jpg", "part 'exam' is not one of train, validation, test"),
        Skipped("faces.csv:7 c.jpg", "age 'thirty' is not a number"),
        Skipped("faces.csv:8 c.jpg", "gender 'x' is not one of female, male, f, m"),
        Skipped("faces.csv:9 c.jpg", "Eyeglasses 'yes' is not 1, 0 or -1"),
        Skipped("faces.csv:10 c.jpg", "age 'nan' is not a number"),
        Skipped("faces.csv:11 ", "no file name"),
        Skipped(
            "faces.csv:12 /etc/a.jpg", "'/etc/a.jpg' is not the path of a picture in the data set's folder"
        ),
        Skipped("faces.csv:13 images/a.jpg", "name of another picture"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,age\n", "faces.csv: expected a column 'file'; got 'name', 'age'"),
        (
            "file,agee\n",
            "faces.csv: expected the columns file, age, gender.*; got 'agee'; rename or remove it",
        ),
        ("file,Male\n", "got 'male'; rename or remove it"),
        ("file,age,Age\n", "expected each column once, 'age' comes twice"),
    ],
)
def test_a_table_with_other_columns_is_refused(tmp_path: Path, content: str, message: str) -> None:
    text(tmp_path / "faces.csv", content)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path)


def test_a_table_may_be_named_itself_and_must_be_text(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    path = text(tmp_path / "mine.CSV", "file\na.jpg\n")
    assert [record.path.name for record in read_table(path)] == ["a.jpg"]
    path.write_bytes(b"file\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"mine.CSV: expected a CSV file with a header, could not read it"):
        read_table(path)


TABLES = st.binary(max_size=200) | st.text(max_size=200).map(lambda rows: ("file,age\n" + rows).encode())


def test_any_bytes_as_a_table_are_refused_or_counted(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    picture(tmp_path / "0")

    @settings(max_examples=60, deadline=None)
    @given(TABLES | st.from_regex(rb"file,age\n0,-?\d{1,4}\n", fullmatch=True))
    def check(content: bytes) -> None:
        path.write_bytes(content)
        skipped: list[Skipped] = []
        try:
            records = list(read_table(tmp_path, skipped))
        except DataError as error:
            event("refused")
            message = str(error)
        else:
            event("read" if records else "counted")
            message = str(path)
            assert all(r.path == tmp_path / "0" and 0 <= (r.age or 0) <= 120 for r in records)
        assert message.startswith(str(path))

    check()


def test_aihub_korean_maps_its_attributes_onto_celeba_names(tmp_path: Path) -> None:
    pictures(tmp_path / "images", "F0001/a.jpg", "b.jpg", "c.jpg")
    full = {
        "image": "F0001/a.jpg",
        "person_id": 12,
        "age": 34,
        "gender": "여",
        "hair_color": "black",
        **{"eyeglasses": True, "hat": False, "blurry": False, "smiling": True, "mask": False},
        **{"young": True, "beard": False},
    }
    text(tmp_path / "labels/F0001/a.json", json.dumps(full))
    several = [{"image": "b.jpg", "beard": True, "hair_color": "other", "hat": None}, {"image": "c.jpg"}]
    text(tmp_path / "labels/rest.json", "\ufeff" + json.dumps(several))
    skipped: list[Skipped] = []
    records = list(read_aihub_korean(tmp_path, skipped))
    assert records == [
        FaceRecord(tmp_path / "images/F0001/a.jpg", 34.0, "female", "12"),
        FaceRecord(tmp_path / "images/b.jpg"),
        FaceRecord(tmp_path / "images/c.jpg"),
    ]
    assert [registry.key(record, tmp_path) for record in records] == ["F0001/a.jpg", "b.jpg", "c.jpg"]
    none = {"Blond_Hair": False, "Brown_Hair": False, "Black_Hair": False, "Gray_Hair": False}
    assert records[0].attributes == none | {
        "Black_Hair": True,
        "Eyeglasses": True,
        "Wearing_Hat": False,
        "Blurry": False,
        "Smiling": True,
        "Wearing_Mask": False,
        "Young": True,
        "No_Beard": True,
    }
    assert records[1].attributes == none | {"No_Beard": False}
    assert records[2].attributes is None
    assert skipped == []


@pytest.mark.parametrize(
    ("content", "where", "reason"),
    [
        ("{\n\n", "labels/x.json:3", "not readable as JSON"),
        ("[" * 100_000, "labels/x.json", "not readable as JSON"),
        ("5", "labels/x.json", "no JSON object with a text 'image'"),
        ('{"age": 3}', "labels/x.json", "no JSON object with a text 'image'"),
        ('[{"image": "a.jpg"}, {"image": "b.jpg"}]', "labels/x.json:face 2", "picture missing"),
        ('{"image": "a.jpg", "ages": 3}', "labels/x.json", "unknown field 'ages'"),
        ('{"image": "a.jpg", "age": 121}', "labels/x.json", "age 121 is outside 0 to 120"),
        ('{"image": "a.jpg", "age": "20s"}', "labels/x.json", "age '20s' is not a number"),
        ('{"image": "a.jpg", "age": true}', "labels/x.json", "age True is not a number"),
        ('{"image": "a.jpg", "age": NaN}', "labels/x.json", "age nan is not a number"),
        ('{"image": "a.jpg", "gender": 1}', "labels/x.json", "gender '1' is not one of female, male"),
        ('{"image": "a.jpg", "hat": "no"}', "labels/x.json", "hat 'no' is not true, false or null"),
        ('{"image": "a.jpg", "hair_color": "red"}', "labels/x.json", "hair_color 'red' is not one of blond"),
        ('{"image": "a.jpg", "hair_color": ["red"]}', "labels/x.json", "hair_color ['red'] is not one of"),
        ('{"image": "/a.jpg"}', "labels/x.json", "'/a.jpg' is not the path of a picture"),
    ],
)
def test_aihub_korean_counts_what_it_cannot_use(
    tmp_path: Path, content: str, where: str, reason: str
) -> None:
    picture(tmp_path / "images/a.jpg")
    text(tmp_path / "labels/x.json", content)
    skipped: list[Skipped] = []
    records = list(read_aihub_korean(tmp_path, skipped))
    assert len(records) == content.startswith("[{")
    ((name, why),) = [(row.name, row.reason) for row in skipped]
    assert (name, why[: len(reason)]) == (where, reason)


def test_aihub_korean_without_json_is_refused(tmp_path: Path) -> None:
    pictures(tmp_path / "labels", "a.jpg")
    with pytest.raises(DataError, match=r"labels: expected JSON files, got none"):
        read_aihub_korean(tmp_path)


def test_the_examples_of_the_documentation_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    (table,) = re.findall("```csv\n(.*?)```", page, re.DOTALL)
    (face,) = re.findall("```json\n(.*?)```", page, re.DOTALL)
    text(tmp_path / "faces.csv", table)
    text(tmp_path / "labels" / "face.json", face)
    pictures(tmp_path, "anna/1.jpg", "bo.jpg", "images/F0001/a1.jpg")
    skipped: list[Skipped] = []
    anna, bo = read_table(tmp_path, skipped)
    (korean,) = read_aihub_korean(tmp_path, skipped)
    assert skipped == []
    assert (anna.age, anna.gender, anna.subject, anna.part) == (31.0, "female", "anna", "test")
    assert anna.attributes == {"Eyeglasses": True, "Smiling": False}
    assert (bo.age, bo.gender, bo.attributes) == (None, "male", None)
    assert (korean.age, korean.subject, len(korean.attributes or ())) == (18.0, "F0001-D", 11)
    names = re.findall(r"^\| `([a-z0-9-]+)`(?:, `(wiki)`)? \|.* \|$", page, re.MULTILINE)
    assert {name for row in names for name in row if name} >= registry.DATA_SETS.keys()


def fairface(folder: Path, **lists: str) -> Path:
    for part, rows in lists.items():
        text(folder / f"fairface_label_{part}.csv", "file,age,gender,race,service_test\n" + rows)
    return folder


def test_fairface_gives_ranges_for_ages(tmp_path: Path) -> None:
    names = [f"train/{n}.jpg" for n in range(1, 9)]
    pictures(tmp_path, *names[:7], "val/1.jpg")
    ages = ("0-2", "20-29", "more than 70", "70+", "30", "29-20", "60-300", "3-9")
    train = "".join(f"{n},{age},Female,Group,True\n" for n, age in zip(names, ages, strict=True))
    fairface(tmp_path, train=train, val="val/1.jpg,3-9,Male,,False\nval/1.jpg,3-9,Boy,,False\n")
    skipped: list[Skipped] = []
    records = list(read_fairface(tmp_path, skipped))
    assert [(r.path.name, r.age, r.age_range, r.gender, r.group, r.part) for r in records] == [
        ("1.jpg", None, (0, 2), "female", "Group", "train"),
        ("2.jpg", None, (20, 29), "female", "Group", "train"),
        ("3.jpg", None, (70, 120), "female", "Group", "train"),
        ("4.jpg", None, (70, 120), "female", "Group", "train"),
        ("1.jpg", None, (3, 9), "male", None, "validation"),
    ]
    assert [(row.name, row.reason) for row in skipped] == [
        ("fairface_label_train.csv:6 train/5.jpg", "age '30' is not a range, such as 20-29 or more than 70"),
        ("fairface_label_train.csv:7 train/6.jpg", "age '29-20' is not a range within 0 to 120"),
        ("fairface_label_train.csv:8 train/7.jpg", "age '60-300' is not a range within 0 to 120"),
        ("fairface_label_train.csv:9 train/8.jpg", "picture missing"),
        ("fairface_label_val.csv:3 val/1.jpg", "gender 'boy' is not one of female, male"),
    ]


def test_fairface_with_one_list_is_read_and_without_any_refused(tmp_path: Path) -> None:
    pictures(tmp_path, "val/1.jpg")
    with pytest.raises(
        DataError, match=r"expected FairFace with fairface_label_train\.csv or .*, got neither"
    ):
        read_fairface(tmp_path)
    fairface(tmp_path, val="val/1.jpg,3-9,Male,,False\n")
    assert [record.part for record in read_fairface(tmp_path)] == ["validation"]
