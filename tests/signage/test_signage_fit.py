"""What fits: every condition, what is unsure, and children, who do not steer."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from screens import NOON, people

from phiz.audience.signal import Signal
from phiz.signage.fit import fitting, misfits
from phiz.signage.rules import Content, Range, Rules, When


def screen(when: When, **settings: object) -> Rules:
    return Rules((Content("it", Path("it.png"), "picture", when),), **{"zone": "UTC", **settings})


def fits(when: When, signal: Signal | None, clock: datetime = NOON, **settings: object) -> bool:
    return bool(fitting(screen(when, **settings), signal, clock))


@pytest.mark.parametrize(
    ("when", "signal", "answer"),
    [
        (When(), people(), True),
        (When(people=Range(1)), people(), False),
        (When(people=Range(1)), people(female=1), True),
        (When(people=Range(1, 2)), people(female=3), False),
        (When(people=Range(None, 0)), people(), True),
        (When(female=Range(0.6)), people(female=3, male=2), True),
        (When(female=Range(0.6)), people(female=1, male=1), False),
        (When(female=Range(0.6)), people(), False),  # of nobody there are no shares
        (When(female=Range(None, 0.4)), people(), False),
        (When(male=Range(0.5, 0.5)), people(female=1, male=1), True),
        (When(facing=Range(0.5)), people(female=4, facing=2), True),
        (When(facing=Range(0.5)), people(female=4, facing=1), False),
        (When(stay_seconds=Range(10)), people(male=1, longest=9.9), False),
        (When(stay_seconds=Range(10)), people(male=1, longest=10), True),
        (When(age=Range(0.5), bands=("60+",)), people(male=2, old=1), True),
        (When(age=Range(0.6), bands=("60+",)), people(male=2, old=1), False),
        (When(age=Range(1), bands=("20-39", "60+")), people(male=2, old=1), True),
        (When(female=Range(0.5), age=Range(1), bands=("60+",)), people(female=1), False),  # both have to hold
    ],
)
def test_conditions(when: When, signal: Signal, answer: bool) -> None:
    assert fits(when, signal) is answer


@pytest.mark.parametrize(
    ("when", "signal", "answer"),
    [
        # Who is not sure may be a woman or a man.
        (When(female=Range(0.5)), people(female=1, not_sure=1), True),
        (When(female=Range(0.6)), people(female=1, not_sure=1), False),
        (When(female=Range(None, 0.4)), people(male=1, not_sure=1), False),
        (When(female=Range(None, 0.5)), people(male=1, not_sure=1), True),
        # And of any age.
        (When(age=Range(0.6), bands=("20-39",)), people(male=2, unknown=1), False),
        (When(age=Range(None, 0.4), bands=("60+",)), people(male=2, unknown=1), False),
        # Where nobody is sure, only what asks nothing of age or gender may fit.
        (When(female=Range(0.1)), people(not_sure=3), False),
        (When(male=Range(None, 0.9)), people(not_sure=3), False),
        (When(age=Range(None, 0.9), bands=("20-39",)), people(not_sure=3), False),
        (When(people=Range(2)), people(not_sure=3), True),
    ],
)
def test_what_is_unsure_does_not_steer(when: When, signal: Signal, answer: bool) -> None:
    assert fits(when, signal) is answer


@pytest.mark.parametrize(
    ("when", "signal", "answer"),
    [
        (When(people=Range(1)), people(female=1, child=1), False),  # a child alone is nobody
        (When(people=Range(2)), people(female=2, child=1), False),
        (When(people=Range(1, 1)), people(female=2, child=1), True),
        # One of two women is a child, or the man is: of the two others one or two are women.
        (When(female=Range(0.5)), people(female=2, male=1, child=1), True),
        (When(female=Range(0.6)), people(female=2, male=1, child=1), False),
        (When(facing=Range(0.5)), people(male=2, facing=1, child=1), False),  # it may be the child who faces
        (When(facing=Range(0.5)), people(male=2, facing=2, child=1), True),
        (When(stay_seconds=Range(10)), people(male=2, longest=99, child=1), False),  # or who came first
        (When(age=Range(1), bands=("20-39",)), people(male=2, child=1), True),
    ],
)
def test_children_do_not_steer(when: When, signal: Signal, answer: bool) -> None:
    assert fits(when, signal) is answer


def test_children_steer_where_they_are_allowed_to() -> None:
    assert fits(When(people=Range(1)), people(female=1, child=1), steer_from_age=0)
    assert fits(When(age=Range(1), bands=("0-12",)), people(female=1, child=1), steer_from_age=0)


def test_a_higher_age_leaves_more_people_out() -> None:
    assert fits(When(people=Range(2)), people(female=2, teen=1))
    assert not fits(When(people=Range(2)), people(female=2, teen=1), steer_from_age=20)


HOURS = When(hours=((datetime(1, 1, 1, 9).time(), datetime(1, 1, 1, 17).time()),))
NIGHT = When(hours=((datetime(1, 1, 1, 22).time(), datetime(1, 1, 1, 2).time()),), weekdays=(4,))


@pytest.mark.parametrize(
    ("when", "clock", "answer"),
    [
        (HOURS, "2026-11-26T08:59:59", False),
        (HOURS, "2026-11-26T09:00:00", True),
        (HOURS, "2026-11-26T16:59:59", True),
        (HOURS, "2026-11-26T17:00:00", False),
        (When(weekdays=(3,)), "2026-11-26T00:00:00", True),
        (When(weekdays=(3,)), "2026-11-27T00:00:00", False),
        (NIGHT, "2026-11-27T23:00:00", True),
        (NIGHT, "2026-11-28T01:59:00", True),  # Saturday, but Friday's night
        (NIGHT, "2026-11-28T02:00:00", False),
        (NIGHT, "2026-11-27T01:00:00", False),
        (NIGHT, "2026-11-27T12:00:00", False),
    ],
)
def test_hours_and_weekdays(when: When, clock: str, answer: bool) -> None:
    assert fits(when, people(), datetime.fromisoformat(clock).replace(tzinfo=timezone.utc)) is answer


def test_hours_are_those_of_the_rules_zone() -> None:
    clock = datetime(2026, 11, 26, 8, 30, tzinfo=timezone.utc)
    assert fits(HOURS, people(), clock, zone="Europe/Berlin")
    assert not fits(HOURS, people(), clock, zone="UTC")


def test_without_a_camera_nothing_fits() -> None:
    assert not fits(When(), None)
    assert fitting(screen(When()), people(), NOON) == {"it"}


def test_reasons_say_what_is_and_what_was_wanted() -> None:
    rules = screen(When(female=Range(0.5, 0.9), people=Range(3), stay_seconds=Range(20)))
    assert misfits(rules.contents[0], people(female=1, not_sure=1, male=2, longest=4), NOON, rules) == [
        "female: 25% to 50%, wanted at least 50%, at most 90%",
        "stay_seconds: 4.0 s, wanted at least 20.0 s",
    ]
    assert misfits(rules.contents[0], people(), NOON, rules)[1:] == [
        "female: nobody is there whose share it could be",
        "stay_seconds: 0.0 s, wanted at least 20.0 s",
    ]
