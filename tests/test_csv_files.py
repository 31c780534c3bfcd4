"""Every CSV file that a user hands to phiz: what Python's reader cannot take is one of phiz's own errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from phiz.datasets.splits import load_conflicts, read_split
from phiz.datasets.table import read_table
from phiz.errors import PhizError
from phiz.evaluation.fold_files import load_folds


def answers(path: Path) -> object:
    taught = pytest.importorskip("phiz.training.teachers", reason="the extra train reads teachers' answers")
    return taught.load_answers(path)


READERS: dict[Callable[[Path], object], str] = {
    read_split: "file,part,cluster\na.jpg,train,{}\n",
    load_conflicts: "file,cluster,age,gender,reason\na.jpg,1,4,female,{}\n",
    load_folds: "fold,part,file\n1,test,{}\n",
    answers: "picture,age,age_std,female\nUTKFace/a.jpg,1,2,{}\n",
    read_table: "file,age\na.jpg,3\nb.jpg,{}\n",
}


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_cell_beyond_what_a_csv_reader_takes_is_named_with_its_file(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(READERS[read].format("1" * 200_000))
    with pytest.raises(PhizError, match=r"a\.csv"):
        read(path)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_path_that_no_system_has_is_named(read: Callable[[Path], object]) -> None:
    with pytest.raises(PhizError, match="null byte"):
        read(Path("a\0.csv"))


def test_a_cluster_is_a_number_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(READERS[read_split].format("9" * 5000))
    with pytest.raises(PhizError, match="expected file, part and cluster number"):
        read_split(path)
