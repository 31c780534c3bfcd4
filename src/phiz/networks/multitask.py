"""The light multi-task, three-branch network for gender and age.

Input 64x64; every convolution is depthwise separable (one filter per channel, then a 1x1
convolution; where the kernel is 1x1 the first half would be a mere scale and is left out),
followed by batch normalisation and Leaky ReLU. A start of three kernel sizes is shared; a gender
branch and a deeper age branch follow; three pairs of outputs (main, auxiliary, ensemble) are
combined into one answer.

Source: the light multi-task ensemble network for real-time gender and age estimation (conference
and journal paper; docs/network.md says what is theirs and what is ours). The papers give the
kinds of layers, not every width; widths and strides here are ours: 99,400 parameters, the papers print 99.2K.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Slope of Leaky ReLU for negative input.
SLOPE = 0.1
#: Input side in pixels.
INPUT_SIZE = 64
#: The three output pairs, in the order of every (3, ...) tensor and of the branch weights.
BRANCHES = ("main", "auxiliary", "ensemble")
#: Ages that an output's softmax is over: so many, so many years apart.
BINS, BIN_WIDTH = 23, 5.0


class SepConv(nn.Module):
    """Depthwise separable convolution: (N, Ci, H, W) -> (N, Co, H/stride, W/stride).

    Depthwise and pointwise halves each end in batch normalisation and Leaky ReLU; the input is
    added where its shape fits. `multiplier` filters per input channel (used on the three colours,
    where one filter each would see too little). Source: Howard et al. 2017, arXiv 1704.04861.
    """

    def __init__(self, cin: int, cout: int, kernel: int, stride: int = 1, multiplier: int = 1) -> None:
        super().__init__()
        mid = cin * multiplier
        padding = (kernel - stride + 1) // 2  # gives H/stride for every even H
        self.depthwise = nn.Conv2d(cin, mid, kernel, stride, padding, groups=cin, bias=False)
        self.norm1 = nn.BatchNorm2d(mid)
        self.pointwise = PointConv(mid, cout)
        self.act = nn.LeakyReLU(SLOPE, inplace=True)
        self.skip = cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y: Tensor = self.pointwise(self.act(self.norm1(self.depthwise(x))))
        return y + x if self.skip else y


class WholeConv(nn.Module):
    """Standard convolution in place of SepConv, with the same arguments.

    What separating it saves and costs.
    """

    def __init__(self, cin: int, cout: int, kernel: int, stride: int = 1, multiplier: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, (kernel - stride + 1) // 2, bias=False)
        self.norm = nn.BatchNorm2d(cout)
        self.act = nn.LeakyReLU(SLOPE, inplace=True)
        self.skip = cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y: Tensor = self.act(self.norm(self.conv(x)))
        return y + x if self.skip else y


class PointConv(nn.Module):
    """1x1 convolution, batch normalisation, Leaky ReLU: (N, Ci, H, W) -> (N, Co, H, W)."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 1, bias=False)
        self.norm = nn.BatchNorm2d(cout)
        self.act = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        y: Tensor = self.act(self.norm(self.conv(x)))
        return y


