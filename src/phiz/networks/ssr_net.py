"""SSR-Net: an age by soft stagewise regression, two narrow streams of convolutions, 40.9K parameters.

Three stages of three classes each refine the age, coarse to fine; every stage shifts its classes and scales
its width a little to the face. The answer is one number, no distribution.

Source: Yang et al., SSR-Net: A Compact Soft Stagewise Regression Network for Age Estimation, IJCAI 2018,
section 3. Gender is ours: one linear layer on the product of the two streams, for a comparison on both tasks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Classes of each of the three stages, and the range of ages in years that they divide.
CLASSES, RANGE = 3, 101.0
SIZE = 64
#: Stage by stage: after how many poolings its maps are taken, and by how much they are pooled to 4x4 or so.
TAPS = ((3, 1), (2, 4), (1, 8))
#: Channels of a stage's maps before they are flattened.
NARROW = 10


class Stream(nn.Module):
    """Four 3x3 convolutions without padding, pooled by 2 between them: 64x64x3 to maps of 31, 14, 6 and 4."""

    def __init__(self, channels: int, activation: nn.Module, pool: type[nn.AvgPool2d | nn.MaxPool2d]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(cin, channels, 3), nn.BatchNorm2d(channels), activation)
            for cin in (3, channels, channels, channels)
        )
        self.pool, self.kind = pool(2), pool

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps after one and two poolings, and after the last block."""
        maps = []
        for block in self.blocks[:-1]:
            x = self.pool(block(x))
            maps.append(x)
        return [maps[0], maps[1], self.blocks[-1](x)]


class Stage(nn.Module):
    """One stage: both streams' maps to (classes' weights, their shifts, the width's scale)."""

    def __init__(self, channels: tuple[int, int], pools: tuple[nn.Module, nn.Module], cells: int) -> None:
        super().__init__()
        self.narrow = nn.ModuleList(nn.Conv2d(c, NARROW, 1) for c in channels)
        self.pools = nn.ModuleList(pools)
        self.mix = nn.ModuleList(nn.Linear(NARROW * cells, CLASSES) for _ in channels)
        self.drop = nn.Dropout(0.2)
        self.scale = nn.Linear(NARROW * cells, 1)
        self.hidden = nn.Linear(CLASSES, 2 * CLASSES)
        self.weights, self.shifts = nn.Linear(2 * CLASSES, CLASSES), nn.Linear(2 * CLASSES, CLASSES)

    def forward(self, maps: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return weights and shifts, (N, 3) each, scale (N, 1), and the product of the streams."""
        flat = [
            pool(F.relu(conv(m))).flatten(1)
            for conv, pool, m in zip(self.narrow, self.pools, maps, strict=True)
        ]
        mixed = [F.relu(mix(self.drop(f))) for mix, f in zip(self.mix, flat, strict=True)]
        product = flat[0] * flat[1]
        hidden = F.relu(self.hidden(mixed[0] * mixed[1]))
        return F.relu(self.weights(hidden)), self.shifts(hidden).tanh(), self.scale(product).tanh(), product


class SSRNet(nn.Module):
    """Crops to one age, and to gender.

    forward: float32 (N, 3, 64, 64), RGB in [-1, 1], to
        female: (1, N) logits, positive means female; (0, N) without the gender output,
        ages: (1, N, 1) years. `ages`, the buffer, has one bin: the answer is the age itself.
    """

    ages: Tensor
    branches = ("main",)

    def __init__(self, *, gender: bool = True) -> None:
        super().__init__()
        self.register_buffer("ages", torch.ones(1))
        self.first = Stream(32, nn.ReLU(inplace=True), nn.AvgPool2d)
        self.second = Stream(16, nn.Tanh(), nn.MaxPool2d)
        self.stages = nn.ModuleList(
            Stage(
                (32, 16),
                (nn.AvgPool2d(by), nn.MaxPool2d(by)) if by > 1 else (nn.Identity(), nn.Identity()),
                cells,
            )
            for (_, by), cells in zip(TAPS, (16, 9, 9), strict=True)
        )
        self.female = nn.Linear(NARROW * 16, 1) if gender else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (female logits, ages), see the class."""
        first, second = self.first(x), self.second(x)
        age, width, product = x.new_zeros(()), RANGE, None
        for stage, (tap, _) in zip(self.stages, TAPS, strict=True):
            weights, shifts, scale, streams = stage((first[tap - 1], second[tap - 1]))
            width = width / (CLASSES * (1 + scale))
            place = torch.arange(CLASSES, device=x.device) + shifts
            age = age + (weights * place).sum(1, keepdim=True) * width
            product = streams if product is None else product
        none = x.new_zeros((0, len(x)))
        female = none if self.female is None else self.female(product).squeeze(1)[None]
        return female, age[None]

    def expected_age(self, ages: Tensor) -> Tensor:
        """Return the ages (...) of answers (..., 1)."""
        return ages.squeeze(-1)
