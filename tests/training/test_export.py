"""The deployed graph is the network: its one matrix, its decision."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("onnx", reason="the extra train brings onnx")

from phiz.networks.multitask import MultiTaskNet  # noqa: E402
from phiz.training.export import Deployed, outputs  # noqa: E402


def test_the_deployed_graph_gives_the_networks_answers():
    torch.manual_seed(0)
    net = MultiTaskNet()
    net(torch.rand(16, 3, 64, 64) * 2 - 1)  # gives the batch norms something to remember
    net.eval()
    faces = torch.randint(0, 256, (5, 64, 64, 3), dtype=torch.uint8)
    by_age, by_gender = (0.5, 0.2, 0.3), (0.1, 0.6, 0.3)
    with torch.no_grad():
        found = dict(
            zip((o.name for o in outputs(net)), Deployed(net, by_age, by_gender)(faces), strict=True)
        )
        female, ages = net(faces.permute(0, 3, 1, 2).float() / 127.5 - 1)
    years, female = net.expected_age(ages), female.sigmoid()
    p, middle = ages[0].exp(), years[0][:, None]
    torch.testing.assert_close(
        found["age_std"], (p * (net.ages - middle) ** 2).sum(1).sqrt(), atol=1e-3, rtol=1e-4
    )
    for i in range(3):
        torch.testing.assert_close(found[f"age{i + 1}"], years[i], atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(found[f"female{i + 1}"], female[i], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found["age"], torch.tensor(by_age) @ years, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(found["female"], torch.tensor(by_gender) @ female, atol=1e-6, rtol=1e-5)
