"""The readers of Matlab files, versions 5 and 7.3, on trees in the published layouts."""

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trees import MATLAB_EPOCH, hdf5_mat, imdb_mat, pictures

from phiz.datasets import registry
from phiz.datasets.imdb_wiki import completed_years, read_imdb_wiki
from phiz.datasets.lfwa import read_lfwa
from phiz.datasets.listed import LabelError
from phiz.datasets.record import FaceRecord, Skipped
from phiz.errors import DataError
from phiz.evaluation.protocols import clusters, folds, load_protocol

ROOT = Path(__file__).parents[2]


#: Files of tests/fuzz on which SciPy or HDF5 once ended the process.
CRASHES = sorted((Path(__file__).parents[1] / "fuzz" / "found").glob("*/*.mat"))


def serial(year: int, month: int = 1, day: int = 1) -> float:
    return date(year, month, day).toordinal() + MATLAB_EPOCH


def entry(path: str, **changes: object) -> dict[str, object]:
    usual = {
        "dob": serial(1950, 3, 4),
        "photo_taken": 1980,
        "full_path": path,
        "gender": 1.0,
        "name": "A Person",
        "face_score": 3.5,
        "second_face_score": math.nan,
    }
    return usual | changes


@pytest.mark.parametrize("source", ["imdb", "wiki"])
def test_imdb_wiki_keeps_labelled_pictures_of_one_face(tmp_path: Path, source: str) -> None:
    pytest.importorskip("scipy")
    names = [f"0{n % 2}/nm{n}.jpg" for n in range(11)]
    pictures(tmp_path, *names[:10])
    rows = [
        entry(names[0]),
        entry(names[1], gender=0.0, dob=serial(1950, 7, 2), name="Élodie"),
        entry(names[2], gender=math.nan),
        entry(names[3], face_score=-math.inf),
        entry(names[4], second_face_score=1.2),
        entry(names[5], dob=serial(1850)),
        entry(names[6], dob=serial(1981)),
        entry(names[7], dob=1.0),
        entry(names[8], gender=2.0),
        entry(names[9], full_path="../x.jpg"),
        entry(names[10]),
        entry(names[0]),
    ]
    imdb_mat(tmp_path / f"{source}.mat", source, rows)
    skipped: list[Skipped] = []
    records = list(registry.named(source).reader(tmp_path, skipped))
    assert records == [
        FaceRecord(tmp_path / names[0], 30.0, "male", "A Person"),
        FaceRecord(tmp_path / names[1], 29.0, "female", "Élodie"),
    ]
    assert registry.key(records[0], tmp_path) == names[0]
    assert [(row.name.split()[0], row.reason) for row in skipped] == [
        (f"{source}.mat:3", "no gender label"),
        (f"{source}.mat:4", "no face"),
        (f"{source}.mat:5", "more than one face"),
        (f"{source}.mat:6", "age 130 is outside 0 to 120"),
        (f"{source}.mat:7", "age -1 is outside 0 to 120"),
        (f"{source}.mat:8", "date of birth or year of the photo is not a date"),
        (f"{source}.mat:9", "gender is not 0 or 1"),
        (f"{source}.mat:10", "'../x.jpg' is not the path of a picture in the data set's folder"),
        (f"{source}.mat:11", "picture missing"),
        (f"{source}.mat:12", "listed twice, the first row counts"),
    ]


def test_both_halves_are_one_pool_and_one_person_has_one_cluster(tmp_path: Path) -> None:
    """Names repeat across the halves; folds divide the pool, and a name in both is one person."""
    pytest.importorskip("scipy")
    for source in ("imdb", "wiki"):
        folder = tmp_path / f"{source}_crop"
        names = [f"00/{n}.jpg" for n in range(15)]
        pictures(folder, *names)
        imdb_mat(folder / f"{source}.mat", source, [entry(name) for name in names])
    pytest.importorskip("sklearn")
    made = load_protocol(ROOT / "protocols" / "imdb-wiki-random-repeats.toml")
    made = replace(made, train=20, test=5, repeats=2)
    records = registry.read("imdb-wiki", tmp_path)
    first, second = folds(made, records, tmp_path / registry.named("imdb-wiki").folder)
    assert len(records) == 30
    assert {key.split("/")[0] for key in first.train} == {"imdb_crop", "wiki_crop"}
    assert not set(first.train) & {*first.test, *second.test}
    assert set(clusters(made, records, tmp_path).values()) == {"A Person"}


