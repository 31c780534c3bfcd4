"""What a camera does to a picture, as a chain: light, lens, few pixels, noise, JPEG; on whole batches.

Every step is a handful of operations on the rows that it concerns: it runs beside training on two cores.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from phiz.training.covers import between, chosen, pixels
from phiz.training.jpeg_blocks import jpeg
from phiz.training.sections import Augmentation

#: Sides that `shrink` reduces a crop of 64 pixels to; larger crops in proportion.
SMALLEST, LARGEST, OF = 16, 48, 64
#: Standard deviations of lens blur, lengths of motion blur; pixels of 64.
LENS = (0.4, 1.6)
MOTION = (2.0, 8.0)
#: Stops between the dark and the bright edge of a face lit from one side.
UNEVEN = 4.0
#: Standard deviations of noise at full brightness, which is 1.
NOISE = (0.01, 0.06)
#: Pixels are about the 1 / GAMMA-th power of light, which stops are doublings of.
GAMMA = 2.2
QUALITY = (20, 90)


def photograph(x: Tensor, how: Augmentation, random: torch.Generator) -> None:
    """Take pictures anew with a poorer camera, in place. x: float (N, 3, S, S) from 0 to 1.

    The light comes first, then the lens, then a sensor that may have few pixels for the face; noise and JPEG
    belong to its pixels, and what it gives is enlarged again.
    """
    _light(x, how, random)
    _lens(x, how, random)
    rows = chosen(len(x), how.shrink, random)
    noisy, packed = (_picked(len(x), p, random) for p in (how.sensor, how.jpeg))
    full = torch.ones(len(x), dtype=torch.bool)
    full[rows] = False
    if len(rows):
        lowest, highest = (round(side * x.shape[-1] / OF) for side in (SMALLEST, LARGEST))
        side = torch.randint(highest + 1 - lowest, (len(rows),), generator=random)
        down, up = _resizing(x.shape[-1], lowest, highest)
        small = both_ways(down[side], x[rows])
        _sense(small, noisy[rows], packed[rows], random)
        x[rows] = both_ways(up[side], small)
    _sense(x, noisy & full, packed & full, random)


def both_ways(matrix: Tensor, x: Tensor) -> Tensor:
    """Apply a linear resampling (N, T, S) down and along pictures: (N, C, S, S) -> (N, C, T, T)."""
    n, channels, height, _ = x.shape
    along = (x.flatten(1, 2) @ matrix.transpose(1, 2)).view(n, channels, height, -1)
    return matrix[:, None] @ along


def _picked(n: int, probability: float, random: torch.Generator) -> Tensor:
    mask = torch.zeros(n, dtype=torch.bool)
    mask[chosen(n, probability, random)] = True
    return mask


def _light(x: Tensor, how: Augmentation, random: torch.Generator) -> None:
    """Exposure and cast of the whole picture, and light from one side; what is too bright is clipped."""
    if how.exposure > 0 or how.cast > 0:
        stops = between(len(x), -how.exposure, how.exposure, random)[:, None]
        cast = (torch.rand(len(x), 3, 1, 1, generator=random) * 2 - 1) * how.cast
        x *= torch.exp2((stops + cast) / GAMMA)
    rows = chosen(len(x), how.light, random)
    if len(rows):
        along, down = pixels(x.shape[-1])
        angle, stops = between(len(rows), 0, 2 * torch.pi, random), between(len(rows), 0, UNEVEN, random)
        slope = (along - 0.5) * angle.cos() + (down - 0.5) * angle.sin()
        x[rows] *= torch.exp2(stops * slope / GAMMA)[:, None]
    if how.exposure > 0 or how.cast > 0 or len(rows):
        x.clamp_(0, 1)


def _lens(x: Tensor, how: Augmentation, random: torch.Generator) -> None:
    """Defocus, then motion."""
    size, scale = x.shape[-1], x.shape[-1] / OF
    rows = chosen(len(x), how.lens, random)
    if len(rows):
        width = between(len(rows), *LENS, random) * scale
        apart = torch.arange(size)[None, :, None] - torch.arange(size)[None, None]
        weight = torch.exp(-apart.square() / (2 * width.square()))
        x[rows] = both_ways(weight / weight.sum(2, keepdim=True), x[rows])
    rows = chosen(len(x), how.motion, random)
    if len(rows):
        reach = round(MOTION[1] * scale / 2) + 1
        step = torch.arange(-reach, reach + 1.0)
        angle, length = between(len(rows), 0, torch.pi, random), between(len(rows), *MOTION, random) * scale
        ahead = step * angle.cos() + step[:, None] * angle.sin()
        beside = step[:, None] * angle.cos() - step * angle.sin()
        kernel = (length / 2 + 0.5 - ahead.abs()).clamp(0, 1) * (1 - beside.abs()).clamp(0, 1)
        kernel = (kernel / kernel.sum((1, 2), keepdim=True)).repeat_interleave(3, 0)[:, None]
        flat = F.pad(x[rows], (reach,) * 4, mode="replicate").flatten(0, 1)[None]
        x[rows] = F.conv2d(flat, kernel, groups=len(kernel)).view(len(rows), 3, size, size)


@lru_cache(maxsize=4)
def _resizing(size: int, lowest: int, highest: int) -> tuple[Tensor, Tensor]:
    """Return what takes `size` pixels to each side from lowest to highest, and back.

    Two banks (sides, highest, size) and (sides, size, highest): averaging over what a small pixel sees, then
    bilinear. Beyond its side a small picture repeats its last pixel, which the way back leaves out.
    """
    unit = torch.eye(size)[None, None]
    downs, ups = [], []
    for side in range(lowest, highest + 1):
        down = F.interpolate(unit, (side, size), mode="bilinear", antialias=True)[0, 0]
        up = F.interpolate(torch.eye(side)[None, None], (size, side), mode="bilinear")[0, 0]
        downs.append(torch.cat([down, down[-1:].expand(highest - side, size)]))
        ups.append(F.pad(up, (0, highest - side)))
    return torch.stack(downs), torch.stack(ups)


def _sense(x: Tensor, noisy: Tensor, packed: Tensor, random: torch.Generator) -> None:
    """Add noise and JPEG to the marked rows, in place."""
    rows = noisy.nonzero().squeeze(1)
    if len(rows):
        strength = between(len(rows), *NOISE, random)[:, None]
        picked = x[rows]
        drawn = torch.randn(picked.shape, generator=random)
        # Photons arrive at random: a brighter pixel has more noise, but less in proportion
        x[rows] = picked.addcmul_(drawn, strength * (0.2 + 0.8 * picked.clamp(0, 1)).sqrt())
    rows = packed.nonzero().squeeze(1)
    if len(rows):
        x[rows] = jpeg(x[rows], torch.randint(QUALITY[0], QUALITY[1] + 1, (len(rows),), generator=random))
