"""What hides parts of a face in front of a camera: mask, hat, scarf, glasses, hand; on whole batches.

Places are shares of the crop's side, for crops whose eyes are about 0.26 below the top and whose mouth is at
about 0.7, as all of phiz's are. Each is drawn with its own place, size, slant and colour.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from phiz.training.sections import Augmentation

#: Gives a number (N, 1, 1) between two bounds.
Uniform = Callable[[float, float], Tensor]

EYES = (0.28, 0.72)
EYE_LEVEL = 0.26


def cover(x: Tensor, how: Augmentation, random: torch.Generator) -> None:
    """Hide parts of some faces, in place. x: float (N, 3, S, S) from 0 to 1."""
    shapes = (
        (how.mask, _mask),
        (how.scarf, _scarf),
        (how.hat, _hat),
        (how.glasses, _glasses),
        (how.patch, _patch),
    )
    for probability, shape in shapes:
        rows = chosen(len(x), probability, random)
        if len(rows):
            along, down = pixels(x.shape[-1])
            hidden = shape(along, down, partial(between, len(rows), random=random))
            x[rows] += hidden[:, None] * (_stuff(x, rows, random) - x[rows])


def black_corners(x: Tensor, probability: float, random: torch.Generator) -> None:
    """Blacken what lies beyond one or two slanted edges of some pictures, in place: there the photo ended.

    x: float (N, 3, S, S) from 0 to 1. Faces cut out of turned photos look so, such as those of Families in
    the Wild; where only one data set does, a network learns the data set from it.
    """
    rows = chosen(len(x), probability, random)
    along, down = pixels(x.shape[-1])
    quarter = torch.randint(4, (len(rows),), generator=random)
    # The two edges of a corner, or the same edge twice
    second = quarter + torch.randint(2, (len(rows),), generator=random)
    tilt = between(len(rows), -0.35, 0.35, random)
    for side in (quarter, second):
        angle = side[:, None, None] * (torch.pi / 2) + tilt
        reach = (along - 0.5) * angle.cos() + (down - 0.5) * angle.sin()
        edge = between(len(rows), 0.3, 0.6, random)
        x[rows] *= _inside(edge - reach)[:, None]


def chosen(n: int, probability: float, random: torch.Generator) -> Tensor:
    """Return the rows, of n, that a probability picks; nothing is drawn where it is zero."""
    if probability <= 0:
        return torch.empty(0, dtype=torch.long)
    return (torch.rand(n, generator=random) < probability).nonzero().squeeze(1)


def between(n: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """Return uniform numbers (n, 1, 1)."""
    return torch.rand(n, 1, 1, generator=random) * (high - low) + low


def pixels(size: int) -> tuple[Tensor, Tensor]:
    """Return the pixels' centres as shares of the side: along (1, 1, S) and down (1, S, 1)."""
    centres = (torch.arange(size) + 0.5) / size
    return centres[None, None], centres[None, :, None]


def _inside(depth: Tensor) -> Tensor:
    """Return how much of a pixel a shape covers whose edge is so far away, one pixel soft."""
    return (depth * depth.shape[-1] + 0.5).clamp_(0, 1)


def _stuff(x: Tensor, rows: Tensor, random: torch.Generator) -> Tensor:
    """Return what the covers look like: a colour, with more or less of another picture's texture."""
    drawn = torch.rand(2, len(rows), 3, 1, 1, generator=random)
    colour = drawn[0, :, :1].lerp(drawn[0], drawn[1, :, :1])  # from grey to strong
    texture = torch.rand(len(rows), 1, 1, 1, generator=random).square()
    other = x[(rows + 1) % len(x)].flip(2)
    return colour.lerp(other, texture)


def _mask(along: Tensor, down: Tensor, u: Uniform) -> Tensor:
    """From the nose's bridge or tip down, rounded at the cheeks."""
    side = (along - u(0.46, 0.54)).abs()
    return _inside(torch.minimum(down - u(0.38, 0.55) - u(-0.3, 0.5) * side.square(), u(0.36, 0.5) - side))


def _scarf(along: Tensor, down: Tensor, u: Uniform) -> Tensor:
    """All but the face: hair, ears, neck and often the forehead."""
    wide, high = u(0.36, 0.48), u(0.42, 0.6)
    far = (((along - u(0.45, 0.55)) / wide).square() + ((down - u(0.44, 0.54)) / high).square()).sqrt()
    return _inside((far - 1) * wide)


def _hat(along: Tensor, down: Tensor, u: Uniform) -> Tensor:
    """A brim or a headband's edge somewhere above the eyes."""
    across = along - 0.5
    return _inside(u(0.02, 0.19) + u(-0.2, 0.2) * across + u(-0.4, 0.4) * across.square() - down)


def _glasses(along: Tensor, down: Tensor, u: Uniform) -> Tensor:
    """Frames with a bridge; clear, tinted or dark."""
    wide, high = u(0.12, 0.2), u(0.08, 0.15)
    level, rim = down - u(EYE_LEVEL - 0.02, EYE_LEVEL + 0.05), u(0.012, 0.04)
    far = [(((along - eye) / wide).square() + (level / high).square()).sqrt() for eye in EYES]
    depth = (1 - torch.minimum(*far)) * high
    bridge = torch.minimum(rim / 2 - (level + high / 3).abs(), 0.5 - EYES[0] - wide - (along - 0.5).abs())
    tint = u(-1.0, 1.0).clamp(0, 0.95)
    lenses = _inside(depth)
    frame = torch.maximum(lenses - _inside(depth - rim), _inside(bridge))
    return torch.maximum(frame, tint * lenses)


def _patch(along: Tensor, down: Tensor, u: Uniform) -> Tensor:
    """A hand or an object: a turned oval or box, small inside the face or large at its edge."""
    angle = u(0, 2 * torch.pi)
    x, y = along - u(0, 1), down - u(0, 1)
    across = (x * angle.cos() + y * angle.sin()).abs()
    upright = (y * angle.cos() - x * angle.sin()).abs()
    wide, high = u(0.06, 0.25), u(0.06, 0.25)
    oval = (1 - ((across / wide).square() + (upright / high).square()).sqrt()) * torch.minimum(wide, high)
    box = torch.minimum(wide - across, high - upright)
    return _inside(torch.where(u(0, 1) < 0.5, oval, box))
