"""What the page of the papers promises: every protocol file and no other, figures straight from results/."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "experiments" / "papers.md").read_text(encoding="utf-8")


def test_every_protocol_is_in_the_tables_and_no_other():
    files = {path.stem for path in (ROOT / "protocols").glob("*.toml")}
    data_sets = (
        "aihub-korean|all-age-faces|celeba|fairface|fgnet|fiw|imdb-wiki|lfwa|megaage-asian|morph2|utkface"
    )
    named = set(re.findall(rf"`((?:{data_sets})(?:-[a-z0-9-]+)?)`", PAGE))
    assert named == files


def test_every_recipe_exists():
    named = set(re.findall(r"`((?:[a-z0-9-]+/)*[a-z0-9-]+\.toml)`", PAGE))
    assert named
    assert [name for name in named if not (ROOT / "recipes" / name).exists()] == []


@pytest.mark.parametrize(
    "tool",
    [
        "protocol_figures",
        "attribute_figures",
        "age_network_figures",
        "comparison",
        "robustness",
        "model_figures",
    ],
)
def test_figures_are_those_of_results(tool):
    check = [sys.executable, str(ROOT / "tools" / f"{tool}.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tables_have_figures():
    cells = PAGE.count("<!--figure ") + PAGE.count("<!--published ")
    assert cells == PAGE.count("<!--end-->") > 10


PUBLISHED = list(csv.DictReader((ROOT / "docs" / "published.csv").open(newline="", encoding="utf-8")))
PAGES = "".join(page.read_text("utf-8") for page in sorted((ROOT / "docs").rglob("*.md")))


def test_every_published_figure_stands_in_a_line_of_its_row():
    """Each value is in a line that names its row, so none is lost and none is put to another network."""
    lines = PAGES.splitlines()
    lost = [
        (row["table"], row["row"], row["metric"])
        for row in PUBLISHED
        if not any(
            row["row"] in line and re.search(rf"[ >]{re.escape(row['value'])}\b", line) for line in lines
        )
    ]
    assert lost == []


def test_a_figure_is_published_once_by_a_paper():
    keys = [tuple(row[key] for key in ("paper", "table", "row", "metric", "printed_in")) for row in PUBLISHED]
    assert len(keys) == len(set(keys)) > 100


def test_a_published_cell_names_a_published_figure():
    """A cell that names nothing in the file would read "-" for ever."""
    known = {(row["table"], row["row"], row["metric"]) for row in PUBLISHED}
    pages = "".join(path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md"))
    cells = re.findall(r"<!--published (.+?); (.+?); (.+?)-->(.*?)<!--end-->", pages)
    wrong = [cell for cell in cells if cell[:3] not in known]
    assert cells
    assert wrong == []


def test_only_all_age_faces_has_no_published_figure():
    found = [line for path in (ROOT / "docs").rglob("*.md") for line in path.read_text("utf-8").splitlines()]
    assert [line.split(" |")[0] for line in found if "not found" in line] == ["| All-Age-Faces"]