def test_imdb_wiki_of_a_single_entry(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    pictures(tmp_path, "00/a.jpg")
    imdb_mat(tmp_path / "imdb.mat", "imdb", [entry("00/a.jpg")])
    assert [record.age for record in read_imdb_wiki(tmp_path)] == [30.0]


def test_a_truncated_mat_file_is_named_wherever_it_ends(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    whole = imdb_mat(tmp_path / "imdb.mat", "imdb", [entry(f"00/{n}.jpg") for n in range(50)]).read_bytes()
    for size in range(0, len(whole), 61):
        (tmp_path / "imdb.mat").write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"imdb\.mat: expected "):
            read_imdb_wiki(tmp_path)


@pytest.mark.skipif(not CRASHES, reason="no file is known on which a reader crashes")
def test_a_file_on_which_its_reader_crashes_costs_only_itself(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    for crash in CRASHES:
        (tmp_path / "imdb.mat").write_bytes(crash.read_bytes())
        with pytest.raises(
            DataError, match=r"imdb\.mat: expected a whole Matlab file, got .*; copy it again"
        ):
            read_imdb_wiki(tmp_path)


def test_columns_that_are_neither_text_nor_numbers_are_refused(tmp_path: Path) -> None:
    io = pytest.importorskip("scipy.io")
    inner = np.zeros((1, 2), dtype=[("a", object)])
    io.savemat(tmp_path / "imdb.mat", {"imdb": {name: inner for name in entry("a.jpg")}})
    with pytest.raises(DataError, match="is neither text nor numbers"):
        read_imdb_wiki(tmp_path)


def test_another_mat_file_is_refused(tmp_path: Path) -> None:
    io = pytest.importorskip("scipy.io")
    path = tmp_path / "imdb.mat"
    io.savemat(path, {"wiki": {"dob": 1.0}})
    with pytest.raises(
        DataError, match=r"expected the variable 'imdb' with the fields dob.*; 'imdb' is missing"
    ):
        read_imdb_wiki(tmp_path)
    io.savemat(path, {"imdb": {"dob": 1.0}})
    with pytest.raises(DataError, match="'photo_taken' is missing"):
        read_imdb_wiki(tmp_path)
    io.savemat(path, {"imdb": 5.0})
    with pytest.raises(DataError, match="'dob' is missing"):
        read_imdb_wiki(tmp_path)
    rows = [entry("a.jpg"), entry("b.jpg")]
    fields = {name: np.array([[row[name] for row in rows]]) for name in rows[0]}
    io.savemat(path, {"imdb": fields | {"dob": np.array([[1.0]])}})
    with pytest.raises(DataError, match="expected fields of one length each"):
        read_imdb_wiki(tmp_path)
    io.savemat(path, {"imdb": fields | {"full_path": fields["dob"]}})
    with pytest.raises(DataError, match="expected text in full_path and name"):
        read_imdb_wiki(tmp_path)


def test_without_scipy_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imdb.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    (tmp_path / "without").mkdir()
    missing = "raise ModuleNotFoundError(\"No module named 'scipy'\", name='scipy')"
    (tmp_path / "without" / "scipy.py").write_text(missing)
    monkeypatch.syspath_prepend(tmp_path / "without")
    with pytest.raises(DataError, match=r'scipy reads it and is not installed: pip install "phiz\[eval\]"'):
        read_imdb_wiki(tmp_path)


@given(st.dates(), st.integers(1, 2100), st.floats(0, 0.99))
def test_completed_years_count_the_birthdays_up_to_1_july(born: date, taken: int, hour: float) -> None:
    years = completed_years(born.toordinal() + MATLAB_EPOCH + hour, float(taken))
    birthdays = [(year, born.month, born.day) for year in range(born.year + 1, taken + 1)]
    if (born.year, born.month, born.day) <= (taken, 7, 1):
        assert years == sum(birthday <= (taken, 7, 1) for birthday in birthdays)
    else:
        assert years < 0


@given(st.floats() | st.floats(0, 4e6), st.floats() | st.floats(1900, 2030))
def test_a_number_that_is_no_date_is_refused_and_no_other(born: float, taken: float) -> None:
    in_calendar = math.isfinite(born) and 1 <= int(born) - MATLAB_EPOCH <= date.max.toordinal()
    if in_calendar and math.isfinite(taken):
        assert isinstance(completed_years(born, taken), int)
    else:
        with pytest.raises(LabelError, match="is not a date"):
            completed_years(born, taken)


def lfwa_tree(folder: Path, version: str, **changes: object) -> Path:
    names = [r"A_Bee\A_Bee_0001.jpg", r"A_Bee\A_Bee_0002.jpg", r"Cé_D\Cé_D_0001.jpg", r"E_F\E_F_0001.jpg"]
    pictures(folder / "lfw", *(name.replace("\\", "/") for name in names[:3]))
    labels = {
        "AttrName": ["Bald", "Male", "Gray Hair"],
        "label": np.array([[1.0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1]]),
        "name": names,
    } | changes
    parts = {"indices_img_train": np.array([[1.0], [3]]), "indices_img_test": np.array([[2.0]])}
    for name, variables in (("lfw_att_40.mat", labels), ("indices_train_test.mat", parts)):
        if version == "7.3":
            pytest.importorskip("h5py")
            hdf5_mat(folder / name, variables)
        else:
            io = pytest.importorskip("scipy.io")
            cells = {
                k: np.array([v], dtype=object).T if isinstance(v, list) else v for k, v in variables.items()
            }
            io.savemat(folder / name, cells)
    return folder


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_lfwa_reads_attributes_gender_subject_and_part(tmp_path: Path, version: str) -> None:
    skipped: list[Skipped] = []
    records = list(read_lfwa(lfwa_tree(tmp_path, version), skipped))
    assert [(registry.key(r, tmp_path), r.gender, r.subject, r.part) for r in records] == [
        ("A_Bee/A_Bee_0001.jpg", "male", "A_Bee", "train"),
        ("A_Bee/A_Bee_0002.jpg", "female", "A_Bee", "test"),
        ("Cé_D/Cé_D_0001.jpg", "male", "Cé_D", "train"),
    ]
    assert records[0].attributes == {"Bald": True, "Male": True, "Gray_Hair": False}
    assert skipped == [Skipped(r"lfw_att_40.mat:4 E_F\E_F_0001.jpg", "picture missing")]


def test_lfwa_counts_a_label_that_is_none_and_a_name_without_person(tmp_path: Path) -> None:
    pictures(tmp_path / "lfw", "x.jpg")
    lfwa_tree(
        tmp_path,
        "5",
        name=["x.jpg", r"A_Bee\A_Bee_0001.jpg"],
        label=np.array([[1.0, 1, 1], [1, 1, math.nan]]),
    )
    (tmp_path / "indices_train_test.mat").unlink()
    skipped: list[Skipped] = []
    assert list(read_lfwa(tmp_path, skipped)) == []
    assert [row.reason for row in skipped] == [
        "name is not person\\picture.jpg",
        "attribute Gray_Hair is not 1 or 0",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"AttrName": ["Bald", "Man", "Gray Hair"]}, "expected CelebA's attribute names with 'Male'"),
        ({"AttrName": ["Male"]}, r"expected numbers of shape \(4, 1\) in label; got float64 \(4, 3\)"),
        ({"label": ["a", "b"]}, r"expected numbers of shape \(4, 3\) in label"),
        (
            {"name": ["a\\b.jpg"] * 2, "label": np.ones((2, 3))},
            "expected indices_img_train from 1 to 2; got 3",
        ),
    ],
)
def test_lfwa_refuses_other_files(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_lfwa(lfwa_tree(tmp_path, "5", **changes))


def test_a_truncated_hdf5_file_is_named(tmp_path: Path) -> None:
    path = lfwa_tree(tmp_path, "7.3") / "lfw_att_40.mat"
    whole = path.read_bytes()
    for size in range(10, len(whole), 997):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"lfw_att_40\.mat: expected "):
            read_lfwa(tmp_path)
