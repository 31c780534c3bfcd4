"""Small networks of other papers at 64 pixels, from a crop to a vector, to compare the light network with.

Each takes float32 (N, 3, 64, 64), RGB in [-1, 1]; networks/age.py puts the outputs on. MobileNet-V1 and
DenseNet with these widths are those of the comparison in SSR-Net's paper (Yang et al., IJCAI 2018, 226.3K and
242.0K, counted with the norms' running statistics), which the light network's papers quote.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def mobilenet_v1() -> nn.Sequential:
    """MobileNet-V1 at a quarter of its width, then 20 channels, flattened, to a vector of 32.

    Source: Howard et al. 2017, arXiv 1704.04861, table 1.
    """
    widths = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), *[(128, 2), *[(128, 1)] * 5], (256, 2), (256, 1)]
    layers: list[nn.Module] = _conv(3, 8, 3, 2)
    channels = 8
    for width, stride in widths:
        layers += [*_conv(channels, channels, 3, stride, channels), *_conv(channels, width, 1)]
        channels = width
    head = [nn.Conv2d(channels, 20, 1), nn.ReLU(inplace=True), nn.Flatten(), nn.Dropout(0.2)]
    return nn.Sequential(*layers, *head, nn.Linear(20 * 2 * 2, 32), nn.ReLU(inplace=True))


def densenet_19() -> nn.Sequential:
    """DenseNet of 19 layers, growth 12: three blocks of five convolutions, to a vector of 32.

    Source: Huang et al. 2017, arXiv 1608.06993, section 3, without bottlenecks and compression.
    """
    layers: list[nn.Module] = [nn.Conv2d(3, 24, 3, padding=1, bias=False)]
    channels = 24
    for block in range(3):
        if block:
            layers += [*_norm(channels), nn.Conv2d(channels, channels, 1, bias=False), nn.AvgPool2d(2)]
        for _ in range(5):
            layers.append(Dense(channels, 12))
            channels += 12
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 128), nn.ReLU(inplace=True)]
    return nn.Sequential(
        *layers, *_norm(channels), *head, nn.Dropout(0.2), nn.Linear(128, 32), nn.ReLU(inplace=True)
    )


def lmtcnn() -> nn.Sequential:
    """LMTCNN-1-1: one wide convolution, two depthwise separable ones, two layers of 512.

    Its paper feeds 227 pixels, where 6x6 cells reach the first fully connected layer (7.5M parameters); at 64
    it is one cell. Source: Lee et al. 2018, arXiv 1806.02023, section 3.
    """
    return nn.Sequential(
        *[
            nn.Conv2d(3, 96, 7, 4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.LocalResponseNorm(5, 5e-4, 0.75, 1.0),
        ],
        *[*_conv(96, 96, 3, 1, 96), *_conv(96, 256, 1)],
        *[*_conv(256, 256, 3, 2, 256), *_conv(256, 384, 1)],
        *[nn.MaxPool2d(3, 2), nn.Flatten()],
        *[nn.LazyLinear(512), nn.ReLU(inplace=True), nn.Dropout(0.5)],
        *[nn.Linear(512, 512), nn.ReLU(inplace=True), nn.Dropout(0.5)],
    )


class Dense(nn.Module):
    """A layer of a dense block: (N, C, H, W) -> (N, C + growth, H, W), its input beside what it adds."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_norm(channels), nn.Conv2d(channels, growth, 3, padding=1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return torch.cat([x, self.layers(x)], dim=1)


def _norm(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU()]


def _conv(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(cout), nn.ReLU(inplace=True)]


#: The networks by the name that a recipe's [network] gives.
BACKBONES: dict[str, Callable[[], nn.Sequential]] = {
    "mobilenet-v1-025": mobilenet_v1,
    "densenet-19": densenet_19,
    "lmtcnn": lmtcnn,
}
