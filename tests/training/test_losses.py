"""The multi-task loss against hand-worked numbers."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.training.losses import age_distribution, multitask_loss  # noqa: E402
from phiz.training.recipe import Loss  # noqa: E402

BINS = torch.tensor([0.0, 10.0, 20.0])
NAN = math.nan


def log_p(*rows):
    return torch.tensor(rows).log()


def test_by_hand():
    female = torch.tensor([[0.0], [math.log(3)], [-math.log(3)]])  # probabilities 1/2, 3/4, 1/4
    ages = torch.stack([log_p([0.5, 0.5, 0.0]), log_p([0.0, 1.0, 0.0]), log_p([0.0, 0.0, 1.0])])  # 5, 10, 20
    loss = multitask_loss(female, ages, BINS, torch.tensor([12.0]), torch.tensor([1.0]), Loss(age=0.1))
    gender = math.log(2) + 0.3 * math.log(4 / 3) + 0.5 * math.log(4)
    years = 7 + 0.3 * 2 + 0.5 * 8
    assert loss.item() == pytest.approx(gender + 0.1 * years, rel=1e-5)


def test_a_missing_label_teaches_only_the_other():
    female = torch.zeros(3, 2, requires_grad=True)
    ages = torch.full((3, 2, 3), -math.log(3), requires_grad=True)
    multitask_loss(female, ages, BINS, torch.tensor([NAN, 3.0]), torch.tensor([1.0, NAN]), Loss()).backward()
    assert (female.grad[:, 0] != 0).all()
    assert (female.grad[:, 1] == 0).all()
    assert (ages.grad[:, 0] == 0).all()
    assert (ages.grad[:, 1] != 0).any()


def test_no_label_at_all_is_no_loss():
    loss = multitask_loss(
        torch.zeros(3, 1),
        log_p(*[[1 / 3] * 3] * 3)[:, None],
        BINS,
        torch.tensor([NAN]),
        torch.tensor([NAN]),
        Loss(),
    )
    assert loss.item() == 0


def test_smoothing_pulls_the_target_towards_a_half():
    female = torch.full((3, 1), 1.7, requires_grad=True)
    weights = Loss(smoothing=2 * (1 - torch.tensor(1.7).sigmoid().item()))
    multitask_loss(
        female, log_p(*[[1 / 3] * 3] * 3)[:, None], BINS, torch.tensor([NAN]), torch.tensor([1.0]), weights
    ).backward()
    assert female.grad.abs().max() < 1e-6


def test_distribution_is_centred_and_symmetric():
    p = age_distribution(torch.tensor([10.0]), BINS, 5.0)[0]
    assert p[0] == pytest.approx(p[2].item())
    assert (p[1] / p[0]).item() == pytest.approx(math.exp(2), rel=1e-5)


def test_distribution_term_is_the_cross_entropy():
    ages = log_p([0.2, 0.5, 0.3])[:, None].expand(3, 1, 3)
    label, nobody = torch.tensor([10.0]), torch.tensor([NAN])
    with_term = multitask_loss(
        torch.zeros(3, 1), ages, BINS, label, nobody, Loss(distribution=2.0, sigma=5.0)
    )
    without = multitask_loss(torch.zeros(3, 1), ages, BINS, label, nobody, Loss())
    wanted = age_distribution(label, BINS, 5.0)[0]
    expected = 0.1 * 1.8 * 2.0 * -(wanted * torch.tensor([0.2, 0.5, 0.3]).log()).sum()
    assert (with_term - without).item() == pytest.approx(expected.item(), rel=1e-5)
