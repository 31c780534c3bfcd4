"""What phiz compare leaves behind: one page, and the CSV and SVG behind each of its plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from . import compare, plot_tables, plots, report_files
from .compare import TITLES, Difference
from .groups import Scored
from .html import grid, page, plot, section
from .plot_tables import Table


def write(
    folder: Path,
    models: Mapping[str, Sequence[Scored]],
    found: Sequence[tuple[str, str, Difference]],
    *,
    seed: int,
    resamples: int,
) -> None:
    """Write compare.html, differences.csv and cs_curve.csv with its SVG into the folder. Raises DataError."""
    report_files.make_folder(folder)
    differences, curves = compare.table(found), plot_tables.cs_curve(models)
    drawn = []
    if curves.rows:
        svg = plots.cs_curves(curves)
        report_files.write_text(folder / "cs_curve.svg", plots.standalone(svg))
        caption = (
            "Share of pictures whose absolute age error is at most t, each model on all that it answered."
        )
        drawn.append(plot(svg, "Cumulative score", caption, "cs_curve.csv"))
    for table in (differences, curves):
        report_files.write_csv(folder / f"{table.name}.csv", table.columns, table.rows)
    for metric, (title, scale, _) in TITLES.items():
        rows = [
            (name, d.value * scale, d.low * scale, d.high * scale)
            for _, name, d in found
            if d.metric == metric
        ]
        if rows:
            better = "over 0: better than" if scale == 100 else "under 0: better than"
            label = f"difference in {title}{' points' if scale == 100 else ''} ({better} {found[0][0]})"
            caption = (
                "Difference with its 95% interval. An interval that holds 0 does not tell the models apart."
            )
            drawn.append(plot(plots.differences(rows, label), title, caption, "differences.csv"))
    text = page(
        f"Compared with {found[0][0]}",
        f"<p>{escape(', '.join(f'{name} ({len(rows):,} pictures)' for name, rows in models.items()))}</p>",
        [
            section("Differences", _table(found), note=_note(found, seed, resamples)),
            section("Side by side", grid(drawn)),
        ],
    )
    report_files.write_text(folder / "compare.html", text)


def _table(found: Sequence[tuple[str, str, Difference]]) -> str:
    from .html import table

    columns = ("", "metric", "first", "second", "second - first [95%]", "pictures", "p", "test")
    rows = []
    for first, second, d in found:
        title, scale, digits = TITLES[d.metric]
        values = (f"{d.first * scale:.{digits}f}", f"{d.second * scale:.{digits}f}")
        test = f"{d.test}: {d.detail}" if d.test else ""
        rows.append(
            (f"{second} against {first}", title, *values, compare.change(d), d.n, compare.p_text(d.p), test)
        )
    return table(Table("differences", columns, tuple(rows)), text=("test",))


def _note(found: Sequence[tuple[str, str, Difference]], seed: int, resamples: int) -> str:
    tested = sum(d.p is not None for _, _, d in found)
    return (
        "Only pictures that both models answered count. Intervals: paired bootstrap over whole clusters "
        f"(people, or copies of a photo), {resamples:,} resamples, seed {seed}. Wilcoxon's signed-rank test "
        "and McNemar's exact test take pictures as independent, so where people have several pictures the "
        f"interval is the safer guide. {tested} tests were made; p-values are not corrected for their number."
    )
