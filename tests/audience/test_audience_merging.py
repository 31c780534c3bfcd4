"""Merging of what is too small: nothing is lost, nothing small is left to see or to work out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import EVERYBODY, MEN, MIDNIGHT, OTHERS, WOMEN, assert_nothing_small, total

from phiz.audience.calendar import Calendar
from phiz.audience.merging import is_time, merge
from phiz.audience.report import report
from phiz.audience.totals import DAY, HOUR, MINUTE, Group, Key, Rows, Totals, add

UTC = Calendar("UTC")
GIRLS = Group("0-12", "female")


def people(count: int) -> Totals:
    return Totals(count, 1000 * count, 500 * count)


def hour(number: int, group: Group) -> Key:
    return Key(MIDNIGHT + 3600 * number, HOUR, group)


def test_a_small_group_joins_the_mixed_one() -> None:
    rows = {hour(9, WOMEN): people(7), hour(9, MEN): people(4), hour(9, GIRLS): people(3)}
    assert merge(rows, 5, UTC) == {hour(9, WOMEN): people(7), hour(9, OTHERS): people(7)}


def test_one_small_group_takes_the_next_smallest_along_or_it_could_be_subtracted() -> None:
    rows = {hour(9, WOMEN): people(20), hour(9, MEN): people(6), hour(9, GIRLS): people(1)}
    assert merge(rows, 5, UTC) == {hour(9, WOMEN): people(20), hour(9, OTHERS): people(7)}


def test_hours_with_too_few_people_are_one_row_of_their_day() -> None:
    rows = {
        hour(3, WOMEN): people(2),
        hour(4, MEN): people(4),
        hour(9, WOMEN): people(9),
        hour(10, WOMEN): people(8),
    }
    day = Key(MIDNIGHT, DAY, OTHERS)
    assert merge(rows, 5, UTC) == {day: people(6), hour(9, WOMEN): people(9), hour(10, WOMEN): people(8)}
    del rows[hour(4, MEN)]
    assert merge(rows, 5, UTC) == {day: people(2), hour(9, WOMEN): people(9), hour(10, WOMEN): people(8)}


def test_minutes() -> None:
    minutes = {Key(MIDNIGHT + 60 * i, MINUTE, EVERYBODY): people(n) for i, n in enumerate([6, 1, 9, 1])}
    assert merge(minutes, 5, UTC) == {
        Key(MIDNIGHT + 120, MINUTE, EVERYBODY): people(9),
        Key(MIDNIGHT, HOUR, EVERYBODY): people(8),
    }


def test_a_day_with_fewer_than_k_people_is_one_row() -> None:
    rows = {hour(3, WOMEN): people(2), hour(20, MEN): people(1), hour(30, MEN): people(5)}
    assert merge(rows, 5, UTC) == {Key(MIDNIGHT, DAY, OTHERS): people(3), hour(30, MEN): people(5)}


def test_presence_of_people_who_came_before_is_no_group_of_its_own() -> None:
    stayed = Totals(0, 60_000, 0)
    rows = {hour(9, WOMEN): people(5), hour(10, WOMEN): stayed}
    assert merge(rows, 5, UTC) == {Key(MIDNIGHT, DAY, OTHERS): stayed, hour(9, WOMEN): people(5)}


def test_dwell_times_without_people_take_nobody_along() -> None:
    left = Totals(dwell=(5, 0, 0, 0, 0, 0))
    for unit in (HOUR, DAY):
        rows = {Key(MIDNIGHT, unit, WOMEN): people(6), Key(MIDNIGHT, unit, OTHERS): left}
        merged = {Key(MIDNIGHT, unit, WOMEN): people(6), Key(MIDNIGHT, DAY, OTHERS): left}
        assert merge(rows, 5, UTC, unit) == merged


def test_both_ways_merge_the_same_hours() -> None:
    """An hour that went up by time and stayed by group would be laid bare by subtraction."""
    groups = {hour(3, WOMEN): people(1), hour(3, MEN): people(1), hour(9, WOMEN): people(11)}
    groups |= {hour(10, MEN): people(8)}
    minutes = {
        Key(MIDNIGHT + 3600 * h + 60 * m, MINUTE, EVERYBODY): people(n)
        for h, m, n in ((3, 0, 2), (9, 0, 5), (9, 1, 6), (10, 0, 8))
    }
    merged = merge(groups | minutes, 5, UTC)
    assert merged == {
        **{key: totals for key, totals in (groups | minutes).items() if totals.people >= 5},
        Key(MIDNIGHT, DAY, OTHERS): people(2),
        Key(MIDNIGHT, DAY, EVERYBODY): people(2),
    }


TOTALS = st.builds(
    lambda came, stayed, ended: Totals(came, 1000 * came + stayed, stayed, (ended, 0, 0, 0, 0, 0)),
    st.integers(0, 12),
    st.integers(0, 5000),
    st.integers(0, 3),
)
PEOPLE = st.dictionaries(
    st.tuples(st.integers(0, 47), st.integers(0, 59), st.sampled_from([WOMEN, MEN, GIRLS])),
    TOTALS,
    max_size=30,
)


def both_views(counted: dict[tuple[int, int, Group], Totals], period: str) -> Rows:
    """Return the rows by minute, and by group and hour or day."""
    rows: Rows = {}
    for (number, minute, group), totals in counted.items():
        start = MIDNIGHT + 3600 * number
        add(rows, {Key(start + 60 * minute, MINUTE, EVERYBODY): totals})
        add(rows, {Key(start if period == HOUR else start // 86400 * 86400, period, group): totals})
    return rows


@settings(deadline=None)
@given(PEOPLE, st.integers(2, 8), st.sampled_from([HOUR, DAY]))
def test_merging_keeps_every_sum_and_leaves_nothing_small(
    counted: dict[tuple[int, int, Group], Totals], k: int, unit: str
) -> None:
    rows = both_views(counted, unit)
    merged = merge(rows, k, UTC, unit)
    for by_time in (True, False):
        assert total(merged, by_time=by_time) == total(rows, by_time=by_time)
        for start in {UTC.start(key.start, unit) for key in rows}:
            mine = [total({key: t}, by_time=by_time) for key, t in merged.items() if key.start >= start]
            other = [total({key: t}, by_time=not by_time) for key, t in merged.items() if key.start >= start]
            assert sum(t.people for t in mine) == sum(t.people for t in other)
    assert_nothing_small(k, merged)
    assert merge(merged, k, UTC, unit) == merged


@settings(deadline=None, max_examples=50)
@given(PEOPLE, st.integers(2, 6), st.sampled_from([HOUR, DAY]), st.sampled_from(["minute", "hour", "day"]))
def test_a_line_has_k_people_or_no_figures(
    counted: dict[tuple[int, int, Group], Totals], k: int, unit: str, per: str
) -> None:
    lines = report(both_views(counted, unit), per, k, UTC, unit)
    for line in lines:
        if line.totals is not None:
            assert line.totals.people >= k or line.totals.nobody
            assert all(cell == 0 or cell >= k for cell in line.totals.dwell)
    keys = [(line.start, line.period, line.age, line.gender) for line in lines]
    assert len(set(keys)) == len(keys)


@settings(deadline=None, max_examples=50)
@given(PEOPLE, st.integers(2, 6))
def test_subtracting_hours_from_their_day_leads_to_nobody_or_to_k_people(
    counted: dict[tuple[int, int, Group], Totals], k: int
) -> None:
    stored = merge(both_views(counted, HOUR), k, UTC)
    left: dict[tuple[str, ...], int] = {}
    for per, sign in (("day", 1), ("hour", -1)):
        for line in report(stored, per, k, UTC):
            if line.totals is not None and line.period == per:
                name = (f"{line.start:%F}", line.age, line.gender)
                left[name] = left.get(name, 0) + sign * line.totals.people
    assert all(people == 0 or people >= k for people in left.values())


@settings(deadline=None, max_examples=50)
@given(PEOPLE, st.integers(2, 4), st.integers(2, 12), st.sampled_from(["minute", "hour", "day"]))
def test_a_report_may_ask_for_larger_groups(
    counted: dict[tuple[int, int, Group], Totals], stored_k: int, k: int, per: str
) -> None:
    stored = merge(both_views(counted, HOUR), stored_k, UTC)
    lines = report(stored, per, max(k, stored_k), UTC)
    assert all(not line.totals or not line.totals.people or line.totals.people >= k for line in lines)
    told = sum((line.totals or Totals() for line in lines), Totals()).values()[:3]
    assert all(some <= whole for some, whole in zip(told, total(stored).values()[:3], strict=True))
    # A day's row may be told of some and withhold others, of no people but of time that they were there.
    kept = merge(stored, max(k, stored_k), UTC).values()
    if all(totals.people >= max(k, stored_k) or totals.nobody for totals in kept):
        assert told == total(stored).values()[:3]


def test_hours_are_told_for_everybody_where_groups_have_the_day() -> None:
    rows = {Key(MIDNIGHT, MINUTE, EVERYBODY): people(6), Key(MIDNIGHT, DAY, WOMEN): people(6)}
    assert [(line.period, line.age) for line in report(rows, HOUR, 5, UTC, DAY)] == [(HOUR, "all")]
    assert [(line.period, line.age) for line in report(rows, DAY, 5, UTC, DAY)] == [(DAY, "20-39")]
    assert [(line.period, line.age) for line in report(rows, HOUR, 5, UTC, HOUR)] == [(DAY, "20-39")]


def test_the_two_ways_of_dividing_are_not_mixed() -> None:
    rows = {Key(MIDNIGHT, MINUTE, EVERYBODY): people(6), hour(0, WOMEN): people(6)}
    assert [is_time(key) for key in rows] == [True, False]
    for per in ("minute", "hour", "day"):
        assert [line.totals for line in report(rows, per, 5, UTC)] == [people(6)]
