"""Scores of normal footage of other cameras, where there is little of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amiss.types import FloatArray

__all__ = ["Others"]

VALUES = 4096
"""Values that stand for a mixture."""


@dataclass(frozen=True, eq=False)
class Others:
    """What other cameras say of how high normal frames score.

    Attributes:
        quantiles: Of each `(Q,)` evenly spaced quantiles, at least one camera.
        share: What the camera's own scores weigh beside all of these, from 0 to 1; the others share the rest evenly.
    """

    quantiles: Sequence[FloatArray]
    share: float

    def mixed(self, values: FloatArray) -> FloatArray:
        """`(4096,)` values distributed as the mixture of `values` `(N,)` and those of the others."""
        weights = [self.share, *[(1 - self.share) / len(self.quantiles)] * len(self.quantiles)]
        edges = np.round(np.cumsum([0.0, *weights]) * VALUES).astype(np.int64)
        each = [np.asarray(values, np.float64), *self.quantiles]
        return np.concatenate(
            [np.quantile(one, np.linspace(0, 1, count)) for one, count in zip(each, np.diff(edges), strict=True)]
        )
