"""One evaluation: a model's answers under a protocol, and every figure and table taken of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..datasets.record import Skipped
from . import plot_tables
from .calibration import Calibration, gender_calibration
from .fairness import Gap, gaps
from .groups import SMALLEST_GROUP, Figure, Scored, figures
from .plot_tables import Table
from .protocols import Protocol


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model's answers under one protocol, and how figures are to be taken of them.

    made_by: one sentence on which weights answered. others: further models' rows, for the CS plot.
    caution: what makes the figures look better than they are, "" where nothing does.
    seed, resamples: of the bootstrap. smallest: groups of fewer pictures get no figure.
    """

    model: str
    protocol: Protocol
    rows: Sequence[Scored]
    made_by: str
    skipped: Sequence[Skipped] = ()
    contradicting: Collection[str] = ()
    others: Mapping[str, Sequence[Scored]] = field(default_factory=dict)
    caution: str = ""
    seed: int = 0
    resamples: int = 1000
    smallest: int = SMALLEST_GROUP


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that a page shows: figures by group, gaps between groups, the table behind each plot by name."""

    figures: Sequence[Figure]
    gaps: Sequence[Gap]
    calibration: Calibration | None
    tables: Mapping[str, Table]


def measure(made: Evaluation) -> Numbers:
    """Return every figure and table of an evaluation."""
    how: dict[str, int] = {"seed": made.seed, "resamples": made.resamples}
    found = figures(made.rows, contradicting=made.contradicting, smallest=made.smallest, **how)
    apart = gaps(made.rows, found, **how)
    sure = gender_calibration(made.rows, smallest=made.smallest, **how)
    behind = (
        plot_tables.cs_curve({made.model: made.rows, **made.others}),
        plot_tables.error_by_age(made.rows, smallest=made.smallest, **how),
        plot_tables.density(made.rows),
        plot_tables.reliability(sure),
        plot_tables.folds(made.rows),
        plot_tables.left_out(made.rows, made.skipped),
    )
    return Numbers([*found, *(gap.figure() for gap in apart)], apart, sure, {t.name: t for t in behind})


def headline(found: Sequence[Figure], metric: str, group: str = "all") -> Figure | None:
    """Return the figure of all pictures for a metric, None where the labels do not allow it."""
    return next((f for f in found if (f.kind, f.group, f.metric) == ("all", group, metric)), None)
