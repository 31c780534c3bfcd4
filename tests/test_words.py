import pytest

from phiz.types import Face
from phiz.words import age_words, gender_words, sure_words, whole


def face(
    age: float | None, interval: tuple[float, float] | None, gender: str | None, score: float | None
) -> Face:
    return Face((0, 0, 9, 9), 0.9, (), age, gender, score, age_interval=interval)


@pytest.mark.parametrize(
    ("age", "interval", "words"),
    [
        (34.6, (30.4, 40.5), "30 to 41, about 35"),
        (34.6, None, "35"),
        (0.4, (0.0, 2.5), "0 to 3, about 0"),
        (None, None, "-"),
    ],
)
def test_a_range_comes_first(age: float | None, interval: tuple[float, float] | None, words: str) -> None:
    assert age_words(face(age, interval, "male", 1.0)) == words


@pytest.mark.parametrize(
    ("gender", "score", "words"),
    [
        ("female", 0.9, "female"),
        ("female", 0.8999, "probably female"),
        ("male", 0.7, "probably male"),
        ("male", 0.6999, "not sure"),
        (None, 0.95, "not sure"),
        (None, None, "-"),
    ],
)
def test_a_gender_is_named_by_how_sure_it_is(gender: str | None, score: float | None, words: str) -> None:
    assert gender_words(face(30, None, gender, score)) == words


def test_nothing_is_a_hundred_percent_sure() -> None:
    assert [sure_words(score) for score in (0.5, 0.985, 0.999, 1.0, None)] == [
        "50%",
        "99%",
        "99%",
        "99%",
        "-",
    ]


def test_halves_are_rounded_up() -> None:
    assert [whole(value) for value in (0.5, 1.5, 2.5, 2.4999)] == [1, 2, 3, 2]
