"""A person's decisions, one line each, on the disk before they count: a kill loses none."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from phiz.errors import DataError

#: What may be decided; "skip" leaves a picture without a label.
CHOICES = ("female", "male", "skip")
#: The line that takes the decision before it back.
UNDO = "undo"


class Journal:
    """The pictures to decide, in order, and what was decided; safe to use from several threads.

    path: a file of JSON lines that grows by one a decision; what it holds already counts. A last line that
    a kill cut off is taken away. Raises DataError where the file is of something else.
    """

    def __init__(self, path: Path, files: Sequence[str]) -> None:
        self._path, self.files = path, tuple(files)
        self._lock = threading.Lock()
        self._order: list[str] = []
        self._decided: dict[str, str] = {}
        self._read()

    @property
    def decided(self) -> dict[str, str]:
        """Return every decision that stands, by picture."""
        with self._lock:
            return dict(self._decided)

    def next(self) -> str | None:
        """Return the first picture that is not decided; None where all are."""
        with self._lock:
            return self._next()

    def decide(self, file: str, decision: str) -> bool:
        """Note what a person decided of the next picture; False where another one is next (a stale page).

        Raises ValueError for a decision that is none, DataError where the disk does not take it.
        """
        if decision not in CHOICES:
            raise ValueError(f"expected one of {', '.join(CHOICES)}; got {decision!r}")
        with self._lock:
            if file != self._next():
                return False
            self._append(file, decision)
            self._apply(file, decision)
            return True

    def undo(self) -> str | None:
        """Take the last standing decision back and return its picture, None without any."""
        with self._lock:
            if not self._order:
                return None
            file = self._order[-1]
            self._append(file, UNDO)
            self._apply(file, UNDO)
            return file

    def _next(self) -> str | None:
        return next((file for file in self.files if file not in self._decided), None)

    def _apply(self, file: str, decision: str) -> None:
        if decision == UNDO:
            self._order.remove(file)
            del self._decided[file]
        else:
            self._order.append(file)
            self._decided[file] = decision

    def _append(self, file: str, decision: str) -> None:
        try:
            with self._path.open("ab") as journal:
                journal.write(_line(file, decision))
                journal.flush()
                os.fsync(journal.fileno())
        except OSError as error:
            raise DataError(f"{self._path}: could not keep the decision: {error.strerror}") from error

    def _read(self) -> None:
        try:
            content = self._path.read_bytes() if self._path.exists() else b""
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:  # a line that a kill cut off
                self._path.write_bytes(whole)
        except OSError as error:
            raise DataError(f"{self._path}: could not open the decisions: {error.strerror}") from error
        known = set(self.files)
        for number, line in enumerate(whole.split(b"\n")[:-1], 1):
            try:
                row = json.loads(line)
                file, decision = row["file"], row["decision"]
                fits = file in known and decision in (*CHOICES, UNDO)
            except (ValueError, KeyError, TypeError):
                fits = False
            if not fits or (file in self._decided) != (decision == UNDO):
                raise DataError(
                    f"{self._path}, line {number}: expected a picture to decide and one of "
                    f"{', '.join(CHOICES)} or {UNDO}; got {line.decode('utf-8', 'replace')[:100]}"
                )
            self._apply(file, decision)


def _line(file: str, decision: str) -> bytes:
    """Return a line; whatever a file is called, JSON has no line break in it, so a cut one is told."""
    return json.dumps({"file": file, "decision": decision}).encode() + b"\n"
