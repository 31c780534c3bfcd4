"""Attribute answers: files, figures by hand and against scikit-learn, changes, and groups."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from phiz.errors import DataError
from phiz.evaluation import attribute_fairness as fairness
from phiz.evaluation import attribute_figures as measuring
from phiz.evaluation.attribute_figures import Answers


def made(n=400, seed=0, skill=0.3):
    """Answers about two attributes by people of two groups; the second attribute is unknown for a few."""
    random = np.random.default_rng(seed)
    labels = np.random.default_rng(1)  # the same for every model
    label = (labels.random((n, 2)) < (0.5, 0.1)).astype(float)
    probability = np.clip(0.5 + skill * (label - 0.5) + random.normal(0, 0.2, (n, 2)), 0, 1)
    label[::50, 1] = np.nan
    return Answers(
        names=("Male", "Bald"),
        files=tuple(f"{i}.jpg" for i in range(n)),
        clusters=tuple(str(i // 2) for i in range(n)),
        groups=tuple("ab"[i % 2] for i in range(n)),
        probability=probability,
        label=label,
    )


def some(n):
    """The first n pictures of `made`."""
    a = made()
    return Answers(a.names, a.files[:n], a.clusters[:n], a.groups[:n], a.probability[:n], a.label[:n])


def test_answers_come_back_from_their_file(tmp_path):
    answers = made(20)
    measuring.write_answers(tmp_path / "answers.csv", answers)
    back = measuring.read_answers(tmp_path / "answers.csv")
    assert (back.names, back.files, back.clusters, back.groups) == (
        answers.names,
        answers.files,
        answers.clusters,
        answers.groups,
    )
    np.testing.assert_array_equal(back.label, answers.label)
    np.testing.assert_allclose(back.probability, answers.probability, atol=5e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "missing, got an empty file"),
        ("file,cluster,group\n", "expected attribute answers, one row per picture; got none"),
        ("file,cluster,group,true Male\na,1,,1\n", "expected columns 'true NAME' and 'p NAME'"),
        ("file,cluster,group,true Male,p Male\na,1,,1,high\n", "line 2: expected a label and a probability"),
        ("file,cluster,group,p Male\na,1,,0.5\n", "line 2: expected a label and a probability"),
    ],
)
def test_a_file_that_holds_no_answers_is_named(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        measuring.read_answers(tmp_path / "a.csv")


def test_figures_equal_scikit_learns():
    answers = made()
    thresholds = np.array([0.45, 0.4])
    found = {(f.attribute, f.metric): f for f in measuring.figures(answers, thresholds, resamples=50)}
    known = ~np.isnan(answers.label[:, 1])
    true, p = answers.label[known, 1], answers.probability[known, 1]
    bald = found["Bald", "balanced accuracy at threshold"]
    assert bald.value == pytest.approx(balanced_accuracy_score(true, p >= 0.4))
    assert (bald.n, bald.threshold) == (392, 0.4)
    assert bald.present == pytest.approx(true.mean())
    assert bald.low < bald.value < bald.high
    male = found["Male", "accuracy at 1/2"]
    assert male.value == pytest.approx(((answers.probability[:, 0] >= 0.5) == answers.label[:, 0]).mean())
    mean = found["mean", "accuracy at 1/2"]
    assert mean.value == pytest.approx((male.value + found["Bald", "accuracy at 1/2"].value) / 2)


def test_an_attribute_without_labels_is_left_out():
    answers = made(40)
    answers.label[:, 1] = np.nan
    found = measuring.figures(answers, np.array([0.5, 0.5]), resamples=20)
    assert {figure.attribute for figure in found} == {"mean", "Male"}


def test_a_change_is_paired():
    before = made(skill=0.2)
    # The same noise and a little more skill: the change is far surer than either figure.
    after = replace(
        before, probability=np.clip(before.probability + 0.05 * (before.label.round() - 0.5), 0, 1)
    )
    after = replace(after, probability=np.nan_to_num(after.probability))
    d = measuring.change("mean", measuring.mean_accuracy, before, after, resamples=200)
    assert d.before == pytest.approx(float(measuring.mean_accuracy(before, None)))
    assert d.change == pytest.approx(d.after - d.before)
    assert d.low <= d.change <= d.high
    assert d.high - d.low < 0.05  # unpaired it would be about 0.09


def test_pictures_are_paired_by_name_whatever_their_order():
    before = made(30)
    order = list(reversed(range(10, 30)))
    after = Answers(
        names=("Bald", "Male"),
        files=tuple(before.files[i] for i in order),
        clusters=tuple(before.clusters[i] for i in order),
        groups=tuple(before.groups[i] for i in order),
        probability=before.probability[order][:, ::-1],
        label=before.label[order][:, ::-1],
    )
    first, second = measuring.paired(before, after)
    assert first.files == second.files == before.files[10:]
    np.testing.assert_array_equal(first.probability, second.probability)
    with pytest.raises(DataError, match="the labels differ"):
        measuring.paired(before, replace(after, label=1 - after.label))
    with pytest.raises(DataError, match="none of 30 pictures and 2 attributes is in both"):
        measuring.paired(before, replace(after, files=tuple(f"x{i}" for i in order)))


def test_lines_by_group_by_hand():
    answers = made()
    found = fairness.lines({"before": answers}, ["Male"], resamples=50)
    by = {(line.attribute, line.group): line for line in found}
    right = (answers.probability[:, 0] >= 0.5) == answers.label[:, 0]
    a, b = right[::2].mean(), right[1::2].mean()
    assert by["Male", "a"].accuracy == pytest.approx(a)
    assert by["Male", "b"].n == 200
    assert by["Male", "all"].accuracy == pytest.approx(right.mean())
    gap = by["Male", "gap"]
    assert gap.accuracy == pytest.approx(abs(a - b))
    assert gap.low <= gap.accuracy <= gap.high
    worst = "a" if a < b else "b"
    assert gap.note.startswith(f"worst {worst}")
    assert fairness.worst_group(answers, ["Male"]) == (worst, {"a": pytest.approx(a), "b": pytest.approx(b)})


def test_what_changed_and_what_was_forgotten(tmp_path):
    before, after = made(skill=0.2), made(skill=0.2, seed=5)
    better = replace(after, probability=np.where(np.isnan(after.label), 0.5, after.label))
    found = fairness.lines(
        {"before": before, "after": better},
        ["Male", "Bald"],
        {"before": before, "after": after},
        resamples=50,
    )
    by = {(line.model, line.attribute, line.group): line for line in found}
    assert by["before", "mean", "a"].change is None
    line = by["after", "mean", "a"]
    assert line.accuracy == 1
    assert line.change == pytest.approx(1 - by["before", "mean", "a"].accuracy)
    assert line.change_low < line.change < line.change_high
    forgotten = by["after", "mean", "source data"]
    assert forgotten.change == pytest.approx(
        forgotten.accuracy - by["before", "mean", "source data"].accuracy
    )
    fairness.write_lines(tmp_path / "f.csv", found)
    rows = list(csv.DictReader((tmp_path / "f.csv").open()))
    assert len(rows) == len(found)
    assert rows[0]["model"] == "before"
    table = fairness.text(found)
    assert "worst" in table
    assert "source data" in table.splitlines()[-1]


def test_what_cannot_be_compared_is_said():
    answers = made(40)
    with pytest.raises(DataError, match="expected answers about Young of every model"):
        fairness.lines({"before": answers}, ["Young"])
    with pytest.raises(DataError, match="expected at least two groups of 30 pictures"):
        fairness.lines({"before": answers}, ["Male"])
    for before, after in ((some(300), made()), (made(), some(300))):
        with pytest.raises(DataError, match="expected after to answer the same pictures"):
            fairness.lines({"before": before, "after": after}, ["Male"], resamples=10)
