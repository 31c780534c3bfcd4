"""Plots of a report's tables as inline SVG, whose colours follow the page's light or dark scheme.

matplotlib draws with stand-in colours, one per role; they become CSS variables in a page and the light
scheme's colours in a file of its own. Series colours are those of Okabe and Ito (2008), told apart by
colour-blind readers too; line styles tell them apart once more.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .plot_tables import CELL, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Role: (stand-in, light, dark).
COLOURS = {
    "ink": ("#0a0a01", "#1d2530", "#e8ebef"),
    "muted": ("#0a0a02", "#5b6675", "#9aa5b4"),
    "rule": ("#0a0a03", "#dde2e9", "#38414e"),
    "series-1": ("#0a0b01", "#0072b2", "#56a9e8"),
    "series-2": ("#0a0b02", "#d55e00", "#f28c4a"),
    "series-3": ("#0a0b03", "#009e73", "#3cc79e"),
    "series-4": ("#0a0b04", "#a8558a", "#dc94c0"),
    "series-5": ("#0a0b05", "#b07d00", "#e8b43a"),
    "series-6": ("#0a0b06", "#1d2530", "#e8ebef"),
}
SERIES = [name for name in COLOURS if name.startswith("series")]
STYLES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 2, 2)), (0, (1, 1)), (0, (9, 3)))
SIZE = (5.6, 4.0)


def cs_curves(table: Table) -> str:
    """Draw the cumulative score curves of one or more models, best first in the legend."""

    def draw(axes: Axes) -> None:
        curves: dict[str, list[tuple[Any, ...]]] = {}
        for row in table.rows:
            curves.setdefault(row[0], []).append(row)
        for index, (name, rows) in enumerate(curves.items()):
            axes.plot(
                [row[1] for row in rows],
                [100 * row[2] for row in rows],
                color=ink(SERIES[index % len(SERIES)]),
                linestyle=STYLES[index % len(STYLES)],
                marker="o",
                markersize=3.5,
                linewidth=2,
                label=f"{name} (n = {rows[0][3]:,})",
            )
        axes.set(xlim=(0, 15), ylim=(0, 101), xlabel="absolute error t, years", ylabel="CS(t), % of pictures")
        axes.set_xticks(range(0, 16, 3))
        _legend(axes, "lower right")

    return drawing(draw, "Cumulative score by absolute age error")


def error_by_age(table: Table) -> str:
    """Draw the mean absolute error with its 95% interval, and the bias, over true age."""

    def draw(axes: Axes) -> None:
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        shown = [row for row in rows if row["mae"] is not None]
        middle = [(row["age_from"] + row["age_to"]) / 2 for row in shown]
        mae = [row["mae"] for row in shown]
        blue, orange = ink("series-1"), ink("series-2")
        low, high = [row["low"] for row in shown], [row["high"] for row in shown]
        axes.axhline(0, color=ink("muted"), linewidth=0.8)
        axes.fill_between(middle, low, high, color=blue, alpha=0.18, linewidth=0)
        axes.plot(middle, mae, color=blue, marker="o", markersize=4, linewidth=2, label="MAE, 95% interval")
        axes.plot(
            middle,
            [row["bias"] for row in shown],
            color=orange,
            linestyle=STYLES[1],
            marker="s",
            markersize=3.5,
            linewidth=1.6,
            label="bias (over 0: guessed too old)",
        )
        axes.set(xlabel="true age, years", ylabel="years")
        axes.set_xlim(0, max((row["age_to"] for row in rows), default=1))
        axes.margins(y=0.16)
        _legend(axes, "best")

    return drawing(draw, "Age error by true age")


def density(table: Table) -> str:
    """Draw predicted against true age, darker where more pictures fall, with the line of no error."""

    def draw(axes: Axes) -> None:
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import to_rgba

        most = max(table.column("pictures"), default=1)
        end = max([*table.column("true_to"), *table.column("predicted_to"), CELL])
        start = min([*table.column("true_from"), *table.column("predicted_from"), 0])
        squares = [[(a, c), (b, c), (b, d), (a, d)] for a, b, c, d, _ in table.rows]
        red, green, blue, _ = to_rgba(ink("series-1"))
        shades = [(red, green, blue, _shade(n / most)) for n in table.column("pictures")]
        axes.grid(visible=False)
        axes.add_collection(PolyCollection(squares, facecolors=shades, edgecolors="none"))
        axes.plot([start, end], [start, end], color=ink("muted"), linewidth=1, linestyle=(0, (4, 3)))
        axes.set(xlim=(start, end), ylim=(start, end), aspect="equal")
        axes.set(xlabel="true age, years", ylabel="predicted age, years")
        key = axes.inset_axes((1.05, 0.0, 0.04, 0.6))
        steps = 24
        bars = [
            [(0, i / steps), (1, i / steps), (1, (i + 1) / steps), (0, (i + 1) / steps)] for i in range(steps)
        ]
        fills = [(red, green, blue, _shade((i + 0.5) / steps)) for i in range(steps)]
        key.add_collection(PolyCollection(bars, facecolors=fills, edgecolors="none"))
        key.set(xlim=(0, 1), ylim=(0, 1), xticks=[])
        marks = sorted({1, max(1, round(most / 4)), max(1, round(most / 2)), most})
        key.set_yticks([n / most for n in marks], [f"{n:,}" for n in marks])
        key.yaxis.tick_right()
        key.grid(visible=False)
        key.tick_params(length=0, labelsize=8)
        for side in key.spines.values():
            side.set_visible(False)
        key.set_title("pictures\nper cell", fontsize=8, loc="left", color=ink("muted"))

    return drawing(draw, "Predicted against true age")


def reliability(table: Table) -> str:
    """Draw how often the gender is right against how sure the model says it is, sized by pictures."""

    def draw(axes: Axes) -> None:
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        rows = [row for row in rows if row["pictures"]]
        most = max((row["pictures"] for row in rows), default=1)
        blue = ink("series-1")
        axes.plot([50, 100], [50, 100], color=ink("muted"), linewidth=1, linestyle=(0, (4, 3)))
        sure, right = ([100 * row[name] for row in rows] for name in ("score", "accuracy"))
        axes.plot(sure, right, color=blue, linewidth=1.2, alpha=0.5)
        axes.scatter(sure, right, s=[18 + 160 * row["pictures"] / most for row in rows], color=blue, zorder=3)
        known = [row for row in rows if row["low"] is not None]
        low, high = ([100 * row[name] for row in known] for name in ("low", "high"))
        axes.vlines([100 * row["score"] for row in known], low, high, color=blue, linewidth=1.4)
        axes.set(xlim=(49, 101.5), ylim=(max(0, min([45.0, *low, *right]) - 4), 104))
        axes.set(xlabel="stated probability of the named gender, %", ylabel="named gender is right, %")

    return drawing(draw, "Reliability of the gender estimate")


def differences(rows: Sequence[tuple[str, float, float, float]], label: str) -> str:
    """Draw differences between models with their 95% intervals; rows of (label, value, low, high)."""

    def draw(axes: Axes) -> None:
        places = range(len(rows))
        axes.axvline(0, color=ink("muted"), linewidth=1)
        axes.hlines(places, [r[2] for r in rows], [r[3] for r in rows], color=ink("series-1"), linewidth=2)
        axes.plot([r[1] for r in rows], places, "o", color=ink("series-1"), markersize=7)
        axes.set_yticks(places, [row[0] for row in rows])
        axes.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5))
        axes.margins(x=0.12)

    return drawing(draw, label.capitalize(), (SIZE[0], 1.1 + 0.45 * len(rows)))


def standalone(svg: str) -> str:
    """Return a plot as an SVG file of its own, in the light scheme on white."""
    for name, (_, light, _) in COLOURS.items():
        svg = svg.replace(f"var(--{name})", light)
    start = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    svg = svg.replace("<svg", start + ' style="background: white; font-family: sans-serif"', 1)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg}\n'


def ink(role: str) -> str:
    """Return the stand-in colour of a role in COLOURS, to draw with."""
    return COLOURS[role][0]


def _shade(share: float) -> float:
    """Return the opacity of a cell: by the root of its share, so that rare cells show too."""
    return 0.1 + 0.9 * math.sqrt(share)


def _legend(axes: Axes, place: Literal["best", "lower right"]) -> None:
    legend = axes.legend(loc=place, frameon=False, fontsize=9)
    for text in legend.get_texts():
        text.set_color(ink("ink"))


def drawing(draw: Callable[[Axes], None], title: str, size: tuple[float, float] = SIZE) -> str:
    """Return an <svg> element without outside references; the same drawing gives the same bytes."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": title,
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 10,
        "text.color": ink("ink"),
        "axes.edgecolor": ink("muted"),
        "axes.labelcolor": ink("ink"),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": ink("rule"),
        "grid.linewidth": 0.8,
        "xtick.color": ink("muted"),
        "ytick.color": ink("muted"),
        "xtick.labelcolor": ink("ink"),
        "ytick.labelcolor": ink("ink"),
    }
    file = io.StringIO()
    with matplotlib.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    return _inline(file.getvalue(), title)


def _inline(document: str, title: str) -> str:
    """Turn matplotlib's SVG document into an element that may stand beside others in one page."""
    svg = document[document.index("<svg") :].strip()
    box = re.search(r'viewBox="([^"]+)"', svg)
    if box is None:
        raise ValueError("matplotlib wrote an SVG without a viewBox")
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index(">") + 1 :], flags=re.S)
    body = re.sub(r"<defs>\s*<style.*?</defs>", "", body, count=1, flags=re.S)  # would style the whole page
    for name, (stand_in, _, _) in COLOURS.items():
        body = body.replace(stand_in, f"var(--{name})")
    prefix = re.sub(r"\W+", "-", title.lower())
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = body.replace("url(#", f"url(#{prefix}-").replace('href="#', f'href="#{prefix}-')
    head = f'<svg viewBox="{box[1]}" role="img" aria-label="{title}" stroke-linejoin="round">'
    return head + body
