import csv
import hashlib
import random
from collections import Counter
from pathlib import Path

import pytest

from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import SplitRow, load_conflicts, write_split
from phiz.errors import DataError, RecipeError
from phiz.evaluation.protocols import Fold, clusters, folds, load_folds, load_protocol, save_folds

pytest.importorskip("sklearn")

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "protocols").glob("*.toml"))
PERSON_OUT = {"kind": "leave-one-person-out"}
BY_SUBJECT = {"kind": "k-fold", "folds": 3, "grouping": "subject"}
PLAIN = {"kind": "k-fold", "folds": 4, "grouping": "none"}
COPIES = {"kind": "k-fold", "folds": 3, "grouping": "near-duplicate", "split": "split.csv"}
REPEATS = {"kind": "random-repeats", "train": 20, "test": 8, "repeats": 3}
OFFICIAL = {"kind": "fixed", "split": "official", "part": "test"}
CROSS = {"kind": "cross-dataset", "trained_on": "something else"}


def toml(**settings: object) -> str:
    return "".join(f"{key} = {value!r}\n" for key, value in settings.items())


def protocol(folder: Path, **settings: object):
    path = folder / "made.toml"
    path.write_text(toml(**{"name": "made", "about": "Made here.", "dataset": "fgnet"} | settings))
    return load_protocol(path)


def people(number: int = 12, each: int = 4) -> list[FaceRecord]:
    """Make people of several ages and both genders with `each` pictures, some more, in three parts."""
    return [
        FaceRecord(
            Path(f"images/{person:02}-{shot}.jpg"),
            age=float(7 * (person % 12)),
            gender="female" if person % 2 else "male",
            subject=f"p{person:02}",
            part=("train", "test", "validation")[shot % 3],
        )
        for person in range(number)
        for shot in range(each + person % 3)
    ]


