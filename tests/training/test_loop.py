"""The order of pictures, the learning rate and the weight average."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.crop import CropTemplate  # noqa: E402
from phiz.errors import RecipeError  # noqa: E402
from phiz.networks.network import Network  # noqa: E402
from phiz.training.age_gender import epoch_order  # noqa: E402
from phiz.training.crops import Crops  # noqa: E402
from phiz.training.loop import Run, _averaging, _rate  # noqa: E402
from phiz.training.recipe import Data, Decision, Loss, Recipe  # noqa: E402
from phiz.training.sections import Augmentation, Optimisation, TrainingSet  # noqa: E402

TEMPLATE = CropTemplate((0.3, 0.3), (0.7, 0.3), (0.35, 0.7), (0.65, 0.7), (0, 0, 1))
RECIPE = Recipe(
    "r",
    1,
    None,
    TEMPLATE,
    Data(),
    Network(),
    Optimisation(10, batch=8),
    Loss(),
    Augmentation(),
    Decision(),
    Path("r.toml"),
    train=(TrainingSet("utkface"), TrainingSet("celeba", share=0.5)),
)


def nothing_taught(n):
    return np.full((n, 3), np.nan, np.float32)


def crops(n):
    labels = np.zeros(n, np.float32)
    nothing = nothing_taught(n)
    return Crops(
        np.zeros((n, 96, 96, 3), np.uint8), labels, labels, np.full(n, "a.jpg"), nothing, nothing[:, :2]
    )


PARTS = {"train utkface": crops(40), "train celeba": crops(20)}


def order(seed, parts=PARTS):
    return np.concatenate(epoch_order(RECIPE, parts, torch.Generator().manual_seed(seed)))


def test_an_epoch_sees_every_picture_once_and_a_share_of_the_others():
    rows = order(0)
    assert len(rows) == 48  # 40 + 10, the two that fill no batch left out
    assert len(set(rows.tolist())) == 48
    assert (rows >= 40).sum() in range(8, 11)


def test_the_order_follows_from_the_seed():
    assert (order(3) == order(3)).all()
    assert (order(3) != order(4)).any()


def test_without_the_gender_part_only_train_is_drawn():
    assert sorted(order(0, {"train utkface": crops(40)}).tolist()) == list(range(40))


def test_the_rate_warms_up_and_falls_along_a_cosine():
    assert _rate(0, 20, 100) == pytest.approx(0.05)
    assert _rate(19, 20, 100) == pytest.approx(1.0)
    assert _rate(20, 20, 100) == pytest.approx(1.001)
    assert _rate(60, 20, 100) == pytest.approx(0.501)
    assert _rate(100, 20, 100) == pytest.approx(0.001, abs=1e-6)


def test_the_average_forgets_its_start():
    mean = [torch.tensor([100.0]), torch.tensor(0)]
    for step in range(200):
        _averaging(0.999)(mean, [torch.tensor([1.0]), torch.tensor(step)], step)
    assert mean[0].item() == pytest.approx(1.0, abs=1e-3)
    assert mean[1].item() == 199


class Small:
    """A task of one made batch on a network with a frozen and a free part."""

    seed = 1

    def __init__(self, *frozen, layer_decay=1.0):
        self.optimisation = Optimisation(1, batch=4, frozen=frozen, layer_decay=layer_decay, device="cpu")

    def start(self):
        torch.manual_seed(0)
        early = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
        late = torch.nn.Sequential(torch.nn.Conv2d(4, 4, 3), torch.nn.BatchNorm2d(4))
        return torch.nn.Sequential(early, late).train()

    def order(self, random):
        return [np.arange(4)] * 3

    def batches(self, epoch, rank, world):
        for _ in range(3):
            yield (torch.rand(4, 3, 9, 9),)

    def loss(self, net, x):
        return net(x).square().mean() + net(x).mean()


def test_frozen_parts_keep_weights_and_statistics_and_the_others_learn():
    run = Run(Small("0"), quiet=True)
    before = {name: value.clone() for name, value in run.net.state_dict().items()}
    run.epoch(0)
    for name, value in run.net.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("0."), name
    for name, value in run.average.module.state_dict().items():
        if name.startswith("0."):
            torch.testing.assert_close(value, before[name])


def test_a_part_that_the_network_lacks_cannot_be_frozen():
    with pytest.raises(RecipeError, match=r"no part .backbone.; it has 0, 0\.0, 0\.1, 1, 1\.0, 1\.1$"):
        Run(Small("backbone"), quiet=True)
