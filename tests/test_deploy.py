"""deploy/ and docs/deploy.md: their commands have options that exist, and units that systemd accepts."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from phiz.cli import COMMANDS, app

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "deploy").glob("*.service"))
#: A unit of the user who is logged in: a browser, not phiz.
KIOSK = ROOT / "deploy" / "user" / "phiz-kiosk.service"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")


def parses(arguments: list[str]) -> None:
    """Fail unless phiz takes these arguments; no command is run."""
    group = typer.main.get_command(app)
    command = group.get_command(None, arguments[0])
    assert command is not None, arguments
    command.make_context(arguments[0], arguments[1:])  # raises its usage error


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_units_command_is_one_that_phiz_has(unit: Path) -> None:
    lines = re.findall(r"^ExecStart(?:Pre)?=/opt/phiz/bin/phiz (.*)$", unit.read_text(encoding="utf-8"), re.M)
    assert lines
    for line in lines:
        parses(shlex.split(line))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", [*UNITS, KIOSK], ids=lambda path: path.name)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name  # with a program that exists here
    text = unit.read_text(encoding="utf-8")
    copy.write_text(re.sub(r"^(ExecStart\w*)=\S+", r"\1=/bin/true", text, flags=re.M))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)
    assert (done.stderr, done.returncode) == ("", 0)


def test_the_screens_units_speak_of_the_same_address_database_and_user() -> None:
    screen, camera = (
        (ROOT / "deploy" / f"phiz-screen{part}.service").read_text(encoding="utf-8")
        for part in ("", "-camera")
    )
    port = re.search(r"--host 127\.0\.0\.1 --port (\d+) ", screen)[1]
    assert f" ws://127.0.0.1:{port}/v1/signals\n" in camera
    for shared in ("--audience /var/lib/phiz/audience.db ", "User=phiz-screen\n", "StateDirectory=phiz\n"):
        assert shared in screen, shared
        assert shared in camera, shared
    assert f" http://127.0.0.1:{port}/signage/\n" in KIOSK.read_text(encoding="utf-8")


def test_the_images_command_is_one_that_phiz_has() -> None:
    assert 'ENTRYPOINT ["phiz"]' in DOCKERFILE
    (line,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.M)
    parses(json.loads(line))


def test_the_image_takes_what_it_copies_and_runs_without_root() -> None:
    allowed = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    for sources in re.findall(r"^COPY ((?:\S+ )+)\S+$", DOCKERFILE, re.M):
        for source in sources.split():
            if not source.startswith(("--", "/")):
                assert (ROOT / source).exists(), source
                assert f"!{source}\n" in allowed
    assert re.search(r"^USER 10001$", DOCKERFILE, re.M)
    (extras,) = re.findall(r"^ARG EXTRAS=(.*)$", DOCKERFILE, re.M)
    assert {"serve", "stream"} == set(extras.split(","))


def test_the_pages_commands_are_ones_that_phiz_has() -> None:
    text = "".join(
        (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        for page in ("deploy", "benchmark", "quantisation")
    )
    text = text.replace("\\\n", " ")
    code = [line.split("  #")[0] for line in text.splitlines() if line.startswith("    ")]
    code += re.findall(r"`([^`\n]+)`", text)
    pattern = rf"\bphiz ((?:{'|'.join(COMMANDS)})\b[^|]*)"
    found = [shlex.split(call) for line in code for call in re.findall(pattern, line)]
    assert {words[0] for words in found} == {"analyze", "audience", "benchmark", "export", "signage", "watch"}
    for words in found:
        if len(words) > 1:  # else only a name in a sentence
            parses(words)
