"""A data set in lines of text: counts, histograms, what was left out and why, near-duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from . import near_duplicates, splits
from .record import FaceRecord, Skipped

#: Characters of the longest bar.
WIDTH = 40
#: Names shown of each reason and each cluster, and clusters shown, where not all are asked for.
SHOWN = 5


def counts(records: Sequence[FaceRecord]) -> Iterator[str]:
    """Yield histograms of age, gender, group and part, and the numbers of people, attributes, landmarks."""
    ages = [record.age for record in records if record.age is not None]
    if ages:
        mean = sum(ages) / len(ages)
        yield f"age, years: {min(ages):g} to {max(ages):g}, mean {mean:.1f}, of {len(ages)} pictures"
        tens = Counter(int(age) // 10 for age in ages)
        every = range(min(tens), max(tens) + 1)
        yield from bars({f"{10 * ten}-{10 * ten + 9}": tens[ten] for ten in every})
    for title, values in (
        ("gender", [record.gender for record in records]),
        ("group", [record.group for record in records]),
        ("official part", [record.part for record in records]),
    ):
        known = Counter(value for value in values if value is not None)
        if known:
            yield f"{title}, of {known.total()} pictures:"
            yield from bars({name: known[name] for name in sorted(known)})
    people = {record.subject for record in records if record.subject is not None}
    if people:
        yield f"people: {len(people)}"
    landmarked = sum(record.landmarks is not None for record in records)
    if landmarked:
        yield f"pictures with landmarks: {landmarked}"
    yield from _attributes(records)


def _attributes(records: Sequence[FaceRecord]) -> Iterator[str]:
    labelled: Counter[str] = Counter()
    present: Counter[str] = Counter()
    for record in records:
        if record.attributes:
            labelled.update(record.attributes.keys())
            present.update(name for name, value in record.attributes.items() if value)
    if labelled:
        yield "attributes, present of labelled:"
        width = max(map(len, labelled))
    for name in sorted(labelled):
        yield f"  {name:<{width}}  {present[name]} of {labelled[name]}"


def bars(numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield one line of name, number and bar each; anything above zero has a bar."""
    most = max(numbers.values(), default=0)
    names = max(map(len, numbers), default=0)
    for name, number in numbers.items():
        bar = "#" * (0 if number == 0 else max(1, round(WIDTH * number / most)))
        yield f"  {name:<{names}}  {number:>{len(str(most))}}  {bar}".rstrip()


def left_out(skipped: Sequence[Skipped], *, everything: bool = False) -> Iterator[str]:
    """Yield each reason with its number and the first names, or with all of them, one a line."""
    for reason, number in sorted(Counter(row.reason for row in skipped).items()):
        names = [row.name for row in skipped if row.reason == reason]
        if everything:
            yield f"left out, {reason}: {number}"
            yield from (f"  {name!r}" for name in names)
        else:
            shown = ", ".join(map(repr, names[:SHOWN])) + (" ..." if number > SHOWN else "")
            yield f"left out, {reason}: {number} ({shown})"


def alike(
    records: Sequence[FaceRecord], folder: Path, small: near_duplicates.Small, *, everything: bool = False
) -> Iterator[str]:
    """Yield the clusters of near-duplicates, largest first, and how many of their labels contradict.

    small: the records' pictures, shrunk by near_duplicates.shrink.
    """
    pairs = list(near_duplicates.matches(small, splits.KEEP_TOGETHER))
    numbers = near_duplicates.clusters(len(records), ((i, j) for i, j, _ in pairs))
    members: dict[int, list[FaceRecord]] = {}
    for number, record in zip(numbers, records, strict=True):
        members.setdefault(number, []).append(record)
    several = sorted((group for group in members.values() if len(group) > 1), key=len, reverse=True)
    same_photo = [(i, j) for i, j, correlation in pairs if correlation >= splits.SAME_PHOTO]
    title = f"near-duplicates, correlation of {splits.KEEP_TOGETHER} or more"
    if not several:
        yield f"{title}: none"
        return
    disputed = len({conflict.cluster for conflict in splits.conflicts(records, same_photo)})
    yield (
        f"{title}: {sum(map(len, several))} pictures in {len(several)} clusters; "
        f"labels of one photo contradict in {disputed}"
    )
    for group in several if everything else several[:SHOWN]:
        names = [_named(record, folder) for record in group]
        rest = 0 if everything else len(names) - SHOWN
        yield "  " + ", ".join(names[: len(names) - max(rest, 0)]) + (f" and {rest} more" if rest > 0 else "")
    if len(several) > SHOWN and not everything:
        yield f"  ... and {len(several) - SHOWN} clusters more"


def _named(record: FaceRecord, folder: Path) -> str:
    path = record.path
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    age = None if record.age is None else f"{record.age:g}"
    return " ".join([repr(name), *filter(None, (age, record.gender))])
