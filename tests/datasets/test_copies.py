"""Copies of one photo across data sets go to one side, and nothing else moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from phiz.datasets.copies import Copy, read_copies, together, write_copies
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import FIW_SHARES, SplitRow, split_fiw
from phiz.errors import DataError

CHIPS = [
    SplitRow("a", "train", 0),
    SplitRow("b", "test", 1),
    SplitRow("c", "test", 2),
    SplitRow("d", "validation", 3),
    SplitRow("e", "test", 4),
    SplitRow("f", "test", 4),
]
STARS = [SplitRow("x", "train", 0), SplitRow("y", "validation", 1), SplitRow("z", "validation", 1)]
FAMILIES = [SplitRow("p", "train", 0), SplitRow("q", "train", 0), SplitRow("r", "test", 1)]


def parts(joined, name):
    return {row.file: row.part for row in joined[name]}


def test_without_copies_nothing_changes() -> None:
    splits = {"chips": CHIPS, "stars": STARS}
    assert together(splits, []) == splits


@pytest.mark.parametrize(
    ("group", "moved"),
    [
        ([("chips", "a"), ("chips", "b")], {"b": "train"}),
        ([("chips", "c"), ("chips", "d")], {"c": "validation"}),
        ([("chips", "f"), ("stars", "x")], {"e": "train", "f": "train"}),  # the whole cluster moves
        ([("stars", "z"), ("chips", "a")], {"y": "train", "z": "train"}),
        ([("chips", "b"), ("elsewhere", "x")], {}),
    ],
)
def test_a_copy_leaves_the_test_part_and_never_joins_it(group, moved) -> None:
    splits = {"chips": CHIPS, "stars": STARS}
    joined = together(splits, [Copy(*group, 0.9)])
    before = {row.file: row.part for rows in splits.values() for row in rows}
    after = {file: part for name in splits for file, part in parts(joined, name).items()}
    assert after == before | moved


def test_copies_of_copies_go_together_and_share_a_cluster() -> None:
    copies = [Copy(("chips", "b"), ("stars", "y"), 0.9), Copy(("stars", "z"), ("chips", "c"), 0.9)]
    joined = together({"chips": CHIPS, "stars": STARS}, copies)
    assert parts(joined, "chips") == {
        "a": "train", "b": "validation", "c": "validation", "d": "validation", "e": "test", "f": "test",
    }  # fmt: skip
    assert [row.cluster for row in joined["chips"]] == [0, 1, 1, 3, 4, 4]


def test_a_follower_takes_the_others_part_and_moves_none_of_them() -> None:
    splits = {"chips": CHIPS, "families": FAMILIES}
    copies = [Copy(("chips", "b"), ("families", "q"), 0.9)]
    joined = together(splits, copies, followers=["families"])
    assert parts(joined, "chips") == {row.file: row.part for row in CHIPS}
    assert parts(joined, "families") == {"p": "test", "q": "test", "r": "test"}
    copies = [Copy(("families", "p"), ("families", "r"), 0.9)]
    among = together(splits, copies, followers=["families"])
    assert set(parts(among, "families").values()) == {"train"}


def test_file_of_copies_round_trip(tmp_path: Path) -> None:
    copies = [
        Copy(("utkface", "a.jpg"), ("celeba", "1.jpg"), 0.875),
        Copy(("fiw", "b.jpg"), ("fiw", "c.jpg"), 0.9),
    ]
    path = tmp_path / "copies.csv"
    write_copies(path, copies, "made by a test")
    assert read_copies(path) == copies
    path.write_text("dataset,file,other_dataset,other_file,correlation\na,b,c,d,much\n")
    with pytest.raises(DataError, match="expected a number as correlation, got 'much'"):
        read_copies(path)
    path.write_text("file\n")
    with pytest.raises(DataError, match="expected columns dataset, file, other_dataset"):
        read_copies(path)


def test_fiw_split_keeps_a_family_on_one_side() -> None:
    records = [
        FaceRecord(Path(f"{i:04}.jpg"), gender=("male", "female")[i % 2], family=f"F{i * 7919 % 200}")
        for i in range(2000)
    ]
    rows = split_fiw(records, seed=0)
    sides: dict[str | None, set[str]] = {}
    for row, record in zip(rows, records, strict=True):
        sides.setdefault(record.family, set()).add(row.part)
    assert all(len(side) == 1 for side in sides.values())
    for part, share in FIW_SHARES.items():
        assert sum(row.part == part for row in rows) / 2000 == pytest.approx(share, abs=0.02)
