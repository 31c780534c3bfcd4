"""Lines of a report by content as a table to read, CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from .effect import FEWEST, EffectLine
from .render import save_parquet
from .totals import ALL

_TEXTS = ("content", "random", "age", "gender")
_WHOLE = ("people", "viewers")
_FIGURES = (
    *("shown_seconds", *_WHOLE, "presence_seconds", "attention_seconds"),
    *("attention_per_second", "interval_low", "interval_high", "too_few"),
)
_WIDTHS = "{:<32}  {:<6}  {:<8}  {:<8}  {:>9}  {:>6}  {:>7}  {:>10}  {:>7}  {:<17}  {}"


def plain(line: EffectLine) -> dict[str, Any]:
    """Return a line as JSON-ready plain values; figures are None where they are not told."""
    effect = line.effect
    found: dict[str, Any] = dict(zip(_TEXTS, line.shown, strict=True))
    if effect is None:
        return found | dict.fromkeys(_FIGURES)
    low, high = effect.interval or (None, None)
    values = (
        *(effect.shown / 1000, effect.people, effect.viewers),
        *(effect.presence / 1000, effect.attention / 1000),
        *(_rounded(effect.rate), _rounded(low), _rounded(high), effect.too_few),
    )
    return found | dict(zip(_FIGURES, values, strict=True))


def table(lines: Sequence[EffectLine], k: int) -> str:
    """Return the lines as a table: what was shown, for how long, to how many, and how long they faced it."""
    head = ("content", "random", "age", "gender", "shown", "came", "saw it", "faced", "a second", "95%", "")
    out = [_WIDTHS.format(*head)]
    for line in lines:
        shown, effect = line.shown, line.effect
        name = shown.content if shown.age == ALL else "  of these"
        names = (name, "yes" if shown.random else "", shown.age, shown.gender)
        if effect is None:
            out.append(_WIDTHS.format(*names, "-", f"<{k}", *["-"] * 4, ""))
            continue
        rate = "-" if effect.rate is None else f"{effect.rate:.3f}"
        interval = "-" if effect.interval is None else "{:.3f} to {:.3f}".format(*effect.interval)
        figures = (f"{effect.shown / 1000:.0f} s", effect.people, effect.viewers)
        faced = f"{effect.attention / 1000:.0f} s"
        out.append(
            _WIDTHS.format(*names, *figures, faced, rate, interval, "too few" if effect.too_few else "")
        )
    return "".join(f"{line.rstrip()}\n" for line in out)


def cautions(lines: Sequence[EffectLine]) -> list[str]:
    """Return in plain sentences what must not be read out of the figures."""
    told = [line for line in lines if line.effect is not None]
    said = []
    if any(line.effect and line.effect.too_few for line in told):
        said.append(
            f'"too few": the attention is that of fewer than {FEWEST} people (or as good as), so the figure '
            "is too small to compare"
        )
    if told and not any(line.shown.random for line in told):
        said.append(
            "nothing was shown at random: where rules choose by who is there, a figure tells of these people "
            "as much as of the content"
        )
    return said


def csv_text(lines: Iterable[EffectLine]) -> str:
    """Return a header and the lines as CSV; figures are empty where they are not told."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_TEXTS + _FIGURES)
    for line in lines:
        writer.writerow(plain(line).values())
    return text.getvalue()


def jsonl_text(lines: Iterable[EffectLine]) -> str:
    """Return one JSON object per line; figures are null where they are not told."""
    return "".join(json.dumps(plain(line)) + "\n" for line in lines)


def write_parquet(lines: Sequence[EffectLine], path: str) -> None:
    """Write the lines to a Parquet file, which appears once complete. Raises OutputError."""
    import pyarrow as pa

    kinds = {name: pa.int64() for name in _WHOLE} | {"random": pa.bool_(), "too_few": pa.bool_()}
    texts = {name: kinds.get(name, pa.string()) for name in _TEXTS}
    schema = pa.schema(texts | {name: kinds.get(name, pa.float64()) for name in _FIGURES})
    save_parquet(pa.Table.from_pylist([plain(line) for line in lines], schema=schema), path)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
