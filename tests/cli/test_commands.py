import importlib.machinery
import json
import os
import subprocess
import sys
import sysconfig
import types
from pathlib import Path

import pytest
from typer.testing import CliRunner

import phiz
from phiz import cli
from phiz.data import ASTRONAUT
from phiz.models import model_store


def run(*arguments: str) -> object:
    return CliRunner().invoke(cli.app, list(arguments), prog_name="phiz")


def add_command(monkeypatch: pytest.MonkeyPatch, function: object, extra: str | None) -> None:
    """Pretend that phiz/cli/extra_work_command.py holds the function as its command."""
    name = "phiz.cli.extra_work_command"
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.extra_work = function
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(cli.COMMANDS, "extra_work", extra)


def test_version() -> None:
    done = run("--version")
    assert (done.output, done.exit_code) == (f"phiz {phiz.__version__}\n", 0)


def test_help_lists_the_commands_that_exist() -> None:
    text = run("--help").output
    assert "analyze " in text
    assert "models " in text
    assert "Say age and gender for every face" in text
    headings = [line for line in text.splitlines() if line in [f"{name}:" for name in cli.GROUPS]]
    assert headings == ["Use:", "Measure:", "Train:", "Operate:"]
    for heading, group in cli.GROUPS.items():
        section = text.split(f"{heading}:\n")[1].split("\n\n")[0]
        assert [line.split()[0] for line in section.splitlines()] == list(group)


def test_a_command_whose_file_is_absent_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "absent", "train")
    monkeypatch.setitem(cli.GROUPS["Train"], "absent", "train")
    assert "absent" not in run("--help").output
    done = run("absent")
    assert "No such command 'absent'." in done.output
    assert done.exit_code == 2


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def extra_work() -> None:
        import a_package_that_is_absent  # noqa: F401

    add_command(monkeypatch, extra_work, "train")
    done = run("extra_work")
    assert done.output == 'phiz: a_package_that_is_absent is not installed: pip install "phiz[train]"\n'
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("error", "text", "status"),
    [
        (phiz.ModelError("no such model"), "phiz: no such model\n", 2),
        (KeyboardInterrupt(), "", 130),
        (BrokenPipeError(), "", 141),
    ],
)
def test_errors_become_exit_statuses(
    error: BaseException, text: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extra_work() -> None:
        raise error

    add_command(monkeypatch, extra_work, None)
    done = run("extra_work")
    assert (done.output, done.exit_code) == (text, status)


def test_models_table(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_store, "WEIGHTS", fake_model.parent)
    done = run("models")
    assert done.output == (
        "name  input  parameters  multiply-adds  weights     task\n"
        "fake  64x64  7           12,288         Apache-2.0  age and gender of one face\n"
        "\nphiz models show NAME tells more.\n"
    )
    assert done.exit_code == 0


def test_models_json_is_the_cards(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_store, "WEIGHTS", fake_model.parent)
    card = json.loads(fake_model.with_suffix(".json").read_text())
    assert json.loads(run("models", "--format", "json").output) == [card]


def test_models_with_a_damaged_card(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_store, "WEIGHTS", fake_model.parent)
    fake_model.with_suffix(".json").write_text("{}")
    done = run("models")
    assert done.output.startswith(f"phiz: {fake_model.with_suffix('.json')}: the card lacks name, task, ")
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["analyse", "a.jpg"], "No such command 'analyse'. Did you mean 'analyze'?"),
        (["evalute"], "No such command 'evalute'. Did you mean 'evaluate'?"),
        ([str(ASTRONAUT)], f"Did you mean: phiz analyze {ASTRONAUT}"),
        (["https://example.org/a.jpg"], "Did you mean: phiz analyze https://example.org/a.jpg"),
        (
            ["analyze", "--json", "a.jpg"],
            "--json; --format says in which form: jsonl for analyze, json for models",
        ),
        (["analyze", "--csv", "a.jpg"], "No such option: --csv; --format csv."),
        (["watch", "-o", "x.mp4", "0"], "No such option: -o; --output says where to write."),
        (["analyze", "--outptu", "x", "a.jpg"], "--output"),
    ],
)
def test_what_other_programs_call_it_gets_a_hint(arguments: list[str], hint: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert hint in done.output.replace("\n", " ")


@pytest.mark.parametrize("command", [[], *([name] for name in cli.COMMANDS)], ids=" ".join)
def test_h_is_help(command: list[str]) -> None:
    short, long = run(*command, "-h"), run(*command, "--help")
    assert (short.exit_code, short.output) == (0, long.output)


def test_capital_v_is_version() -> None:
    assert run("-V").output == run("--version").output


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["-V"], ["models"], ["models", "--format", "json"], ["data", "check", "utkface", "."]],
    ids=" ".join,
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_said_in_a_line_by_every_command(
    arguments: list[str], unbuffered: str, tmp_path: Path
) -> None:
    command = [os.path.join(sysconfig.get_path("scripts"), "phiz"), *arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("phiz: cannot ")
    assert done.stderr.endswith(": No space left on device\n")
    assert done.stderr.count("\n") == 1


def test_a_system_that_refuses_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, said in (
        (OSError(5, "Input/output error"), "standard output, or another open file: Input/output error"),
        (OSError(5, "Input/output error", "a\n.jpg"), r"a\n.jpg: Input/output error"),
    ):

        def fail(**options: object) -> None:
            raise error  # noqa: B023 - called in this very turn

        monkeypatch.setattr(cli, "app", fail)
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 1
        assert capsys.readouterr().err == f"phiz: cannot read or write {said}\n"
