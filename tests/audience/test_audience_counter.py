"""What a counter makes of tracks: minutes, presence, attention, dwell, and clocks that misbehave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import (
    EVERYBODY,
    MEN,
    MIDNIGHT,
    OTHERS,
    UNSURE,
    WOMEN,
    MadeTrack,
    Visit,
    assert_groups_have,
    face,
    play,
    total,
)

from phiz.audience import Counter, StoreError
from phiz.audience.ledger import Changes
from phiz.audience.store import Settings
from phiz.audience.totals import HOUR, MINUTE, NO_DWELL, NOT_SURE, Key, Rows, Totals, add, dwell_bin, group_of


class Collected:
    """In place of a Store: adds up what it is given, and keeps what it held after every minute."""

    name = "collected"

    def __init__(self, k: int = 2, groups_per: str = HOUR) -> None:
        self.settings = Settings(k=k, groups_per=groups_per, zone="UTC")
        self.rows: Rows = {}
        self.history: list[Rows] = []
        self.failing = False

    def write(self, changes: Changes) -> None:
        if self.failing:
            raise StoreError("collected: out of order")
        add(self.rows, changes.added)
        add(self.rows, changes.moved)
        for key, totals in changes.moved.items():
            add(self.rows, {key._replace(group=OTHERS): -totals})
        self.history.append(dict(self.rows))


def count(visits: Sequence[Visit], times: Sequence[float], k: int = 2) -> Collected:
    collected = Collected(k)
    with Counter(collected, began=MIDNIGHT) as counter:  # type: ignore[arg-type]
        play(counter, visits, times)
    return collected


def every(step: float, stop: float) -> list[float]:
    return [i * step for i in range(round(stop / step) + 1)]


def test_people_presence_attention_and_dwell_of_a_minute() -> None:
    done = count([Visit(5, 15), Visit(10, 50, facing=0.1)], every(0.5, 59.5))
    expected = Totals(people=2, presence=50_000, attention=10_000, dwell=(0, 1, 0, 1, 0, 0))
    by_time = replace(expected, dwell=NO_DWELL)  # told by group alone
    assert done.rows == {Key(MIDNIGHT, MINUTE, EVERYBODY): by_time, Key(MIDNIGHT, HOUR, WOMEN): expected}


def test_who_is_still_there_has_no_dwell_time_yet() -> None:
    done = count([Visit(5, 100), Visit(5, 100)], every(0.5, 30))
    assert total(done.rows) == Totals(2, 50_000, 50_000)


def test_presence_is_cut_where_the_minute_ends() -> None:
    # No frame falls on the boundary at 60 s.
    done = count([Visit(30, 91), Visit(30, 91)], [30.0, 34.0, *(34 + 4 * t for t in range(1, 15)), 91.0])
    minute, rest = Key(MIDNIGHT, MINUTE, EVERYBODY), Key(MIDNIGHT, HOUR, EVERYBODY)
    assert done.rows[minute] == Totals(2, 60_000, 60_000)
    assert done.rows[rest] == Totals(0, 62_000, 62_000)  # nobody came in the second minute
    assert done.history[0] == {
        minute: Totals(2, 60_000, 60_000),
        Key(MIDNIGHT, HOUR, WOMEN): done.rows[minute],
    }


def test_a_person_is_counted_once_in_one_group_though_the_estimate_moves_on() -> None:
    collected = Collected(k=2)
    counter = Counter(collected, began=MIDNIGHT)  # type: ignore[arg-type]
    for time in range(0, 130):
        answer = face(18.0) if time < 20 else face(30.0) if time <= 60 else face(45.0, "male")
        counter.update([MadeTrack(1, answer, 0, time), MadeTrack(2, face(30.0), 0, time)], time)
    counter.close()
    by_group = {key.group: totals for key, totals in collected.rows.items() if key.group != EVERYBODY}
    assert by_group == {WOMEN: Totals(2, 258_000, 258_000)}


def test_a_group_stays_mixed_until_k_people_are_in_it_and_then_comes_whole() -> None:
    women = [Visit(60 * i + 10, 60 * i + 20) for i in range(6)]
    done = count([*women, Visit(100, 130, gender="male")], every(1, 400), k=5)
    hour = Key(MIDNIGHT, HOUR, OTHERS)
    assert [rows.get(hour, Totals()).people for rows in done.history] == [1, 3, 4, 5, 1, 2, 1]
    assert done.rows[hour._replace(group=WOMEN)].people == 6  # the last joined when the counter closed
    assert hour._replace(group=MEN) not in done.rows


def test_groups_of_a_whole_day() -> None:
    collected = Collected(k=3, groups_per="day")
    with Counter(collected, began=MIDNIGHT) as counter:  # type: ignore[arg-type]
        play(counter, [Visit(5 + 3600 * i, 15 + 3600 * i) for i in range(3)], every(5, 3 * 3600))
    assert collected.rows[Key(MIDNIGHT, "day", WOMEN)].people == 3
    assert collected.rows[Key(MIDNIGHT + 3600, HOUR, EVERYBODY)].people == 1  # merged by the store


def test_a_stalled_stream_is_no_presence() -> None:
    done = count([Visit(0, 300), Visit(0, 300)], [0, 1, 2, 203, 204])
    assert total(done.rows).presence == 2 * 3000


def test_late_frames_count_no_time_twice() -> None:
    done = count([Visit(0, 50), Visit(0, 50)], [0, 4, 8, 6, 7, 8, 12, 3, 12])
    assert total(done.rows).presence == 2 * 12_000


def test_a_clock_set_back_by_an_hour_goes_on_there() -> None:
    collected = Collected(k=2)
    counter = Counter(collected, began=MIDNIGHT)  # type: ignore[arg-type]
    for time in [*range(7200, 7290), *range(3690, 3780)]:
        counter.update([MadeTrack(i, face(), 7200, time) for i in (1, 2)], time)
    counter.close()
    assert total(collected.rows) == total(collected.rows, by_time=True) == Totals(2, 356_000, 356_000)
    assert Key(MIDNIGHT + 3600, HOUR, EVERYBODY) in collected.rows


def test_a_track_whose_end_is_never_told_is_forgotten() -> None:
    done = count([Visit(0, 10)], every(1, 60))
    assert total(done.rows).people == 1
    collected = Collected()
    counter = Counter(collected, began=MIDNIGHT)  # type: ignore[arg-type]
    counter.update([MadeTrack(1, face(), 0, 0)], 0)
    for time in range(0, 1200, 10):
        counter.update([], time)
    counter.update([MadeTrack(1, face(), 0, 1200)], 1200)
    counter.close()
    assert total(collected.rows).people == 2


def test_a_time_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a time in seconds, got nan"):
        Counter(Collected()).update([], float("nan"))  # type: ignore[arg-type]


def test_minutes_that_could_not_be_written_come_with_the_next() -> None:
    told: list[str] = []
    collected = Collected(k=2)
    counter = Counter(collected, began=MIDNIGHT, on_problem=told.append)  # type: ignore[arg-type]
    visits = [Visit(60 * i + 10, 60 * i + 20) for i in range(5)]
    collected.failing = True
    play(counter, visits, every(1, 185))
    assert collected.rows == {}
    assert told == ["collected: out of order; the minute is kept in memory and written with the next"] * 3
    collected.failing = False
    play(counter, [], every(1, 250)[186:])
    counter.close()
    assert total(collected.rows).people == 3
    assert total(collected.rows, by_time=True).people == 3


def test_the_end_says_what_is_lost() -> None:
    collected = Collected()
    counter = Counter(collected, began=MIDNIGHT)  # type: ignore[arg-type]
    counter.update([MadeTrack(1, face(), 0, 0)], 0)
    collected.failing = True
    with pytest.raises(
        StoreError, match="out of order; what was counted since the last written minute is lost"
    ):
        counter.close()


@pytest.mark.parametrize(
    ("dwell", "place"), [(0, 0), (4.9, 0), (5, 1), (59.9, 3), (60, 4), (180, 5), (9999, 5)]
)
def test_dwell_bins(dwell: float, place: int) -> None:
    assert dwell_bin(dwell).index(1) == place
    assert sum(dwell_bin(dwell)) == 1


@pytest.mark.parametrize(
    ("age", "gender", "sure", "group"),
    [
        (12.9, "male", 0.7, ("0-12", "male")),
        (60.0, "female", 1.0, ("60+", "female")),
        (30.0, "female", 0.699, UNSURE),
        (30.0, None, 0.85, UNSURE),  # under the --min-gender-score that was asked for
        (None, None, None, (NOT_SURE, NOT_SURE)),  # --strict, and every look at that face has a flag
    ],
)
def test_groups(age: float | None, gender: str | None, sure: float | None, group: tuple[str, str]) -> None:
    assert group_of(face(age, gender, sure)) == group


def test_who_is_not_sure_is_a_group_of_its_own_and_needs_k_people_too() -> None:
    unsure = [Visit(10 * i, 10 * i + 5, sure=0.6) for i in range(3)]
    women = [Visit(10 * i, 10 * i + 5) for i in range(3)]
    done = count([*unsure, *women, Visit(5, 9, gender=None)], every(1, 70), k=3)
    by_group = {key.group: totals.people for key, totals in done.rows.items() if key.group != EVERYBODY}
    assert by_group == {UNSURE: 4, WOMEN: 3}
    few = count([*unsure[:2], *women], every(1, 70), k=3)
    by_group = {key.group: totals.people for key, totals in few.rows.items() if key.group != EVERYBODY}
    assert by_group == {OTHERS: 2, WOMEN: 3}


VISITS = st.lists(
    st.builds(
        lambda first, stay, *looks: Visit(first, first + stay, *looks),
        st.integers(0, 4300),
        st.integers(0, 400),
        st.sampled_from([8.0, 30.0, 70.0]),
        st.sampled_from(["female", "male", None]),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from([0.55, 0.95]),
    ),
    max_size=25,
)


@settings(max_examples=30, deadline=None)
@given(VISITS, st.integers(2, 6), st.integers(0, 3599))
def test_everybody_is_counted_once_and_no_small_group_ever_shows(
    visits: list[Visit], k: int, offset: int
) -> None:
    collected = Collected(k)
    with Counter(collected, began=MIDNIGHT + offset) as counter:  # type: ignore[arg-type]
        play(counter, visits, range(0, 4800, 5))
    looks = [range(-(-v.first // 5) * 5, int(v.last) + 1, 5) for v in visits]
    expected = Totals(
        people=sum(1 for look in looks if look),
        presence=sum(1000 * (look[-1] - look[0]) for look in looks if look),
        attention=sum(1000 * (r[-1] - r[0]) for r, v in zip(looks, visits, strict=True) if r and v.facing),
    )
    for by_time in (False, True):
        found = total(collected.rows, by_time=by_time)
        assert (found.people, found.presence, found.attention) == expected.values()[:3]
        assert sum(found.dwell) == (0 if by_time else expected.people)
    first = (MIDNIGHT + offset) // 60 * 60
    for number, rows in enumerate(collected.history[:-1], 1):
        assert_groups_have(k, rows)
        before = collected.history[number - 2] if number > 1 else {}
        for key, totals in rows.items():
            grown = totals.people - before.get(key, Totals()).people
            hour_runs = key.start + 3600 > first + 60 * number
            if hour_runs and key.group not in (EVERYBODY, OTHERS):  # readers of both learn of k people
                assert totals == before.get(key) or grown >= k


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 4000, allow_nan=False), min_size=1, max_size=60), st.integers(2, 4))
def test_any_clock_keeps_people_and_never_makes_time(times: list[float], k: int) -> None:
    collected = Collected(k)
    with Counter(collected, began=MIDNIGHT) as counter:  # type: ignore[arg-type]
        for time in times:
            counter.update([MadeTrack(i, face(), times[0], time) for i in (1, 2, 3)], time)
    by_group, by_time = total(collected.rows), total(collected.rows, by_time=True)
    assert by_group == by_time
    assert by_group.people == 3
    forward = sum(max(0.0, b - a) for a, b in pairwise(times))
    assert 0 <= by_group.presence <= 3 * 1000 * forward + 3 * len(times)
    assert_groups_have(k, collected.rows)
