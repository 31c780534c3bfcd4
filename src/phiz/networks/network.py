"""Which network is trained, as a recipe's [network] says; build.py makes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """Which network is trained.

    name: "multitask" (networks/multitask.py); a small rival at 64 pixels, "ssr-net", "c3ae" or one of
    networks/small_backbones.py; "alexnet", or a name of timm such as "efficientnet_b0" (networks/age.py).
    size: side of its input in pixels. pretrained: start from ImageNet weights, fetched by timm or
    torchvision; an error where they cannot be had. gender: whether it has a gender output. age, auxiliary,
    ensemble, separable: of multitask, see there; what is False is left out.
    """

    name: str = "multitask"
    size: int = 64
    pretrained: bool = False
    gender: bool = True
    age: bool = True
    auxiliary: bool = True
    ensemble: bool = True
    separable: bool = True

    @property
    def branches(self) -> int:
        """Return how many pairs of outputs it has."""
        return 1 + self.auxiliary + self.ensemble if self.name == "multitask" else 1
