"""What a model is, for people: what it is for, where it is weak, what was measured, what it was made of.

Told from its card and, for the models that ship, from the figures of results/ that travel in MEASURED.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .card import ModelCard
from .model_store import WEIGHTS

#: A file per shipped model, made by tools/model_figures.py; see `measured`.
MEASURED = Path(__file__).parent / "measured"
#: Columns of the tables: metric, title, and 100 where a share is shown in percent.
METRICS = (("mae", "age MAE, years", 1), ("cs5", "within 5 years", 100), ("gender_accuracy", "gender", 100))
MEASURES = (
    ("error", "age error, years", 1),
    ("right", "gender right", 100),
    ("flipped", "gender flipped", 100),
    ("covered", "age in the interval", 100),
)
#: The same of certainty: measure, title, and its unit.
COVERAGE = tuple(
    column
    for level in ("0.9", "0.8", "0.5")
    for column in (
        (f"coverage {level}", f"{float(level):.0%}: inside", "%"),
        (f"width {level}, years", "years", ""),
    )
)
SCORES = (
    ("gender right", "right", "%"),
    ("mean gender score", "mean score", "%"),
    ("calibration error", "calibration error", "%"),
    ("share told at 0.9", "told at 0.9", "%"),
    ("right where told at 0.9", "right of these", "%"),
)
_FACES = (
    "Counts over many people who know of it, sorting one's own photos, research, and teaching how such "
    "models fail. An age is apparent age; a gender is the label that an annotator would likely have chosen.",
    "Not for age verification, for decisions about single people, or for use on people who cannot refuse.",
)
_ATTRIBUTES = (
    "Describing one's own photos, research, and teaching how such models fail. An attribute is what "
    "annotators saw in a photo, not a fact about a person.",
    "Not for decisions about single people, or for use on people who cannot refuse.",
)
_LIMITS = (
    "Glasses, masks, profiles, blur, hard light and faces of few pixels make every figure worse; faces that "
    "the detector misses are in no figure. Measure on your own pictures, by group, before use."
)
_ANCESTORS = "All data that it, its ancestors and its teachers learnt from:"


@dataclass(frozen=True, slots=True)
class Section:
    """A title, paragraphs, and rows of a table, the first its head; both may be empty."""

    title: str
    text: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


def measured(card: ModelCard) -> dict[str, Any]:
    """Return a shipped model's figures; without any, and for other weights of its name, lists that are empty.

    "evaluations": each with protocol, command, commit, sha256 of the weights, and groups: kind, group,
    pictures and by metric [value, low, high] with 95% bootstrap intervals; of the first every group, of the
    others all pictures. "robustness": with rows: kind, strength, setting and by measure the same three.
    "certainty": by domain and looks, measures of [value, number of looks], fitted on the other domains.
    "attributes": means over attributes, or None.
    """
    path, shipped = MEASURED / f"{card.name}.json", WEIGHTS / f"{card.name}.json"
    found = {}
    if path.exists() and shipped.exists() and ModelCard.load(shipped).sha256 == card.sha256:
        found = json.loads(path.read_text(encoding="utf-8"))
    return {"evaluations": [], "robustness": [], "certainty": [], "attributes": None, **found}


def about(card: ModelCard) -> list[Section]:
    """Return everything that there is to say of a model, in order."""
    found = measured(card)
    return [
        Section(card.name, (_is(card),)),
        Section("Intended use", _ATTRIBUTES if card.attributes else _FACES),
        Section("Limits", (*_weak(found), _LIMITS)),
        *_evaluations(card, found),
        *_sure(found),
        *_robustness(card, found),
        *_attributes(card, found),
        Section("Data and terms", (card.license, _ANCESTORS), _data(card)),
        Section("Making it again", tuple(_again(card))),
    ]


def _is(card: ModelCard) -> str:
    side = card.input.size
    text = f"{card.task[0].upper()}{card.task[1:]}, from crops of {side}x{side} pixels: {card.parameters:,} "
    text += f"parameters, {card.multiply_adds:,} multiply-adds a face."
    if card.gender_from:
        text += f" Its gender is the answer of {card.gender_from}."
    return text


def _weak(found: Mapping[str, Any]) -> Iterator[str]:
    """Say where the first evaluation is worst, by a single kind of groups."""
    for evaluation in found["evaluations"][:1]:
        for metric, title, scale in METRICS:
            groups = [group for group in evaluation["groups"] if group["kind"] != "all" and metric in group]
            if metric == "cs5" or not groups:
                continue
            worst = max(groups, key=lambda g: g[metric][0] * (1 if metric == "mae" else -1))
            what = f"Worst {title.partition(',')[0]} of {evaluation['protocol']}"
            unit = " years" if scale == 1 else ""
            yield f"{what}: {worst['kind']} {worst['group']}, {_cell(worst[metric], scale)}{unit}."


def _evaluations(card: ModelCard, found: Mapping[str, Any]) -> Iterator[Section]:
    evaluations = found["evaluations"]
    for evaluation in evaluations[:1]:
        rows = [
            [f"{g['kind']} {g['group']}".removeprefix("all "), f"{g['pictures']:,}", *_cells(g, METRICS)]
            for g in evaluation["groups"]
        ]
        head = [evaluation["protocol"], "pictures", *(title for _, title, _ in METRICS)]
        yield Section("Figures by group", _notes(card, evaluation), _table(head, rows))
    if len(evaluations) > 1:
        rows = [
            [e["protocol"], f"{g['pictures']:,}", *_cells(g, METRICS)]
            for e in evaluations
            for g in e["groups"]
            if g["kind"] == "all"
        ]
        notes = tuple(note for e in evaluations[1:] for note in _notes(card, e))
        head = ["pictures of", "number", *(title for _, title, _ in METRICS)]
        yield Section("Other pictures", notes, _table(head, rows))


def _sure(found: Mapping[str, Any]) -> Iterator[Section]:
    """Tell how often ages lie in their intervals, and how often a gender is right, against what is said."""
    text = (
        "Of pictures of a kind that this was not fitted on; spoilt: blurred, dark, noisy or of few pixels.",
    )
    for title, columns in (("Interval coverage", COVERAGE), ("Gender's probability", SCORES)):
        known = [each for each in found["certainty"] if columns[0][0] in each["measures"]]
        rows = [
            [
                each["domain"] + ("" if each["looks"] == "as they are" else f", {each['looks']}"),
                f"{each['measures'][columns[0][0]][1]:,}",
                *(_share(each["measures"].get(name), unit) for name, _, unit in columns),
            ]
            for each in known
        ]
        if rows:
            yield Section(title, text, _table(["", "number", *(name for _, name, _ in columns)], rows))


def _robustness(card: ModelCard, found: Mapping[str, Any]) -> Iterator[Section]:
    for each in found["robustness"]:
        rows = [
            [f"{row['kind']}, {row['setting']}" if row["strength"] else row["kind"], *_cells(row, MEASURES)]
            for row in each["rows"]
        ]
        head = [f"{each['pictures']:,} of {each['protocol']}", *(title for _, title, _ in MEASURES)]
        yield Section("Robustness", _notes(card, each), _table(head, rows))


def _attributes(card: ModelCard, found: Mapping[str, Any]) -> Iterator[Section]:
    if (told := found["attributes"]) is not None:
        rows = [[f"mean {metric}", _cell(values, 100)] for metric, values in told["means"].items()]
        yield Section("Figures", _notes(card, told), _table([told["protocol"], ""], rows))
    if card.attributes:
        rows = [
            [
                name,
                f"{how.threshold:.2f}",
                f"{how.balanced_accuracy:.1%}",
                "a judgement" if how.subjective else "",
            ]
            for name, how in card.attributes.items()
        ]
        head = ["attribute", "present from", "balanced accuracy, validation", ""]
        yield Section("Attributes", (), _table(head, rows))


def _data(card: ModelCard) -> tuple[tuple[str, ...], ...]:
    return (("learnt from", "terms"), *((data.name, data.terms) for data in card.training_data))


def _again(card: ModelCard) -> Iterator[str]:
    yield f"phiz train recipes/{card.recipe} --data DIR, in a checkout of commit {card.commit}."
    yield f"Made {card.created}."
    if "quantisation" in card.figures or "weights" in card.figures or "smaller" in card.figures:
        yield "Its weights were then stored in 8 bits by phiz export; docs/quantisation.md has the command."
    yield "What it starts from stands in the recipe, and the road in docs/training.md."


def _notes(card: ModelCard, made: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what made figures, and whether they are other weights' than the card's."""
    text = f"{made['command']} (commit {(made['commit'] or 'unknown')[:12]})"
    if made["sha256"] and made["sha256"] != card.sha256:
        same = made["sha256"] in json.dumps(card.figures)  # a smaller copy names what it was made of
        text += (
            "; before it was made smaller" if same else f"; of weights {made['sha256'][:12]}, since replaced"
        )
    return (text,)


