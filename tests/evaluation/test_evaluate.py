"""From a protocol and records to scored rows, with an analyzer that the test makes."""

from pathlib import Path

import pytest

from phiz.datasets.record import FaceRecord
from phiz.errors import DataError
from phiz.evaluation import answering
from phiz.evaluation.protocols import Fold, load_protocol
from phiz.types import Face, Result

PROTOCOL = 'name = "n"\nabout = "a"\ndataset = "fgnet"\nkind = "cross-dataset"\ntrained_on = "nothing"\n'


class Answers:
    """Says of every picture named good: two faces, the larger first."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def analyze_many(self, sources):
        for path in sources:
            self.asked.append(path.name)
            faces = tuple(
                Face((0.0, 0.0, s, s), 0.9, (), age, "male", 0.8) for s, age in ((9.0, 31.0), (4.0, 7.0))
            )
            good = path.name.startswith("good")
            yield Result(str(path), 10, 10, faces if good else (), "damaged" if "bad" in path.name else None)


def plan(tmp_path: Path, names: list[str]) -> answering.Plan:
    path = tmp_path / "p.toml"
    path.write_text(PROTOCOL)
    records = [FaceRecord(tmp_path / name, age=30.0, subject="s") for name in names]
    return answering.plan(load_protocol(path), records, tmp_path)


def test_score_takes_the_largest_face_and_says_why_there_is_none(tmp_path: Path) -> None:
    found = list(answering.score(plan(tmp_path, ["good.jpg", "bad.jpg", "empty.jpg"]), Answers()))
    by_file = {row.file: row for row in found}
    good = by_file["good.jpg"]
    assert (good.cluster, good.true_age, good.age, good.gender, good.problem) == ("s", 30, 31, "male", None)
    assert by_file["bad.jpg"].problem == "unreadable"
    assert by_file["empty.jpg"].problem == "no face found"
    assert by_file["empty.jpg"].age is None


def test_a_picture_of_several_folds_is_analysed_once_and_counts_in_each(tmp_path: Path) -> None:
    made, analyzer = plan(tmp_path, ["good1.jpg", "good2.jpg"]), Answers()
    folds = [Fold("1", (), ("good1.jpg", "good2.jpg")), Fold("2", (), ("good2.jpg",))]
    rows = answering.spread(answering.score(made, analyzer), folds)
    assert sorted(analyzer.asked) == ["good1.jpg", "good2.jpg"]
    assert [(row.fold, row.file) for row in rows] == [
        ("1", "good1.jpg"),
        ("1", "good2.jpg"),
        ("2", "good2.jpg"),
    ]


def test_a_single_fold_has_no_name(tmp_path: Path) -> None:
    made = plan(tmp_path, ["good1.jpg"])
    assert [row.fold for row in answering.spread(answering.score(made, Answers()), made.folds)] == [""]


def test_a_data_set_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected pictures to test"):
        plan(tmp_path, [])
