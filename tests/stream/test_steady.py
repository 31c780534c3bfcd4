"""What a track answers: means that settle, an interval that shrinks with other looks and not with frames."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phiz.models.certainty import Caution
from phiz.stream.steady import MEMORY, SHARED, Steady
from phiz.types import Face

#: Half widths of an interval of 0.9, and the deviation that it stands for.
WIDE, DEVIATION = 10.0, 10.0 / 1.6448536


def look(
    age: float = 30.0, female: float = 0.9, reach: tuple[float, float] | None = (WIDE, WIDE), flag: str = ""
) -> Face:
    gender = "female" if female >= 0.5 else "male"
    interval = None if reach is None else (age - reach[0], age + reach[1])
    if flag:
        return Face((0, 0, 9, 9), 0.9, (), None, None, None, flags=(flag,))
    return Face((0, 0, 9, 9), 0.9, (), age, gender, max(female, 1 - female), age_interval=interval)


def told(*looks: Face, caution: Caution | None = None) -> Face:
    steady = Steady(caution or Caution())
    for one in looks:
        steady.see(one)
    return steady.told(looks[-1])


def width(face: Face) -> float:
    assert face.age_interval
    return face.age_interval[1] - face.age_interval[0]


def test_one_look_is_the_answer() -> None:
    for one in (look(), look(reach=None), look(reach=(3.0, 12.0))):
        answer = told(one)
        assert (answer.age, answer.gender, answer.gender_score) == (30, "female", 0.9)
        assert answer.age_interval == (pytest.approx(one.age_interval) if one.age_interval else None)


def test_frames_of_one_look_shrink_nothing() -> None:
    assert width(told(*[look()] * 500)) == pytest.approx(2 * WIDE)


def test_looks_that_differ_shrink_by_what_they_differ() -> None:
    answer = told(look(27.0), look(33.0))
    assert answer.age == pytest.approx(30)
    assert width(answer) == pytest.approx(2 * WIDE * sqrt(1 - 9 / DEVIATION**2))


def test_however_much_they_differ_what_they_share_stays() -> None:
    assert width(told(*[look(age) for age in (10.0, 50.0) * 20])) == pytest.approx(2 * WIDE * sqrt(SHARED))


def test_an_interval_is_shrunk_on_each_side_and_begins_at_birth() -> None:
    low, high = told(*[look(age, reach=(2.0, 18.0)) for age in (1.0, 2.0)]).age_interval or (0, 0)
    assert (low, high > 1.5 + 17) == (0.0, True)
    assert high < 1.5 + 18


@pytest.mark.parametrize("shared", [0.7, 0.8, 0.95])
def test_intervals_of_simulated_tracks_hold_as_often_as_asked(shared: float) -> None:
    """Errors of looks share a part; frames repeat their look with a little noise of their own."""
    random, hold, single = np.random.default_rng(0), 0, 0
    for _ in range(2000):
        common = random.normal(0, DEVIATION * sqrt(shared))
        looks = 30 + common + random.normal(0, DEVIATION * sqrt(1 - shared), 4)
        frames = [look(age) for one in looks for age in one + random.normal(0, 0.2, 5)]
        low, high = told(*frames).age_interval or (0, 0)
        hold += low <= 30 <= high
        single += abs(frames[0].age - 30) <= WIDE
    assert 0.88 <= single / 2000 <= 0.92
    assert 0.88 <= hold / 2000 <= 0.93


def test_poor_looks_count_little() -> None:
    wide = (3 * WIDE, 3 * WIDE)
    looks = [look(60.0, reach=wide) if number % 2 else look(30.0) for number in range(50)]
    assert told(*looks).age == pytest.approx((60 / 9 + 30) / (1 / 9 + 1))
    assert told(
        *[look(60.0 if number % 2 else 30.0, reach=None) for number in range(50)]
    ).age == pytest.approx(45)


def test_flagged_looks_tell_nothing_and_with_no_other_there_is_no_answer() -> None:
    none = told(look(flag="blurred"), look(flag="small"))
    assert (none.age, none.age_interval, none.gender, none.gender_score) == (None,) * 4
    assert none.flags == ("small",)
    some = told(look(flag="blurred"), look(40.0), look(flag="dark"))
    assert (some.age, some.gender, some.flags) == (40, "female", ("dark",))


def test_a_gender_that_is_less_sure_than_asked_for_is_held_back_and_its_score_told() -> None:
    careful = Caution(min_gender_score=0.9)
    assert told(look(female=0.85), caution=careful).gender is None
    assert told(look(female=0.85), caution=careful).gender_score == pytest.approx(0.85)
    assert told(look(female=0.85), *[look(female=0.99)] * 9, caution=careful).gender == "female"


def test_the_named_gender_changes_only_for_good_reason() -> None:
    looks = [look(female=0.51), *[look(female=0.46)] * 50]
    answer = told(*looks)
    assert (answer.gender, answer.gender_score) == ("female", 0.5)
    answer = told(*looks, *[look(female=0.2)] * 50)
    assert answer.gender == "male"
    assert answer.gender_score is not None
    assert answer.gender_score > 0.55


@pytest.mark.parametrize("reach", [None, (WIDE, WIDE)])
def test_a_wrong_beginning_is_forgotten(reach: tuple[float, float] | None) -> None:
    looks = [look(70.0, reach=reach)] * 200 + [look(20.0, reach=reach)] * round(8 * MEMORY)
    assert told(*looks).age == pytest.approx(20, abs=0.2)


LOOK = st.tuples(
    st.floats(0, 100), st.floats(0, 1), st.tuples(st.floats(0.1, 40), st.floats(0.1, 40)), st.booleans()
)


@given(st.lists(LOOK, min_size=1, max_size=30), st.sampled_from([0.5, 0.8, 0.9]))
def test_an_answer_lies_within_the_looks_and_in_its_interval(
    looks: list[tuple[float, float, tuple[float, float], bool]], coverage: float
) -> None:
    seen = [look(age, female, reach, "dark" * flagged) for age, female, reach, flagged in looks]
    answer, ages = told(*seen, caution=Caution(coverage)), [face.age for face in seen if face.age is not None]
    if not ages:
        assert answer.age is None
        return
    assert answer.age is not None
    assert answer.age_interval
    assert answer.gender_score is not None
    assert min(ages) - 1e-9 <= answer.age <= max(ages) + 1e-9
    assert 0 <= answer.age_interval[0] <= answer.age + 1e-9
    assert answer.age - 1e-9 <= answer.age_interval[1]
    assert width(answer) <= max(sum(reach) for _, _, reach, _ in looks) + 1e-9
    assert 0.5 <= answer.gender_score <= 1 + 1e-9
