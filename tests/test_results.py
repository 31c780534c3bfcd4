"""The figures of results/ lie in folders by kind, and the index names each folder."""

from __future__ import annotations

import re
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"


def test_every_file_is_in_a_folder_that_the_index_names() -> None:
    index = RESULTS / "README.md"
    named = re.findall(r"^\| \[(\w+)\]\(\1\) \|", index.read_text(encoding="utf-8"), re.M)
    assert {path.name for path in RESULTS.iterdir()} <= {index.name, *named}
    assert len(named) == len(set(named)) > 5


def test_a_name_tells_a_table_from_every_other() -> None:
    """Docs name a table alone, so it must be found in one folder; robustness and what was tried are apart."""
    names = [path.name for path in RESULTS.glob("*/*.csv") if path.parent.name not in ("robustness", "tried")]
    assert len(names) == len(set(names))
