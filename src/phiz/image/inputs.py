"""What the user named, turned into a list of pictures: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import mimetypes
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import PhizError
from .bounds import MAX_BYTES
from .formats import missing_formats, suffixes
from .names import display_name

STDIN = "-"
#: How `--annotate` names its copies; a search through folders passes over them.
COPY = re.compile(r"\.annotated(-\d+)?\.jpg$")


@dataclass(slots=True)
class Aside:
    """What there is to say of the inputs beside the answers.

    problems: folders and patterns that gave nothing, or not all that they hold. passed_over: files that a
    search through folders did not take, by suffix. copies: those that it did not take because phiz drew them.
    """

    problems: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    copies: int = 0

    def pass_over(self, name: str) -> None:
        """Count a file that is not looked at."""
        if COPY.search(name):
            self.copies += 1
        else:
            self.passed_over[os.path.splitext(name)[1].lower() or "no suffix"] += 1

    def lines(self) -> list[str]:
        """Return what to print, the problems first."""
        lines = list(self.problems)
        if self.passed_over:
            kinds = ", ".join(
                f"{count} {display_name(kind)}" for kind, count in sorted(self.passed_over.items())
            )
            lines.append(f"not looked at: {kinds}{self._hints()}")
        if self.copies:
            lines.append(f"not looked at: {self.copies} annotated copies of an earlier run")
        return lines

    def _hints(self) -> str:
        hints = [need for need, kinds in missing_formats().items() if self.passed_over.keys() & set(kinds)]
        if any((mimetypes.guess_type(f"a{kind}")[0] or "").startswith("video/") for kind in self.passed_over):
            hints.append("phiz watch FILE reads a video")
        return "".join(f"; {hint}" for hint in hints)


def expand(paths: list[str], aside: Aside | None = None) -> list[str]:
    """Return the pictures behind the paths, in the order given; a folder's or a glob's are sorted.

    A path that does not exist stays in the list and fails when it is read, like any bad picture. A folder or
    a glob without a picture, or a folder that cannot be read, is put down in `aside`, and the others go on.
    Raises PhizError where there is no picture at all, or standard input is named twice.
    """
    if paths.count(STDIN) > 1:
        raise PhizError("standard input (-) can be read only once; name it once")
    aside = Aside() if aside is None else aside
    pictures = [picture for path in paths for picture in expand_one(path, aside)]
    check_any(pictures, aside)
    return pictures


def check_any(pictures: Sequence[object], aside: Aside) -> None:
    """Raise PhizError, with all there is to say, where there is no picture."""
    if not pictures:
        raise PhizError("\nphiz: ".join(aside.lines()))


def expand_one(path: str, aside: Aside) -> list[str]:
    """Return the pictures behind one path, see `expand`; there may be none."""
    if os.path.isdir(path):
        return _in_folder(path, aside)
    if path == STDIN or os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    try:
        matches = sorted(glob.glob(path, recursive=True))
    except RecursionError:  # the standard library goes down a frame a folder
        aside.problems.append(f"the folders are too deep for {display_name(path)}; name the folder itself")
        return []
    pictures = [match for match in matches if not os.path.isdir(match)]
    if not pictures:
        aside.problems.append(f"no file matches {display_name(path)}; check the pattern")
    return pictures


def _in_folder(top: str, aside: Aside) -> list[str]:
    """List a folder's pictures at any depth, hidden files and folders left out, links not followed."""
    wanted, found, before = suffixes(), [], len(aside.problems)
    waiting = [top]  # not a call a folder: folders may lie deeper than Python calls go
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                shown = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            aside.problems.append(f"cannot read the folder {_short(folder)}: {error.strerror}")
            continue
        for entry in shown:
            if _is_folder(entry):
                continue
            if is_picture(entry.name, wanted):
                found.append(entry.path)
            else:
                aside.pass_over(entry.name)
        waiting += [entry.path for entry in reversed(shown) if _is_folder(entry) and not entry.is_symlink()]
    if not found and len(aside.problems) == before:
        aside.problems.append(no_pictures(display_name(top)))
    return found


def is_picture(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether a file of this name in a folder is taken: a picture by its suffix, and none that phiz drew."""
    return name.lower().endswith(wanted) and not COPY.search(name)


def _short(path: str) -> str:
    """Return a path for a message, without its middle where it is as long as only very deep ones are."""
    name = display_name(path)
    return name if len(name) <= 250 else f"{name[:120]} ... {name[-120:]}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere that may be seen; reading it will say so
        return False


def no_pictures(folder: str) -> str:
    """Say that a folder holds no picture."""
    return f"no pictures in the folder {folder}; looked for {' '.join(suffixes())}"


def named_sources(pictures: list[str]) -> Iterator[tuple[str, str | bytes]]:
    """Yield (name, source) for each picture; standard input is read when its turn comes."""
    for picture in pictures:
        # Read here and not in a reader thread, so that Ctrl-C can end the wait for a slow pipe.
        yield picture, _read_stdin() if picture == STDIN else picture


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise PhizError("standard input is closed; pipe a picture into it or name a file")
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)  # one byte too many is refused as too large
    except OSError as error:
        raise PhizError(f"cannot read standard input: {error.strerror}") from error
