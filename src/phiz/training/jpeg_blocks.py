"""JPEG on whole batches: what its quantisation does to pictures, without writing any file.

Entropy coding loses nothing, so it is left out; the tables are those that Pillow writes at each quality.
Source: ITU-T T.81 (1992), annex A; JFIF's colours, halved in both directions.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

BLOCK = 8
#: JFIF's conversion from red, green and blue to brightness and two colour differences.
TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)


def jpeg(x: Tensor, quality: Tensor) -> Tensor:
    """Return pictures as JPEG gives them back: float (N, 3, H, W) from 0 to 1; quality (N,) from 1 to 95."""
    height, width = x.shape[2:]
    to_ycc = torch.tensor(TO_YCC)
    # In whole blocks of halved colours, by repeating the last line as encoders do
    padding = (0, -width % (2 * BLOCK), 0, -height % (2 * BLOCK))
    ycc = torch.einsum("dc,nchw->ndhw", to_ycc, F.pad(x, padding, mode="replicate") * 255)
    tables = _tables()[quality - 1]
    brightness = _quantised(ycc[:, :1] - 128, tables[:, 0])
    colours = _quantised(F.avg_pool2d(ycc[:, 1:], 2), tables[:, 1])
    colours = F.interpolate(colours, scale_factor=2.0, mode="bilinear")
    back = torch.einsum("dc,nchw->ndhw", to_ycc.inverse(), torch.cat([brightness + 128, colours], 1))
    return back[:, :, :height, :width].div_(255).clamp_(0, 1)


def _quantised(planes: Tensor, table: Tensor) -> Tensor:
    """Round each block's cosine coefficients to multiples of the table: (N, C, H, W), (N, 64)."""
    n, c, height, width = planes.shape
    blocks = planes.view(n, c, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(3, 4)
    cosines = _cosines()
    step = table[:, None]
    found = (blocks.reshape(n, -1, BLOCK * BLOCK) @ cosines.T).div_(step).round_().mul_(step) @ cosines
    return (
        found.view(n, c, height // BLOCK, width // BLOCK, BLOCK, BLOCK).transpose(3, 4).reshape(planes.shape)
    )


@lru_cache(maxsize=1)
def _cosines() -> Tensor:
    """Return the orthogonal two-dimensional cosine transform of a block as one matrix (64, 64)."""
    at = torch.arange(BLOCK, dtype=torch.float64)
    rows = torch.cos(math.pi * (at + 0.5) * at[:, None] / BLOCK) * math.sqrt(2 / BLOCK)
    rows[0] /= math.sqrt(2)
    return torch.kron(rows, rows).float()


@lru_cache(maxsize=1)
def _tables() -> Tensor:
    """Return the steps of brightness and of colours at the qualities 1 to 95: (95, 2, 64), row by row."""
    tables = []
    for quality in range(1, 96):
        file = io.BytesIO()
        Image.new("RGB", (BLOCK, BLOCK)).save(file, "JPEG", quality=quality)
        with Image.open(file) as image:
            tables.append([image.quantization[0], image.quantization[1]])
    return torch.tensor(tables, dtype=torch.float32)
