"""Attribute networks: a backbone's feature map, then Label2Label or, to compare with, a plain classifier."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from phiz.networks import mobilefacenet
from phiz.networks.age import timm_backbone
from phiz.networks.label2label import Label2Label

HEADS = ("label2label", "plain")


@dataclass(frozen=True, slots=True)
class AttributeNetwork:
    """Which network is trained.

    backbone: "mobilefacenet" or a name of timm such as "resnet50". size: input side in pixels.
    pretrained: start timm's backbone from ImageNet weights. head: "label2label" or "plain".
    The rest is Label2Label's: width of its tokens, attention heads, hidden units of its perceptrons, layers
    of the attribute query network and of the masked language model, and the share of words that its training
    masks.
    """

    backbone: str = "mobilefacenet"
    size: int = 112
    pretrained: bool = False
    head: str = "label2label"
    width: int = 192
    heads: int = 4
    hidden: int = 384
    query_layers: int = 1
    layers: int = 2
    mask: float = 0.1


class AttributeNet(nn.Module):
    """Crops to rows of logits, the last of which answers.

    forward: float32 (N, 3, S, S), RGB in [-1, 1], to (H, N, A), positive means present; H is 2 for
    Label2Label (first and final), 1 for a plain head.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, how: AttributeNetwork, attributes: int, *, dropout: float = 0.1, pretrained: bool = False
    ) -> None:
        super().__init__()
        mean: tuple[float, ...] = (0.5, 0.5, 0.5)
        std = mean
        self.backbone: nn.Module
        if how.backbone == "mobilefacenet":
            self.backbone = mobilefacenet.MobileFaceNet()
        else:
            self.backbone, (mean, std) = timm_backbone(how.backbone, pretrained)
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(3, 1, 1), persistent=False)
        self.backbone.eval()
        with torch.no_grad():
            channels, side = self.features(torch.zeros(1, 3, how.size, how.size)).shape[1:3]
        self.backbone.train()
        self.head: nn.Module
        if how.head == "plain":
            self.head = PlainHead(
                channels, side, attributes, dropout, depthwise=how.backbone == "mobilefacenet"
            )
        else:
            self.head = Label2Label(
                channels,
                side,
                attributes,
                width=how.width,
                heads=how.heads,
                hidden=how.hidden,
                query_layers=how.query_layers,
                layers=how.layers,
                mask=how.mask,
                dropout=dropout,
            )

    def features(self, x: Tensor) -> Tensor:
        """Return the backbone's map, (N, C, side, side)."""
        x = (x * 0.5 + 0.5 - self.mean) / self.std
        maps: Tensor
        if isinstance(self.backbone, mobilefacenet.MobileFaceNet):
            maps = self.backbone(x)
        else:
            maps = self.backbone.forward_features(x)  # type: ignore[operator]
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, see the class."""
        logits: Tensor = self.head(self.features(x))
        return logits

    def set_frequencies(self, frequency: Tensor) -> None:
        """Start the outputs' biases at the log-odds of the attributes' frequencies, (A,), each in (0, 1).

        A network that has learnt nothing else then answers with the frequency, as it should.
        """
        with torch.no_grad():
            for bias in self.head.biases():  # type: ignore[operator]
                bias.copy_(torch.logit(frequency))


class PlainHead(nn.Module):
    """One vector of the face and a linear layer: (N, C, S, S) to (1, N, A).

    depthwise: whether the vector comes from MobileFaceNet's global depthwise convolution, else from the mean.
    """

    def __init__(self, channels: int, side: int, attributes: int, dropout: float, *, depthwise: bool) -> None:
        super().__init__()
        self.vector: nn.Module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        if depthwise:
            self.vector, channels = mobilefacenet.GlobalDepthwise(channels, side), mobilefacenet.VECTOR
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(channels, attributes)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.out(self.drop(self.vector(features)))
        return logits[None]

    def biases(self) -> list[nn.Parameter]:
        """Return the outputs' biases, (A,) each."""
        return [self.out.bias]
