"""The page of one evaluation, section by section."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from . import html
from .groups import KINDS, TITLES, Figure, Scored
from .plot_tables import Table, aged, ages, fold_figures
from .report_files import cell
from .summary import Evaluation, Numbers, headline

#: Side of an embedded picture, in pixels.
THUMBNAIL = 160
#: Rows of the list of pictures left out; the CSV beside the page has all.
LISTED = 200

_COMPARED = {"mae": 1.0, "cs5": 100.0, "gender_accuracy": 100.0}


def render(
    made: Evaluation,
    numbers: Numbers,
    drawn: Mapping[str, str],
    facts: Mapping[str, Any],
    worst: Sequence[tuple[Path, Scored]],
) -> str:
    """Return the page; drawn: the plots by the name of their table; worst: pictures to embed."""
    answered = sum(row.problem is None for row in made.rows)
    lead = f"<p>{escape(made.protocol.about)}</p><p>{escape(made.made_by)}</p>"
    if made.caution:
        lead += f'<p class="warning"><strong>{escape(made.caution)}</strong></p>'
    sections = [html.tiles(_tiles(made, numbers, answered))]
    if drawn:
        sections.append(html.section("At a glance", html.grid(_plots(made, numbers, drawn))))
    if made.others:
        sections.append(html.section("Models in the plot", html.table(_models(made))))
    sections.append(_groups(made, numbers))
    if numbers.tables["folds"].rows:
        sections.append(_folds(made, numbers))
    sections.append(_left_out(made, numbers.tables["left_out"], answered))
    if worst:
        sections.append(_worst(worst))
    sections.append(_provenance(made, facts))
    return html.page(f"{made.model} on {made.protocol.name}", lead, sections)


def _tiles(made: Evaluation, numbers: Numbers, answered: int) -> Iterator[tuple[str, str, str, str]]:
    titles = (
        ("mae", "Age error (MAE)"),
        ("rmse", "Age error (RMSE)"),
        ("cs5", "Within 5 years, CS(5)"),
        ("ca3", "Under 3 years, CA(3)"),
        ("ca5", "Under 5 years, CA(5)"),
        ("ca7", "Under 7 years, CA(7)"),
        ("gender_accuracy", "Gender accuracy"),
        ("gender_balanced_accuracy", "Gender, balanced"),
        ("joint_success", "Gender and within 5 years"),
    )
    for metric, title in titles:
        if metric in _shown(made) and (found := headline(numbers.figures, metric)):
            scale = TITLES[metric][1]
            yield title, *_tile(found, scale, " years" if scale == 1 else "%")
    if over := headline(numbers.figures, "mae", "mean over folds"):
        yield "MAE, mean over folds", *_tile(over, 1.0, " years", over.note)
    share = f"{100 * answered / len(made.rows):.1f}% of {len(made.rows):,}" if made.rows else ""
    yield "Pictures answered", f"{answered:,}", "", share


def _shown(made: Evaluation) -> tuple[str, ...]:
    """Return the metrics of the page: the protocol's own first."""
    return tuple(dict.fromkeys((*made.protocol.metrics, *html.METRICS)))


def _tile(found: Figure, scale: float, unit: str, count: str = "") -> tuple[str, str, str]:
    """Return a figure, its unit, and for below it the interval and what it is over."""
    value, _, interval = cell(found, scale).partition(" [")
    if found.value is None:
        return "-", "", f"{found.note}; {found.n:,} pictures"
    low, _, high = interval.rstrip("]").partition(", ")
    return value, unit, f"95%: {low} to {high} · {count or f'{found.n:,} pictures'}"


def _plots(made: Evaluation, numbers: Numbers, drawn: Mapping[str, str]) -> Iterator[str]:
    captions = {
        "cs_curve": ("Cumulative score", "Share of pictures whose absolute age error is at most t years."),
        "error_by_age": (
            "Error by age",
            f"Five years of true age a point; fewer than {made.smallest} pictures get none.",
        ),
        "density": ("Predicted against true age", "On the dashed line there is no error."),
        "reliability": ("Reliability of gender", _reliable(numbers)),
    }
    for name, svg in drawn.items():
        title, caption = captions[name]
        yield html.plot(svg, title, caption, f"{name}.csv")


def _reliable(numbers: Numbers) -> str:
    if (found := numbers.calibration) is None:
        return ""
    return (
        f"Under the dashed line the model is too sure. Larger points stand for more pictures. Expected "
        f"calibration error {100 * found.error:.1f}% [{100 * found.low:.1f}, {100 * found.high:.1f}]: "
        f"{100 * found.confidence:.1f}% sure on average, {100 * found.accuracy:.1f}% right."
    )


def _models(made: Evaluation) -> Table:
    rows = []
    for name, scored in {made.model: made.rows, **made.others}.items():
        found = fold_figures(scored)
        shares = [None if (v := found[m]) is None else 100 * v for m in ("cs5", "gender_accuracy")]
        rows.append((name, len(aged(scored)), found["mae"], *shares))
    return Table("models", ("model", "pictures with age", "MAE, years", "CS(5), %", "gender, %"), tuple(rows))


