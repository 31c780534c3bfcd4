"""What a reader of the page gets: one file, readable, safe, with the numbers of the CSV beside it."""

import csv
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_answers import answers

from phiz.data import ASTRONAUT
from phiz.datasets.record import Skipped
from phiz.evaluation import compare, compare_page, report_files, results
from phiz.evaluation.groups import TITLES, Scored
from phiz.evaluation.protocols import load_protocol
from phiz.evaluation.summary import Evaluation

pytest.importorskip("matplotlib")

PROTOCOL = (
    'name = "n-1"\nabout = "All <of> it."\ndataset = "utkface"\nkind = "cross-dataset"\ntrained_on = "x"\n'
)
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Checks that tags nest, and collects what a browser would fetch, ids and text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.tags: Counter[str] = Counter()
        self.words = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                self.fetched.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words += data


def made(tmp_path: Path, rows: list[Scored] | None = None, **changes: object) -> Evaluation:
    (tmp_path / "p.toml").write_text(PROTOCOL)
    protocol = load_protocol(tmp_path / "p.toml")
    settings: dict = {"resamples": 50, "smallest": 10} | changes
    return Evaluation("a-model", protocol, rows or answers(folds=3), "Made up.", **settings)


def test_the_page_is_one_file_that_asks_for_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    results.write(made(tmp_path, others={"other <b>": answers(worse=1.0)}), {"command": "phiz <x>"}, folder)
    page = Page(folder / "report.html")
    assert [address for address in page.fetched if not address.startswith("#")] == []
    assert not re.search(r"@import|url\((?!#)|https?:", page.source)
    assert page.tags["script"] == page.tags["link"] == page.tags["img"] == 0
    assert page.tags["svg"] == 4
    assert [name for name, times in Counter(page.ids).items() if times > 1] == []
    referred = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page.source))
    assert referred <= set(page.ids)
    for word in ("a-model on n-1", "All <of> it.", "other <b>", "phiz <x>", "mean over folds"):
        assert word in page.words
    assert "prefers-color-scheme:dark" in page.source
    assert not re.search(r"#0a0a0\d|#0a0b0\d", page.source)  # no stand-in colour is left


