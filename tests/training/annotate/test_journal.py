"""Decisions on the disk: what stands, what was taken back, what a kill left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.errors import DataError
from phiz.training.annotate.journal import CHOICES, Journal

FILES = ("a.jpg", 'b,"c".jpg', "d\n.jpg", "train/\udce9.jpg")


def test_decisions_stand_in_order_and_undo_takes_them_back_one_by_one(tmp_path):
    journal = Journal(tmp_path / "j.jsonl", FILES)
    assert journal.undo() is None
    for file, decision in zip(FILES, ("female", "skip", "male", "male"), strict=True):
        assert journal.next() == file
        assert journal.decide(file, decision)
    assert journal.next() is None
    assert journal.undo() == FILES[3]
    assert journal.undo() == FILES[2]
    assert journal.next() == FILES[2]
    assert journal.decided == {FILES[0]: "female", FILES[1]: "skip"}
    assert Journal(tmp_path / "j.jsonl", FILES).decided == journal.decided


def test_a_stale_page_decides_nothing(tmp_path):
    journal = Journal(tmp_path / "j.jsonl", FILES)
    assert journal.decide(FILES[0], "male")
    assert not journal.decide(FILES[0], "female")
    assert not journal.decide(FILES[2], "female")
    assert journal.decided == {FILES[0]: "male"}
    with pytest.raises(ValueError, match="expected one of female, male, skip; got 'undo'"):
        journal.decide(FILES[1], "undo")


@given(steps=st.lists(st.sampled_from((*CHOICES, "undo")), max_size=12), data=st.data())
def test_any_cut_leaves_all_whole_lines(tmp_path_factory, steps, data):
    """Wherever a kill cuts the file off, what was whole before stands and the work goes on from there."""
    path = tmp_path_factory.mktemp("journal") / "j.jsonl"
    journal = Journal(path, FILES)
    path.touch()
    stood, sizes = [{}], [0]
    for step in steps:
        if step == "undo":
            journal.undo()
        elif (file := journal.next()) is not None:
            journal.decide(file, step)
        stood.append(journal.decided)
        sizes.append(path.stat().st_size)
    whole = path.read_bytes()
    cut = data.draw(st.integers(sizes[0], len(whole)))
    path.write_bytes(whole[:cut])
    again = Journal(path, FILES)
    kept = max(i for i, size in enumerate(sizes) if size <= cut)
    assert again.decided == stood[kept]
    if (file := again.next()) is not None:
        assert again.decide(file, "skip")
        assert Journal(path, FILES).decided == again.decided


def test_a_killed_process_loses_no_decision_that_it_reported(tmp_path):
    """The process says a number only after decide() came back; all of them are there after SIGKILL."""
    program = (
        "import sys; from pathlib import Path; from phiz.training.annotate.journal import Journal\n"
        "files = [f'{i}.jpg' for i in range(10**6)]; journal = Journal(Path(sys.argv[1]), files)\n"
        "for i, file in enumerate(files):\n    journal.decide(file, 'male'); print(i, flush=True)\n"
    ).replace("range(10**6)", "range(3000)")
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "j.jsonl")], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if int(line) == 20:
            os.kill(process.pid, signal.SIGKILL)
            break
    said = [20, *(int(line) for line in process.stdout if line.endswith("\n"))]
    process.wait()
    journal = Journal(tmp_path / "j.jsonl", [f"{i}.jpg" for i in range(3000)])
    assert said[-1] < 2999, "the process was over before it could be killed"
    assert set(journal.decided) >= {f"{i}.jpg" for i in range(said[-1] + 1)}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([{"file": "other.jpg", "decision": "male"}], 1),
        ([{"file": "a.jpg", "decision": "boy"}], 1),
        ([{"file": "a.jpg", "decision": "male"}, {"file": "a.jpg", "decision": "female"}], 2),
        ([{"file": "a.jpg", "decision": "undo"}], 1),
        ([{"file": "a.jpg"}], 1),
        ([["a.jpg", "male"]], 1),
        ([{"file": ["a.jpg"], "decision": "male"}], 1),
        (["file,decision"], 1),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, rows, line):
    (tmp_path / "j.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=f"line {line}: expected a picture to decide and one of female, male"):
        Journal(tmp_path / "j.jsonl", FILES)
    (tmp_path / "j.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(DataError, match="line 1: expected a picture to decide"):
        Journal(tmp_path / "j.jsonl", FILES)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_and_nothing_counts(tmp_path):
    journal = Journal(tmp_path / "j.jsonl", FILES)
    journal._path = Path("/dev/full")
    with pytest.raises(DataError, match="could not keep the decision: No space left"):
        journal.decide(FILES[0], "male")
    assert journal.next() == FILES[0]
