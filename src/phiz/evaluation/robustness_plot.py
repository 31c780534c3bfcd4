"""The table of a model's robustness as a picture: kinds down, strengths across, darker where it is worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import plots
from .robustness import MEASURES, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What is drawn side by side, the value that is white and the one that is darkest.
PANELS: tuple[tuple[str, float, float], ...] = (
    ("added", 0.0, 8.0),
    ("flipped", 0.0, 0.3),
    ("covered", 0.9, 0.5),
)
_STRENGTHS = 5


def draw(rows: Sequence[Row], title: str) -> str:
    """Draw added age error, flipped genders and interval coverage, as far as they are known."""
    found = {(row.kind, row.strength, row.measure): row.value for row in rows}
    kinds = list(dict.fromkeys(row.kind for row in rows if row.strength))
    panels = [panel for panel in PANELS if (kinds[0], 1, panel[0]) in found]

    def paint(axes: Axes) -> None:
        axes.grid(visible=False)
        for number, panel in enumerate(panels):
            left = number * (_STRENGTHS + 1)
            _panel(axes, left, kinds, found, *panel)
        ticks = [n * (_STRENGTHS + 1) + i + 0.5 for n in range(len(panels)) for i in range(_STRENGTHS)]
        axes.set_xticks(ticks, [str(i) for _ in panels for i in range(1, _STRENGTHS + 1)])
        axes.set_yticks([i + 0.5 for i in range(len(kinds))], kinds)
        axes.set(xlim=(0, len(panels) * (_STRENGTHS + 1) - 1), ylim=(len(kinds), -1.2), xlabel="strength")
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)

    return plots.drawing(paint, title, (1.6 + 2.7 * len(panels), 1 + 0.26 * len(kinds)))


def _panel(
    axes: Axes,
    left: int,
    kinds: Sequence[str],
    found: Mapping[tuple[str, int, str], float],
    measure: str,
    best: float,
    worst: float,
) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    title, scale = MEASURES[measure]
    form = "{:+.1f}" if measure == "added" else "{:.0f}"
    colour = plots.ink("ink")
    axes.text(left, -0.35, title, fontsize=9, color=colour)
    red, green, blue, _ = to_rgba(plots.ink("series-2"))
    squares, shades = [], []
    for row, kind in enumerate(kinds):
        for strength in range(1, _STRENGTHS + 1):
            value, x = found[kind, strength, measure], left + strength - 1
            squares.append([(x, row), (x + 1, row), (x + 1, row + 1), (x, row + 1)])
            shades.append((red, green, blue, min(max((value - best) / (worst - best), 0.0), 1.0) * 0.8))
            place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}
            axes.text(x + 0.5, row + 0.55, form.format(round(scale * value, 1) + 0.0), color=colour, **place)
    edges: dict[str, Any] = {"edgecolors": plots.ink("rule"), "linewidths": 0.5}
    axes.add_collection(PolyCollection(squares, facecolors=shades, **edges))
