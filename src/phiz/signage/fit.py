"""Which contents fit the people who are there, and why others do not.

Counts do not say everything: a woman whose age is told and a child may be two people or one, and who is not
sure may be anybody. So every share is a span from the least to the most that the counts allow, and a
condition has to hold for all of it. What is unsure therefore never steers.
"""

from __future__ import annotations

from datetime import datetime

from ..audience.signal import Signal
from ..audience.totals import AGES, NOT_SURE
from .rules import STEER_FROM, WEEKDAYS, Content, Range, Rules

Span = tuple[float, float]


def misfits(content: Content, signal: Signal | None, clock: datetime, rules: Rules) -> list[str]:
    """Return every reason for which a content does not fit now, in words; none where it fits.

    signal: the newest counts, None where the camera is gone. clock: now, with a time zone.
    """
    reasons = []
    local = rules.calendar.local(clock.timestamp())
    if not content.when.open(local):
        reasons.append(f"not shown on {WEEKDAYS[local.weekday()]} at {local:%H:%M}")
    if signal is None:
        return [*reasons, "the camera is gone"]
    spans = _spans(signal, content.when.bands, rules.steer_from_age)
    for name, range_ in content.when.audience.items():
        span = spans.get(name)
        if span is None:
            reasons.append(f"{name}: nobody is there whose share it could be")
        elif not range_.holds(*span):
            reasons.append(f"{name}: {_in_words(name, span)}, wanted {wanted(name, range_)}")
    return reasons


def fitting(rules: Rules, signal: Signal | None, clock: datetime) -> frozenset[str]:
    """Return the names of the contents that fit now, without the fallbacks."""
    contents = (content for content in rules.contents if not content.fallback)
    return frozenset(one.name for one in contents if not misfits(one, signal, clock, rules))


def adults(signal: Signal, steer_from_age: int) -> int:
    """Return how many people steer: all but those who are estimated younger."""
    return signal.people - _young(signal, steer_from_age)


def _young(signal: Signal, steer_from_age: int) -> int:
    return sum(signal.ages[band] for band, low in zip(AGES, STEER_FROM, strict=True) if low < steer_from_age)


def _spans(signal: Signal, bands: tuple[str, ...], steer_from_age: int) -> dict[str, Span]:
    """Return from where to where each measure of those who steer can lie; no shares where there is nobody."""
    young = _young(signal, steer_from_age)
    people = signal.people - young
    stay = signal.longest_seconds
    spans: dict[str, Span] = {"people": (people, people), "stay_seconds": (0.0 if young else stay, stay)}
    if people == 0:
        return spans | {"stay_seconds": (0.0, 0.0)}
    told = sum(signal.ages[band] for band in bands)
    counts = {
        "female": (signal.female, signal.female + signal.not_sure),
        "male": (signal.male, signal.male + signal.not_sure),
        "facing": (signal.facing, signal.facing),
    }
    # Of a count over everybody as many may be young as there are: they are not in the share.
    shares = {name: (max(0, low - young), min(high, people)) for name, (low, high) in counts.items()}
    shares["age"] = (told, told + signal.ages[NOT_SURE])
    return spans | {name: (low / people, high / people) for name, (low, high) in shares.items()}


def _in_words(name: str, span: Span) -> str:
    low, high = (_number(name, value) for value in span)
    return low if low == high else f"{low} to {high}"


def wanted(name: str, range_: Range) -> str:
    """Return a condition in words: "at least 50%"."""
    sides = {"at least": range_.least, "at most": range_.most}
    return ", ".join(f"{word} {_number(name, value)}" for word, value in sides.items() if value is not None)


def _number(name: str, value: float) -> str:
    if name == "people":
        return f"{value:g}"
    return f"{value:.1f} s" if name == "stay_seconds" else f"{value:.0%}"
