"""Transformer blocks with joint attention over space and time."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Encoder", "places"]


class _Block(nn.Module):
    """Attention and a two-layer perceptron, each after a normalisation and beside a shortcut."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inputs, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mix = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """`(N, P, C)` to the same."""
        split = self.inputs(self.before(tokens)).unflatten(2, (3, self._heads, -1))  # N, P, 3, heads, C / heads
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        tokens = tokens + self.output(seen)
        return torch.as_tensor(tokens + self.mix(self.between(tokens)))


class Encoder(nn.Module):
    """A plain vision transformer: every token attends to every other, in space and in time.

    Source: Dosovitskiy et al., 2021, with the joint space-time attention of Arnab et al., 2021.

    Args:
        width: Channels of a token, C.
        depth: Blocks.
        heads: Of attention; C is a multiple of them.
    """

    def __init__(self, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(_Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """`(N, P, C)` tokens that know where they are, to `(N, P, C)` features."""
        return torch.as_tensor(self.norm(self.blocks(tokens)))


def places(grid: tuple[int, int, int], width: int) -> Tensor:
    """`(t·h·w, width)` sines and cosines of where each token of a grid `(t, h, w)` is, in time, down and across."""
    each = width // 3
    sizes = (width - 2 * each, each, each)
    axes = torch.meshgrid(*(torch.arange(length, dtype=torch.float32) for length in grid), indexing="ij")
    return torch.cat([_waves(axis.flatten(), size) for axis, size in zip(axes, sizes, strict=True)], dim=1)


def _waves(place: Tensor, size: int) -> Tensor:
    """`(P, size)` sines and cosines of ever longer periods."""
    rate = torch.exp(-math.log(10_000.0) * torch.arange((size + 1) // 2) / max(size // 2, 1))
    angle = place[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :size]
