"""An hour of made visits, by what was on: every figure of the table worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from made_tracks import MIDNIGHT, Visit, play

from phiz.audience import Counter, Store, open_store
from phiz.audience.attention import Exposure, Looks, Piece, Programme
from phiz.audience.effect import Effect, EffectLine, effect_report
from phiz.audience.store import KEPT_SHOWN
from phiz.audience.totals import MIXED_CONTENT, NOTHING, Shown
from phiz.errors import PhizError

COFFEE, TEA = Shown("coffee.mp4"), Shown("tea.mp4")
SHOP = datetime.fromtimestamp(MIDNIGHT, timezone.utc)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [MIDNIGHT + 86400.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "shop.db", zone="UTC") as store:
        yield store


def moment(seconds: float) -> datetime:
    return SHOP + timedelta(seconds=seconds)


def hour_of_visits() -> list[Visit]:
    """Thirty people, one every two minutes; all but the last come with coffee and see tea too.

    Coffee is on in the first minute of each two, tea in the second. Who comes at second 30 of coffee for 60 s
    sees 30 s of either, women with the face to the screen, men without.
    """
    visits = [
        Visit(
            120 * n + 30, 120 * n + 90, gender="female" if n < 18 else "male", facing=1.0 if n < 18 else 0.0
        )
        for n in range(29)
    ]
    return [*visits, Visit(120 * 29 + 70, 120 * 29 + 90)]  # a woman who sees tea alone, for 20 s


def show(store: Store, minutes: int = 60) -> None:
    for minute in range(minutes):
        content = ("coffee.mp4", "tea.mp4")[minute % 2]
        store.on_shown(content, moment(60 * minute), moment(60 * minute + 60))


def count(store: Store, visits: list[Visit], seconds: int = 3600) -> list[EffectLine]:
    with Counter(store, began=MIDNIGHT, shown=store.shown) as counter:
        play(counter, visits, range(0, seconds + 1))
    return effect_report(store.effects(), store.settings.k, store.settings.calendar)


def test_an_hour_of_visits(store: Store) -> None:
    show(store)
    lines = count(store, hour_of_visits())
    # Nineteen women and eleven men came; tea has one arrival, which is told with coffee's and not alone.
    both = Effect(
        people=30,
        viewers=29 + 30,
        presence=29 * 60_000 + 20_000,
        attention=18 * 60_000 + 20_000,
        squared=18 * 2 * 900_000 + 400_000,
        shown=3_600_000,
    )
    assert lines == [EffectLine(MIXED_CONTENT, both)]


def test_an_hour_in_which_both_contents_have_people_who_came_with_them(store: Store) -> None:
    show(store)
    came_with_tea = [
        Visit(120 * n + 70, 120 * n + 80, gender="female" if n % 2 else "male", facing=float(n % 2))
        for n in range(12)
    ]
    lines = count(store, [*hour_of_visits()[:29], *came_with_tea])
    coffee = Effect(29, 29, 29 * 30_000, 18 * 30_000, 18 * 900_000, 1_800_000)
    tea = Effect(
        people=12,
        viewers=41,
        presence=29 * 30_000 + 12 * 10_000,
        attention=18 * 30_000 + 6 * 10_000,
        squared=18 * 900_000 + 6 * 100_000,
        shown=1_800_000,
    )
    women, men = {"age": "20-39", "gender": "female"}, {"age": "20-39", "gender": "male"}
    assert lines[0] == EffectLine(COFFEE, coffee)
    assert lines[1:3] == [
        EffectLine(
            COFFEE._replace(**women), Effect(18, 18, 18 * 30_000, 18 * 30_000, 18 * 900_000, 1_800_000)
        ),
        EffectLine(COFFEE._replace(**men), Effect(11, 11, 11 * 30_000, 0, 0, 1_800_000)),
    ]
    squared = 18 * 900_000 + 6 * 100_000
    assert lines[3:] == [
        EffectLine(TEA, tea),
        EffectLine(TEA._replace(**women), Effect(6, 24, 600_000, 600_000, squared, 1_800_000)),
        EffectLine(TEA._replace(**men), Effect(6, 17, 390_000, 0, 0, 1_800_000)),
    ]
    # 540 of 1800 seconds, from 18 people of 30 s each: the interval is 0.3 times and by exp(1.96 / sqrt(18)).
    assert coffee.rate == 0.3
    assert coffee.effective == pytest.approx(18)
    assert coffee.too_few
    factor = math.exp(1.96 / math.sqrt(18))
    assert coffee.interval == pytest.approx((0.3 / factor, 0.3 * factor))
    assert tea.effective == pytest.approx(600**2 / (18 * 900 + 6 * 100))
    assert not tea.too_few
    assert tea.rate == pytest.approx(1 / 3)


def test_a_content_is_not_split_where_some_saw_it_and_none_of_their_group_came_with_it(store: Store) -> None:
    show(store)
    came_with_tea = [Visit(120 * n + 70, 120 * n + 80) for n in range(12)]
    lines = count(store, [*hour_of_visits()[:29], *came_with_tea])
    assert [(line.shown, line.effect.people) for line in lines if line.effect] == [(COFFEE, 29), (TEA, 12)]


def test_contents_at_random_are_told_apart_and_gaps_are_nothing(store: Store) -> None:
    for minute in range(0, 60, 3):
        store.on_shown("coffee.mp4", moment(60 * minute), moment(60 * minute + 60), random=minute % 2 == 0)
    visits = [Visit(60 * minute + 10, 60 * minute + 20) for minute in range(60)]
    lines = count(store, visits)
    assert [(line.shown, line.effect.people, line.effect.shown) for line in lines if line.effect] == [
        (COFFEE, 10, 600_000),
        (COFFEE._replace(age="20-39", gender="female"), 10, 600_000),
        (COFFEE._replace(random=True), 10, 600_000),
        (COFFEE._replace(random=True, age="20-39", gender="female"), 10, 600_000),
        (NOTHING, 40, 2_400_000),
    ]


def test_where_nothing_is_shown_there_is_nothing_to_split(store: Store) -> None:
    lines = count(store, hour_of_visits())
    assert [(line.shown, line.effect.people) for line in lines if line.effect] == [(NOTHING, 30)]


def test_a_camera_that_saw_nothing_counts_no_time_of_a_content(store: Store) -> None:
    show(store)
    with Counter(store, began=MIDNIGHT, shown=store.shown) as counter:
        play(counter, [Visit(n, n + 3) for n in range(0, 60, 4)], [*range(0, 60), *range(1800, 1860)])
    (line,) = effect_report(store.effects(), 5, store.settings.calendar)[:1]
    assert line.effect is not None
    assert (line.shown, line.effect.shown) == (COFFEE, 118_000)


def test_minutes_wait_for_what_was_shown_in_them(store: Store) -> None:
    visits = [Visit(10, 20)] * 6
    with Counter(store, began=MIDNIGHT, shown=store.shown, lag=15) as counter:
        play(counter, visits, range(0, 74))
        assert store.rows(unfinished=True) == {}
        store.on_shown("coffee.mp4", moment(0), moment(60))  # told once it is over
        play(counter, [], range(74, 76))
        assert sum(totals.people for totals in store.rows(unfinished=True).values()) == 12  # in both ways
    (line, _) = effect_report(store.effects(), 5, store.settings.calendar)
    assert (line.shown, line.effect and line.effect.people) == (COFFEE, 6)


def test_what_was_shown_is_kept_for_a_quarter_of_an_hour(store: Store, clock: list[float]) -> None:
    store.on_shown("coffee.mp4", moment(0), moment(60))
    assert store.shown(MIDNIGHT + 59, MIDNIGHT + 60) == [Exposure(MIDNIGHT, MIDNIGHT + 60, COFFEE)]
    assert store.shown(MIDNIGHT + 60, MIDNIGHT + 120) == []
    clock[0] += KEPT_SHOWN + 1
    store.on_shown("tea.mp4", moment(60), moment(120))
    assert [exposure.shown for exposure in store.shown(MIDNIGHT, MIDNIGHT + 120)] == [TEA]


@pytest.mark.parametrize(
    ("content", "start", "end", "message"),
    [
        ("", 0, 1, "a name of 1 to 200 characters"),
        ("x" * 201, 0, 1, "a name of 1 to 200 characters"),
        ("(mixed)", 0, 1, "does not begin with a round bracket, got '\\(mixed\\)'"),
        ("coffee", 2, 1, "and a later end"),
    ],
)
def test_what_is_no_exposure_is_refused(
    store: Store, content: str, start: float, end: float, message: str
) -> None:
    with pytest.raises(PhizError, match=message):
        store.on_shown(content, moment(start), moment(end))
    with pytest.raises(PhizError, match="a start with a time zone"):
        store.on_shown("coffee", datetime(2026, 11, 22), moment(1))


def test_a_database_from_before_contents_goes_on(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "old.db"
    with open_store(path, zone="UTC") as store:
        play_hour(store)
    connection = sqlite3.connect(path)
    with connection:
        for table in ("audience_effects", "audience_effects_running", "audience_shown"):
            connection.execute(f"DROP TABLE {table}")
    connection.close()
    with open_store(path, create=False) as store:
        assert store.effects() == {}
        assert store.shown(0, 2**40) == []
        store.on_shown("coffee.mp4", moment(0), moment(60))
        assert len(store.shown(MIDNIGHT, MIDNIGHT + 1)) == 1


def play_hour(store: Store) -> None:
    with Counter(store, began=MIDNIGHT) as counter:
        play(counter, hour_of_visits(), range(0, 3601))


def test_a_larger_k_merges_contents_and_keeps_no_split(store: Store) -> None:
    show(store)
    visits = [Visit(60 * n + 10, 60 * n + 20, gender="female" if n % 4 < 2 else "male") for n in range(0, 40)]
    assert len(count(store, [*visits, *[Visit(130, 140)] * 6])) == 6
    store.change(k=21)
    lines = effect_report(store.effects(), 21, store.settings.calendar)
    assert [(line.shown, line.effect and line.effect.people) for line in lines] == [(MIXED_CONTENT, 46)]


def test_the_last_that_began_is_on() -> None:
    on = Programme([Exposure(0, 100, COFFEE), Exposure(20, 40, TEA), Exposure(60, 60, TEA)])
    assert [on.at(moment) for moment in (-1, 0, 19.9, 20, 39.9, 40, 60, 99, 100)] == [
        *(NOTHING, COFFEE, COFFEE, TEA, TEA, COFFEE, COFFEE, COFFEE, NOTHING),
    ]
    parts = on.split([Piece(10, 45, True), Piece(90, 110, False)])
    assert [(shown, part.start, part.end) for shown, part in parts] == [
        *((COFFEE, 10, 20), (TEA, 20, 40), (COFFEE, 40, 45), (COFFEE, 90, 100), (NOTHING, 100, 110)),
    ]


def test_looks_are_joined() -> None:
    looks = Looks(0.0)
    for now, facing in ((1, True), (2, True), (1.5, True), (3, False), (4, True)):
        looks.look(now, facing)
    assert looks.take() == [Piece(0, 2, True), Piece(2, 3, False), Piece(3, 4, True)]
    looks.look(5, True)
    assert looks.take() == [Piece(4, 5, True)]


def test_figures_of_nobody() -> None:
    assert Effect().rate is None
    assert Effect(shown=1000).rate == 0
    assert Effect(shown=1000).interval is None
    assert Effect(people=40, viewers=40, presence=1000, shown=1000).too_few