def _cells(found: Mapping[str, Any], columns: Sequence[tuple[str, str, int]]) -> list[str]:
    return [_cell(found.get(name), scale) for name, _, scale in columns]


def _share(measure: Sequence[float] | None, unit: str) -> str:
    if measure is None:
        return ""
    return f"{measure[0]:.1%}" if unit == "%" else f"{measure[0]:.1f}"


def _cell(values: Sequence[float] | None, scale: int) -> str:
    if values is None:
        return ""
    digits, unit = (1, "%") if scale == 100 else (2, "")
    value, low, high = (f"{v * scale:.{digits}f}" for v in values)
    return f"{value}{unit} [{low}, {high}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Return a table without the columns that are empty."""
    used = [i for i in range(len(head)) if i == 0 or any(row[i] for row in rows)]
    return tuple(tuple(row[i] for i in used) for row in (head, *rows))


def plain(sections: Sequence[Section], width: int = 100) -> str:
    """Return sections as text for a terminal of `width` columns."""
    blocks = []
    for section in sections:
        lines = [section.title.upper() if section is not sections[0] else section.title]
        for paragraph in section.text:
            lines += textwrap.wrap(paragraph, width - 2, initial_indent="  ", subsequent_indent="  ")
        lines += _columns(section.table, width - 2)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _columns(table: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield a table's lines; a last column that is too wide goes on in the next line."""
    *widths, _ = [max(map(len, column)) + 2 for column in zip(*table, strict=True)] or [0]
    indent = " " * (2 + sum(widths))
    for *cells, last in table:
        start = "  " + "".join(c.ljust(w) for c, w in zip(cells, widths, strict=True))
        yield from textwrap.wrap(last, width + 2, initial_indent=start, subsequent_indent=indent) or [
            start.rstrip()
        ]


def markdown(sections: Sequence[Section]) -> str:
    """Return sections as Markdown, the first a title of the second level."""
    blocks = []
    for section in sections:
        blocks.append(f"{'##' if section is sections[0] else '###'} {section.title}")
        blocks += section.text
        if section.table:
            head, *rows = section.table
            marks = ["---"] * len(head)
            blocks.append("\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *rows)))
    return "\n\n".join(blocks) + "\n"