def _groups(made: Evaluation, numbers: Numbers) -> str:
    single = [kind for kind in KINDS if " and " not in kind]
    clear = [gap for gap in numbers.gaps if gap.low > 0]
    worst = {(gap.metric, gap.kind): (gap.kind, gap.worst.group) for gap in clear}
    rows = []
    for gap in numbers.gaps:
        if gap.kind not in single or (scale := _COMPARED.get(gap.metric)) is None:
            continue
        title = TITLES[gap.metric][0]
        apart = cell(gap.figure(), scale)
        small = ", ".join(gap.too_small) or "none"
        sides = [f"{f.group}: {cell(f, scale)}" for f in (gap.worst, gap.best)]
        rows.append((gap.kind, title, *sides, apart, small))
    columns = ("by", "metric", "worst", "best", "gap [95%]", "too small to compare")
    over = "mean over folds"  # has a section of its own
    everyone = [f for f in numbers.figures if (f.kind == "all" and f.group != over) or f.kind in single]
    pairs = [f for f in numbers.figures if f.kind in KINDS and f.kind not in single]
    content = [html.figures_table(everyone, _shown(made), worst=worst)]
    if rows:
        content.insert(0, html.table(Table("gaps", columns, tuple(rows)), text=columns[:2] + columns[5:]))
    if pairs:
        content.append(html.details("Pairs of groups", html.figures_table(pairs, _shown(made), worst=worst)))
    note = (
        "Figures with 95% bootstrap intervals; the worst is marked where its gap's interval leaves out 0. "
        f"Fewer than {made.smallest} pictures are too small a group for a figure and say so. Worst and best "
        "are picked by the pictures that measure them, so among many groups a gap looks larger than it is."
    )
    return html.section("By group", *content, note=note)


def _folds(made: Evaluation, numbers: Numbers) -> str:
    table = numbers.tables["folds"]
    rows = []
    for metric in _shown(made):
        title, scale = TITLES[metric]
        over, each = headline(numbers.figures, metric, "mean over folds"), headline(numbers.figures, metric)
        if over and each and over.value is not None:
            rows.append((title, cell(over, scale), over.note, cell(each, scale), each.n))
    columns = ("metric", "mean over folds [95%]", "folds", "mean over pictures [95%]", "pictures")
    titles = {"mae": "MAE, years", "cs5": "CS(5), share", "gender_accuracy": "gender, share"}
    return html.section(
        "Folds",
        html.table(Table("means", columns, tuple(rows)), text=("metric",)),
        html.details(f"All {len(table.rows)} folds", html.table(table, titles)),
        note="Over folds each fold counts alike, however many pictures it has; over pictures each picture.",
    )


def _left_out(made: Evaluation, table: Table, answered: int) -> str:
    counts = Counter(zip(table.column("by"), table.column("reason"), strict=True)).most_common()
    read = f"{len(made.rows):,} pictures were to be answered, {answered:,} were. "
    if not counts:
        return html.section("Left out", note=f"{read}Nothing was left out.")
    rows = tuple(
        (reason, "the reader" if by == "reader" else "the analysis", n) for (by, reason), n in counts
    )
    listed = Table("", table.columns, table.rows[:LISTED])
    more = f"; the first {LISTED} here, all in left_out.csv" if len(table.rows) > LISTED else ""
    return html.section(
        "Left out",
        html.table(Table("", ("why", "by", "pictures"), rows), text=("why", "by")),
        html.details(f"Which pictures ({len(table.rows):,}{more})", html.table(listed, text=listed.columns)),
        note=f"{read}The reader leaves out what the data set's format does not allow; no figure counts it.",
    )


def _worst(pictures: Sequence[tuple[Path, Scored]]) -> str:
    items = []
    for path, row in pictures:
        text = f"true {row.true_age:.0f}, said {row.age:.1f} years"
        source = f"data:image/jpeg;base64,{thumbnail(path)}"
        items.append(
            f'<div><img src="{source}" alt="{escape(text)}"><div>{escape(text)}</div>'
            f'<div class="interval">{escape(row.file)}</div></div>'
        )
    warning = (
        "This page now holds pictures of the data set. Their terms forbid passing most of them on: "
        "do not publish or commit this page."
    )
    return html.section(
        "Worst age errors",
        f'<p class="warning"><strong>{warning}</strong></p>',
        f'<div class="pictures">{"".join(items)}</div>',
    )


def worst_rows(rows: Sequence[Scored], number: int) -> list[Scored]:
    """Return the rows of the largest absolute age errors, largest first."""
    chosen = aged(rows)
    predicted, true = ages(chosen)
    order = abs(predicted - true).argsort(kind="stable")[::-1][:number]
    return [chosen[index] for index in order.tolist()]


def thumbnail(path: Path) -> str:
    """Return a picture, at most THUMBNAIL pixels wide and high, as base64 JPEG. Raises ImageError."""
    from PIL import Image

    from ..image import load

    picture = Image.fromarray(load(path))
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _provenance(made: Evaluation, facts: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in facts.items() if name != "command"}
    note = (
        f"Intervals: percentile bootstrap, {made.resamples:,} resamples of whole clusters (people, or copies "
        f"of a photo), seed {made.seed}. They cover the choice of test pictures, not the seed of a training."
    )
    return html.section(
        "How this was made",
        f"<pre>{escape(str(facts.get('command', '')))}</pre>",
        html.facts(rest),
        note=note,
    )
