"""Label2Label: attributes as words of a sentence that a masked language model, shown the face, completes.

The attribute query network says first, from the face alone, which attributes are present. Those answers
become words. A decoder that reads all words and looks at the face again gives the final answers; in training
a share of the words is hidden from it, so that it learns to tell an attribute from the others.

Source: Li et al., ECCV 2022, arXiv 2207.08677.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Standard deviation that queries and words start with.
_SPREAD = 0.1


def sine_position(height: int, width: int, channels: int) -> Tensor:
    """Return a 2D sine position embedding, (height * width, channels): half the channels for y, half for x.

    channels: a multiple of 4. Positions run to 2 pi over the map, frequencies fall from 1 to 1/10000.
    Source: Vaswani et al. 2017, arXiv 1706.03762, over two axes as in Carion et al. 2020, arXiv 2005.12872.
    """
    quarter = channels // 4
    frequency = 10000.0 ** -(torch.arange(quarter) / quarter)

    def axis(length: int) -> Tensor:
        angle = torch.arange(1, length + 1)[:, None] / length * 2 * math.pi * frequency
        return torch.cat([angle.sin(), angle.cos()], dim=1)

    y, x = axis(height), axis(width)
    rows = [y[:, None].expand(-1, width, -1), x[None].expand(height, -1, -1)]
    return torch.cat(rows, dim=2).reshape(height * width, channels)


class Attention(nn.Module):
    """Multi-head attention of (N, Q, D) tokens to (N, K, D) keys and values.

    Source: Vaswani et al. 2017, arXiv 1706.03762.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return (N, Q, D)."""
        q, k, v = self._split(self.query(x)), self._split(self.key(keys)), self._split(self.value(values))
        out: Tensor = self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)


class DecoderLayer(nn.Module):
    """A transformer decoder layer, norms first: tokens look at each other (`among`) and at the face."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float, *, among: bool) -> None:
        super().__init__()
        self.among = Attention(width, heads) if among else None
        self.among_norm = nn.LayerNorm(width) if among else None
        self.at_face, self.at_face_norm = Attention(width, heads), nn.LayerNorm(width)
        self.mix = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, face: Tensor, position: Tensor) -> Tensor:
        """Return (N, A, D) tokens from tokens (N, A, D) and the face's (N, P, D); position: (P, D)."""
        if self.among is not None and self.among_norm is not None:
            y = self.among_norm(x)
            x = x + self.drop(self.among(y, y, y))
        x = x + self.drop(self.at_face(self.at_face_norm(x), face + position, face))
        x = x + self.drop(self.mix(x))
        return x


class GroupLinear(nn.Module):
    """A linear output of its own for each attribute's token: (N, A, D) -> (N, A) logits."""

    def __init__(self, attributes: int, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Parameter(torch.randn(attributes, width) / math.sqrt(width))
        self.bias = nn.Parameter(torch.zeros(attributes))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = (self.norm(x) * self.weight).sum(2) + self.bias
        return logits


class Label2Label(nn.Module):
    """The head: a feature map to two rows of logits, first and final; the final ones answer.

    forward: (N, C, S, S) to (2, N, A); positive means present. width: of the tokens, a multiple of 4 and of
    heads. hidden: of the layers' perceptrons. query_layers: of the attribute query network. layers: of the
    masked language model. mask: share of the words hidden in training; at inference none is.
    """

    position: Tensor

    def __init__(
        self,
        channels: int,
        side: int,
        attributes: int,
        *,
        width: int,
        heads: int,
        hidden: int,
        query_layers: int,
        layers: int,
        mask: float,
        dropout: float,
    ) -> None:
        super().__init__()
        if width % 4 or width % heads:
            raise ValueError(f"width must be a multiple of 4 and of the {heads} heads, got {width}")
        self.mask = mask
        self.project = nn.Conv2d(channels, width, 1)
        self.register_buffer("position", sine_position(side, side, width), persistent=False)
        self.queries = nn.Parameter(torch.randn(attributes, width) * _SPREAD)
        self.present, self.absent, self.masked = (
            nn.Parameter(torch.randn(attributes, width) * _SPREAD) for _ in range(3)
        )
        self.query_layers = nn.ModuleList(
            DecoderLayer(width, heads, hidden, dropout, among=False) for _ in range(query_layers)
        )
        self.layers = nn.ModuleList(
            DecoderLayer(width, heads, hidden, dropout, among=True) for _ in range(layers)
        )
        self.first, self.final = GroupLinear(attributes, width), GroupLinear(attributes, width)

    def forward(self, features: Tensor) -> Tensor:
        """Return the first and the final logits, see the class."""
        face = self.project(features).flatten(2).transpose(1, 2)
        tokens = self.queries.expand(face.shape[0], -1, -1)
        for layer in self.query_layers:
            tokens = layer(tokens, face, self.position)
        first = self.first(tokens)
        tokens = self.words(first > 0)
        for layer in self.layers:
            tokens = layer(tokens, face, self.position)
        return torch.stack([first, self.final(tokens)])

    def words(self, present: Tensor) -> Tensor:
        """Turn who has what, bool (N, A), into words (N, A, D), some of them hidden in training."""
        words = torch.where(present[..., None], self.present, self.absent)
        if not self.training or self.mask == 0:
            return words
        hidden = torch.rand(present.shape, device=present.device) < self.mask
        return torch.where(hidden[..., None], self.masked, words)

    def biases(self) -> list[nn.Parameter]:
        """Return the outputs' biases, (A,) each."""
        return [self.first.bias, self.final.bias]
