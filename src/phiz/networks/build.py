"""From a recipe's [network] to the module: one place that knows which networks there are."""

from __future__ import annotations

from phiz.networks.age import AgeNet
from phiz.networks.multitask import MultiTaskNet
from phiz.training.recipe import Network

#: What the training loop can train: the same forward, `ages` and `expected_age`.
TrainableNet = MultiTaskNet | AgeNet


def build(network: Network, dropout: float = 0.0, *, pretrained: bool | None = None) -> TrainableNet:
    """Return the network a recipe names, in training mode, on the CPU.

    pretrained: overrules the recipe's setting; False where a checkpoint fills the weights in anyway.
    Raises RecipeError on an unknown name, and where ImageNet weights are asked for and cannot be had.
    """
    if network.name == "multitask":
        return MultiTaskNet(dropout=dropout)
    start = network.pretrained if pretrained is None else pretrained
    return AgeNet(network.name, network.size, gender=network.gender, dropout=dropout, pretrained=start)