def copies(folder: Path) -> list[FaceRecord]:
    """Make a split file with pairs of copies, and records without subjects for it."""
    records = [FaceRecord(r.path, age=r.age, gender=r.gender) for r in people()]
    names = sorted(record.path.name for record in records)
    rows = [SplitRow(name, "test" if i > 40 else "train", i // 2) for i, name in enumerate(names)]
    write_split(folder / "split.csv", rows, "made")
    return records


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_valid_and_finds_its_files(path: Path) -> None:
    made = load_protocol(path)
    assert made.name == path.stem
    assert made.split is None or made.split.is_file()
    assert made.conflicts is None or load_conflicts(made.conflicts)


def test_the_files_say_what_the_papers_do() -> None:
    known = {path.stem: load_protocol(path) for path in FILES}
    pool = known["imdb-wiki-random-repeats"]
    assert (pool.dataset, pool.train, pool.test, pool.repeats) == ("imdb-wiki", 10_000, 1_000, 5)
    assert pool.metrics[:2] == ("gender_accuracy", "cs5")  # two rates of their own, as in the paper
    assert [made.name for made in known.values() if made.dataset in ("imdb", "wiki")] == []
    for name in ("megaage-asian", "megaage-asian-cross-dataset"):
        assert known[name].metrics[:2] == ("ca3", "ca5")
    assert known["utkface-test"].metrics == ("mae", "cs5", "gender_accuracy")
    morph, random_morph = known["morph2-5-fold"], known["morph2-5-fold-random"]
    assert (morph.folds, morph.grouping) == (5, "subject")
    assert (random_morph.folds, random_morph.grouping) == (5, "none")
    assert (known["megaage-asian"].split, known["megaage-asian"].part) == (None, "test")
    assert known["fgnet-leave-one-person-out"].kind == "leave-one-person-out"


@pytest.mark.parametrize("settings", [PERSON_OUT, BY_SUBJECT, PLAIN, COPIES, REPEATS, OFFICIAL, CROSS])
def test_folds_do_not_depend_on_the_order_of_the_records(tmp_path: Path, settings: dict) -> None:
    records = copies(tmp_path) if settings is COPIES else people()
    made = protocol(tmp_path, **settings)
    expected = folds(made, records)
    for seed in range(3):
        random.Random(seed).shuffle(records)
        assert folds(made, records) == expected
    for fold in expected:
        assert not set(fold.train) & set(fold.test)
        assert list(fold.train) == sorted(fold.train)
        assert list(fold.test) == sorted(fold.test)


def test_each_person_is_left_out_once(tmp_path: Path) -> None:
    records = people()
    made = folds(protocol(tmp_path, **PERSON_OUT), records)
    assert [fold.name for fold in made] == sorted({record.subject for record in records})
    for fold in made:
        mine = sorted(r.path.name for r in records if r.subject == fold.name)
        others = sorted(r.path.name for r in records if r.subject != fold.name)
        assert fold == Fold(fold.name, tuple(others), tuple(mine))


def sides(made: list[Fold], unit: dict[str, str]) -> set[str]:
    """Return the units that are on both sides of some fold."""
    return {u for f in made for u in {unit[k] for k in f.train} & {unit[k] for k in f.test}}


def times_tested(made: list[Fold]) -> Counter:
    return Counter(key for fold in made for key in fold.test)


def test_k_fold_keeps_people_on_one_side_and_tests_each_picture_once(tmp_path: Path) -> None:
    records = people(240)
    made = folds(protocol(tmp_path, **BY_SUBJECT), records)
    assert [fold.name for fold in made] == ["1", "2", "3"]
    assert times_tested(made) == Counter(record.path.name for record in records)
    assert sides(made, {r.path.name: str(r.subject) for r in records}) == set()
    assert all(len(fold.train) + len(fold.test) == len(records) for fold in made)
    gender = {record.path.name: record.gender for record in records}
    shares = [sum(gender[key] == "female" for key in fold.test) / len(fold.test) for fold in made]
    assert max(shares) - min(shares) < 0.05


def test_the_plain_random_split_puts_people_on_both_sides(tmp_path: Path) -> None:
    records = people()
    made = folds(protocol(tmp_path, **PLAIN), records)
    assert times_tested(made) == Counter(record.path.name for record in records)
    assert max(len(f.test) for f in made) - min(len(f.test) for f in made) <= 1
    assert len(sides(made, {r.path.name: str(r.subject) for r in records})) > 8


def test_chance_is_the_hash_of_seed_and_name(tmp_path: Path) -> None:
    """A plain 4-fold split is the names in the order of their SHA-256, cut in four."""
    names = [record.path.name for record in people()]
    for seed in (0, 7):
        order = sorted(names, key=lambda name, s=seed: hashlib.sha256(f"{s}:{name}".encode()).digest())
        made = folds(protocol(tmp_path, **PLAIN, seed=seed), people())
        assert [set(fold.test) for fold in made] == [set(order[i : i + 15]) for i in range(0, len(order), 15)]


def test_copies_stay_in_one_fold(tmp_path: Path) -> None:
    records = copies(tmp_path)
    made = protocol(tmp_path, **COPIES)
    unit = clusters(made, records)
    assert Counter(Counter(unit.values()).values()) == {2: len(records) // 2}
    found = folds(made, records)
    assert sides(found, unit) == set()
    assert times_tested(found) == Counter(record.path.name for record in records)
    assert folds(made, [*records, FaceRecord(Path("unlisted.jpg"))]) == found
    with pytest.raises(DataError, match=r"expected all 60 listed pictures, 1 are missing, .* '00-0.jpg'"):
        folds(made, [record for record in records if record.path.name != "00-0.jpg"])


def test_the_same_folds_with_every_version_of_the_libraries(tmp_path: Path) -> None:
    """A change here means that folds published or finished under another version no longer fit."""
    digests = {}
    for name, settings in {"subject": BY_SUBJECT, "copies": COPIES, "repeats": REPEATS}.items():
        records = copies(tmp_path) if name == "copies" else people()
        save_folds(tmp_path / "folds.csv", folds(protocol(tmp_path, **settings), records))
        digests[name] = hashlib.sha256((tmp_path / "folds.csv").read_bytes()).hexdigest()[:16]
    assert digests == {
        "subject": "d572e482fe804fc1",
        "copies": "ec3363e91e880f57",
        "repeats": "549aef4a2e0611a6",
    }


def test_random_repeats_train_once_and_draw_anew(tmp_path: Path) -> None:
    made = folds(protocol(tmp_path, **REPEATS), people())
    assert [fold.name for fold in made] == ["1", "2", "3"]
    assert len({fold.train for fold in made}) == 1
    assert [len(fold.train) for fold in made] == [20] * 3
    assert [len(set(fold.test)) for fold in made] == [8] * 3
    assert len({fold.test for fold in made}) == 3
    assert folds(protocol(tmp_path, **REPEATS, seed=1), people())[0].train != made[0].train


def test_random_repeats_may_use_every_picture_but_not_more(tmp_path: Path) -> None:
    records = people(7)  # 34 pictures
    assert len(records) == 34
    first, second = folds(protocol(tmp_path, **REPEATS | {"train": 24, "test": 10, "repeats": 2}), records)
    assert first.test == second.test
    assert len(first.test) == 10
    with pytest.raises(DataError, match=r"expected at least 35 pictures, 25 to train and 10 to test; .* 34"):
        folds(protocol(tmp_path, **REPEATS | {"train": 25, "test": 10}), records)


def test_fixed_parts(tmp_path: Path) -> None:
    records = people()
    (fold,) = folds(protocol(tmp_path, **OFFICIAL), records)
    assert fold.name == "test"
    assert set(fold.train) == {r.path.name for r in records if r.part == "train"}
    assert set(fold.test) == {r.path.name for r in records if r.part == "test"}
    (train,) = folds(protocol(tmp_path, **OFFICIAL | {"part": "train"}), records)
    assert (train.train, len(train.test)) == ((), len(fold.train))

    records = copies(tmp_path)
    (fold,) = folds(protocol(tmp_path, kind="fixed", split="split.csv", part="test"), records)
    assert (len(fold.train), len(fold.test)) == (41, 19)
    with pytest.raises(DataError, match=r"split.csv: expected a part called 'dev'; got test, train"):
        folds(protocol(tmp_path, kind="fixed", split="split.csv", part="dev"), records)
    with pytest.raises(DataError, match=r"made.toml: expected a part called 'test'; got no official part"):
        folds(protocol(tmp_path, **OFFICIAL), records)


def test_cross_dataset_tests_everything(tmp_path: Path) -> None:
    made = protocol(tmp_path, **CROSS)
    assert folds(made, people()) == [Fold("all", (), tuple(sorted(r.path.name for r in people())))]
    with pytest.raises(DataError, match="expected pictures to test in fold 'all', the data set has none"):
        folds(made, [])


def test_names_that_repeat_across_folders_need_the_data_sets_folder(tmp_path: Path) -> None:
    records = [FaceRecord(Path(f"data/{part}/1.jpg"), part=part) for part in ("train", "test")]
    made = protocol(tmp_path, **OFFICIAL)
    assert folds(made, records, Path("data")) == [Fold("test", ("train/1.jpg",), ("test/1.jpg",))]
    assert clusters(made, records, Path("data")) == {name: name for name in ("train/1.jpg", "test/1.jpg")}
    with pytest.raises(DataError, match=r"name once, got '1.jpg' twice; give the data set's folder"):
        folds(made, records)


def test_clusters_are_people_then_copies_then_pictures(tmp_path: Path) -> None:
    assert clusters(protocol(tmp_path, **CROSS), people())["03-1.jpg"] == "p03"
    assert clusters(protocol(tmp_path, **CROSS), [FaceRecord(Path("a.jpg"))]) == {"a.jpg": "a.jpg"}
    records = copies(tmp_path)
    assert clusters(protocol(tmp_path, **COPIES), records)["00-1.jpg"] == "0"
    assert clusters(protocol(tmp_path, **CROSS, split="split.csv"), records)["00-3.jpg"] == "1"


@pytest.mark.parametrize(
    ("settings", "records", "message"),
    [
        (PERSON_OUT, [FaceRecord(Path("a.jpg"))], "expected to know every picture's person; a.jpg has none"),
        (BY_SUBJECT, [FaceRecord(Path("a.jpg"))], "expected to know every picture's person; a.jpg has none"),
        (BY_SUBJECT, people(2), "expected at least 3 separate pictures or people for 3 folds; .* has 2"),
        (PLAIN, people(1, 3), "expected at least 4 separate pictures or people for 4 folds; .* has 3"),
    ],
)
def test_unfit_records_are_refused(tmp_path: Path, settings: dict, records: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        folds(protocol(tmp_path, **settings), records)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "bootstrap"}, "kind: expected one of leave-one-person-out, .*; got 'bootstrap'"),
        ({}, "kind: expected one of .*; got None"),
        ({"kind": "k-fold", "folds": 5}, "missing key 'grouping'; a k-fold protocol needs it"),
        (PLAIN | {"part": "test"}, "unknown key 'part'; a k-fold protocol takes about, .*, split"),
        (PLAIN | {"folds": 1}, "folds: expected a whole number from 2 on; got 1"),
        (PLAIN | {"folds": 2.5}, "folds: expected a whole number from 2 on; got 2.5"),
        (PLAIN | {"seed": -1}, "seed: expected a whole number from 0 on; got -1"),
        (PLAIN | {"grouping": "person"}, "grouping: expected one of subject, .*; got 'person'"),
        (CROSS | {"trained_on": ""}, "trained_on: expected a text in quotes; got ''"),
        (CROSS | {"dataset": "faces"}, "dataset: expected one of utkface, .*; got 'faces'"),
        (COPIES | {"split": "official"}, "split: near-duplicate folds need a split file"),
        (CROSS | {"metrics": ["mea"]}, r"metrics: expected a list of mae, .*; got \['mea'\]"),
        (CROSS | {"metrics": []}, r"metrics: expected a list of mae, .*; got \[\]"),
        (CROSS | {"metrics": "mae"}, "metrics: expected a list of mae, .*; got 'mae'"),
        (REPEATS | {"test": 0}, "test: expected a whole number from 1 on; got 0"),
    ],
)
def test_unfit_files_are_refused(tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(RecipeError, match=f"made.toml: {message}"):
        protocol(tmp_path, **settings)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot read the protocol: No such file"):
        load_protocol(tmp_path / "absent.toml")
    (tmp_path / "bad.toml").write_text("name = \n")
    with pytest.raises(RecipeError, match=r"bad.toml: not a TOML file"):
        load_protocol(tmp_path / "bad.toml")


def test_folds_survive_the_file(tmp_path: Path) -> None:
    made = [
        Fold("person, 1", ("a,b.jpg", "train/\udce9.jpg", 'with "quotes".jpg'), ("c\nd.jpg",)),
        Fold("2", (), ("x.jpg",)),
    ]
    save_folds(tmp_path / "folds.csv", made)
    assert load_folds(tmp_path / "folds.csv") == made
    with (tmp_path / "folds.csv").open(newline="", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"fold": "person, 1", "part": "train", "file": "a,b.jpg"}
    assert len(rows) == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fold,file\n1,a\n", "expected columns fold, part, file; got"),
        ("fold,part,file\n1,test,a\n1,dev,b\n", "line 3: expected a fold, train or test, and a file; got"),
        ("fold,part,file\n1,test\n", "line 2: expected a fold, train or test, and a file; got"),
        ("fold,part,file\n1,test,a\n1,train,a\n", "line 3: expected each file once in a fold; 'a' is twice"),
        (
            'fold,part,file\n1,test,"' + "a" * 200_000 + '"\n',
            "could not read it: field larger than field limit",
        ),
    ],
)
def test_a_fold_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "folds.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        load_folds(tmp_path / "folds.csv")


def test_fold_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not write the folds: No such file"):
        save_folds(tmp_path / "absent" / "folds.csv", [])
    with pytest.raises(DataError, match="expected a CSV file of folds, could not read it"):
        load_folds(tmp_path / "absent.csv")


@pytest.mark.shared_data
def test_fgnet_has_82_folds_of_1002_pictures() -> None:
    from phiz.datasets import registry

    data = ROOT.parent / "shared" / "data"
    if not (data / "FGNET").is_dir():
        pytest.skip("FG-NET is not at hand")
    made = folds(
        load_protocol(ROOT / "protocols" / "fgnet-leave-one-person-out.toml"), registry.read("fgnet", data)
    )
    assert (len(made), len(times_tested(made)), set(times_tested(made).values())) == (82, 1002, {1})
    assert all(len(fold.train) + len(fold.test) == 1002 for fold in made)
