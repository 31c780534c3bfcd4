"""Answers made up by a rule, for the tests of tables, pages and comparisons."""

from __future__ import annotations

from phiz.evaluation.groups import Scored


def answers(number: int = 120, folds: int = 1, worse: float = 0.0) -> list[Scored]:
    """Return rows whose errors cycle through -2 to 2 years, times 1 + worse; every 10th gender is wrong."""
    rows = []
    for i in range(number):
        true_age, true_gender = float(i % 70), ("female", "male")[i % 2]
        wrong = i % 10 == 0
        rows.append(
            Scored(
                file=f"{i:03}.jpg",
                cluster=str(i // 2),
                true_age=true_age,
                true_gender=true_gender,
                group=("A", "B", "C")[i % 3],
                age=true_age + (i % 5 - 2) * (1 + worse),
                gender=("male", "female")[i % 2] if wrong else true_gender,
                gender_score=0.6 if wrong else 0.95,
                fold="" if folds == 1 else str(i % folds + 1),
            )
        )
    return rows
