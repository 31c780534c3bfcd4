"""Random changes to training crops, on whole batches."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from phiz.training.covers import black_corners, chosen, cover, pixels
from phiz.training.poor_camera import photograph
from phiz.training.sections import Augmentation

#: The root of the summed squares of the distances of the eyes and the mouth's corners from their mean, as a
#: share of the crop's side. Independent errors of deviation d in the four turn and scale the similarity that
#: fits them best by d / SPREAD, and shift it by d / 2.
SPREAD = 0.6


def prepare(crops: Tensor, size: int) -> Tensor:
    """Cut the centre from crops with a margin and normalise to [-1, 1].

    uint8 (N, S, S, 3) -> float (N, 3, size, size).
    """
    start = (crops.shape[1] - size) // 2
    centre = crops[:, start : start + size, start : start + size]
    return centre.permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def at_epoch(how: Augmentation, epoch: int, epochs: int) -> Augmentation:
    """Return the augmentation of one epoch, counted from 0: it rises, and is gentle at the end."""
    rising, last = how.rise * epochs, epochs - how.gentle * epochs
    strength = 1.0 if epoch >= rising else how.faint + (1 - how.faint) * epoch / rising
    if how.gentle > 0 and epoch >= last:
        strength = how.faint
    grown = (f.name for f in fields(how) if f.name not in ("flip", "rise", "gentle", "faint"))
    return replace(how, **{name: strength * getattr(how, name) for name in grown})


def augment(crops: Tensor, size: int, how: Augmentation, random: torch.Generator) -> Tensor:
    """Return randomly changed crops: uint8 (N, S, S, 3) with a margin -> float (N, 3, size, size) in [-1, 1].

    One similarity transform a picture takes its pixels from the margin, so no border shows; then comes what
    hides the face, then the camera, then the tone. With every setting at zero this is `prepare`.
    """
    n, full = crops.shape[0], crops.shape[1]

    def uniform(spread: float, *shape: int) -> Tensor:
        return (torch.rand(n, *shape, generator=random) * 2 - 1) * spread

    angle, zoom = uniform(math.radians(how.rotation)), 1 + uniform(how.scale)
    jolt = torch.zeros(n, 2)
    if how.keypoints > 0:
        turned, zoomed, *moved = torch.randn(4, n, generator=random) * how.keypoints
        angle, zoom = angle + turned / SPREAD, zoom * (zoomed / SPREAD).exp()
        jolt = torch.stack(moved, 1)  # half a deviation, of a side that is 2 here
    mirror = torch.where(torch.rand(n, generator=random) < (0.5 if how.flip else 0.0), -1.0, 1.0)
    ratio = size / full
    cos, sin = zoom * angle.cos() * ratio, zoom * angle.sin() * ratio
    shift = uniform(2 * how.shift * ratio, 2) + jolt * ratio
    along, down = (2 * (position - 0.5) for position in pixels(size))
    cos, sin = cos[:, None, None], sin[:, None, None]
    across = (cos * mirror[:, None, None]) * along - sin * down + shift[:, 0, None, None]
    upright = (sin * mirror[:, None, None]) * along + cos * down + shift[:, 1, None, None]
    grid = torch.stack([across, upright], 3)
    x = crops.permute(0, 3, 1, 2).float()
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False).div_(255)
    cover(x, how, random)
    photograph(x, how, random)
    black_corners(x, how.corners, random)

    contrast = 1 + uniform(how.contrast, 1, 1, 1)
    mean = x.mean((1, 2, 3), keepdim=True)
    x.mul_(contrast).add_(mean * (1 - contrast) + uniform(how.brightness / 2, 1, 1, 1))
    saturation = 1 + uniform(how.saturation, 1, 1, 1)
    saturation[chosen(n, how.grey, random)] = 0.0
    red, green, blue = x[:, :1], x[:, 1:2], x[:, 2:]
    x = (red * 0.299).add_(green, alpha=0.587).add_(blue, alpha=0.114).lerp(x, saturation)
    if len(blurred := chosen(n, how.blur, random)):
        small = F.interpolate(x[blurred], scale_factor=0.5, mode="bilinear", antialias=True)
        x[blurred] = F.interpolate(small, size=(size, size), mode="bilinear")
    if len(noisy := chosen(n, how.noise, random)):
        x[noisy] += 0.05 * torch.randn(len(noisy), *x.shape[1:], generator=random)
    for i in chosen(n, how.erase, random).tolist():
        h, w = (torch.rand(2, generator=random) * 0.3 * size + 0.1 * size).long().tolist()
        top, left = (torch.rand(2, generator=random) * torch.tensor([size - h, size - w])).long().tolist()
        x[i, :, top : top + h, left : left + w] = torch.rand(3, 1, 1, generator=random)
    return x.clamp_(0, 1).mul_(2).sub_(1)
