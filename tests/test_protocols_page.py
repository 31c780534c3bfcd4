"""What docs/protocols.md promises: every protocol file and no other, figures straight from results/."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")


def test_every_protocol_is_in_the_tables_and_no_other():
    files = {path.stem for path in (ROOT / "protocols").glob("*.toml")}
    data_sets = "aihub-korean|all-age-faces|celeba|fgnet|imdb|lfwa|megaage-asian|morph2|utkface|wiki"
    named = set(re.findall(rf"`((?:{data_sets})(?:-[a-z0-9-]+)?)`", PAGE))
    assert named == files


def test_every_recipe_exists():
    named = set(re.findall(r"`([a-z0-9-]+\.toml)`", PAGE))
    assert named
    assert [name for name in named if not (ROOT / "recipes" / name).exists()] == []


@pytest.mark.parametrize("tool", ["protocol_figures", "attribute_figures", "age_network_figures"])
def test_figures_are_those_of_results(tool):
    check = [sys.executable, str(ROOT / "tools" / f"{tool}.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tables_have_figures():
    assert PAGE.count("<!--figure ") == PAGE.count("<!--end-->") > 10
