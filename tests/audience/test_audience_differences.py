"""Whatever reports are subtracted from each other, what is left is about k people or about nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_tracks import MEN, MIDNIGHT, UNSURE, WOMEN

from phiz.audience import Store, open_store
from phiz.audience.calendar import Calendar
from phiz.audience.effect import Effect, EffectLine, effect_report
from phiz.audience.ledger import Ledger
from phiz.audience.report import Line, report
from phiz.audience.totals import ALL, DAY, HOUR, MINUTE, NOTHING, Group, Shown, Totals

GROUPS = [WOMEN, MEN, UNSURE, Group("60+", "male")]
HOURS = (3, 9, 10, 20)
CONTENTS = [Shown("coffee"), Shown("tea"), Shown("tea", True), NOTHING]
SPANS = ((None, None), (MIDNIGHT + 3600 * 5, None), (None, MIDNIGHT + 3600 * 9 + 600))
INDIA = Calendar("Asia/Kolkata")  # its hours begin at half past


@pytest.fixture(autouse=True)
def _day_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: MIDNIGHT + 2 * 86400.0)


class Person(NamedTuple):
    """Who came in which minute of the day, before which screen, and what it showed."""

    minute: int
    group: Group
    dwell: int
    screen: int
    content: Shown = NOTHING


class Told(NamedTuple):
    """A line, and the people it is about, one bit each."""

    line: Line
    people: int


def totals(number: int, dwell: int) -> Totals:
    """One person, whose seconds in view give away which: no two sets of people have the same sum."""
    return Totals(1, 1 << number, 1 << number, tuple(int(dwell == place) for place in range(6)))


def told(lines: Iterable[Line]) -> list[Told]:
    return [Told(line, line.totals.presence) for line in lines if line.totals and line.totals.people]


def reports(store: Store, k: int) -> Iterator[list[Line]]:
    """Every kind of report that one can have now: periods, parts of the day, time zones, larger groups."""
    for (since, before), per in product(SPANS, (MINUTE, HOUR, DAY)):
        rows, kept = store.rows(since, before), store.settings
        yield report(rows, per, k, kept.calendar, kept.groups_per)
        if per != MINUTE:
            yield report(rows, per, k, INDIA, kept.groups_per)
            yield report(rows, per, k + 2, kept.calendar, kept.groups_per)


def effect_reports(store: Store, k: int) -> Iterator[tuple[list[Line], list[EffectLine]]]:
    """Every kind of report by content, each with that by group of the same time."""
    kept = store.settings
    for (since, before), least in product(SPANS, (k, k + 2)):
        by_group = report(store.rows(since, before), DAY, least, kept.calendar, kept.groups_per)
        yield by_group, effect_report(store.effects(since, before), least, kept.calendar, kept.groups_per)


def count(store: Store, people: list[Person], screens: int) -> Iterator[int]:
    """Count the people, minute by minute; yield after each write the set of those whose unit is not over."""
    kept = store.settings
    ledgers = [Ledger(kept.groups_per, kept.k, kept.calendar) for _ in range(screens)]
    by_minute: dict[int, list[tuple[int, Person]]] = {60 * hour + 59: [] for hour in (*HOURS, 23)}
    for number, person in enumerate(people):
        by_minute.setdefault(person.minute, []).append((number, person))
    for minute in sorted(by_minute):
        for screen, ledger in enumerate(ledgers):
            groups: dict[Group, Totals] = {}
            effects: dict[Shown, Effect] = {}
            for number, person in by_minute[minute]:
                if person.screen % screens == screen:
                    one = totals(number, person.dwell)
                    groups[person.group] = groups.get(person.group, Totals()) + one
                    cell = person.content._replace(age=person.group.age, gender=person.group.gender)
                    effect = Effect(1, 1, one.presence, one.attention)
                    effects[cell] = effects.get(cell, Effect()) + effect
                    effects[person.content] = Effect(shown=60_000)
            ledger.add(MIDNIGHT + 60 * minute, groups, effects)
            store.write(ledger.changes)
            ledger.taken()
        unit = kept.calendar.start(MIDNIGHT + 60 * minute, kept.groups_per)
        if kept.calendar.end(unit, kept.groups_per) > MIDNIGHT + 60 * minute + 60:
            start = (unit - MIDNIGHT) // 60
            yield sum(1 << n for n, person in enumerate(people) if start <= person.minute <= minute)
        else:
            yield 0
    for ledger in ledgers:
        ledger.close()
        store.write(ledger.changes)
    yield 0


def check(k: int, one: int, other: int, what: object) -> None:
    for part in (one & ~other, other & ~one, one & other):
        assert part.bit_count() == 0 or part.bit_count() >= k, what


def assert_nobody_stands_alone(k: int, seen: list[list[Line]]) -> None:
    """Subtract every line from every other that counts the same way, and whole reports from each other."""
    ways: dict[bool, set[int]] = {True: set(), False: set()}
    sums: set[int] = set()
    for lines in seen:
        found = told(lines)
        for line, people in found:
            assert line.totals is not None
            assert people.bit_count() == line.totals.people >= k
            assert all(cell == 0 or cell >= k for cell in line.totals.dwell)
            ways[line.age == ALL].add(people)
        sums.add(sum(people for _, people in found))
    for sets in (*ways.values(), sums):
        for one, other in product(sets, sets):
            check(k, one, other, f"{one:b} and {other:b}")


class Effects(NamedTuple):
    """The sets of people that reports by content tell of, and those by group beside them."""

    contents: set[int]
    cells: set[int]
    groups: set[int]

    def take_in(self, k: int, by_group: list[Line], by_content: list[EffectLine]) -> None:
        told_groups = {people for _, people in told(by_group)}
        everybody = 0
        for line in by_content:
            if line.effect is not None:
                people = line.effect.presence
                assert people.bit_count() == line.effect.people >= k
                (self.contents if line.shown.age == ALL else self.cells).add(people)
                everybody |= people
        assert everybody == sum(told_groups), "both ways tell the same people"
        self.groups.update(told_groups)

    def assert_nobody_stands_alone(self, k: int) -> None:
        """Subtract every line by content from every other, and those of groups from the groups."""
        for one, other in (
            *product(self.contents | self.cells, self.contents | self.cells),
            *product(self.cells, self.groups),
        ):
            check(k, one, other, f"{one:b} and {other:b}")


def assert_ways_fit(k: int, by_time: list[Line], by_group: list[Line]) -> None:
    """Subtract a line of one way from those lines of the other that cover its time."""
    for mine, others in ((told(by_time), told(by_group)), (told(by_group), told(by_time))):
        for line, people in mine:
            over = [other for other in others if other.line.start < line.end and line.start < other.line.end]
            cover = sum(other.people for other in over)
            left = (cover & ~people).bit_count()
            assert people & ~cover == 0, f"{line} is told one way alone"
            assert left == 0 or left >= k, f"{left} people are left beside {line}"


PEOPLE = st.lists(
    st.builds(
        Person,
        # Few hours and minutes, so that some are full and some nearly empty.
        st.builds(lambda hour, minute: 60 * hour + minute, st.sampled_from(HOURS), st.integers(0, 2)),
        st.sampled_from(GROUPS),
        st.integers(0, 2),
        st.integers(0, 1),
        st.sampled_from(CONTENTS),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PEOPLE, st.integers(2, 5), st.sampled_from([HOUR, DAY]), st.integers(1, 2))
def test_no_difference_of_any_two_reports_is_about_fewer_than_k(
    people: list[Person], k: int, unit: str, screens: int
) -> None:
    seen: list[list[Line]] = []
    effects = Effects(set(), set(), set())
    with open_store(":memory:", k=k, zone="UTC", groups_per=unit) as store:
        for running in count(store, people, screens):
            now = list(reports(store, k))
            assert all(one & running == 0 for lines in now for _, one in told(lines))
            seen += [lines for lines in now if lines not in seen]
            for pair in effect_reports(store, k):
                effects.take_in(k, *pair)
            assert all(people & running == 0 for people in effects.contents | effects.cells)
            rows = store.rows()
            way = [report(rows, MINUTE, k, store.settings.calendar, unit)]
            way.append(report(rows, unit, k, store.settings.calendar, unit))
            assert_ways_fit(k, *way)
        dwell = [
            [sum((line.totals or Totals()).dwell[place] for line in lines) for place in range(6)]
            for lines in seen
            if lines and all(line.age != ALL for line in lines)
        ]
        everybody = store.rows(unfinished=True)
        store.change(k=k + 1)
        seen += reports(store, k + 1)
        for pair in effect_reports(store, k + 1):
            effects.take_in(k + 1, *pair)
    effects.assert_nobody_stands_alone(k)
    assert_nobody_stands_alone(k, seen)
    assert all(cell == 0 or cell >= k for sums in dwell for cell in sums)
    # Nothing is lost: who is not told waits.
    by_group = sum((t.presence for key, t in everybody.items() if key.group.age != ALL), 0)
    assert by_group == (1 << len(people)) - 1


def test_hours_that_one_way_merges_and_the_other_does_not() -> None:
    """Of 21 people, ten in the day's mixed row less eight in the minute 10:00 would be the two at 3:00."""
    came = [
        (9 * 60, WOMEN, 5),
        (9 * 60 + 1, WOMEN, 6),
        (10 * 60, MEN, 8),
        (3 * 60, WOMEN, 1),
        (3 * 60, MEN, 1),
    ]
    people = [Person(minute, group, 2, 0) for minute, group, number in came for _ in range(number)]
    with open_store(":memory:", zone="UTC") as store:
        for _ in count(store, people, 1):
            rows = store.rows()
        minutes, hours = (report(rows, per, 5, store.settings.calendar) for per in (MINUTE, HOUR))
    assert [(f"{line.start:%H:%M}", line.totals.people) for line in minutes if line.totals] == [
        ("09:00", 5),
        ("09:01", 6),
        ("10:00", 8),
    ]
    assert [(f"{line.start:%H:%M}", line.totals.people) for line in hours if line.totals] == [
        ("09:00", 11),
        ("10:00", 8),
    ]
