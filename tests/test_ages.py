from __future__ import annotations

from phiz.ages import age_band


def test_age_bands_have_no_gap() -> None:
    ages = (0, 12, 12.9, 13, 19, 20, 39, 40, 59, 60, 116)
    assert [age_band(age) for age in ages] == [
        "0-12", "0-12", "0-12", "13-19", "13-19", "20-39", "20-39", "40-59", "40-59", "60+", "60+",
    ]  # fmt: skip
