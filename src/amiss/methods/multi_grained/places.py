"""How normal cells scored, place by place: what is usual at a doorway is not what is usual on a lawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from amiss.methods.normal import Usual
from amiss.types import BoolArray, FloatArray

__all__ = ["Places"]

REACH = 1.5
"""Cells, the standard deviation of the Gaussian that lets a place know of its neighbours."""
PRIOR = 20.0
"""As many cells of the whole picture count at each place besides its own."""
LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Places:
    """Sums over the cells that moved, by place.

    Attributes:
        count: `(h, w)` float64, of cells.
        total: `(P, h, w)` float64, of the parts.
        squares: `(P, h, w)` float64, of their squares.
    """

    count: FloatArray
    total: FloatArray
    squares: FloatArray

    @classmethod
    def none(cls, parts: int, size: tuple[int, ...]) -> Places:
        """Of no cells yet."""
        return cls(np.zeros(size), np.zeros((parts, *size)), np.zeros((parts, *size)))

    def with_more(self, raw: FloatArray, moves: BoolArray) -> Places:
        """With the cells of one more window, `(P, h, w)`, of which those count that move, `(h, w)`."""
        counted = np.where(moves, raw, 0.0)
        return Places(self.count + moves, self.total + counted, self.squares + counted**2)

    def standardised(self, raw: FloatArray, usual: Usual) -> FloatArray:
        """`(P, h, w)` in standard deviations above the mean of each place.

        Args:
            raw: `(P, h, w)`.
            usual: Of the cells of all places.
        """
        mean, spread = usual.mean[:, None, None], np.sqrt(usual.squares / usual.count)[:, None, None]
        count, total, squares = self._nearby
        weight = count + PRIOR
        means = (total + PRIOR * mean) / weight
        variance = (squares + PRIOR * (mean**2 + spread**2)) / weight - means**2
        return np.asarray((raw - means) / np.sqrt(np.maximum(variance, LEAST)))

    @cached_property
    def _nearby(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The sums with those of neighbours, which are the same for every window."""
        reach = (0.0, REACH, REACH)  # not across the parts
        return (
            np.asarray(gaussian_filter(self.count, REACH)),
            np.asarray(gaussian_filter(self.total, reach)),
            np.asarray(gaussian_filter(self.squares, reach)),
        )

    def state(self) -> Mapping[str, NDArray[Any]]:
        """All of it as arrays."""
        return {"count": self.count, "total": self.total, "squares": self.squares}
