"""What the tools that fill a page with figures share: to rewrite it, or to say whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path


def update(page: Path, new: str) -> int:
    """Write the page; with --check among the arguments, say whether it differs. Return the exit status."""
    if "--check" not in sys.argv[1:]:
        page.write_text(new, encoding="utf-8")
        return 0
    same = page.read_text(encoding="utf-8") == new
    tool = Path(sys.argv[0]).name
    print(f"{page.name} is up to date" if same else f"{page.name} differs from results/: run tools/{tool}")
    return int(not same)
