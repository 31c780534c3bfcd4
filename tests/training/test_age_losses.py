"""The losses of age as a distribution against hand-worked numbers and gradients."""

from __future__ import annotations

import doctest
import math

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.training import losses  # noqa: E402
from phiz.training.recipe import Loss  # noqa: E402

BINS = torch.tensor([0.0, 10.0, 20.0])
AGE = torch.tensor([10.0, 20.0])
#: Two faces: p = (1/4, 1/2, 1/4), mean 10, variance 50; p = (1/2, 0, 1/2) nearly, mean 10, variance 100.
P = torch.tensor([[[0.25, 0.5, 0.25], [0.5, 1e-12, 0.5]]])


def test_values_by_hand():
    log_p = P.log()
    assert losses.expected(log_p, BINS).tolist() == [[pytest.approx(10), pytest.approx(10)]]
    assert losses.absolute_loss(log_p, BINS, AGE).item() == pytest.approx((0 + 10) / 2)
    assert losses.mean_loss(log_p, BINS, AGE).item() == pytest.approx((0 + 100) / (2 * 2))
    assert losses.variance_loss(log_p, BINS).item() == pytest.approx((50 + 100) / 2)
    assert losses.cross_entropy_loss(log_p, BINS, AGE).item() == pytest.approx(math.log(2))


def test_the_likelihood_of_a_range_by_hand():
    log_p = torch.tensor([[[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]]]).log()
    # 3 to 9: nearest to 0 and 10; 15 to 29: 15 lies between 10 and 20 and counts as 10, the rest as 20
    ranges = torch.tensor([[3.0, 9.0], [15.0, 29.0]])
    expected = -(math.log(0.1 + 0.2) + math.log(0.2 + 0.7)) / 2
    assert losses.range_loss(log_p, BINS, ranges).item() == pytest.approx(expected)


def test_a_single_number_misses_a_range_by_years():
    ages = torch.tensor([[[19.0], [25.0], [32.5]]], requires_grad=True)
    ranges = torch.tensor([[20.0, 29.0]]).repeat(3, 1)
    loss = losses.range_loss(ages, torch.tensor([0.0]), ranges)
    assert loss.item() == pytest.approx((1 + 0 + 2.5) / 3)
    loss.backward()
    assert ages.grad.flatten().tolist() == pytest.approx([-1 / 3, 0, 1 / 3])  # inside nothing is pushed


def test_ages_and_ranges_of_a_batch_weigh_by_their_number():
    """One known age and two ranges: a third and two thirds; a face without any label counts for none."""
    log_p = torch.tensor([[0.2, 0.3, 0.5]]).log().repeat(1, 4, 1)
    age = torch.tensor([10.0, math.nan, math.nan, math.nan])
    ranges = torch.tensor([[math.nan] * 2, [10.0, 20.0], [0.0, 4.0], [math.nan] * 2])
    weights = Loss(main=1.0, age=1.0, absolute=0.0, cross_entropy=1.0, range=0.5)
    nobody = torch.full((4,), math.nan)
    found = losses.multitask_loss(torch.zeros(0, 4), log_p, BINS, age, nobody, weights, ["main"], ranges)
    of_ranges = -(math.log(0.8) + math.log(0.2)) / 2
    assert found.item() == pytest.approx(-math.log(0.3) / 3 + 2 / 3 * 0.5 * of_ranges)


def test_the_examples_in_the_docstrings_are_right():
    assert doctest.testmod(losses, extraglobs={"torch": torch, "range_loss": losses.range_loss}).failed == 0


def test_the_class_of_an_age_is_its_nearest_bin():
    log_p = torch.tensor([[[0.1, 0.2, 0.7]]]).log()
    for age, p in ((0.0, 0.1), (4.9, 0.1), (5.1, 0.2), (14.0, 0.2), (37.0, 0.7)):
        found = losses.cross_entropy_loss(log_p, BINS, torch.tensor([age])).item()
        assert found == pytest.approx(-math.log(p))


