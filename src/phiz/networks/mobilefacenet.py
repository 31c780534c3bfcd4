"""MobileFaceNet: inverted bottlenecks of MobileNet-V2 kind with PReLU, for faces of 112x112.

Source: Chen et al. 2018, arXiv 1804.07573, table 1: about 1.0M parameters.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Input side in pixels; the feature map is a sixteenth of it.
SIZE = 112
#: Channels of the feature map.
CHANNELS = 512
#: Length of the vector that the whole network ends in.
VECTOR = 128

#: Rows of bottlenecks in table 1: expansion, output channels, how many, stride of the first.
_ROWS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))


class PReLU(nn.PReLU):
    """PyTorch's, with a backward pass of its own in training: a third less time for a whole step on a CPU."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply max(x, 0) + a min(x, 0), a per channel: (N, C, H, W) of any float type."""
        slope = self.weight.to(input.dtype)
        if not (self.training and torch.is_grad_enabled()):
            return F.prelu(input, slope)
        y: Tensor = _PReLU.apply(input, slope)
        return y


class _PReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(x, slope)
        return F.prelu(x, slope)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        (grad,) = grads
        x, slope = ctx.saved_tensors
        dx = torch.ops.aten.threshold_backward(grad, x, 0)  # where x > 0
        below = grad - dx
        dx.addcmul_(below, slope.view(1, -1, 1, 1))
        return dx, below.mul_(x).movedim(1, -1).reshape(-1, x.shape[1]).sum(0)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, unless `linear`, PReLU: (N, Ci, H, W) -> (N, Co, H/stride, W/stride)."""

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(cin, cout, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(cout),
        ]
        super().__init__(*layers, *([] if linear else [PReLU(cout)]))


class Bottleneck(nn.Module):
    """Widen, filter each channel, narrow without activation: (N, Ci, H, W) -> (N, Co, H/stride, W/stride).

    The input is added where its shape fits. Source: Sandler et al. 2018 (MobileNet-V2), arXiv 1801.04381.
    """

    def __init__(self, cin: int, cout: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = cin * expansion
        self.layers = nn.Sequential(
            ConvNorm(cin, wide),
            ConvNorm(wide, wide, 3, stride=stride, padding=1, groups=wide),
            ConvNorm(wide, cout, linear=True),
        )
        self.skip = cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y: Tensor = self.layers(x)
        return x + y if self.skip else y


class MobileFaceNet(nn.Sequential):
    """The convolutions up to the feature map: float32 (N, 3, 112, 112), RGB in [-1, 1], to (N, 512, 7, 7)."""

    def __init__(self) -> None:
        layers: list[nn.Module] = [
            ConvNorm(3, 64, 3, stride=2, padding=1),
            ConvNorm(64, 64, 3, padding=1, groups=64),
        ]
        channels = 64
        for expansion, cout, repeats, stride in _ROWS:
            for i in range(repeats):
                layers.append(Bottleneck(channels, cout, expansion, stride if i == 0 else 1))
                channels = cout
        super().__init__(*layers, ConvNorm(channels, CHANNELS))
        self.apply(_initialise)


class GlobalDepthwise(nn.Sequential):
    """A feature map to one vector: a filter per channel as large as the map, then a linear 1x1 convolution.

    (N, C, S, S) -> (N, V). An average would count the corner of an aligned face as much as its centre.
    """

    def __init__(self, channels: int, side: int, vector: int = VECTOR) -> None:
        super().__init__(
            ConvNorm(channels, channels, side, groups=channels, linear=True),
            ConvNorm(channels, vector, linear=True),
            nn.Flatten(),
        )
        self.apply(_initialise)


def _initialise(module: nn.Module) -> None:
    """He et al. 2015, arXiv 1502.01852, for PReLU's first slope of 1/4."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=0.25, mode="fan_out", nonlinearity="leaky_relu")
