import importlib.machinery
import json
import sys
import types
from pathlib import Path

import pytest
from typer.testing import CliRunner

import phiz
from phiz import cli
from phiz.models import store


def run(*arguments: str) -> object:
    return CliRunner().invoke(cli.app, list(arguments), prog_name="phiz")


def add_command(monkeypatch: pytest.MonkeyPatch, function: object, extra: str | None) -> None:
    """Pretend that phiz/cli/extra_work.py holds the function as its command."""
    name = "phiz.cli.extra_work"
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


def test_a_command_whose_file_is_absent_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "absent", "train")
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
    monkeypatch.setattr(store, "WEIGHTS", fake_model.parent)
    done = run("models")
    assert done.output == (
        "name  input  parameters  multiply-adds  weights' licence  task\n"
        "fake  64x64  7           12,288         Apache-2.0        age and gender of one face\n"
    )
    assert done.exit_code == 0


def test_models_json_is_the_cards(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WEIGHTS", fake_model.parent)
    card = json.loads(fake_model.with_suffix(".json").read_text())
    assert json.loads(run("models", "--format", "json").output) == [card]


def test_models_with_a_damaged_card(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WEIGHTS", fake_model.parent)
    fake_model.with_suffix(".json").write_text("{}")
    done = run("models")
    assert done.output.startswith(f"phiz: {fake_model.with_suffix('.json')}: the card lacks name, task, ")
    assert done.exit_code == 2
