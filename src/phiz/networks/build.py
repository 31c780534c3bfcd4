"""From a recipe's [network] to the module: one place that knows which networks there are."""

from __future__ import annotations

from phiz.networks.age import AgeNet
from phiz.networks.c3ae import C3AE
from phiz.networks.multitask import MultiTaskNet
from phiz.networks.network import Network
from phiz.networks.ssr_net import SSRNet

#: What the training loop can train: the same forward, `ages`, `branches` and `expected_age`.
TrainableNet = MultiTaskNet | AgeNet | SSRNet | C3AE


def build(network: Network, dropout: float = 0.0, *, pretrained: bool | None = None) -> TrainableNet:
    """Return the network a recipe names, in training mode, on the CPU.

    pretrained: overrules the recipe's setting; False where a checkpoint fills the weights in anyway.
    Raises RecipeError on an unknown name, and where ImageNet weights are asked for and cannot be had.
    """
    if network.name == "multitask":
        return MultiTaskNet(
            dropout=dropout,
            gender=network.gender,
            age=network.age,
            auxiliary=network.auxiliary,
            ensemble=network.ensemble,
            separable=network.separable,
        )
    if network.name == "ssr-net":
        return SSRNet(gender=network.gender)
    if network.name == "c3ae":
        return C3AE(gender=network.gender)
    start = network.pretrained if pretrained is None else pretrained
    return AgeNet(
        network.name,
        network.size,
        gender=network.gender,
        age=network.age,
        dropout=dropout,
        pretrained=start,
    )