class Features(nn.Module):
    """A 4x4 map to one vector by a filter of its own per channel: (N, C, 4, 4) -> (N, C).

    An average would forget where on the aligned face a feature was.
    Source: the global depthwise convolution of Chen et al. 2018, arXiv 1804.07573.
    """

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 4, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Pool."""
        y: Tensor = self.drop(self.norm(self.conv(x)).flatten(1))
        return y


class AgeOutput(nn.Module):
    """A fully connected softmax over ages; its expectation is the age: (N, C) -> (N, bins).

    Returns log-probabilities; `expected_age` turns them into years. A single linear output would
    do for the mean absolute error, but learns more slowly and cannot say how sure it is.
    Source: Rothe et al. 2018 (DEX), doi 10.1007/s11263-016-0940-3.
    """

    def __init__(self, channels: int, ages: Tensor) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, len(ages))

    def forward(self, x: Tensor) -> Tensor:
        """Return log-probabilities of the age bins."""
        return nn.functional.log_softmax(self.fc(x), dim=1)


class MultiTaskNet(nn.Module):
    """Crops to three pairs of outputs.

    forward: float32 (N, 3, 64, 64), RGB in [-1, 1], to
        female: (3, N) logits, positive means female, one row per branch (`self.branches`),
        ages: (3, N, bins) log-probabilities over `self.ages` (years).

    The switches leave a part out, to see what it is worth. gender, age: a task without which there are no
    rows of it; its convolutions stay, since the main branch sees both. auxiliary, ensemble: a pair of
    outputs. separable: False for standard convolutions.
    """

    ages: Tensor

    def __init__(
        self,
        dropout: float = 0.2,
        bins: int = BINS,
        bin_width: float = BIN_WIDTH,
        *,
        gender: bool = True,
        age: bool = True,
        auxiliary: bool = True,
        ensemble: bool = True,
        separable: bool = True,
    ) -> None:
        super().__init__()
        conv = SepConv if separable else WholeConv
        self.branches = ("main", *["auxiliary"] * auxiliary, *["ensemble"] * ensemble)
        self.register_buffer("ages", torch.arange(bins) * bin_width)
        # Start: kernels of 8x8, 2x2 and 1x1 side by side, 64x64x3 -> 16x16x72
        self.start8 = conv(3, 28, 8, stride=4, multiplier=8)
        self.start2 = nn.Sequential(conv(3, 20, 2, stride=2, multiplier=4), conv(20, 28, 2, stride=2))
        self.start1 = nn.Sequential(nn.AvgPool2d(2), PointConv(3, 16), nn.MaxPool2d(2))
        self.common = conv(72, 64, 3)
        # Middle: gender, and age with twice its depth, 16x16x64 -> 4x4
        self.gender = nn.Sequential(conv(64, 56, 3, stride=2), conv(56, 56, 3), conv(56, 64, 3, stride=2))
        self.age = nn.Sequential(
            conv(64, 64, 3),
            conv(64, 64, 3, stride=2),
            conv(64, 64, 3),
            conv(64, 64, 3),
            conv(64, 80, 3, stride=2),
            conv(80, 80, 3),
        )
        # End: main on both, auxiliary on each alone, ensemble on the common features
        self.main = nn.Sequential(PointConv(64 + 80, 64), conv(64, 64, 3), Features(64, dropout))
        self.gender_features = Features(64, dropout) if auxiliary and gender else None
        self.age_features = Features(80, dropout) if auxiliary and age else None
        self.ensemble = (
            nn.Sequential(
                conv(64, 48, 3, stride=2),
                conv(48, 48, 3),
                conv(48, 48, 3),
                conv(48, 56, 3, stride=2),
                conv(56, 56, 3),
                conv(56, 56, 3),
                Features(56, dropout),
            )
            if ensemble
            else None
        )
        widths = {"main": 64, "gender": 64, "age": 80, "ensemble": 56}
        #: The vectors of `features` that the outputs of gender and of age look at, branch by branch.
        self.for_female = [b.replace("auxiliary", "gender") for b in self.branches] if gender else []
        self.for_age = [b.replace("auxiliary", "age") for b in self.branches] if age else []
        self.female = nn.ModuleList(nn.Linear(widths[name], 1) for name in self.for_female)
        self.years = nn.ModuleList(AgeOutput(widths[name], self.ages) for name in self.for_age)
        self.apply(_initialise)

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """Return what the fully connected layers see: main, gender, age and ensemble vectors, (N, C) each.

        Without a pair of outputs its vectors are left out.
        """
        common = self.common(torch.cat([self.start8(x), self.start2(x), self.start1(x)], dim=1))
        gender, age = self.gender(common), self.age(common)
        vectors = {"main": self.main(torch.cat([gender, age], dim=1))}
        if self.gender_features is not None:
            vectors["gender"] = self.gender_features(gender)
        if self.age_features is not None:
            vectors["age"] = self.age_features(age)
        if self.ensemble is not None:
            vectors["ensemble"] = self.ensemble(common)
        return vectors

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (female logits, age log-probabilities), see the class."""
        vectors = self.features(x)
        said = [fc(vectors[name]).squeeze(1) for fc, name in zip(self.female, self.for_female, strict=True)]
        years = [out(vectors[name]) for out, name in zip(self.years, self.for_age, strict=True)]
        female = torch.stack(said) if said else x.new_zeros((0, len(x)))
        ages = torch.stack(years) if years else x.new_zeros((0, len(x), len(self.ages)))
        return female, ages

    def expected_age(self, ages: Tensor) -> Tensor:
        """Turn age log-probabilities (..., bins) into years (...)."""
        return (ages.exp() * self.ages).sum(-1)


def _initialise(module: nn.Module) -> None:
    """He et al. 2015, arXiv 1502.01852, for Leaky ReLU."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=SLOPE, nonlinearity="leaky_relu")
