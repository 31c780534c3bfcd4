"""Reads a `signage.toml`; every mistake in it is found at once and named with its line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import time
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..audience.totals import AGES
from ..errors import PhizError
from ..toml_file import line_of, read_toml
from .rules import KINDS, STEER_FROM, WEEKDAYS, Content, Range, Rules, SignageError, When

Keys = tuple[str | int, ...]
#: Conditions about who is there, with the largest value that makes sense.
AUDIENCE = {"people": math.inf, "female": 1, "male": 1, "facing": 1, "stay_seconds": math.inf, "age": 1}
#: The defaults of everything that can be left out.
_SCREEN, _CONTENT = Rules(()), Content("", Path(), "")
#: A day at most; also the longest of every other time.
_LONGEST = 86400.0
_NAME = re.compile(r"[^\W_][\w .-]{0,63}")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def load_rules(path: Path) -> Rules:
    """Return the rules of a file; contents are files in its folder or in one below.

    Raises SignageError, with a line for every mistake.
    """
    problems: list[tuple[Keys, str]] = []
    rules = _rules(_Table(read_toml(path, "rules of the screen", SignageError), (), problems), path.parent)
    if problems:
        text = path.read_text(encoding="utf-8")
        lines = sorted((line_of(text, keys), words) for keys, words in problems)
        raise SignageError("\n".join(f"{path}, line {line}: {words}" for line, words in lines))
    return rules


class _Table:
    """A table of the file: takes its values out with checks, and notes what is wrong with them."""

    def __init__(self, table: dict[str, Any], at: Keys, problems: list[tuple[Keys, str]]) -> None:
        self._table, self._at, self._problems = table, at, problems
        self.sound = True  # whether it is a table whose keys are all known

    def wrong(self, key: str | None, words: str) -> None:
        """Note a mistake of a key, or of the table itself."""
        name = ".".join(str(part) for part in (*self._at, key) if isinstance(part, str))
        known = key is not None and key in self._table
        keys = (*self._at, key) if known and key is not None else self._at
        self._problems.append((keys, f"{name}: {words}" if name else words))

    def expect(self, known: Iterable[str]) -> None:
        """Note keys that are not known."""
        known = list(known)
        for key in self._table:
            if key not in known:
                self.sound = False
                near = get_close_matches(key, known, n=1)
                meant = f"; did you mean {near[0]}?" if near else f"; expected some of {', '.join(known)}"
                self.wrong(key, f"unknown key{meant}")

    def has(self, key: str) -> bool:
        return key in self._table

    def number(self, key: str, default: float, low: float, high: float, hint: str = "") -> float:
        value = self._table.get(key, default)
        fits = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        if fits:
            return float(value)
        span = f"from {low:g} on" if high == math.inf else f"from {low:g} to {high:g}"
        self.wrong(key, f"expected a number {span}, got {value!r}{hint}")
        return default

    def text(self, key: str, default: str | None = None) -> str | None:
        value = self._table.get(key, default)
        if isinstance(value, str):
            return value
        self.wrong(key, "missing" if key not in self._table else f"expected a text, got {value!r}")
        return None

    def flag(self, key: str) -> bool:
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            self.wrong(key, f"expected true or false, got {value!r}")
        return value is True

    def texts(self, key: str) -> list[str]:
        value = self._table.get(key, [])
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value
        self.wrong(key, f"expected a list of texts, got {value!r}")
        return []

    def table(self, key: str) -> _Table:
        value = self._table.get(key, {})
        found = _Table(value if isinstance(value, dict) else {}, (*self._at, key), self._problems)
        if not isinstance(value, dict):
            self.wrong(key, f"expected a table such as {{ least = 0.5 }}, got {value!r}")
            found.sound = False
        return found

    def tables(self, key: str) -> list[_Table]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong(key, f"expected [[{key}]] above each, got {value!r}")
            return []
        return [_Table(one, (*self._at, key, i), self._problems) for i, one in enumerate(value)]


def _rules(file: _Table, folder: Path) -> Rules:
    file.expect(["screen", "content"])
    screen = file.table("screen")
    settings = [entry.name for entry in fields(Rules) if entry.name != "contents"]
    screen.expect(settings)
    age = screen.number("steer_from_age", _SCREEN.steer_from_age, 0, 200)
    if age not in STEER_FROM:
        screen.wrong("steer_from_age", f"expected one of {', '.join(map(str, STEER_FROM))}, got {age:g}")
    rules = Rules(
        contents=(),
        steady_seconds=screen.number("steady_seconds", _SCREEN.steady_seconds, 0.0, 60.0),
        lost_seconds=screen.number("lost_seconds", _SCREEN.lost_seconds, 1.0, _LONGEST),
        fade_seconds=screen.number("fade_seconds", _SCREEN.fade_seconds, 0.0, 10.0),
        steer_from_age=int(age),
        random_share=screen.number("random_share", _SCREEN.random_share, 0.0, 1.0),
        zone=screen.text("zone", "") or "",
    )
    try:
        rules.calendar  # noqa: B018 - an unknown zone is an error
    except PhizError as error:
        screen.wrong("zone", str(error))
    tables = file.tables("content")
    contents = [_content(table, folder, int(age)) for table in tables]
    names = [content.name for content in contents]
    for table, content in zip(tables, contents, strict=True):
        if content.name and names.count(content.name) > 1:
            table.wrong("name", f"expected names that differ, got {content.name!r} twice")
    always = [one for one in contents if one.fallback and not (one.when.hours or one.when.weekdays)]
    if not always:
        words = "expected a [[content]] with fallback = true at all hours, got none"
        file.wrong(None, f"{words}: it is shown while the camera is gone")
    return replace(rules, contents=tuple(contents))


def _content(table: _Table, folder: Path, steer_from_age: int) -> Content:
    table.expect(entry.name for entry in fields(Content) if entry.name != "kind")
    name = table.text("name") or ""
    if name and not _NAME.fullmatch(name):
        table.wrong("name", f"expected up to 64 letters, digits, spaces, . - or _, got {name!r}")
    file, kind = _file(table, folder)
    fallback = table.flag("fallback")
    # A fallback makes room at once for what fits.
    least = table.number("least_seconds", 0.0 if fallback else _CONTENT.least_seconds, 0.0, _LONGEST)
    most = table.number("most_seconds", max(least, _CONTENT.most_seconds), 0.1, _LONGEST)
    if least > most:
        table.wrong("least_seconds", f"expected at most most_seconds, {most:g}, got {least:g}")
    when = _when(table.table("when"), steer_from_age)
    if fallback and when.audience:
        conditions = ", ".join(when.audience)
        table.wrong("fallback", f"expected no condition about who is there, got {conditions}")
    weight = table.number("weight", _CONTENT.weight, 0.01, 1000.0)
    return Content(name, file, kind, when, fallback, weight, least, most)


def _file(table: _Table, folder: Path) -> tuple[Path, str]:
    """Return a content's file and kind. Only a file in the folder of the rules, or below, is one."""
    name = table.text("file")
    if name is None:
        return folder, ""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name):
        table.wrong("file", "expected a file beside the rules, got an address: it would not play offline")
        return folder, ""
    path = folder / name
    kind = KINDS.get(path.suffix.lower(), "")
    root = folder.resolve()
    if not kind:
        table.wrong("file", f"expected a name that ends in {', '.join(KINDS)}, got {name!r}")
    elif not path.resolve().is_relative_to(root):
        table.wrong(
            "file", f"expected a file in the folder of the rules or below, got {name!r}; copy it there"
        )
    elif not path.is_file():
        table.wrong("file", f"expected a file, got nothing of that name: {name!r}")
    return path, kind


