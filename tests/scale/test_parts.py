"""Which pictures make which part, and what a folder of parts survives."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from phiz import Analyzer, jobs
from phiz.data import ASTRONAUT
from phiz.errors import OutputError, PhizError
from phiz.scale.analysis import Settings, Worker
from phiz.scale.parts import Count, Folder, plan
from phiz.scale.pictures import Picture
from phiz.types import Result


def pictures(count: int) -> list[Picture]:
    return [Picture(f"{n}.png", f"/faces/{n}.png") for n in range(count)]


def unreadable(name: str) -> Result:
    return Result(path=name, width=None, height=None, faces=(), error=f"{name}: no such file; check the path")


def write(folder: Folder, part: str, *names: str) -> Count:
    return folder.finish(part, folder.begin(part), [unreadable(name) for name in names])


def call(worker: Worker, part: str, chunk: list[Picture]) -> object:
    batch = {"part": np.array([part], object), "pictures": np.array([pickle.dumps(chunk)], object)}
    return pickle.loads(worker(batch)["outcome"][0])


def test_chunks_are_fixed_and_sorted_part_names_keep_the_order_of_the_input() -> None:
    chunks = list(plan(pictures(25), 2, {"model": "a"}))
    assert [len(chunk.pictures) for chunk in chunks] == [2] * 12 + [1]
    assert [picture for chunk in chunks for picture in chunk.pictures] == pictures(25)
    names = [chunk.part for chunk in chunks]
    assert names == sorted(names)
    assert len({name.rpartition("-")[2] for name in names}) == 13
    assert chunks == list(plan(pictures(25), 2, {"model": "a"}))


@pytest.mark.parametrize("change", ["settings", "path", "name", "order"])
def test_a_part_is_named_after_its_pictures_and_the_settings(change: str) -> None:
    (before,) = plan([Picture("a", "/a"), Picture("b", "/b")], 2, {"model": "a"})
    other = {
        "settings": plan([Picture("a", "/a"), Picture("b", "/b")], 2, {"model": "b"}),
        "path": plan([Picture("a", "/a"), Picture("b", "/other/b")], 2, {"model": "a"}),
        "name": plan([Picture("a", "/a"), Picture("./b", "/b")], 2, {"model": "a"}),
        "order": plan([Picture("b", "/b"), Picture("a", "/a")], 2, {"model": "a"}),
    }
    (after,) = other[change]
    assert before.part != after.part


def test_a_name_that_is_not_utf8_has_a_part() -> None:
    (chunk,) = plan([Picture("caf\udce9.jpg", "/caf\udce9.jpg")], 2, {})
    assert chunk.part.startswith("part-0000000-")


def test_a_part_appears_whole_and_tells_what_it_holds(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    (chunk,) = plan(pictures(2), 2, {})
    own = folder.begin(chunk.part)
    assert (folder.parts(), folder.count(chunk.part), folder.attempts(chunk.part)) == ({}, None, 1)
    good = Result(path="b", width=3, height=2, faces=())
    assert folder.finish(chunk.part, own, [unreadable("a"), good]) == Count(2, 1)
    assert (folder.parts(), folder.attempts(chunk.part)) == ({chunk.part: Count(2, 1)}, 0)
    rows = pq.read_table(tmp_path).to_pylist()
    assert rows == [unreadable("a").to_dict(), good.to_dict()]


@pytest.mark.parametrize("asked", [{}, {"coverage": 0.5}, {"min_gender_score": 0.97}, {"strict": True}])
def test_a_part_holds_how_sure_the_answers_are(tmp_path: Path, asked: dict[str, Any]) -> None:
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    tables = fake.certainty()
    tables.flags["small"] = fake.Flag("size", least=1000.0)
    settings = Settings(str(fake.write(tmp_path, certainty=tables)), **asked)
    (chunk,) = plan([Picture("a.jpg", str(ASTRONAUT))], 1, settings.identity())
    (tmp_path / "out").mkdir()
    assert call(Worker(settings, str(tmp_path / "out")), chunk.part, list(chunk.pictures)) == Count(1, 0)
    expected = Analyzer(settings.model, **asked).analyze(ASTRONAUT, "a.jpg").to_dict()
    assert pq.read_table(tmp_path / "out").to_pylist() == [expected]


def test_a_damaged_part_does_not_count(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    (chunk,) = plan(pictures(1), 1, {})
    write(folder, chunk.part, "a")
    path = tmp_path / chunk.part
    path.write_bytes(path.read_bytes()[:-20])
    assert folder.parts() == {}


def test_joined_parts_stand_in_their_order_and_leave_nothing_else(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "out.parquet.parts"))
    folder.make()
    chunks = list(plan(pictures(150), 1, {}))
    for chunk in reversed(chunks):
        write(folder, chunk.part, chunk.pictures[0].name)
    folder.begin(chunks[0].part)
    folder.tidy()
    assert folder.attempts(chunks[0].part) == 0
    folder.join((chunk.part for chunk in chunks), str(tmp_path / "out.parquet"))
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["path"] for row in rows] == [f"{n}.png" for n in range(150)]
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_a_folder_that_cannot_be_made_or_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot make the folder .*/file/out"):
        Folder(str(tmp_path / "file/out")).make()
    with pytest.raises(OutputError, match=r"cannot write .*/absent/part-0"):
        Folder(str(tmp_path / "absent")).begin("part-0")


def test_a_worker_refuses_a_chunk_that_has_cost_too_many_lives(tmp_path: Path) -> None:
    (chunk,) = plan([Picture("a.png", "/absent/a.png"), Picture("b.png", "/absent/b.png")], 2, {})
    worker, folder = Worker(Settings("multitask-64"), str(tmp_path)), Folder(str(tmp_path))
    for _ in range(jobs.RETRIES + 1):
        folder.begin(chunk.part)
    error = call(worker, chunk.part, list(chunk.pictures))
    assert isinstance(error, PhizError)
    assert str(error).startswith("4 worker processes died at the pictures from a.png to b.png; ")
    folder.tidy()
    for _ in range(jobs.RETRIES):
        folder.begin(chunk.part)
    assert call(worker, chunk.part, list(chunk.pictures)) == Count(2, 2)


def test_a_worker_hands_its_own_error_back(tmp_path: Path) -> None:
    worker = Worker(Settings("multitask-64"), str(tmp_path / "absent"))
    assert isinstance(call(worker, "part-0", pictures(1)), OutputError)


def test_a_worker_keeps_a_part_that_is_there(tmp_path: Path) -> None:
    worker, folder = Worker(Settings("multitask-64"), str(tmp_path)), Folder(str(tmp_path))
    (chunk,) = plan(pictures(1), 1, {})
    write(folder, chunk.part, "kept")
    assert call(worker, chunk.part, list(chunk.pictures)) == Count(1, 1)
    assert pq.read_table(tmp_path)["path"].to_pylist() == ["kept"]
