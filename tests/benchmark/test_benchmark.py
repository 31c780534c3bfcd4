"""The parts of the benchmark: what they count and how they count it; no time is asserted."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

import phiz
from phiz import cli
from phiz.benchmark import made_pictures, profile, rivals, stages, system
from phiz.benchmark.timing import Effort, row, timed, times_in_turn
from phiz.cli.benchmark_command import COLUMNS, Part

QUICK = Effort(3, 0.0, quick=True)


def test_the_row_has_the_percentiles_of_the_calls() -> None:
    made = row("stages", "one", [i / 1000 for i in range(1, 101)], count=2)
    assert (made.fastest, made.median, made.repeats) == (1.0, 50.5, 100)
    assert (made.p95, made.p99) == (pytest.approx(95.05), pytest.approx(99.01))
    assert made.per_second == pytest.approx(2 / 0.0505)


def test_calls_are_made_in_turn_after_a_warm_up() -> None:
    called: list[str] = []
    found = times_in_turn([lambda: called.append("a"), lambda: called.append("b")], Effort(4, 60.0))
    assert called == ["a"] * 3 + ["b"] * 3 + ["a", "b"] * 4
    assert [len(one) for one in found] == [4, 4]


def test_time_ends_the_repeats_but_not_before_the_third() -> None:
    assert len(timed(lambda: None, Effort(1000, 0.0))) == 3


@pytest.mark.parametrize(("megapixels", "shape"), [(0.3, (480, 640, 3)), (12.0, (3000, 4000, 3))])
def test_photos_have_their_size(megapixels: float, shape: tuple[int, ...]) -> None:
    image = made_pictures.photo(megapixels)
    assert (image.shape, image.dtype) == (shape, np.uint8)


def test_the_crowd_shows_as_many_faces_as_it_says() -> None:
    assert len(phiz.Analyzer().analyze(made_pictures.crowd(100)).faces) == 100
    with pytest.raises(ValueError, match="faces must be 1 to 100, not 101"):
        made_pictures.crowd(101)


def test_peak_memory_is_that_of_a_process_of_its_own() -> None:
    small = system.peak_memory_of("")
    large = system.peak_memory_of("x = bytearray(b'1') * (200 << 20); del x")
    assert small is not None
    assert large is not None
    assert 150 < large - small < 250


def zone(folder: Path, name: str, energy: int, most: int = 1000) -> Path:
    (folder / name).mkdir()
    (folder / name / "energy_uj").write_text(f"{energy}\n")
    (folder / name / "max_energy_range_uj").write_text(f"{most}\n")
    return folder / name / "energy_uj"


def test_energy_is_summed_over_packages_and_survives_the_counters_end(tmp_path: Path) -> None:
    first, second = zone(tmp_path, "intel-rapl:0", 100), zone(tmp_path, "intel-rapl:1", 900)
    part = zone(tmp_path, "intel-rapl:0:0", 5)  # a part of package 0, which counts it already

    def work() -> None:
        first.write_text("400")
        second.write_text("50")  # 900 to 1000, then on from 0
        part.write_text("99")

    joules, reason = system.energy_of(work, tmp_path)
    assert joules == pytest.approx((300 + 150) / 1e6)
    assert reason == ""


def test_energy_that_is_not_told_says_why(tmp_path: Path) -> None:
    asked = []
    found = system.energy_of(lambda: asked.append(1), tmp_path)
    assert found == (None, "not told: this system has no energy counter (RAPL)")
    assert not asked
    zone(tmp_path, "intel-rapl:0", 1).unlink()
    missing = tmp_path / "intel-rapl:0" / "energy_uj"
    found = system.energy_of(lambda: None, tmp_path)
    assert found == (None, f"not told: {missing}: No such file or directory")


def test_watched_sessions_count_their_own_calls_and_no_later_ones() -> None:
    plain = onnxruntime.InferenceSession
    with profile.watch_sessions() as watched:
        analyzer = phiz.Analyzer(threads=1)
    assert onnxruntime.InferenceSession is plain
    phiz.Analyzer()
    assert sorted(session.name for session in watched.sessions) == [
        "detector",
        "network",
    ]
    assert watched.seconds == 0
    (seconds,) = [sum(timed(lambda: analyzer.analyze(made_pictures.photo()), Effort(1, 0.0)))]
    assert watched.seconds > 0
    assert seconds > 0


def test_operators_are_told_by_network() -> None:
    found = profile.operators(lambda: phiz.Analyzer(threads=1), made_pictures.photo(), 1)
    assert set(found) == {"network", "detector"}
    assert all(kinds["Conv"] + kinds["FusedConv"] > 0 for kinds in found.values())


def rival(monkeypatch: pytest.MonkeyPatch, make: object) -> rivals.Rival:
    module = types.ModuleType("a_rival")
    module.AgeAndGender = make  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_rival", module)
    monkeypatch.setattr(rivals, "version", lambda package: "9.9")
    return rivals.Rival("a-rival", "a_rival", rivals.RIVALS[0].open)


def test_a_rival_is_called_in_turn_with_phiz(monkeypatch: pytest.MonkeyPatch) -> None:
    class Known:
        def predict(self, image: np.ndarray) -> list[dict[str, object]]:
            assert image.shape == (480, 640, 3)
            return [{}, {}]

    monkeypatch.setattr(rivals, "RIVALS", (rival(monkeypatch, Known),))
    ours, theirs, ratio = stages.rival("multitask-64", QUICK)
    assert (ours.measure, theirs.measure) == ("phiz, beside a-rival 9.9", "a-rival 9.9")
    assert theirs.note == "2 faces found"
    assert (ratio.unit, ratio.repeats) == ("x", 3)
    assert ratio.median is not None
    assert ratio.median < 1  # a rival that does nothing is faster


def test_a_rival_that_is_absent_or_broken_has_a_line_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = rivals.Rival("no-such-rival", "no_such_rival", lambda module: module)
    assert rivals.installed(absent) == (None, "not installed: pip install no-such-rival")

    def broken() -> None:
        raise OSError("no weights")

    assert rivals.installed(rival(monkeypatch, broken)) == (
        None,
        "a-rival 9.9 does not start: OSError: no weights",
    )


def test_the_parts_of_the_command_are_those_there_are() -> None:
    assert [part.value for part in Part] == list(stages.PARTS)


def test_the_command_prints_a_table_and_writes_the_same_rows(tmp_path: Path) -> None:
    file = tmp_path / "speed.csv"
    asked = ("--part", "stages", "--part", "precision", "--quick")
    command = [sys.executable, "-m", "phiz", "benchmark", *asked, "--output", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert list(rows[0])[: len(COLUMNS)] == list(COLUMNS)
    assert {row["part"] for row in rows} == {"stages", "precision"}
    assert [row["measure"] for row in rows][:6] == [
        "read: decode the JPEG",
        "detector: find the face",
        "crop: cut the face out",
        "network multitask-64: one face",
        "end to end, from an array",
        "end to end, from a JPEG",
    ]
    for one in rows:
        assert one["measure"] in done.stdout
        assert float(one["fastest"]) <= float(one["median"]) <= float(one["p95"]) <= float(one["p99"])
        assert one["command"].startswith("phiz benchmark --part stages")


def test_a_file_that_cannot_be_written_fails_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stages.PARTS, "stages", lambda *_: pytest.fail("measured"))
    missing = tmp_path / "none" / "speed.csv"
    arguments = ["benchmark", "--quick", "--part", "stages", "--output", str(missing)]
    done = CliRunner().invoke(cli.app, arguments)
    assert done.output.strip() == f"phiz: cannot write {missing}: No such file or directory"
    assert done.exit_code == 1


@pytest.mark.parametrize("name", ["threads", "batch", "sizes", "calls", "resources"])
def test_every_other_part_runs(name: str) -> None:
    rows = list(stages.PARTS[name]("multitask-64", QUICK))
    assert rows
    json.dumps([row.measure for row in rows])
    for one in rows:
        assert one.median is not None or one.note.startswith("not told")


def test_as_faces_grow_all_are_found() -> None:
    for one in stages.faces("multitask-64", QUICK):
        assert one.note == ""