def _when(table: _Table, steer_from_age: int) -> When:
    table.expect([*AUDIENCE, "hours", "weekdays"])
    ranges, bands = {}, []
    for name, high in AUDIENCE.items():
        if not table.has(name):
            continue
        condition = table.table(name)
        condition.expect(["least", "most", *(["bands"] if name == "age" else [])])
        hint = "; write 0.5 for 50%" if high == 1 else ""
        sides = {
            side: condition.number(side, 0.0, 0.0, high, hint)
            for side in ("least", "most")
            if condition.has(side)
        }
        if not sides and condition.sound:
            condition.wrong(None, "expected least, most or both, got neither")
        if sides.get("least", 0.0) > sides.get("most", math.inf):
            condition.wrong(
                "least", f"expected at most {sides['most']:g}, which is most, got {sides['least']:g}"
            )
        ranges[name] = Range(**sides)
        if name == "age":
            bands = _bands(condition, steer_from_age)
    _check_single(table, ranges)
    return When(**ranges, bands=tuple(bands), hours=tuple(_hours(table)), weekdays=tuple(_weekdays(table)))


def _bands(condition: _Table, steer_from_age: int) -> list[str]:
    bands = condition.texts("bands")
    if not bands and condition.sound:
        condition.wrong("bands", f"expected some of {', '.join(AGES)}")
    for band in bands:
        if band not in AGES:
            condition.wrong("bands", f"expected some of {', '.join(AGES)}, got {band!r}")
        elif STEER_FROM[AGES.index(band)] < steer_from_age:
            words = f"{band} is under steer_from_age, {steer_from_age}: these people do not steer"
            condition.wrong("bands", f"{words}; leave the band out")
    return bands


def _check_single(table: _Table, ranges: dict[str, Range]) -> None:
    """Refuse to address one person by how long it stays together with what it looks like."""
    looks = [name for name in ("female", "male", "age") if name in ranges]
    people = ranges.get("people", Range()).least or 0
    if "stay_seconds" in ranges and looks and people < 2:
        words = f"with {' and '.join(looks)} it may address a single person for as long as that person stays"
        table.wrong("stay_seconds", f"{words}; add people.least = 2, or leave one of them out")


def _hours(table: _Table) -> Iterable[tuple[time, time]]:
    for text in table.texts("hours"):
        found = _HOURS.fullmatch(text)
        if found and found.group(1, 2) != found.group(3, 4):
            begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
            yield begin, end
        else:
            table.wrong("hours", f'expected times such as "09:00-17:30", got {text!r}')


def _weekdays(table: _Table) -> Iterable[int]:
    for text in table.texts("weekdays"):
        if text in WEEKDAYS:
            yield WEEKDAYS.index(text)
        else:
            table.wrong("weekdays", f"expected some of {', '.join(WEEKDAYS)}, got {text!r}")