def test_distribution_by_hand():
    wanted = losses.age_distribution(torch.tensor([10.0]), BINS, 10.0)
    side = math.exp(-0.5)
    assert wanted[0].tolist() == pytest.approx(
        [side / (1 + 2 * side), 1 / (1 + 2 * side), side / (1 + 2 * side)]
    )
    log_p = torch.tensor([[[0.25, 0.5, 0.25]]]).log()
    by_hand = (2 * side * math.log(4) + math.log(2)) / (1 + 2 * side)
    assert losses.distribution_loss(log_p, wanted).item() == pytest.approx(by_hand)


def test_one_width_a_face():
    both = losses.age_distribution(torch.tensor([10.0, 10.0]), BINS, torch.tensor([10.0, 3.0]))
    for row, width in zip(both, (10.0, 3.0), strict=True):
        assert torch.allclose(row, losses.age_distribution(torch.tensor([10.0]), BINS, width)[0])


def gradient(loss, p=(0.25, 0.5, 0.25)):
    """Return the gradient of a loss by the logits of one face."""
    logits = torch.tensor(p).log()[None, None].requires_grad_()
    loss(torch.log_softmax(logits, -1)).backward()
    return logits.grad.flatten().tolist()


def test_gradients_by_hand():
    """By a logit z_k: of Ls, p_k - 1[k = y]; of m, p_k (b_k - m); of v, p_k ((b_k - m)^2 - v)."""
    age = torch.tensor([20.0])
    assert gradient(lambda q: losses.cross_entropy_loss(q, BINS, age)) == pytest.approx([0.25, 0.5, -0.75])
    # (m - y) times the gradient of m: -10 x (1/4 x -10, 0, 1/4 x 10)
    assert gradient(lambda q: losses.mean_loss(q, BINS, age)) == pytest.approx([25.0, 0.0, -25.0], abs=1e-5)
    # 1/4 (100 - 50), 1/2 (0 - 50), 1/4 (100 - 50)
    assert gradient(lambda q: losses.variance_loss(q, BINS)) == pytest.approx([12.5, -25.0, 12.5], abs=1e-5)
    assert gradient(lambda q: losses.absolute_loss(q, BINS, age)) == pytest.approx([2.5, 0.0, -2.5], abs=1e-5)
    wanted = torch.tensor([[0.1, 0.2, 0.7]])
    assert gradient(lambda q: losses.distribution_loss(q, wanted)) == pytest.approx([0.15, 0.3, -0.45])


def test_gradients_of_every_loss_agree_with_differences():
    logits = torch.randn(
        1, 4, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    ).requires_grad_()
    bins = torch.linspace(0, 60, 7, dtype=torch.float64)
    age = torch.tensor([3.0, 17.0, 44.0, 60.0], dtype=torch.float64)
    every = Loss(absolute=1.0, distribution=1.0, cross_entropy=1.0, mean=0.2, variance=0.05)
    assert torch.autograd.gradcheck(
        lambda z: losses.age_loss(torch.log_softmax(z, -1), bins, age, every).sum(), (logits,)
    )


def test_pan_is_a_setting():
    log_p = P.log()
    pan = Loss(absolute=0.0, cross_entropy=1.0, mean=0.2, variance=0.05)
    assert losses.age_loss(log_p, BINS, AGE, pan).item() == pytest.approx(math.log(2) + 0.2 * 25 + 0.05 * 75)


def test_taught_by_hand():
    log_p = torch.tensor([[[0.25, 0.5, 0.25], [0.25, 0.5, 0.25]]]).log()
    female = torch.zeros(1, 2)
    taught = torch.tensor([[14.0, 10.0, 0.9], [math.nan] * 3])
    weights = Loss(age=0.1, gender=1.0, absolute=1.0)
    found = losses.taught_loss(female, log_p, BINS, taught, weights).item()
    assert found == pytest.approx(0.1 * 4 + math.log(2))


def test_nothing_taught_is_no_loss():
    taught = torch.full((2, 3), math.nan)
    assert losses.taught_loss(torch.zeros(1, 2), P.log(), BINS, taught, Loss()).item() == 0


def test_a_network_without_gender_learns_age_alone():
    loss = losses.multitask_loss(
        torch.zeros(0, 2), P.log(), BINS, AGE, torch.tensor([1.0, 0.0]), Loss(age=1.0, main=1.0)
    )
    assert loss.item() == pytest.approx(5.0)
