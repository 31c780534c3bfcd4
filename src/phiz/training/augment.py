"""Random changes to training crops, on whole batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from phiz.training.recipe import Augmentation


def prepare(crops: Tensor, size: int) -> Tensor:
    """Cut the centre from crops with a margin and normalise to [-1, 1].

    uint8 (N, S, S, 3) -> float (N, 3, size, size).
    """
    start = (crops.shape[1] - size) // 2
    centre = crops[:, start : start + size, start : start + size]
    return centre.permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def augment(crops: Tensor, size: int, how: Augmentation, random: torch.Generator) -> Tensor:
    """Return randomly changed crops: uint8 (N, S, S, 3) with a margin -> float (N, 3, size, size) in [-1, 1].

    One similarity transform a picture takes its pixels from the margin, so no border shows.
    With every setting at zero this is `prepare`.
    """
    n, full = crops.shape[0], crops.shape[1]

    def uniform(spread: float, *shape: int) -> Tensor:
        return (torch.rand(n, *shape, generator=random) * 2 - 1) * spread

    def chosen(probability: float) -> Tensor:
        return (torch.rand(n, generator=random) < probability).nonzero().squeeze(1)

    x = crops.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    angle, zoom = uniform(math.radians(how.rotation)), 1 + uniform(how.scale)
    mirror = torch.where(torch.rand(n, generator=random) < (0.5 if how.flip else 0.0), -1.0, 1.0)
    ratio = size / full
    cos, sin = zoom * angle.cos() * ratio, zoom * angle.sin() * ratio
    shift = uniform(2 * how.shift * ratio, 2)
    matrix = torch.stack(
        [torch.stack([cos * mirror, -sin, shift[:, 0]], 1), torch.stack([sin * mirror, cos, shift[:, 1]], 1)],
        1,
    )
    grid = F.affine_grid(matrix, [n, 3, size, size], align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (1 + uniform(how.contrast, 1, 1, 1)) + mean + uniform(how.brightness, 1, 1, 1)
    grey = (x * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    saturation = 1 + uniform(how.saturation, 1, 1, 1)
    saturation[chosen(how.grey)] = 0.0
    x = (x - grey) * saturation + grey
    if len(blurred := chosen(how.blur)):
        small = F.interpolate(x[blurred], scale_factor=0.5, mode="bilinear", antialias=True)
        x[blurred] = F.interpolate(small, size=(size, size), mode="bilinear")
    if len(noisy := chosen(how.noise)):
        x[noisy] += 0.1 * torch.randn(len(noisy), *x.shape[1:], generator=random)
    for i in chosen(how.erase).tolist():
        h, w = (torch.rand(2, generator=random) * 0.3 * size + 0.1 * size).long().tolist()
        top, left = (torch.rand(2, generator=random) * torch.tensor([size - h, size - w])).long().tolist()
        x[i, :, top : top + h, left : left + w] = torch.rand(3, 1, 1, generator=random) * 2 - 1
    return x.clamp_(-1, 1)
