"""Networks of methods that learn from labels of videos, as other programs can take them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amiss.nn.portable import Portable

__all__ = ["portable"]


class _Alone(nn.Module):
    """Log odds of instances, each on its own."""

    mean: Tensor
    ways: Tensor

    def __init__(self, judge: nn.Module, mean: Tensor, ways: Tensor) -> None:
        super().__init__()
        self.judge = judge
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("ways", ways, persistent=False)

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """`(n,)`."""
        return (self.judge((features - self.mean) @ self.ways.T).squeeze(-1),)


class _Related(_Alone):
    """Log odds of the instances of one video, which see each other."""

    def forward(self, features: Tensor, when: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]  # one more
        """`(n,)`."""
        there = torch.ones_like(when[None], dtype=torch.bool)
        return (self.judge(((features - self.mean) @ self.ways.T)[None], there, when[None])[0],)


def portable(judge: nn.Module, mean: Tensor, ways: Tensor, *, related: bool) -> Portable:
    """A network from features as they come to log odds.

    Args:
        judge: From `(n, K)` reduced features to `(n, 1)`; if related, from `(1, n, K)`, what is there and when.
        mean: `(D,)` of the reduction.
        ways: `(K, D)` likewise.
        related: Whether the instances of a video are judged together.
    """
    features = {"features": "(n, D) features of the instances of a video, as they come from perception"}
    when = {"when": "(n,) when each is there, as a share of the video"}
    kind = _Related if related else _Alone
    return Portable(
        module=kind(judge, mean, ways).eval(),
        inputs=features | when if related else features,
        outputs={"odds": "(n,) log odds of being abnormal"},
        example=lambda count: _example(count, mean, ways)[: 1 + related],
        axes=(0, 0)[: 1 + related],
        counted="instances",
    )


def _example(count: int, mean: Tensor, ways: Tensor) -> tuple[Tensor, ...]:
    """Features as spread as those that were learned from, in the order of time."""
    draw = torch.Generator().manual_seed(count)
    reduced = torch.randn(count, len(ways), generator=draw)
    return mean + reduced @ torch.linalg.pinv(ways).T, torch.rand(count, generator=draw).sort().values
