"""MobileFaceNet against its paper's table 1."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from torch import nn  # noqa: E402

from phiz.networks.attribute_sizes import Row, rows  # noqa: E402
from phiz.networks.layers import count  # noqa: E402
from phiz.networks.mobilefacenet import Bottleneck, GlobalDepthwise, MobileFaceNet, PReLU  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_prelu_has_the_gradients_of_pytorch(dtype):
    torch.manual_seed(0)
    ours, theirs = PReLU(5).train(), nn.PReLU(5).to(dtype)
    with torch.no_grad():
        ours.weight.copy_(torch.tensor([-0.5, 0.0, 0.25, 1.0, 2.0]))
        theirs.weight.copy_(ours.weight)
    a = torch.randn(3, 5, 4, 6).to(dtype, memory_format=torch.channels_last)
    a[0, :, 0, 0] = 0.0
    b, grad = a.clone(), torch.randn(3, 5, 4, 6).to(dtype)
    a.requires_grad_(), b.requires_grad_()
    ya, yb = ours(a), theirs(b)
    ya.backward(grad), yb.backward(grad)
    close = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 0.02, "atol": 0.1}
    assert torch.equal(ya, yb)
    torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(ours.weight.grad.to(dtype), theirs.weight.grad, **close)


def test_prelu_outside_training_is_the_one_operator_that_exporters_know():
    net, x = PReLU(5).eval(), torch.randn(2, 5, 3, 3, requires_grad=True)
    assert net(x).grad_fn.name() == nn.PReLU(5)(x).grad_fn.name()


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return MobileFaceNet().eval()


def test_the_sizes_in_results_are_those_of_the_networks():
    with (ROOT / "results" / "networks" / "attribute_networks.csv").open(newline="") as file:
        kept = [
            Row(row["network"], *(int(row[key]) for key in ("side", "parameters", "multiply_adds")))
            for row in csv.DictReader(file)
        ]
    assert kept == rows()


def test_the_stages_have_the_papers_shapes(net):
    shapes = []
    x = torch.zeros(1, 3, 112, 112)
    for layer in net:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    wanted = [(64, 56, 56)] * 2 + [(64, 28, 28)] * 5 + [(128, 14, 14)] * 7 + [(128, 7, 7)] * 3 + [(512, 7, 7)]
    assert shapes == wanted


def test_about_a_million_parameters(net):
    pool = GlobalDepthwise(512, 7).eval()
    size = count(nn.Sequential(net, pool), 112)
    assert 0.99e6 < size.parameters < 1.01e6
    assert size.multiply_adds == 220_965_376  # by hand from table 1; the paper's 439.8M counts operations


def test_a_bottleneck_adds_its_input_only_where_it_fits():
    x = torch.randn(2, 8, 6, 6)
    for block, adds in (
        (Bottleneck(8, 8, 2, 1), True),
        (Bottleneck(8, 8, 2, 2), False),
        (Bottleneck(8, 4, 2, 1), False),
    ):
        for parameter in block.layers[-1][1].parameters():
            nn.init.zeros_(parameter)  # the last norm gives zeros, so what comes out is the input or nothing
        y = block.eval()(x)
        assert torch.equal(y, x) if adds else not y.any()


def test_the_bottleneck_ends_without_activation():
    assert not any(isinstance(layer, nn.PReLU) for layer in Bottleneck(8, 8, 2, 1).layers[-1])


def test_the_vector_tells_where_on_the_map_a_feature_was():
    pool = GlobalDepthwise(4, 7, 3).eval()
    corner, centre = torch.zeros(1, 4, 7, 7), torch.zeros(1, 4, 7, 7)
    corner[..., 0, 0] = centre[..., 3, 3] = 1.0
    assert pool(corner).shape == (1, 3)
    assert not torch.allclose(pool(corner), pool(centre))
