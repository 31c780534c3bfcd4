"""The command line: one thin file per command.

To add a command NAME, write `phiz/cli/NAME_command.py` with a function NAME (its signature gives the
options), or with a Typer `app` where it has commands of its own, and add it to GROUPS.
Heavy imports belong inside the function.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .._version import __version__
from ..errors import PhizError

#: Every command, in the order of --help and under its headings, with the extra that brings what it imports.
GROUPS: dict[str, dict[str, str | None]] = {
    "Use": {"analyze": None, "watch": "stream", "models": None, "fetch": None},
    "Measure": {
        "protocols": "eval",
        "evaluate": "eval",
        "robustness": "eval",
        "compare": "eval",
        "attributes": "train",
        "fairness": "train",
        "benchmark": None,
    },
    "Train": {
        "recipes": None,
        "data": None,
        "annotate": "train",
        "teach": "train",
        "crops": "train",
        "train": "train",
        "export": "train",
    },
    "Operate": {"serve": "serve", "audience": None, "signage": "serve"},
}
COMMANDS = {name: extra for group in GROUPS.values() for name, extra in group.items()}


class _Commands(TyperGroup):
    """Imports a command's file when the command is asked for, and turns errors into exit statuses."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name in COMMANDS if find_spec(f"{__name__}.{name}_command")]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under the heading of what they are for."""
        for heading, group in GROUPS.items():
            known = [name for name in group if name in self.list_commands(ctx)]
            width = formatter.width - 6 - max(map(len, known))
            with formatter.section(heading):
                helps = [self.get_command(ctx, name).get_short_help_str(width) for name in known]
                formatter.write_dl(list(zip(known, helps, strict=True)))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"{__name__}.{cmd_name}_command")
        parent = typer.Typer(**_STYLE)
        if hasattr(module, "app"):
            parent.add_typer(module.app, name=cmd_name)
            return typer.main.get_group(parent).commands[cmd_name]
        parent.command(cmd_name)(getattr(module, cmd_name))
        return typer.main.get_command(parent)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"No such command {args[0]!r}.{_meant(args[0])}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _hints():
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


#: Options of other programs, and what does that here.
_ELSEWHERE = {
    "-o": "--output says where to write",
    "--json": "--format says in which form: jsonl for analyze, json for models",
    "--jsonl": "--format jsonl",
    "--csv": "--format csv",
}


@contextmanager
def _hints() -> Iterator[None]:
    """Let the error of an unknown option say what its user may have meant."""
    try:
        yield
    except Exception as error:
        hint = _ELSEWHERE.get(getattr(error, "option_name", ""))
        if hint:  # no class is named here: Typer brings Click's in some versions, and takes Click's in others
            error.message = f"{error.message}; {hint}."  # type: ignore[attr-defined]
        raise


def _meant(word: str) -> str:
    """Return what may have been meant by an unknown command, with a space before it, or nothing."""
    if os.path.exists(word) or "://" in word:
        from ..image import display_name

        return f" Did you mean: phiz analyze {display_name(word)}"
    near = get_close_matches(word, COMMANDS, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _settle_stdout() -> OSError | None:
    """Flush standard output; where that fails drop the rest, or Python complains about it at exit.

    Returns why it failed.
    """
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError) as error:
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error if isinstance(error, OSError) else None
    return None


_STYLE: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,  # plain text that reads the same in a log
    "pretty_exceptions_enable": False,
}
app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **_STYLE,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"phiz {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Age and gender from faces, offline."""


def _failed(error: OSError) -> str:
    """Say what the system refused; where it names no file, it is most often standard output."""
    reason = error.strerror or str(error)
    if isinstance(error.filename, (str, bytes)):
        from ..image import display_name

        return f"cannot read or write {display_name(error.filename)}: {reason}"
    return f"cannot read or write standard output, or another open file: {reason}"


def main() -> None:
    """Run the command line; the entry point of the `phiz` command.

    What is printed may fail while a command or --help prints, or at the end; each way it is said.
    """
    # Pillow would say on standard error what it finds odd in a picture, beside phiz's own one line about it.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    status: Any = 0
    try:
        app(prog_name="phiz")
    except SystemExit as end:
        status = end.code
    except OSError as error:  # a disk or a line that fails is no mistake in phiz: no traceback
        print(f"phiz: {_failed(error)}", file=sys.stderr)
        status = 1
    failure = _settle_stdout()
    if isinstance(failure, BrokenPipeError):
        status = 141
    elif failure is not None and status != 1:
        print(f"phiz: cannot write standard output: {failure.strerror}", file=sys.stderr)
        status = 1
    sys.exit(status)
