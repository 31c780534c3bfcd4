"""What README promises: two set-up commands, figures straight from results/, commands that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_screen_has_exactly_the_two_set_up_commands():
    first_block = re.search(r"```sh\n(.*?)```", README, re.S)[1]
    assert [line.split("#")[0].strip() for line in first_block.splitlines()] == ["make demo", "make test"]


def test_figures_are_those_of_results():
    check = [sys.executable, str(ROOT / "tools" / "figures.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith(("http:", "https:")):
            assert ((ROOT / page).parent / target).exists(), target


def test_the_network_table_is_the_networks():
    pytest.importorskip("torch", reason="the extra train brings PyTorch")
    from phiz.networks.layers import count, table
    from phiz.networks.multitask import MultiTaskNet

    assert table(count(MultiTaskNet())) in (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
