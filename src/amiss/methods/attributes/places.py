"""What is usual at a place in the view, borrowed from around it as far as the place itself has shown little.

A number, such as a pace, is counted into a histogram for every cell of a grid over the view. What is expected at a
point comes from counts around it, weighted by a Gaussian kernel, at several widths: each width starts from what the
next wider one expects, worth `BORROWED` seconds of tracks, so that the seconds that a place has shown decide how much
it speaks for itself (a hierarchy of Dirichlet priors, each with the estimate of the wider level as its mean). The
widest prior is the whole view, and that starts from a normal law, or of directions from all alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.stats import norm

from amiss.types import FloatArray, IntArray

__all__ = ["LocalHistograms", "Scale"]

CELL = 0.5
"""Least side of a cell, in usual heights."""
CELLS = 64
"""Most cells a side."""
WIDTHS = (4.0, 2.0, 1.0)
"""Standard deviations of the kernels, in usual heights, from far to near."""
BORROWED = 5.0
"""Seconds of tracks that what is borrowed is worth."""
FLOOR = 1e-6
"""Share of every prior that is spread evenly: nothing is impossible."""


@dataclass(frozen=True)
class Scale:
    """The bins of a histogram.

    Attributes:
        low: Middle of the first bin; what is lower counts there.
        high: Middle of the last bin, or of the first one again if circular.
        bins: Their number.
        circular: Whether the scale ends where it begins; values then are given as cosine and sine.
    """

    low: float
    high: float
    bins: int
    circular: bool = False

    @property
    def step(self) -> float:
        """From one bin to the next."""
        return (self.high - self.low) / (self.bins if self.circular else self.bins - 1)

    @property
    def middles(self) -> FloatArray:
        """`(bins,)` what each stands for."""
        return self.low + self.step * np.arange(self.bins)

    def shares(self, values: FloatArray) -> FloatArray:
        """`(N, bins)` of `(N, 1)` values, or `(N, 2)` cosines and sines: shares in the two nearest bins."""
        flat = values[:, 0] if not self.circular else np.arctan2(values[:, 1], values[:, 0])
        position = (flat.astype(np.float64) - self.low) / self.step
        position = position % self.bins if self.circular else np.clip(position, 0, self.bins - 1)
        lower = np.floor(position).astype(np.int64) % self.bins
        rows, found = np.arange(len(values)), np.zeros((len(values), self.bins))
        found[rows, lower] = 1 - position % 1
        found[rows, (lower + 1) % self.bins] += position % 1  # of the last bin of a line, nothing
        return found


class LocalHistograms:
    """How unusual a number is at its place: minus the logarithm of its expected density there.

    Vectors are `(N, 3)` or `(N, 4)`: x and y in usual heights, and a number, or the cosine and sine of a direction.

    Args:
        scale: Of the number.
    """

    kind = "places"

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._counts: FloatArray = np.zeros((1, 1, scale.bins))
        self._cell = np.array(1.0)
        self._seen = 0
        self._levels: list[FloatArray] | None = None

    @property
    def seen(self) -> int:
        """How many normal samples there are."""
        return self._seen

    def fit(self, vectors: FloatArray, groups: IntArray, weights: FloatArray, seed: int) -> FloatArray:  # noqa: ARG002
        """Count normal samples.

        Args:
            vectors: `(N, d)` samples.
            groups: `(N,)` group of each.
            weights: `(N,)` seconds that each stands for: the many frames of a slow track are not many witnesses.
            seed: Nothing is left to chance here.

        Returns:
            `(N,)` how unusual each is after what the other groups have shown.
        """
        reach = np.maximum(vectors[:, :2].max(0), 1.0)
        self._cell = np.array(max(CELL, float(reach.max()) / CELLS))
        width, height = (np.ceil(reach / self._cell) + 1).astype(np.int64)
        self._counts = np.zeros((height, width, self._scale.bins))
        self._count(vectors, weights, self._counts)
        self._seen = len(vectors)
        found = np.empty(len(vectors))
        for group in np.unique(groups):
            rows = groups == group
            own = np.zeros_like(self._counts)
            self._count(vectors[rows], weights[rows], own)
            found[rows] = self._surprise(self._smooth(np.maximum(self._counts - own, 0)), vectors[rows])
        self._levels = None
        return found

    def add(self, vectors: FloatArray, weights: FloatArray) -> None:
        """Count more normal samples, at once."""
        self._count(vectors, weights, self._counts)
        self._seen += len(vectors)
        self._levels = None

    def score(self, vectors: FloatArray) -> FloatArray:
        """`(N,)` nats: minus the logarithm of the density of each number at its place."""
        if self._levels is None:
            self._levels = self._smooth(self._counts)
        return self._surprise(self._levels, vectors)

    def _count(self, vectors: FloatArray, weights: FloatArray, into: FloatArray) -> None:
        x, y = self._cells(vectors, into).round().astype(np.int64)
        np.add.at(into, (y, x), self._scale.shares(vectors[:, 2:]) * weights[:, None])

    def _cells(self, vectors: FloatArray, counts: FloatArray) -> FloatArray:
        """`(2, N)` x and y in cells; who stands beyond the grid is at its edge."""
        last = np.array([counts.shape[1], counts.shape[0]]) - 1
        return np.asarray(np.clip(vectors[:, :2].astype(np.float64) / self._cell, 0, last).T)

    def _smooth(self, counts: FloatArray) -> list[FloatArray]:
        """The prior `(bins,)`, and weighted seconds around each cell `(height, width, bins)`, from far to near."""
        levels: list[FloatArray] = [self._whole(counts.sum((0, 1)))]
        for width in WIDTHS:
            sigma = width / float(self._cell)
            peak = 2 * np.pi * sigma**2  # so that a witness on the spot counts as one
            levels.append(gaussian_filter(counts, (sigma, sigma, 0), mode="constant") * max(peak, 1.0))
        return levels

    def _whole(self, total: FloatArray) -> FloatArray:
        """`(bins,)` shares in the whole view."""
        bins, seconds = self._scale.bins, float(total.sum())
        even = np.full(bins, 1 / bins)
        prior = even
        if not self._scale.circular and seconds > 0:
            middles = self._scale.middles
            mean = float((total * middles).sum() / seconds)
            spread = max(float(np.sqrt((total * (middles - mean) ** 2).sum() / seconds)), self._scale.step)
            prior = norm.pdf(middles, mean, spread)
            prior = np.asarray(prior / prior.sum())
        prior = (1 - FLOOR) * prior + FLOOR * even
        return np.asarray((total + BORROWED * prior) / (seconds + BORROWED))

    def _surprise(self, levels: list[FloatArray], vectors: FloatArray) -> FloatArray:
        shares = self._scale.shares(vectors[:, 2:])
        x, y = self._cells(vectors, levels[1])
        expected = shares @ levels[0]
        for level in levels[1:]:
            seconds = map_coordinates(level.sum(2), (y, x), order=1, mode="nearest")
            own = np.zeros(len(vectors))
            for number in range(self._scale.bins):
                rows = np.flatnonzero(shares[:, number])
                here = map_coordinates(level[..., number], (y[rows], x[rows]), order=1, mode="nearest")
                own[rows] += shares[rows, number] * here
            expected = (own + BORROWED * expected) / (seconds + BORROWED)
        surprise = np.log(self._scale.step) - np.log(np.maximum(expected, 1e-300))
        return np.asarray(surprise.astype(np.float32), np.float64)  # sums round differently in batches of other sizes

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        return {"counts": self._counts, "cell": self._cell, "seen": np.array(self._seen)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._counts, self._cell, self._seen = state["counts"].copy(), state["cell"], int(state["seen"])
        self._levels = None
