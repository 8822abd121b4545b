"""What methods remember of how normal windows scored: moments to standardise by, ranks to speak of, and examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.types import FloatArray, IntArray

__all__ = ["Usual", "percent", "spread_out"]

KEPT = 4096
"""Scores that are kept to rank by."""
LEAST_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class Usual:
    """How some numbers of normal windows are distributed.

    Attributes:
        count: Of windows.
        mean: `(P,)` float64.
        squares: `(P,)` float64, sum of squared differences from the mean.
        sample: `(K, P)` float64 of windows drawn evenly, each column sorted.
    """

    count: int
    mean: FloatArray
    squares: FloatArray
    sample: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> Usual:
        """Of `(N, P)` numbers of N normal windows, N at least 1."""
        values = np.asarray(values, np.float64)
        rows = np.linspace(0, len(values) - 1, min(KEPT, len(values))).round().astype(np.int64)
        mean = values.mean(0)
        return cls(len(values), mean, np.square(values - mean).sum(0), np.sort(values, 0)[rows])

    def with_more(self, values: FloatArray) -> Usual:
        """The same with `(N, P)` more numbers: exact moments (Chan et al., 1979), and their share of the sample."""
        if not len(values):
            return self
        more = Usual.of(values)
        count, gap = self.count + more.count, more.mean - self.mean
        mean = self.mean + gap * more.count / count
        squares = self.squares + more.squares + gap**2 * self.count * more.count / count
        return Usual(count, mean, squares, self._sample_with(np.asarray(values, np.float64)))

    def _sample_with(self, values: FloatArray) -> FloatArray:
        """The sample, in which so many rows are replaced by new ones as makes these no more and no less likely."""
        kept, new = len(self.sample), len(values)
        if kept == self.count and kept + new <= KEPT:
            return np.sort(np.concatenate([self.sample, values]), 0)
        random = np.random.default_rng(self.count)
        number = min(int(kept * new / (self.count + new) + random.random()), kept)
        sample = self.sample.copy()
        drawn = random.permutation(np.resize(random.permutation(new), max(number, new)))[:number]
        sample[random.permutation(kept)[:number]] = values[drawn]
        return np.sort(sample, 0)

    def weighing(self, count: int) -> Usual:
        """The same moments as of so many windows, so that more of them weigh as much as is wanted."""
        return Usual(count, self.mean, self.squares * count / self.count, self.sample)

    def standardised(self, values: FloatArray) -> FloatArray:
        """`(N, P)` in standard deviations above the mean."""
        spread = np.sqrt(self.squares / self.count)
        return np.asarray((np.asarray(values, np.float64) - self.mean) / np.maximum(spread, LEAST_SPREAD))

    def below(self, values: FloatArray) -> FloatArray:
        """`(P,)` share of normal windows that have less than the `(P,)` values."""
        return np.asarray((self.sample < np.asarray(values, np.float64)).mean(0))

    def state(self) -> Mapping[str, NDArray[Any]]:
        """All of it as arrays."""
        return {"count": np.array(self.count), "mean": self.mean, "squares": self.squares, "sample": self.sample}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Usual:
        """What `state` gave.

        Raises:
            KeyError: Something is missing.
        """
        return cls(int(state["count"]), state["mean"], state["squares"], state["sample"])


def percent(share: float) -> str:
    """Whole percents, and two decimals where they tell the rare from the rarest; never rounded to nothing or to all."""
    if share <= 0.99:
        return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
    return f"{min(100 * share, 99.99):.2f}".rstrip("0").rstrip(".") + " %"


def spread_out(vectors: FloatArray, number: int) -> IntArray:
    """Rows that are far from each other: greedy k-centre, from the one nearest the mean."""
    rows = [int(np.linalg.norm(vectors - vectors.mean(0), axis=1).argmin())]
    gap = np.full(len(vectors), np.inf)
    while len(rows) < number:
        gap = np.minimum(gap, np.linalg.norm(vectors - vectors[rows[-1]], axis=1))
        rows.append(int(gap.argmax()))
    return np.asarray(rows)
