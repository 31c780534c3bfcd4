"""The signal of who is in view: its counts, its JSON, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
from made_tracks import MadeTrack, face

from phiz.audience.signal import AGE_KEYS, Pace, Signal, signal_of
from phiz.audience.totals import told_age, told_gender
from phiz.errors import DataError
from phiz.types import Face

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/signal-1.schema.json").read_text(encoding="utf-8"))
AT = datetime(2026, 11, 22, 9, 30, 0, 250_000, timezone(timedelta(hours=9)))
PLAIN = {
    "version": 1,
    "at": "2026-11-22T09:30:00.250+09:00",
    "people": 4,
    "facing": 2,
    "female": 2,
    "male": 1,
    "not_sure": 1,
    "ages": {"0-12": 1, "13-19": 0, "20-39": 2, "40-59": 0, "60+": 1, "not sure": 0},
    "longest_seconds": 12.3,
}


class Told(NamedTuple):
    """What is read of a face, as networks with a calibrated card answer."""

    age: float | None
    age_interval: tuple[float, float] | None = None
    gender: str | None = "female"
    gender_score: float | None = 0.9


def in_view() -> list[MadeTrack]:
    return [
        MadeTrack(3, face(30.0), 0.0, 12.25, facing=0.7),
        MadeTrack(5, face(70.0), 4.0, 12.25, facing=0.69),
        MadeTrack(7, face(8.0, "male"), 12.0, 12.25),
        MadeTrack(9, replace(face(39.9, "male"), gender_score=0.69), 8.0, 12.25, facing=0.0),
    ]


def test_the_counts_of_who_is_in_view() -> None:
    assert signal_of(in_view(), 12.25, AT).to_dict() == PLAIN | {"longest_seconds": 12.2}


def test_nobody_in_view() -> None:
    signal = signal_of([], 5.0, AT)
    assert (signal.people, signal.facing, signal.longest_seconds) == (0, 0, 0.0)
    assert signal.ages == dict.fromkeys(AGE_KEYS, 0)


def test_a_signal_comes_back_from_its_json() -> None:
    signal = signal_of(in_view(), 12.3, AT)
    assert Signal.from_dict(json.loads(json.dumps(signal.to_dict()))) == signal
    assert Signal.from_dict(PLAIN).to_dict() == PLAIN


def test_the_published_schema_describes_it() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(signal_of(in_view(), 12.25, AT).to_dict(), SCHEMA)
    assert list(SCHEMA["properties"]) == SCHEMA["required"] == list(PLAIN)
    ages = SCHEMA["properties"]["ages"]
    assert list(ages["properties"]) == ages["required"] == list(AGE_KEYS)
    for wrong in (PLAIN | {"id": 7}, PLAIN | {"people": "4"}, PLAIN | {"version": 2}, PLAIN | {"ages": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "expected version 1, got 2"),
        ({"version": None}, "expected version 1, got None"),
        ({"id": 7}, "expected the fields version, at, .*got .*'id'"),
        ({"people": 5}, "female, male and not_sure: 5 together, got 4"),
        ({"people": True}, "people: a whole number from 0 on, got True"),
        ({"people": 4.0}, "people: a whole number from 0 on, got 4.0"),
        ({"facing": 5}, "facing: at most 4, got 5"),
        ({"male": -1}, "male: a whole number from 0 on, got -1"),
        ({"ages": [4]}, "ages: a mapping"),
        ({"ages": {"20-39": 4}}, "ages: 0-12, 13-19, 20-39, 40-59, 60\\+, not sure, got"),
        ({"ages": dict.fromkeys(AGE_KEYS, 1)}, "ages: 4 together, got 6"),
        ({"ages": PLAIN["ages"] | {"60+": 1.0}}, "ages: whole numbers"),
        ({"at": "2026-11-22T09:30:00"}, "at: a time zone"),
        ({"at": "today"}, "at: a date and time, got 'today'"),
        ({"at": 1795305600}, "at: a date and time, got 1795305600"),
        ({"longest_seconds": -0.1}, "longest_seconds: a number from 0 on"),
        ({"longest_seconds": float("nan")}, "longest_seconds: a number from 0 on"),
        ({"longest_seconds": "12"}, "longest_seconds: a number from 0 on"),
    ],
)
def test_what_is_no_signal_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Signal.from_dict(PLAIN | change)


def test_a_signal_without_a_field_or_of_another_kind_is_refused() -> None:
    with pytest.raises(DataError, match="expected the fields"):
        Signal.from_dict({name: value for name, value in PLAIN.items() if name != "facing"})
    with pytest.raises(DataError, match="expected an object, got \\[\\]"):
        Signal.from_dict([])


@pytest.mark.parametrize(
    ("looks", "band"),
    [
        (face(12.9), "0-12"),  # a card without calibration: no interval
        (Told(None), "not sure"),
        (Told(30.0, (22.0, 38.0)), "20-39"),
        (Told(38.0, (29.0, 51.0)), "20-39"),  # just half of it
        (Told(38.0, (29.0, 51.1)), "not sure"),
        (Told(16.0, (8.0, 24.0)), "not sure"),
        (Told(16.0, (11.0, 22.0)), "13-19"),
        (Told(85.0, (61.0, 110.0)), "60+"),
        (Told(62.0, (50.0, 69.0)), "not sure"),
        (Told(30.0, (30.0, 30.0)), "20-39"),
    ],
)
def test_an_age_band_is_told_where_most_of_the_interval_lies_in_it(looks: Face, band: str) -> None:
    assert told_age(looks) == band


@pytest.mark.parametrize(
    ("looks", "gender"),
    [
        (Told(30.0), "female"),
        (Told(30.0, gender="male", gender_score=0.7), "male"),
        (Told(30.0, gender_score=0.6999), "not sure"),
        (Told(30.0, gender=None, gender_score=0.8), "not sure"),
        (Told(30.0, gender=None, gender_score=None), "not sure"),
    ],
)
def test_a_gender_is_told_from_a_probability_of_70_percent_on(looks: Face, gender: str) -> None:
    assert told_gender(looks) == gender


def signal(people: int, time: float, first: float = 0.0) -> Signal:
    tracks = [MadeTrack(number, face(), first, time) for number in range(people)]
    return signal_of(tracks, time, AT + timedelta(seconds=time))


def test_a_change_is_told_at_most_once_a_second_and_nothing_new_every_two() -> None:
    pace, out = Pace(), []
    for eighth in range(80):
        people = 1 if 10 <= eighth < 36 else 2 if eighth == 6 else 0
        if pace.due(signal(people, eighth / 8), eighth / 8):
            out.append((eighth / 8, people))
    # The two of 0.75 s are gone again before there is room to tell.
    assert out == [(0, 0), (1.25, 1), (3.25, 1), (4.5, 0), (6.5, 0), (8.5, 0)]


def test_a_sign_of_life_holds_up_no_change() -> None:
    pace = Pace()
    assert pace.due(signal(0, 0.0), 0.0)
    assert pace.due(signal(0, 2.0), 2.0)
    assert pace.due(signal(1, 2.25), 2.25)
    assert not pace.due(signal(2, 3.0), 3.0)  # the next change has its second to wait
    assert pace.due(signal(2, 3.25), 3.25)


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    pace = Pace()
    assert pace.due(signal(0, 100.0), 100.0)
    assert not pace.due(signal(0, 101.0), 101.0)
    assert pace.due(signal(0, 3.0), 3.0)
