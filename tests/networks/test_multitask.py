"""The network's size, shapes and outputs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from torch import nn  # noqa: E402

from phiz.networks.layers import count, table  # noqa: E402
from phiz.networks.multitask import MultiTaskNet, SepConv  # noqa: E402


def test_holds_99200_parameters_within_one_per_cent():
    assert sum(p.numel() for p in MultiTaskNet().parameters()) == pytest.approx(99_200, rel=0.01)


def test_every_spatial_convolution_is_depthwise():
    for name, module in MultiTaskNet().named_modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
            assert module.groups == module.in_channels, name


def test_three_pairs_of_outputs():
    net = MultiTaskNet().eval()
    female, ages = net(torch.rand(5, 3, 64, 64) * 2 - 1)
    assert female.shape == (3, 5)
    assert ages.shape == (3, 5, len(net.ages))
    torch.testing.assert_close(ages.exp().sum(-1), torch.ones(3, 5))


def test_the_age_is_the_mean_of_the_bins_by_their_probabilities():
    net = MultiTaskNet()
    shares = torch.zeros(2, len(net.ages))
    shares[0, 3] = 1.0
    shares[1, 2], shares[1, 8] = 0.25, 0.75
    expected = torch.stack([net.ages[3], 0.25 * net.ages[2] + 0.75 * net.ages[8]])
    torch.testing.assert_close(net.expected_age(shares.log()), expected)


def test_expected_age_by_hand():
    net = MultiTaskNet()
    ages = torch.full((len(net.ages),), -torch.inf)
    ages[4], ages[6] = torch.tensor([0.25, 0.75]).log()
    assert net.expected_age(ages).item() == pytest.approx(0.25 * 20 + 0.75 * 30)


def test_auxiliary_gender_depends_on_the_gender_branch_alone():
    net = MultiTaskNet().eval()
    x = torch.rand(2, 3, 64, 64)
    before = net(x)
    with torch.no_grad():
        for p in net.age.parameters():
            p.mul_(1.5)
    after = net(x)
    torch.testing.assert_close(before[0][1], after[0][1])  # gender of the auxiliary pair
    torch.testing.assert_close(before[0][2], after[0][2])  # ensemble sees the common features only
    torch.testing.assert_close(before[1][2], after[1][2])
    assert not torch.allclose(before[1][1], after[1][1])
    assert not torch.allclose(before[0][0], after[0][0])


@pytest.mark.parametrize(("kernel", "stride"), [(8, 4), (2, 2), (3, 1), (3, 2)])
def test_a_block_divides_the_side_by_its_stride(kernel, stride):
    assert SepConv(4, 6, kernel, stride)(torch.rand(2, 4, 16, 16)).shape == (2, 6, 16 // stride, 16 // stride)


def test_counting_agrees_with_hand_worked_numbers():
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, groups=3, bias=False),
        nn.BatchNorm2d(6),
        nn.Flatten(),
        nn.Linear(6 * 16, 2),
    )
    size = count(net, size=4)
    assert [layer.multiply_adds for layer in size.layers] == [6 * 9 * 16, 0, 192]
    assert size.parameters == 54 + 12 + 194
    assert "| 0 | depthwise conv 3x3 | 6x4x4 | 54 | 864 |" in table(size)


def test_the_count_covers_every_parameter():
    size = count(MultiTaskNet())
    assert sum(layer.parameters for layer in size.layers) == size.parameters
