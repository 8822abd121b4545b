"""A branch: how the instances of a video relate, and how abnormal each is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.nn.portable import is_written

__all__ = ["Attention", "Branch", "Graph", "Relations", "predictor", "present", "settled"]

Relations = Literal["attention", "graph", "none"]
HEADS = 8
HIDDEN, NARROW, DROPOUT = 512, 32, 0.6
NEAR = 0.05
"""Share of the video after which instances count as far apart in time, in the graph."""
ROWS = 2048
"""Instances whose graph is in memory at a time."""
NEVER = -1e4
"""Score of an instance that is not there."""


class Attention(nn.Module):
    """Self-attention of several heads over the instances, added to what they were (Wu et al., equations 1 to 3).

    Args:
        size: K, numbers an instance.
        heads: Of which each looks at K / heads of them.
    """

    def __init__(self, size: int, heads: int = HEADS) -> None:
        super().__init__()
        heads = next(count for count in range(min(heads, size), 0, -1) if size % count == 0)
        self._heads = heads
        self.query, self.key, self.value = (nn.Linear(size, size, bias=False) for _ in range(3))

    def forward(self, x: Tensor, there: Tensor, when: Tensor) -> Tensor:  # noqa: ARG002
        """`(B, n, K)` → `(B, n, K)`; those that are not `there` `(B, n)` are not looked at."""
        # B, n, K → B, heads, n, K / heads
        query, key, value = (
            layer(x).unflatten(-1, (self._heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(query, key, value, there[:, None, None, :])
        return seen.transpose(1, 2).flatten(2) + x

    def at(self, x: Tensor, there: Tensor, when: Tensor, row: Tensor) -> Tensor:  # noqa: ARG002
        """`(B, K)` the same for one instance `row` `(B,)` of each bag, whatever the number of the others.

        Keys and values of all instances are not needed for one query: what it is compared with can be turned instead.
        """
        own = x[torch.arange(len(x)), row]
        query = self.query(own).unflatten(-1, (self._heads, -1))
        shape = self._heads, -1, x.shape[-1]  # h, d, K
        key, value = self.key.weight.view(shape), self.value.weight.view(shape)
        turned = torch.einsum("bhd,hdk->bhk", query, key) / query.shape[-1] ** 0.5
        weights = (turned @ x.transpose(1, 2)).masked_fill(~there[:, None], -torch.inf).softmax(-1)  # B, h, n
        return torch.einsum("bhk,hdk->bhd", weights @ x, value).flatten(1) + own


class Graph(nn.Module):
    """A graph convolution whose weights are given by likeness and by nearness in time, in place of attention.

    Source: Zhong et al., "Graph convolutional label noise cleaner", CVPR 2019: the mean of a graph of feature
    similarity and one of temporal consistency, each with rows that sum to 1.

    Args:
        size: K, numbers an instance.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Linear(size, size)

    def forward(self, x: Tensor, there: Tensor, when: Tensor) -> Tensor:
        """`(B, n, K)` → `(B, n, K)`; `when` `(B, n)` is a share of the video."""
        if is_written():  # a file would always have as many pieces
            return self._convolved(x, x, there, when, when)
        pieces = zip(torch.split(x, ROWS, 1), torch.split(when, ROWS, 1), strict=True)
        return torch.cat([self._convolved(own, x, there, at, when) for own, at in pieces], 1)

    def at(self, x: Tensor, there: Tensor, when: Tensor, row: Tensor) -> Tensor:
        """`(B, K)` the same for one instance `row` `(B,)` of each bag."""
        rows = torch.arange(len(x)), row
        return self._convolved(x[rows][:, None], x, there, when[rows][:, None], when)[:, 0]

    def _convolved(self, own: Tensor, x: Tensor, there: Tensor, at: Tensor, when: Tensor) -> Tensor:
        """Instances `(B, m, K)` that are at `(B, m)`, with all `(B, n, K)` that they are joined to."""
        like = functional.normalize(own, dim=-1) @ functional.normalize(x, dim=-1).transpose(1, 2)
        near = -(at[:, :, None] - when[:, None, :]).abs() / NEAR
        hidden = ~there[:, None, :]
        graphs = [values.masked_fill(hidden, NEVER).softmax(-1) for values in (like, near)]
        joined: Tensor = functional.relu(self.weight((graphs[0] + graphs[1]) / 2 @ x)) + own
        return joined


class Alone(nn.Module):
    """Each instance on its own, whatever its size."""

    def __init__(self, size: int) -> None:  # noqa: ARG002
        super().__init__()

    def forward(self, x: Tensor, there: Tensor, when: Tensor) -> Tensor:  # noqa: ARG002
        """`(B, n, K)` as it is."""
        return x

    def at(self, x: Tensor, there: Tensor, when: Tensor, row: Tensor) -> Tensor:  # noqa: ARG002
        """`(B, K)` one instance of each bag as it is."""
        return x[torch.arange(len(x)), row]


def predictor(size: int) -> nn.Sequential:
    """Three layers from K numbers to the log odds of being abnormal (Sultani et al., 2018)."""
    return nn.Sequential(
        nn.Linear(size, HIDDEN),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, NARROW),
        nn.Dropout(DROPOUT),
        nn.Linear(NARROW, 1),
    )


class Branch(nn.Module):
    """Relations between the instances of a bag, and the log odds that each is abnormal.

    Args:
        size: K, numbers an instance.
        relations: How instances see each other.
    """

    def __init__(self, size: int, relations: Relations) -> None:
        super().__init__()
        kinds: dict[str, type[Attention | Graph | Alone]] = {"attention": Attention, "graph": Graph, "none": Alone}
        self.relations = kinds[relations](size)
        self.predictor = predictor(size)

    def forward(self, x: Tensor, there: Tensor, when: Tensor) -> Tensor:
        """`(B, n, K)` → `(B, n)` log odds; far below all others where nothing is."""
        odds: Tensor = self.predictor(self.relations(x, there, when)).squeeze(-1)
        return odds.masked_fill(~there, NEVER)

    def at(self, x: Tensor, there: Tensor, when: Tensor, row: Tensor) -> Tensor:
        """`(B,)` log odds of one instance `row` `(B,)` of each bag: the same, for far less than that of all."""
        odds: Tensor = self.predictor(self.relations.at(x, there, when, row))
        return odds.squeeze(-1)

    @torch.no_grad()
    def highest(self, x: Tensor, there: Tensor, when: Tensor) -> Tensor:
        """`(B,)` which instance of each bag has the highest score, without dropout."""
        with settled(self):
            return self(x, there, when).argmax(1)  # type: ignore[no-any-return]  # a tensor


@contextmanager
def settled(module: nn.Module) -> Iterator[None]:
    """Within the block, a module is in evaluation mode."""
    training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(training)


def present(count: Tensor, most: int) -> Tensor:
    """`(B, most)` bool: the first `count` `(B,)` instances are there."""
    return torch.arange(most, device=count.device) < count[:, None]
