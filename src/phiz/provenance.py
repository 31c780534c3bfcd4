"""Where a figure or a file comes from: the commit, the versions and the hardware that made it."""

from __future__ import annotations

import csv
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("phiz", "numpy", "onnxruntime", "pillow")
PACKAGE = Path(__file__).parent


def commit(folder: Path = PACKAGE) -> str | None:
    """Return the commit of a folder's files, "-dirty" where they differ from it; None outside a repository.

    folder: phiz's own code unless given; changes elsewhere in the repository do not count as dirty.
    """

    def git(*arguments: str) -> str | None:
        try:
            run = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return run.stdout.strip()

    # An installed package may lie in some other repository, which does not track its files.
    if not git("ls-files", "."):
        return None
    head = git("rev-parse", "HEAD")
    return f"{head}-dirty" if git("status", "--porcelain", "--untracked-files=no", ".") else head


def cpu() -> str:
    """Return the processor's name, "unknown" where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine() or "unknown"


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, phiz, what phiz always needs and further installed packages, by name."""
    found = {"python": platform.python_version()}
    for name in (*PACKAGES, *packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def environment(*packages: str) -> dict[str, Any]:
    """Return commit, versions (see `versions`) and hardware of this run, ready for JSON."""
    return {
        "commit": commit(),
        "versions": versions(*packages),
        "hardware": {
            "system": platform.system(),
            "machine": platform.machine(),
            "cpu": cpu(),
            "cores": os.cpu_count(),
        },
    }


def cells(*packages: str) -> dict[str, str]:
    """Return how this run's figures were made, as the last cells of a CSV row: see `environment`.

    hardware, versions, command (as typed, without the folder of an installed program), commit, date.
    """
    made = environment(*packages)
    hardware = made["hardware"]
    program = Path(sys.argv[0])
    script = program.suffix == ".py" and program.name != "__main__.py"
    command = ["python", "/".join(program.parts[-2:])] if script else ["phiz"]
    return {
        "hardware": f"{hardware['cpu']}, {hardware['cores']} CPUs, {hardware['machine']}",
        "versions": "; ".join(f"{name} {number}" for name, number in made["versions"].items()),
        "command": shlex.join([*command, *sys.argv[1:]]),
        "commit": made["commit"] or "unknown",
        "date": date.today().isoformat(),
    }


def write_rows(path: Path, rows: Sequence[Mapping[str, object]], made: Mapping[str, str]) -> None:
    """Write figures as CSV, each row with how it was made (`cells`); a row may lack what the first has.

    Raises OSError where the file cannot be written, ValueError on a row with a column that the first lacks.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*rows[0], *made], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, **made} for row in rows)
