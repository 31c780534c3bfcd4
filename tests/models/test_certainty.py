import math
from dataclasses import replace

import pytest

from phiz.errors import ModelError
from phiz.models.card import ModelCard
from phiz.models.certainty import (
    Bounds,
    Caution,
    Certainty,
    Curve,
    Flag,
    age_interval,
    flags,
    gender_score,
    signals,
)
from phiz.types import Estimate

FLAT = Curve((0.0,), (1.0,))
TABLES = Certainty(
    scale={"age": Curve((0.0, 40.0), (0.0, math.log(4))), "yaw": Curve((30.0, 60.0), (0.0, math.log(2)))},
    age={"0.9": Bounds(FLAT, Curve((0.0, 40.0), (2.0, 1.0)))},
    gender={"gender_logit": Curve((0.0,), (1.0,)), "yaw": Curve((30.0, 60.0), (0.0, -1.5))},
    highest=0.96,
    covered={"age_std": Curve((5.0, 15.0), (-1.0, 1.0))},
    flags={
        "covered": Flag("covered", most=0.5),
        "profile": Flag("yaw", most=45.0),
        "small": Flag("size", least=24.0),
    },
)
FRONT = {"size": 60.0, "yaw": 0.0}


@pytest.mark.parametrize(
    ("value", "height"),
    [(-1.0, 2.0), (0.0, 2.0), (1.0, 3.0), (2.0, 4.0), (2.5, 2.0), (3.0, 0.0), (math.inf, 0.0)],
)
def test_a_curve_is_straight_between_its_points_and_level_beyond(value: float, height: float) -> None:
    assert Curve((0.0, 2.0, 3.0), (2.0, 4.0, 0.0))(value) == height


def test_an_interval_reaches_so_many_scales() -> None:
    found = signals(Estimate(20.0, "male", 0.8), FRONT, TABLES)
    assert age_interval(TABLES, found, 0.9) == pytest.approx((18.0, 23.0))
    found = signals(Estimate(20.0, "male", 0.8), {**FRONT, "yaw": -70.0}, TABLES)
    assert age_interval(TABLES, found, 0.9) == pytest.approx((16.0, 26.0))


def test_no_interval_reaches_below_zero() -> None:
    low, high = age_interval(TABLES, signals(Estimate(0.4, "male", 0.8), FRONT, TABLES), 0.9)
    assert low == 0.0
    assert high > 2


@pytest.mark.parametrize(("yaw", "score"), [(0.0, 0.8), (40.0, 2 / 3), (-40.0, 2 / 3), (90.0, 0.5)])
def test_a_gender_score_falls_with_what_the_look_is_worth(yaw: float, score: float) -> None:
    found = signals(Estimate(20.0, "male", 0.8), {**FRONT, "yaw": yaw}, TABLES)
    assert gender_score(TABLES, found) == pytest.approx(score)


def test_no_gender_score_passes_the_highest() -> None:
    assert gender_score(TABLES, signals(Estimate(20.0, "male", 1.0), FRONT, TABLES)) == 0.96


def test_what_is_not_known_counts_as_its_worst() -> None:
    """A chip on which the detector found no face has no angles."""
    found = signals(Estimate(20.0, "male", 0.8), {"size": 60.0}, TABLES)
    assert gender_score(TABLES, found) == 0.5
    assert flags(TABLES, found) == ("covered",)  # age_std is not known either


@pytest.mark.parametrize(
    ("quality", "std", "told"),
    [
        (FRONT, 8.0, ()),
        ({"size": 23.9, "yaw": -45.1}, 8.0, ("small", "profile")),
        ({"size": 24.0, "yaw": 45.0}, 12.6, ("covered",)),
    ],
)
def test_flags_come_in_their_order(quality: dict[str, float], std: float, told: tuple[str, ...]) -> None:
    assert flags(TABLES, signals(Estimate(20.0, "male", 0.8, {"age_std": std}), quality, TABLES)) == told


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"scale": {"hat": FLAT}}, "unknown signals hat"),
        ({"flags": {"ugly": Flag("size", least=1.0)}}, "unknown flags ugly"),
        ({"age": {"0.90": Bounds(FLAT, FLAT)}}, 'a coverage must be written as "0.9"'),
        ({"age": {"1": Bounds(FLAT, FLAT)}}, "lie between 0 and 1, got '1'"),
        ({"gender": {"yaw": Curve((1.0, 1.0), (0.0, 0.0))}}, "tables need rising x"),
        ({"gender": {"yaw": Curve((1.0,), ())}}, "tables need rising x"),
        ({"highest": 0.4}, "highest must be from 0.5 to 1"),
    ],
)
def test_wrong_tables_are_told(changes: dict[str, object], problem: str) -> None:
    assert problem in replace(TABLES, **changes).problem()


def test_a_card_keeps_its_tables(tmp_path: object) -> None:
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    path = fake.write(tmp_path, certainty=TABLES, weights=fake.graph())
    assert ModelCard.load(path.with_suffix(".json")).certainty == TABLES


def test_tables_that_the_network_cannot_fill_are_refused(tmp_path: object) -> None:
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    from phiz.models.session import load_model

    with pytest.raises(ModelError, match=r"certainty needs the outputs age_std, the graph has age, "):
        load_model(fake.write(tmp_path, certainty=TABLES))


@pytest.mark.parametrize("wrong", [{"coverage": 0.0}, {"coverage": 1.0}, {"min_gender_score": 0.4}])
def test_caution_has_bounds(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Caution(**wrong)
