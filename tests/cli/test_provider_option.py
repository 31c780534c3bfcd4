"""--provider on every command that runs the networks: names, the fallback, and the same answers by it."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import cv2
import onnxruntime
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from phiz.cli import app
from phiz.data import ASTRONAUT
from phiz.models import runtime

#: One that the installed ONNX Runtime has not: no build has all of them.
AVAILABLE = onnxruntime.get_available_providers()
MISSING = next(name for name in ("cuda", "coreml", "openvino") if runtime.PROVIDERS[name][0] not in AVAILABLE)
WARNING = runtime.fallback_message(MISSING, runtime.CPU, AVAILABLE)


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    """Protocol file of two pictures of FG-NET, the bundled portrait twice, beside a data folder."""
    images = tmp_path / "data" / "FGNET" / "images"
    images.mkdir(parents=True)
    for name in ("001A30.JPG", "002A31.JPG"):
        (images / name).write_bytes(ASTRONAUT.read_bytes())
    path = tmp_path / "made.toml"
    path.write_text(
        'name = "made"\nabout = "Made here."\ndataset = "fgnet"\nkind = "cross-dataset"\n'
        'trained_on = "nothing"\n'
    )
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "portrait.avi"
    picture = cv2.resize(cv2.imread(str(ASTRONAUT)), (256, 256), interpolation=cv2.INTER_AREA)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (256, 256))
    for _ in range(3):
        writer.write(picture)
    writer.release()
    return path


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    runtime._warn_once.cache_clear()
    caplog.set_level(logging.WARNING, "phiz")
    return caplog


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("command", ["analyze", "watch", "serve", "evaluate"])
def test_help_names_every_provider(command: str) -> None:
    *names, last = runtime.PROVIDERS
    assert f"{', '.join(names)} or {last}" in " ".join(run(command, "--help").split())


@pytest.mark.parametrize("command", ["analyze", "watch", "serve", "evaluate"])
def test_an_unknown_provider_is_refused_with_the_names_that_are_known(
    command: str, protocol: Path, video: Path
) -> None:
    arguments = {
        "analyze": [ASTRONAUT],
        "watch": [video],
        "serve": ["--port", "0"],
        "evaluate": ["multitask-64", "--protocol", protocol, "--data", protocol.parent / "absent"],
    }[command]
    done = CliRunner().invoke(app, [command, *map(str, arguments), "--provider", "gpu"])
    assert done.output == (
        "phiz: unknown execution provider 'gpu'; there are cpu, cuda, tensorrt, openvino, coreml, xnnpack\n"
    )
    assert done.exit_code == 2


def test_a_missing_provider_is_said_in_one_line_and_the_cpu_answers() -> None:
    command = [sys.executable, "-m", "phiz", "analyze", str(ASTRONAUT), "--format", "jsonl"]
    cpu = subprocess.run(command, capture_output=True, timeout=120, check=True)
    other = subprocess.run(
        [*command, "--provider", MISSING], capture_output=True, timeout=120, check=True, text=True
    )
    assert other.stderr == f"{WARNING}\n"
    assert other.stdout == cpu.stdout.decode()
    assert cpu.stderr == b""


def test_watch_gives_the_same_lines(video: Path, tmp_path: Path, warned: pytest.LogCaptureFixture) -> None:
    lines = {}
    for name in ("cpu", MISSING):
        path = tmp_path / f"{name}.jsonl"
        run("watch", video, "--no-window", "--jsonl", path, "--provider", name)
        lines[name] = path.read_text()
    assert len(lines["cpu"].splitlines()) == 3
    assert lines[MISSING] == lines["cpu"]
    assert warned.messages == [WARNING]


def test_serve_gives_the_same_answers(
    monkeypatch: pytest.MonkeyPatch, warned: pytest.LogCaptureFixture
) -> None:
    from phiz.serve import server

    answers = []

    class Asked:
        """Stands for the server: asks the application once, then ends."""

        def __init__(self, application: object) -> None:
            self._application = application

        def run(self, sockets: object) -> None:
            with TestClient(self._application, base_url="http://127.0.0.1") as client:  # type: ignore[arg-type]
                picture = {"Content-Type": "image/jpeg"}
                answers.append(client.post("/v1/analyze", content=ASTRONAUT.read_bytes(), headers=picture))

    monkeypatch.setattr(server, "make_server", Asked)
    monkeypatch.setattr(server, "set_up_logging", lambda level: None)
    for name in ("cpu", MISSING):
        run("serve", "--port", 0, "--provider", name)
    cpu, other = (answer.json() for answer in answers)
    assert len(cpu["results"][0]["faces"]) == 1
    assert other["results"] == cpu["results"]
    assert warned.messages == [WARNING]


def test_evaluate_gives_the_same_answers(
    protocol: Path, tmp_path: Path, warned: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("matplotlib")
    for name in ("cpu", MISSING):
        run(
            *("evaluate", "multitask-64", "--protocol", protocol, "--data", tmp_path / "data"),
            *("--output", tmp_path / name, "--resamples", 2, "--provider", name),
        )
    cpu, other = ((tmp_path / name / "predictions.csv").read_text() for name in ("cpu", MISSING))
    assert len(cpu.splitlines()) == 3
    assert other == cpu
    assert warned.messages == [WARNING]


def test_where_no_provider_can_be_chosen_the_option_is_refused(protocol: Path) -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "multitask-utkface-small.toml"
    for arguments, words in (
        (
            ["evaluate", recipe, "--protocol", protocol, "--data", protocol.parent],
            "phiz: --provider belongs to a model; a recipe names its device in [optimisation]\n",
        ),
        (
            ["analyze", ASTRONAUT, "--engine", "ray"],
            "phiz: --engine ray runs the networks on the CPU; leave out --provider\n",
        ),
    ):
        done = CliRunner().invoke(app, [*map(str, arguments), "--provider", "cuda"])
        assert (done.output, done.exit_code) == (words, 2)
