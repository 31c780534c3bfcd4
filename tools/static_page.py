"""Write the page as plain files that any web server can hand out; it then runs on the visitor's device only.

python tools/static_page.py FOLDER
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

PHIZ = Path(__file__).parents[1] / "src" / "phiz"
#: What on-device mode loads, and the licences beside it.
WEIGHTS = ("models/weights/multitask-64.json", "models/weights/multitask-64.onnx", "detect/weights/*")


def write(folder: Path) -> None:
    """Copy the page, and the weights with their licences, into a new or empty folder."""
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder}: expected a new or empty folder, it holds files; name another")
    shutil.copytree(PHIZ / "serve" / "page", folder, dirs_exist_ok=True)
    (folder / "models").mkdir()
    for path in (path for pattern in WEIGHTS for path in PHIZ.glob(pattern)):
        shutil.copy(path, folder / "models")


def main() -> None:
    """Read the folder's name from the command line."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit((__doc__ or "").strip())
    folder = Path(sys.argv[1])
    write(folder)
    print(f"{folder}: try it with  python3 -m http.server --bind 127.0.0.1 --directory {folder}")


if __name__ == "__main__":
    main()
