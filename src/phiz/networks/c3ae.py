"""C3AE: standard convolutions of 32 channels on three scales of one face, to two neighbouring ages.

An age is a distribution over twelve points ten years apart, of which the two nearest share it ("two-points
representation"). Ours: the context are the whole crop, its middle three quarters and its middle half, since
the crop is what there is; the paper's last layer, from the points to a number, is their expectation; and the
three scales' points are joined by one more linear layer, the paper's own way being unknown here. Gender is
ours too.

Source: Zhang et al., C3AE: Exploring the Limits of Compact Model for Age Estimation, CVPR 2019, arXiv
1904.05059.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZE, CHANNELS = 64, 32
#: The twelve points, in years, and the shares of the crop's side that the three scales show.
POINTS, STEP = 12, 10.0
SCALES = (1.0, 0.75, 0.5)


class Excite(nn.Module):
    """Squeeze and excitation: (N, C, H, W) to the same, each channel scaled.

    Hu et al. 2018, arXiv 1709.01507.
    """

    def __init__(self, channels: int, less: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *[nn.Linear(channels, channels // less), nn.ReLU(inplace=True)],
            *[nn.Linear(channels // less, channels), nn.Sigmoid()],
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels."""
        weights: Tensor = self.layers(x.mean((2, 3)))
        return x * weights[:, :, None, None]


def _block(cin: int) -> list[nn.Module]:
    return [nn.Conv2d(cin, CHANNELS, 3), nn.BatchNorm2d(CHANNELS), nn.ReLU(inplace=True)]


class C3AE(nn.Module):
    """Crops to a distribution over the points, and to gender.

    forward: float32 (N, 3, 64, 64), RGB in [-1, 1], to
        female: (1, N) logits, positive means female; (0, N) without the gender output,
        ages: (1, N, 12) log-probabilities over `self.ages` (years).
    """

    ages: Tensor
    branches = ("main",)

    def __init__(self, *, gender: bool = True) -> None:
        super().__init__()
        self.register_buffer("ages", torch.arange(POINTS) * STEP)
        self.one_scale = nn.Sequential(
            *[*_block(3), nn.AvgPool2d(2), Excite(CHANNELS)],
            *[*_block(CHANNELS), nn.AvgPool2d(2), Excite(CHANNELS)],
            *[*_block(CHANNELS), nn.AvgPool2d(2), Excite(CHANNELS)],
            *[*_block(CHANNELS), nn.Conv2d(CHANNELS, CHANNELS, 1), nn.Flatten()],
            *[nn.Linear(CHANNELS * 4 * 4, POINTS), nn.ReLU(inplace=True)],
        )
        self.points = nn.Linear(len(SCALES) * POINTS, POINTS)
        self.female = nn.Linear(len(SCALES) * POINTS, 1) if gender else None

    def outputs(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the logits over the points, (N, 12), and of female, (N,), or None without gender."""
        context = torch.cat([self.one_scale(_middle(x, share)) for share in SCALES], dim=1)
        return self.points(context), None if self.female is None else self.female(context).squeeze(1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (female logits, age log-probabilities), see the class."""
        points, female = self.outputs(x)
        none = points.new_zeros((0, len(x)))
        return none if female is None else female[None], F.log_softmax(points, dim=1)[None]

    def expected_age(self, ages: Tensor) -> Tensor:
        """Turn log-probabilities (..., 12) into years (...)."""
        return (ages.exp() * self.ages).sum(-1)


def _middle(x: Tensor, share: float) -> Tensor:
    """Return the middle of square pictures, as large as they were."""
    edge = round(SIZE * (1 - share) / 2)
    inside = x[:, :, edge : SIZE - edge, edge : SIZE - edge]
    return inside if edge == 0 else F.interpolate(inside, (SIZE, SIZE), mode="bilinear", align_corners=False)
