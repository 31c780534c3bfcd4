"""Labels, splits and groups; losses, mixing and thresholds, by hand."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.datasets.record import FaceRecord  # noqa: E402
from phiz.errors import DataError  # noqa: E402
from phiz.training import attribute_task  # noqa: E402
from phiz.training.attribute_data import _of_group, frequencies, labels_of  # noqa: E402
from phiz.training.attribute_recipe import AttributeLoss  # noqa: E402
from phiz.training.attribute_task import (  # noqa: E402
    MOST,
    attribute_loss,
    mixed,
    positive_weights,
)
from phiz.training.attribute_thresholds import (  # noqa: E402
    balanced_accuracies,
    fit_threshold,
    fit_thresholds,
)
from phiz.training.sections import FaceSet  # noqa: E402
from phiz.training.sets import divided  # noqa: E402

NAN = math.nan


def record(**labels):
    return FaceRecord(Path("a.jpg"), **labels)


def test_labels_come_from_attributes_gender_and_age():
    names = ("Male", "Young", "Smiling")
    assert labels_of(record(gender="male", age=40), names, 40) == pytest.approx([1, 1, NAN], nan_ok=True)
    assert labels_of(record(gender="female", age=41), names, 40) == pytest.approx([0, 0, NAN], nan_ok=True)
    assert labels_of(record(age=30), names, 0) == pytest.approx([NAN, NAN, NAN], nan_ok=True)
    own = record(gender="male", attributes={"Male": False, "Smiling": True})
    assert labels_of(own, names, 0) == pytest.approx([0, NAN, 1], nan_ok=True)


@pytest.mark.parametrize(("logit", "has_score"), [(1.0, True), (NAN, False)])
def test_answers_that_are_no_numbers_have_no_score(monkeypatch, logit, has_score):
    labels = np.float32([[1, 0], [0, 1]])
    part = SimpleNamespace(labels=labels)
    how = {"seed": 0, "optimisation": None, "loss": AttributeLoss()}
    recipe = SimpleNamespace(**how, network=SimpleNamespace(size=32))
    logits = torch.ones(1, 2, 2)
    logits[0, 1, 1] = logit
    monkeypatch.setattr(attribute_task, "predict", lambda *_: logits)
    score = attribute_task.Attributes(recipe, {"train a": part, "validation a": part}).validate(None)["score"]
    assert math.isfinite(score) == has_score


def people(groups):
    return [FaceRecord(Path(f"{i}.jpg"), group=group) for i, group in enumerate(groups)]


def test_one_group_or_as_many_of_each():
    records = people("aaaaabbbc")
    assert [r.group for r in _of_group(records, "b")] == ["b"] * 3
    balanced = _of_group(records, "balanced")
    assert sorted(r.group for r in balanced) == ["a", "b", "c"]
    assert _of_group(list(reversed(records)), "balanced") == balanced  # whatever order they come in
    with pytest.raises(DataError, match="expected pictures of the group 'z'; there are a, b, c"):
        _of_group(records, "z")
    with pytest.raises(DataError, match="names none"):
        _of_group([record()], "balanced")


def test_a_split_by_person_keeps_each_person_on_one_side(tmp_path):
    folder = tmp_path / "AIHub-Korean"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    for i in range(60):
        (folder / "images" / f"{i}.jpg").touch()
        text = f'{{"image": "{i}.jpg", "person_id": "p{i // 3}", "eyeglasses": {str(i % 2 == 0).lower()}}}'
        (folder / "labels" / f"{i}.json").write_text(text)
    parts = divided(FaceSet("aihub-korean", "person"), tmp_path, tmp_path).records
    sides = {name: {r.subject for r in records} for name, records in parts.items()}
    assert {name: len(found) for name, found in sides.items()} == {"train": 16, "validation": 2, "test": 2}
    assert not sides["train"] & sides["test"]
    assert not sides["train"] & sides["validation"]
    names = ("Eyeglasses", "Wearing_Mask")
    labels = [labels_of(r, names, 0) for r in parts["test"]]
    assert all(label[0] in (0, 1) and math.isnan(label[1]) for label in labels)


def test_frequencies_leave_unknown_labels_out():
    labels = np.array([[1, NAN, 0], [1, NAN, 0], [0, NAN, NAN]], np.float32)
    assert frequencies(labels).tolist() == pytest.approx([3 / 5, 1 / 2, 1 / 4])


def test_the_rarer_side_counts_more_within_bounds():
    frequency = np.array([0.5, 0.2, 0.01, 0.9], np.float32)
    assert positive_weights(frequency, 0.0).tolist() == [1, 1, 1, 1]
    assert positive_weights(frequency, 1.0).tolist() == pytest.approx([1, 4, MOST, 1 / 9], rel=1e-4)
    assert positive_weights(frequency, 0.5)[1] == pytest.approx(2)


def test_the_loss_by_hand():
    logits = torch.tensor([[[2.0, -1.0]], [[0.0, 3.0]]])  # first and final of one picture with two attributes
    labels = torch.tensor([[1.0, 0.0]])
    first = (math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))) / 2
    final = (math.log(2) + math.log1p(math.exp(3))) / 2
    weight = torch.ones(2)
    value = attribute_loss(logits, labels, weight, AttributeLoss(first=0.5, final=2.0))
    assert value.item() == pytest.approx(0.5 * first + 2 * final, rel=1e-5)
    alone = attribute_loss(logits[1:], labels, weight, AttributeLoss(first=0.5, final=2.0))
    assert alone.item() == pytest.approx(2 * final, rel=1e-5)
    heavier = attribute_loss(logits[1:], labels, torch.tensor([3.0, 3.0]), AttributeLoss())
    assert heavier.item() == pytest.approx((3 * math.log(2) + math.log1p(math.exp(3))) / 2, rel=1e-5)


def test_an_unknown_label_teaches_nothing():
    logits = torch.randn(2, 3, 2, requires_grad=True)
    labels = torch.tensor([[1.0, NAN], [NAN, NAN], [0.0, 1.0]])
    value = attribute_loss(logits, labels, torch.ones(2), AttributeLoss())
    value.backward()
    assert value.isfinite()
    assert (logits.grad != 0).any(0).tolist() == [[True, False], [False, False], [True, True]]
    nothing = attribute_loss(logits, torch.full((3, 2), NAN), torch.ones(2), AttributeLoss())
    assert nothing.item() == 0


def test_mixing_mixes_labels_as_it_mixes_pixels():
    x = torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 3, 2, 2).contiguous()
    labels = torch.stack([torch.arange(4.0), torch.tensor([0.0, NAN, 1.0, 1.0])], 1)
    pixels, found = mixed(x, labels, AttributeLoss(mixup=1.0, beta=1.0), np.random.default_rng(0))
    assert not torch.equal(pixels, x)
    torch.testing.assert_close(found[:, 0], pixels[:, 0, 0, 0])
    assert found[:, 1].isnan().sum() in (1, 2)  # the picture itself and the one that it was mixed into
    same, _ = mixed(x, labels, AttributeLoss(mixup=0.0), np.random.default_rng(0))
    assert torch.equal(same, x)


def test_the_threshold_is_where_the_rarer_answer_is_told_best():
    p = np.array([0.05, 0.10, 0.20, 0.30, 0.40], np.float32)
    label = np.array([0, 0, 1, 0, 1], np.float32)
    # Above 0.15: three said, two of two right, F1 4/5. Above 0.35: one of one right, one missed, F1 2/3.
    assert fit_threshold(p, label) == pytest.approx(0.15)
    value = balanced_accuracies(p[:, None], label[:, None], np.array([0.15]))
    assert value.tolist() == pytest.approx([(1 + 2 / 3) / 2])
    unknown = np.array([0, NAN, 1, 1, 1], np.float32)
    assert fit_threshold(p, unknown) == pytest.approx((0.05 + 0.2) / 2)


@pytest.mark.parametrize("frequency", [0.1, 0.9])
def test_no_threshold_is_better_by_search(frequency):
    random = np.random.default_rng(0)
    label = (random.random(300) < frequency).astype(np.float32)
    p = np.clip(random.normal(0.2 + 0.15 * label, 0.1), 0, 1).astype(np.float32)
    rare = label == (frequency < 0.5)

    def f1(threshold):
        said = (p >= threshold) == (frequency < 0.5)
        return 2 * (said & rare).sum() / (said.sum() + rare.sum())

    (found,) = fit_thresholds(p[:, None], label[:, None])
    assert f1(found) >= max(f1(t) for t in np.linspace(0.01, 0.6, 400)) - 1e-9
    assert f1(found) > 0.4


def test_where_one_label_is_missing_nothing_is_fitted():
    p = np.array([0.1, 0.9], np.float32)
    assert fit_threshold(p, np.zeros(2, np.float32)) == 0.5
    assert np.isnan(balanced_accuracies(p[:, None], np.zeros((2, 1), np.float32), np.array([0.5])))[0]
