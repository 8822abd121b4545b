"""Memories of normal features that are read by similarity and written without gradients.

Source: Yang et al., MGENet, sections 3.3 to 3.5, after Park et al., "Learning memory-guided normality", 2020.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.normal import spread_out

__all__ = ["Memory", "separateness"]

TINY = 1e-12


class Memory(nn.Module):
    """Unit vectors that stand for what is normal.

    Args:
        items: How many.
        width: Numbers each.
        temperature: What cosines are divided by before a softmax; 1 in the paper.
    """

    items: Tensor

    def __init__(self, items: int, width: int, temperature: float) -> None:
        super().__init__()
        self._temperature = temperature
        self.register_buffer("items", functional.normalize(torch.randn(items, width), dim=1))

    def similarity(self, queries: Tensor) -> Tensor:
        """`(…, items)` cosines of queries `(…, width)` and items."""
        with torch.autocast(queries.device.type, enabled=False):  # three digits are too few to tell items apart
            return functional.normalize(queries.float(), dim=-1) @ self.items.T

    def weights(self, queries: Tensor) -> Tensor:
        """`(…, items)` addressing weights, which sum to one (equation 7)."""
        return (self.similarity(queries) / self._temperature).softmax(-1)

    def read(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        """The items' mean by weight `(…, width)`, and the weights `(…, items)`."""
        weights = self.weights(queries)
        with torch.autocast(queries.device.type, enabled=False):
            return weights @ self.items, weights

    def start(self, queries: Tensor) -> None:
        """Begin with queries `(N, width)` that are far from each other, and random directions where they are few."""
        unit = functional.normalize(queries.float(), dim=-1)
        rows = spread_out(unit.numpy(), min(len(self.items), len(unit)))
        self.items[: len(rows)] = unit[rows]

    @torch.no_grad()
    def write(self, queries: Tensor) -> None:
        """Move each item towards the queries `(N, width)` that it is nearest to (equation 9).

        A query counts as its softmax over all queries, relative to the largest of the item's own.
        """
        unit, cosine = functional.normalize(queries.float(), dim=-1), self.similarity(queries)  # N, items
        chosen = functional.one_hot(cosine.argmax(1), len(self.items)).to(unit.dtype)
        weight = (cosine / self._temperature).softmax(0) * chosen
        weight = weight / weight.amax(0).clamp_min(TINY)
        with torch.autocast(queries.device.type, enabled=False):
            self.items.copy_(functional.normalize(self.items + weight.T @ unit, dim=1))


def separateness(queries: Tensor, items: Tensor, margin: float) -> Tensor:
    """How much nearer the nearest item is than the second, less a margin, hinged and averaged (equation 11).

    Args:
        queries: `(N, width)`, of which the directions count.
        items: `(items, width)` unit vectors, at least two.
        margin: ε.
    """
    unit = functional.normalize(queries.float(), dim=-1)
    with torch.autocast(queries.device.type, enabled=False):
        nearest = (unit.detach() @ items.T).topk(2, dim=1).indices
    first, second = ((unit - items[nearest[:, place]]).norm(dim=1) for place in (0, 1))
    return functional.relu(first - second + margin).mean()
