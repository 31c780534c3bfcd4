"""The order of pictures, the learning rate and the weight average."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.crop import CropTemplate  # noqa: E402
from phiz.training.crops import Crops  # noqa: E402
from phiz.training.loop import _averaging, _rate, epoch_order  # noqa: E402
from phiz.training.recipe import (  # noqa: E402
    Augmentation,
    Data,
    Decision,
    Late,
    Loss,
    Optimisation,
    Recipe,
)

TEMPLATE = CropTemplate((0.3, 0.3), (0.7, 0.3), (0.5, 0.7), (0, 0, 1))


def recipe(share=0.5, late=None):
    return Recipe(
        "r", 1, TEMPLATE, Data("x", celeba_share=share), Optimisation(10, batch=8, warmup_epochs=2.0), Loss(),
        late or Late(), Augmentation(), Decision(), Path("r.toml"),
    )  # fmt: skip


def crops(n):
    return Crops(np.zeros((n, 96, 96, 3), np.uint8), np.zeros(n, np.float32), np.zeros(n, np.float32))


PARTS = {"train": crops(40), "gender": crops(20)}


def test_an_epoch_sees_every_picture_once_and_a_share_of_the_others():
    rows = np.concatenate(epoch_order(recipe(), PARTS, epoch=0))
    assert len(rows) == 48  # 40 + 10, the two that fill no batch left out
    assert len(set(rows.tolist())) == 48
    assert (rows >= 40).sum() in range(8, 11)


def test_the_order_follows_from_seed_and_epoch():
    first, again, other = (np.concatenate(epoch_order(recipe(), PARTS, epoch)) for epoch in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_without_the_gender_part_only_train_is_drawn():
    rows = np.concatenate(epoch_order(recipe(), {"train": crops(40)}, 0))
    assert sorted(rows.tolist()) == list(range(40))


def test_late_settings_hold_from_their_epoch_on():
    chosen = recipe(share=0.0, late=Late(from_epoch=5, gender=2.5, celeba_share=1.0))
    assert (chosen.at_epoch(4).loss.gender, chosen.at_epoch(4).data.celeba_share) == (1.0, 0.0)
    assert (chosen.at_epoch(5).loss.gender, chosen.at_epoch(5).data.celeba_share) == (2.5, 1.0)
    assert chosen.at_epoch(9).loss.ensemble == chosen.loss.ensemble
    assert recipe().at_epoch(9) == recipe()


def test_the_rate_warms_up_and_falls_along_a_cosine():
    opt = recipe().optimisation
    assert _rate(0, 0.0, 0.1, opt) == pytest.approx(0.05)
    assert _rate(1, 0.9, 0.1, opt) == pytest.approx(1.0)
    assert _rate(2, 0.0, 0.1, opt) == pytest.approx(1.001)
    assert _rate(6, 0.0, 0.1, opt) == pytest.approx(0.501)
    assert _rate(9, 0.999999, 0.1, opt) == pytest.approx(0.001, abs=1e-6)


def test_the_average_forgets_its_start():
    mean = [torch.tensor([100.0]), torch.tensor(0)]
    for step in range(200):
        _averaging(0.999)(mean, [torch.tensor([1.0]), torch.tensor(step)], step)
    assert mean[0].item() == pytest.approx(1.0, abs=1e-3)
    assert mean[1].item() == 199
