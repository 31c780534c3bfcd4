"""What the tools that fill a page with figures share: blocks, tables, and whether a page is up to date."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "results"
#: Folders of results/ whose files are named again elsewhere, or are of what does not ship.
APART = ("robustness", "tried")


def result(name: str) -> Path:
    """Return where a CSV file of results/ lies, whichever folder is its kind's; it may be absent."""
    found = [path for path in sorted(RESULTS.rglob(f"{name}.csv")) if path.parent.name not in APART]
    return found[0] if found else RESULTS / f"{name}.csv"


def update(page: Path, new: str) -> int:
    """Write the page; with --check among the arguments, say whether it differs. Return the exit status."""
    if "--check" not in sys.argv[1:]:
        page.write_text(new, encoding="utf-8")
        return 0
    same = page.exists() and page.read_text(encoding="utf-8") == new
    tool = Path(sys.argv[0]).name
    print(f"{page.name} is up to date" if same else f"{page.name} differs from results/: run tools/{tool}")
    return int(not same)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a Markdown table; the first `left` columns are text, the others numbers."""
    marks = ["---"] * left + ["---:"] * (len(head) - left)
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (head, marks, *rows))


def fill_blocks(page: Path, text: str, blocks: dict[str, Callable[[], str]]) -> str:
    """Return the text with what is between "<!-- NAME: made by ... -->" and "<!-- end of NAME -->" made anew.

    Stops with a message where a block's marks are not on the page.
    """
    for name, block in blocks.items():
        found = re.compile(
            rf"(<!-- {re.escape(name)}: made by [^>]*-->\n).*?(<!-- end of {re.escape(name)} -->)", re.S
        )
        made = f"\n{block()}\n"
        text, count = found.subn(lambda marks, made=made: marks[1] + made + marks[2], text)
        if count != 1:
            sys.exit(
                f"{page}: expected <!-- {name}: made by ... --> and <!-- end of {name} --> once, got {count}"
            )
    return text
