"""The work of a network, against counts by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from torch import nn  # noqa: E402

from phiz.networks.label2label import Attention, Label2Label  # noqa: E402
from phiz.networks.layers import count  # noqa: E402
from phiz.networks.multitask import MultiTaskNet  # noqa: E402


class Tokens(nn.Module):
    """Attention of the first 5 places of a 6x6 picture of 8 channels to all 36 of them."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.attention = nn.Conv2d(3, 8, 1), Attention(8, 2)

    def forward(self, x):
        places = self.wide(x).flatten(2).transpose(1, 2)
        return self.attention(places[:, :5], places, places)


@pytest.mark.parametrize(
    ("net", "work"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), 6 * 6 * 8 * 3 * 9),
        (nn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3), 3 * 3 * 6 * 9),
        (nn.Sequential(nn.Flatten(), nn.Linear(108, 4)), 108 * 4),
        (nn.Linear(6, 4), 3 * 6 * 6 * 4),  # a linear layer runs once for each row that it is given
        (nn.Sequential(nn.BatchNorm2d(3), nn.PReLU(3)), 0),
        # A convolution, four linear layers (5 queries, 36 keys, 36 values, 5 answers), two products.
        (Tokens(), 36 * 3 * 8 + (5 + 36 + 36 + 5) * 8 * 8 + 2 * 5 * 36 * 8),
    ],
)
def test_multiply_adds_are_those_counted_by_hand(net, work):
    size = count(net, 6)
    assert size.multiply_adds == work == sum(layer.multiply_adds for layer in size.layers)
    assert size.parameters == sum(p.numel() for p in net.parameters())


def test_a_whole_head_with_attention_is_counted_by_hand():
    width, hidden, attributes, places = 8, 12, 5, 36
    head = Label2Label(
        3, 6, attributes, width=width, heads=2, hidden=hidden, query_layers=1, layers=2, mask=0.1, dropout=0.1
    )
    mix = attributes * 2 * width * hidden
    at_face = (2 * attributes + 2 * places) * width**2 + 2 * attributes * places * width
    among = 4 * attributes * width**2 + 2 * attributes**2 * width
    assert count(head, 6).multiply_adds == places * 3 * width + 3 * (mix + at_face) + 2 * among


def test_counting_leaves_the_network_as_it_was():
    net = MultiTaskNet().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    count(net)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())
