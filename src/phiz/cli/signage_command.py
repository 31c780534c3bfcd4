"""phiz signage: check a screen's rules, try them on made people, print the notice beside the screen."""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import PhizError

if TYPE_CHECKING:
    from ..audience.signal import Signal
    from ..signage.rules import Content

app = typer.Typer(help="Rules of a screen that suits who stands before it (docs/signage.md).")

File = Annotated[Path, typer.Argument(metavar="FILE", help="The rules, such as signage.toml.")]
_PERSON = re.compile(r"(?:(female|male|unsure)\s*)?(\d{1,3}|unsure)?(\s+away)?")


class Language(str, Enum):
    """Languages of the notice."""

    en = "en"
    ko = "ko"


@app.command()
def check(file: File) -> None:
    """Read the rules, say what is wrong with its line, else list what is shown when."""
    from ..evaluation.report_files import aligned
    from ..signage import load_rules

    rules = load_rules(file)
    rows = [["content", "kind", "weight", "seconds", "when"]]
    for one in rules.contents:
        seconds = f"{one.least_seconds:g} to {one.most_seconds:g}"
        rows.append([one.name, one.kind, f"{one.weight:g}", seconds, _when(one)])
    typer.echo(aligned(rows))
    age = rules.steer_from_age
    typer.echo(
        f"changes after {rules.steady_seconds:g} s, camera gone after {rules.lost_seconds:g} s; "
        f"{f'people under {age} do not steer' if age else 'children steer too'}; "
        f"{rules.random_share:.0%} of the minutes are random"
    )


@app.command("try")
def try_(
    file: File,
    people: Annotated[
        str,
        typer.Option(
            metavar="PEOPLE",
            help='Who is there, such as "female 25, male 30 away, unsure 40, female unsure"; "" for nobody. '
            "away: turned away from the screen.",
        ),
    ] = "",
    stay: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="For how long the first one has been there.")
    ] = 10.0,
    at: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
            help="When, such as 2026-11-26T18:00 in the rules' time zone; default: now.",
        ),
    ] = None,
    camera_gone: Annotated[bool, typer.Option("--camera-gone", help="As if the camera were gone.")] = False,
) -> None:
    """Say which contents would be shown to such people, and why the others would not."""
    from ..signage import load_rules
    from ..signage.choice import fallbacks
    from ..signage.fit import misfits

    rules = load_rules(file)
    clock = rules.calendar.local(datetime.now().timestamp() if at is None else rules.calendar.instant(at))
    signal = None if camera_gone else _signal(people, stay, clock)
    why = {one.name: misfits(one, signal, clock, rules) for one in rules.contents if not one.fallback}
    fit = [one for one in rules.contents if not why.get(one.name, [True])]
    chosen = fit or fallbacks(rules, clock)
    weights = sum(one.weight for one in chosen)
    for one in chosen:
        reason = "it fits" if fit else "a fallback: nothing else fits"
        typer.echo(f"shown {one.weight / weights:.0%} of the time: {one.name} ({reason})")
    for name, reasons in why.items():
        if reasons:
            typer.echo(f"not shown: {name} ({'; '.join(reasons)})")


@app.command()
def notice(
    file: File,
    language: Annotated[
        Language | None, typer.Option(help="English or Korean; both unless it is said.")
    ] = None,
    contact: Annotated[
        str | None, typer.Option(metavar="WHOM", help='Whom to ask, such as "the desk".')
    ] = None,
) -> None:
    """Print the sentences for a notice beside the screen, as these rules need them."""
    from ..signage import load_rules
    from ..signage.notice import CONTACT
    from ..signage.notice import notice as text

    rules = load_rules(file)
    languages = [language] if language else list(Language)
    typer.echo("\n\n".join(text(rules, one.value, contact or CONTACT) for one in languages))


def _signal(people: str, stay: float, clock: datetime) -> Signal:
    """Return the counts of people who are written out."""
    from ..ages import age_band
    from ..audience.signal import AGE_KEYS, Signal
    from ..audience.totals import NOT_SURE

    genders, ages, facing = [], [], 0
    for person in [part.strip() for part in people.split(",") if part.strip()]:
        found = _PERSON.fullmatch(person)
        if found is None:
            raise PhizError(f'--people: expected persons such as "female 25, male 30", got {person!r}')
        gender, age, away = found.groups()
        genders.append(gender or "unsure")
        ages.append(NOT_SURE if age in (None, "unsure") else age_band(float(age)))
        facing += away is None
    return Signal(
        at=clock,
        people=len(genders),
        facing=facing,
        female=genders.count("female"),
        male=genders.count("male"),
        not_sure=genders.count("unsure"),
        ages={name: ages.count(name) for name in AGE_KEYS},
        longest_seconds=stay if genders else 0.0,
    )


def _when(content: Content) -> str:
    """Return in short when a content fits."""
    from ..signage.fit import wanted
    from ..signage.rules import WEEKDAYS

    when = content.when
    parts = ["nothing else fits"] if content.fallback else []
    for name, span in when.audience.items():
        what = f"age {'+'.join(when.bands)}" if name == "age" else name
        parts.append(f"{what} {wanted(name, span)}")
    parts += [f"{begin:%H:%M}-{end:%H:%M}" for begin, end in when.hours]
    parts += [" ".join(WEEKDAYS[day] for day in when.weekdays)] if when.weekdays else []
    return "; ".join(parts) or "always"
