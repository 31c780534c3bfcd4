"""requirements-dev.lock: what a fresh machine gets, on every system and Python that phiz supports."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
LINES = [
    line
    for line in (ROOT / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MACHINES = {
    "linux": {"sys_platform": "linux", "platform_machine": "x86_64"},
    "arm": {"sys_platform": "linux", "platform_machine": "aarch64"},
    "mac": {"sys_platform": "darwin", "platform_machine": "arm64"},
    "windows": {"sys_platform": "win32", "platform_machine": "AMD64"},
}


def extras() -> list[str]:
    found = re.search(r"^EXTRAS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert found
    return found[1].split()


def applies(requirement: Requirement, machine: str, python: str) -> bool:
    where = {**MACHINES[machine], "python_version": python, "python_full_version": f"{python}.0"}
    return requirement.marker is None or requirement.marker.evaluate(where)


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("machine", MACHINES)
def test_one_version_of_each_library_is_locked_that_the_project_allows(machine: str, python: str) -> None:
    locked: dict[str, str] = {}
    for line in LINES:
        pin = Requirement(line)
        if applies(pin, machine, python):
            assert locked.setdefault(canonicalize_name(pin.name), str(pin.specifier)) == str(pin.specifier)
    optional = PROJECT["optional-dependencies"]
    for line in [*PROJECT["dependencies"], *(line for extra in extras() for line in optional[extra])]:
        wanted = Requirement(line)
        if applies(wanted, machine, python):
            assert canonicalize_name(wanted.name) in locked, f"{line} is not locked: make lock"
            version = locked[canonicalize_name(wanted.name)].removeprefix("==")
            assert wanted.specifier.contains(version), f"{line} is locked at {version}: make lock"


def test_the_lock_says_versions_and_nothing_of_where_they_come_from() -> None:
    # A local version such as 2.14.1+cpu would shut out every other build of the same release.
    for line in LINES:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [a-z0-9_'\"=<>!.() ]+)?", line, re.I), line


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("target", "locked"), [("test", True), ("test-newest", False)])
def test_make_test_takes_what_is_locked_and_make_test_newest_does_not(target: str, locked: bool) -> None:
    command = ["make", "--dry-run", "--always-make", target]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (install,) = [line for line in said.splitlines() if " pip install " in line]
    assert ("--constraint requirements-dev.lock" in install) == locked
    assert f'--editable ".[{",".join(extras())}]"' in install
