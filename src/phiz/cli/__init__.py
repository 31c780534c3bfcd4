"""The command line: one thin file per command.

To add a command NAME, write `phiz/cli/NAME.py` with a function NAME (its signature gives the
options), or with a Typer `app` where it has commands of its own, and add a line to COMMANDS.
Heavy imports belong inside the function.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .._version import __version__
from ..errors import PhizError

#: Every command, in the order of --help, with the extra that brings what it imports.
COMMANDS: dict[str, str | None] = {
    "analyze": None,
    "models": None,
    "fetch": None,
    "data": None,
    "train": "train",
    "teach": "train",
    "protocols": "eval",
    "evaluate": "eval",
    "compare": "eval",
    "attributes": "train",
    "fairness": "train",
    "export": "train",
    "serve": "serve",
    "watch": "stream",
    "audience": None,
    "benchmark": None,
}


class _Commands(TyperGroup):
    """Imports a command's file when the command is asked for, and turns errors into exit statuses."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name in COMMANDS if find_spec(f"{__name__}.{name}")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"{__name__}.{cmd_name}")
        parent = typer.Typer(**_STYLE)
        if hasattr(module, "app"):
            parent.add_typer(module.app, name=cmd_name)
            return typer.main.get_group(parent).commands[cmd_name]
        parent.command(cmd_name)(getattr(module, cmd_name))
        return typer.main.get_command(parent)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            status = 130  # as a shell counts SIGINT
        except BrokenPipeError:
            status = 141  # as a shell counts SIGPIPE
        except ModuleNotFoundError as error:
            extra = COMMANDS.get(ctx.invoked_subcommand or "")
            if extra is None:
                raise
            print(f'phiz: {error.name} is not installed: pip install "phiz[{extra}]"', file=sys.stderr)
            status = 2
        except PhizError as error:
            print(f"phiz: {error}", file=sys.stderr)
            status = getattr(error, "exit_status", 2)
        _settle_stdout()
        raise typer.Exit(status)


def _settle_stdout() -> None:
    """Flush standard output; where that fails drop the rest, or Python complains about it at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_STYLE: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,  # plain text that reads the same in a log
    "pretty_exceptions_enable": False,
}
app = typer.Typer(cls=_Commands, no_args_is_help=True, **_STYLE)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"phiz {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Age and gender from faces, offline."""


def main() -> None:
    """Run the command line; the entry point of the `phiz` command."""
    # Pillow would say on standard error what it finds odd in a picture, beside phiz's own one line about it.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    app(prog_name="phiz")
