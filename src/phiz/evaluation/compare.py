"""Two models on the same pictures: differences with paired intervals and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import metrics
from .groups import Scored
from .metrics import Floats
from .plot_tables import Table, aged, ages, gendered
from .report_files import aligned

Pair = tuple[Scored, Scored]

#: Metric: title, scale and digits of what people read.
TITLES = {
    "mae": ("MAE, years", 1, 2),
    "cs5": ("CS(5), %", 100, 1),
    "gender_accuracy": ("gender, %", 100, 1),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """How two models differ in one metric on n pictures that both answered.

    first, second: the metric of each. value: second minus first, with its 95% paired bootstrap
    interval. test, p: the paired test and its two-sided p-value; test is "" where there is none.
    detail: what the test rests on.
    """

    metric: str
    first: float
    second: float
    value: float
    low: float
    high: float
    n: int
    test: str = ""
    p: float | None = None
    detail: str = ""


def match(first: Sequence[Scored], second: Sequence[Scored]) -> list[Pair]:
    """Return the rows of both for each picture that is in both, answered or not.

    Pictures are matched by name; by fold and name where a name comes in several folds of both. Raises
    DataError where no picture is in both, or where their labels differ.
    """
    repeated = [len({row.file for row in rows}) < len(rows) for rows in (first, second)]
    if all(repeated):
        other = {(row.fold, row.file): row for row in second}
        both = [(row, other[row.fold, row.file]) for row in first if (row.fold, row.file) in other]
    elif repeated[1]:
        one = {row.file: row for row in first}
        both = [(one[row.file], row) for row in second if row.file in one]
    else:
        one = {row.file: row for row in second}
        both = [(row, one[row.file]) for row in first if row.file in one]
    if not both:
        raise DataError(
            f"expected predictions of the same pictures; none of {len(first)}, such as {first[0].file!r}, is "
            f"among the other {len(second)}, such as {second[0].file!r}"
        )
    for a, b in both:
        for name in ("true_age", "true_gender"):
            here, there = getattr(a, name), getattr(b, name)
            if here is not None and there is not None and here != there:
                raise DataError(
                    f"expected predictions of the same data; {name} of {a.file!r} is {here} in one and "
                    f"{there} in the other"
                )
    return both


def pair(first: Sequence[Scored], second: Sequence[Scored]) -> list[Pair]:
    """Return what `match` does for the pictures that both answered; DataError too where there is none."""
    both = match(first, second)
    answered = [(a, b) for a, b in both if a.problem is None and b.problem is None]
    if not answered:
        raise DataError(f"expected pictures that both models answered; of {len(both)} in both there is none")
    return answered


def differences(pairs: Sequence[Pair], *, seed: int = 0, resamples: int = 1000) -> list[Difference]:
    """Return the differences in MAE, CS(5) and gender accuracy, second minus first.

    Intervals: whole clusters are drawn with replacement, for both models alike. Tests: Wilcoxon's
    signed-rank test (1945) of the absolute age errors, pictures of equal error left out; McNemar's
    exact test (1947) of right and wrong genders. Both take pictures as independent. Raises DataError
    where neither age nor gender is known and answered.
    """
    found: list[Difference] = []
    if old := [(a, b) for a, b in pairs if aged([a, b]) == [a, b]]:
        found += _of_age(old, seed, resamples)
    if known := [(a, b) for a, b in pairs if gendered([a, b]) == [a, b]]:
        found.append(_of_gender(known, seed, resamples))
    if not found:
        raise DataError("expected pictures whose age or gender is known and answered by both; got none")
    return found


def table(named: Sequence[tuple[str, str, Difference]]) -> Table:
    """Return differences as a table; named holds (first model, second model, difference)."""
    columns = (
        *("first", "second", "metric", "first_value", "second_value", "difference", "low", "high"),
        *("pictures", "test", "p", "detail"),
    )
    rows = tuple(
        (a, b, d.metric, d.first, d.second, d.value, d.low, d.high, d.n, d.test, p_text(d.p), d.detail)
        for a, b, d in named
    )
    return Table("differences", columns, rows)


def text(named: Sequence[tuple[str, str, Difference]]) -> str:
    """Return the same as text, one line per metric and pair of models."""
    lines = [["", "metric", "first", "second", "difference [95%]", "n", "p", "test"]]
    for first, second, d in named:
        _, scale, digits = TITLES[d.metric]
        one, two = f"{d.first * scale:.{digits}f}", f"{d.second * scale:.{digits}f}"
        test = f"{d.test}: {d.detail}" if d.test else ""
        between = f"{second} - {first}"
        lines.append([between, TITLES[d.metric][0], one, two, change(d), f"{d.n:,}", p_text(d.p), test])
    return aligned(lines)


def change(found: Difference) -> str:
    """Return a difference with its interval as text, such as "-0.31 [-0.45, -0.17]"."""
    _, scale, digits = TITLES[found.metric]
    value, low, high = (f"{x * scale:+.{digits}f}" for x in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


def p_text(p: float | None) -> str:
    """Return a p-value to two digits that count."""
    return "" if p is None else f"{p:.2g}"


def names(paths: Sequence[Path]) -> list[str]:
    """Name predictions after their files, or after the folder of a predictions.csv; no name twice."""
    found = [path.resolve().parent.name if path.stem == "predictions" else path.stem for path in paths]
    return [
        name if found.count(name) == 1 else f"{name} ({found[: i + 1].count(name)})"
        for i, name in enumerate(found)
    ]


def _of_age(pairs: Sequence[Pair], seed: int, resamples: int) -> list[Difference]:
    from scipy.stats import wilcoxon

    first, true = ages([a for a, _ in pairs])
    second, _ = ages([b for _, b in pairs])
    change = np.abs(second - true) - np.abs(first - true)
    p = float(wilcoxon(change, zero_method="wilcox").pvalue) if np.any(change) else 1.0
    detail = f"{int((change < 0).sum())} pictures closer, {int((change > 0).sum())} further"
    measures = {
        "mae": lambda age, w: metrics.mae(age, true, w),
        "cs5": lambda age, w: metrics.cs(age, true, 5, w),
    }
    mae, cs5 = (_difference(name, m, (first, second), pairs, seed, resamples) for name, m in measures.items())
    return [replace(mae, test="Wilcoxon signed-rank", p=p, detail=detail), cs5]


def _of_gender(pairs: Sequence[Pair], seed: int, resamples: int) -> Difference:
    from scipy.stats import binomtest

    first, second = (np.array([pair[i].gender == pair[i].true_gender for pair in pairs]) for i in (0, 1))
    won, lost = int((second & ~first).sum()), int((first & ~second).sum())
    p = float(binomtest(won, won + lost).pvalue) if won + lost else 1.0
    right = np.ones(len(pairs), dtype=np.bool_)
    made = _difference(
        "gender_accuracy",
        lambda hit, w: metrics.accuracy(hit, right, w),
        (first, second),
        pairs,
        seed,
        resamples,
    )
    detail = f"{won} pictures newly right, {lost} newly wrong"
    return replace(made, test="McNemar exact", p=p, detail=detail)


def _difference(
    name: str,
    metric: Callable[[NDArray[Any], Floats | None], Floats],
    answers: tuple[NDArray[Any], NDArray[Any]],
    pairs: Sequence[Pair],
    seed: int,
    resamples: int,
) -> Difference:
    first, second = answers
    low, high = metrics.bootstrap(
        lambda w: metric(second, w) - metric(first, w),
        [b.cluster if a.cluster == a.file else a.cluster for a, b in pairs],  # one may know no clusters
        seed=seed,
        resamples=resamples,
    )
    one, two = float(metric(first, None)), float(metric(second, None))
    return Difference(name, one, two, two - one, low, high, len(pairs))