def test_the_page_shows_the_numbers_of_the_csv(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    rows = [*answers(folds=3), Scored("lost.jpg", "l", 3.0, None, None, problem="no face found", fold="1")]
    numbers = results.write(
        made(tmp_path, rows, skipped=[Skipped("s.jpg", "no age")]), {"commit": "c"}, folder
    )
    page = Page(folder / "report.html")
    with (folder / "figures.csv").open(newline="") as file:
        found = {(r["group_kind"], r["group_value"], r["metric"]): r for r in csv.DictReader(file)}
    mae = found["all", "all", "mae"]
    assert float(mae["value"]) == 1.2
    assert f"1.20 [{float(mae['low']):.2f}, {float(mae['high']):.2f}]" in page.words
    assert found["all", "mean over folds", "mae"]["note"] == "3 folds"
    assert ("gap", "age band", "mae") in found
    assert "no face found" in page.words
    assert "s.jpg" in page.words
    assert "lost.jpg" in page.words
    assert "99.2% of 121" in page.words
    for table in numbers.tables.values():
        with (folder / f"{table.name}.csv").open(newline="") as file:
            assert len(list(csv.reader(file))) == len(table.rows) + 1
    assert json.loads((folder / "provenance.json").read_text()) == {"commit": "c"}


def test_plots_are_svg_files_of_their_own_too(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    results.write(made(tmp_path), {}, folder)
    names = sorted(path.name for path in folder.glob("*.svg"))
    assert names == ["cs_curve.svg", "density.svg", "error_by_age.svg", "reliability.svg"]
    for name in names:
        root = ElementTree.fromstring((folder / name).read_text())
        words = " ".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
        assert "years" in words or "%" in words  # axes have units
        assert "var(" not in (folder / name).read_text()


def test_the_same_answers_give_the_same_page(tmp_path: Path) -> None:
    for name in ("one", "two"):
        results.write(made(tmp_path), {}, tmp_path / name)
    one, two = ((tmp_path / name / "report.html").read_bytes() for name in ("one", "two"))
    assert one == two


def test_without_labels_or_answers_there_is_still_a_page(tmp_path: Path) -> None:
    rows = [Scored(f"{i}.jpg", "c", 5.0, None, None, problem="no face found") for i in range(3)]
    results.write(made(tmp_path, rows), {}, tmp_path / "out")
    page = Page(tmp_path / "out" / "report.html")
    assert page.tags["svg"] == 0
    assert "3 pictures were to be answered, 0 were." in page.words


def test_worst_pictures_are_in_the_page_with_a_warning_and_in_no_other_file(tmp_path: Path) -> None:
    rows = answers()
    results.write(made(tmp_path, rows), {}, tmp_path / "out", [(ASTRONAUT, rows[4])])
    page = Page(tmp_path / "out" / "report.html")
    assert page.tags["img"] == 1
    assert "do not publish or commit this page" in page.words
    for path in (tmp_path / "out").iterdir():
        if path.name != "report.html":
            assert b"base64" not in path.read_bytes()
            assert path.suffix in (".csv", ".json", ".svg")


def test_kept_answers_make_every_paired_difference_again(tmp_path: Path) -> None:
    """Two models kept in results, compared by their kept files alone: the same as by their predictions."""
    kept, differences = tmp_path / "results", []
    kept.mkdir()
    for number, worse in enumerate((0.0, 1.0)):
        evaluation = made(tmp_path, answers(worse=worse, folds=3))
        evaluation = replace(evaluation, model=f"m{number}")
        numbers = results.write(evaluation, {}, tmp_path / f"out{number}")
        results.add_to_results(evaluation, numbers, {}, kept)
    for paths in (
        [tmp_path / f"out{n}" / "predictions.csv" for n in (0, 1)],
        [kept / f"m{n}_n-1.answers.csv" for n in (0, 1)],
    ):
        pairs = compare.match(*map(report_files.read_predictions, paths))
        differences.append(compare.differences(pairs, resamples=50))
    assert differences[0] == differences[1]
    assert "problem" not in (kept / "m0_n-1.answers.csv").read_text().splitlines()[0]  # nothing empty is kept


def test_answers_of_a_large_set_are_not_kept(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(results, "KEPT", 10)
    kept = tmp_path / "results"
    kept.mkdir()
    evaluation = made(tmp_path)
    results.add_to_results(evaluation, results.write(evaluation, {}, tmp_path / "out"), {}, kept)
    assert list(kept.glob("*.answers.csv")) == []


@pytest.mark.parametrize("metrics", [("ca3", "ca5", "mae"), ("gender_accuracy", "cs5", "joint_success")])
def test_the_page_and_the_command_show_the_metrics_of_the_protocols_paper(
    tmp_path: Path, metrics: tuple[str, ...]
) -> None:
    evaluation = made(tmp_path)
    evaluation = replace(evaluation, protocol=replace(evaluation.protocol, metrics=metrics))
    numbers = results.write(evaluation, {}, tmp_path / "out")
    page = Page(tmp_path / "out" / "report.html")
    head = report_files.table(numbers.figures, evaluation.protocol.metrics).splitlines()[0]
    titles = [TITLES[name][0] for name in metrics]
    assert [title for title in titles if title not in page.words] == []
    assert head.split("  ")[0] == ""
    assert [part for part in re.split(r"\s{2,}", head.strip()) if part != "n"] == titles


def test_results_keep_figures_curve_folds_and_a_line(tmp_path: Path) -> None:
    kept = tmp_path / "results"
    kept.mkdir()
    evaluation = made(tmp_path)
    numbers = results.write(evaluation, {"commit": "c"}, tmp_path / "out")
    for _ in range(2):
        results.add_to_results(evaluation, numbers, {"commit": "c"}, kept)
    stem = "a-model_n-1"
    assert sorted(path.name for path in kept.iterdir()) == [
        *(
            f"{stem}.{end}"
            for end in ("answers.csv", "cs_curve.csv", "cs_curve.svg", "csv", "folds.csv", "json")
        ),
        "evaluations.csv",
    ]
    with (kept / "evaluations.csv").open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["model"], line["protocol"], line["pictures"], line["folds"]) == (
        "a-model",
        "n-1",
        "120",
        "3",
    )
    assert (line["mae"], line["gender_accuracy"], line["commit"]) == ("1.2", "0.9", "c")


def test_the_page_of_a_comparison_states_differences_and_pictures(tmp_path: Path) -> None:
    models = {"one": answers(), "two": answers(worse=0.5), "three": answers(100, worse=-0.5)}
    found = [
        ("one", name, difference)
        for name in ("two", "three")
        for difference in compare.differences(compare.pair(models["one"], models[name]), resamples=50)
    ]
    compare_page.write(tmp_path, models, found, seed=0, resamples=50)
    page = Page(tmp_path / "compare.html")
    assert page.tags["svg"] == 4
    assert [address for address in page.fetched if not address.startswith("#")] == []
    assert [name for name, times in Counter(page.ids).items() if times > 1] == []
    assert "two against one" in page.words
    assert "+0.60 [" in page.words
    assert "p-values are not corrected" in page.words
    with (tmp_path / "differences.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["second"], r["metric"], r["pictures"]) for r in rows[2:5]] == [
        ("two", "gender_accuracy", "120"),
        ("three", "mae", "100"),
        ("three", "cs5", "100"),
    ]
    assert float(rows[0]["difference"]) == 0.6
