"""What tells how far a vector is from normal ones: one interface, whatever is behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from amiss.methods.attributes.memory import RECENT, Memory
from amiss.types import FloatArray, IntArray

__all__ = ["Estimator", "Neighbours", "Shape", "drawn"]

MOST = 20_000
"""Samples that a shape is learned from, and is calibrated on."""
FOLDS = 2
"""Shapes that are learned, each from what the others leave out, to calibrate."""
PROBES, INSIDE = 2000, 0.9
"""Of so many samples, the distance from the next ones that this share has: what is that near was seen."""


class Estimator(Protocol):
    """How far vectors are from normal ones; higher is further."""

    @property
    def seen(self) -> int:
        """How many normal samples there are."""

    def fit(self, vectors: FloatArray, groups: IntArray, weights: FloatArray, seed: int) -> FloatArray:
        """Learn from vectors `(N, d)` of groups `(N,)`, each of which stands for seconds `(N,)`.

        Returns:
            `(M,)` how far samples are from what other groups have shown; of all samples, or of some drawn at random.
        """

    def add(self, vectors: FloatArray, weights: FloatArray) -> None:
        """Take in more normal samples, which count at once."""

    def score(self, vectors: FloatArray) -> FloatArray:
        """`(N,)` how far each is from normal."""

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""


class Neighbours:
    """Distance to the k-th nearest sample of a bounded memory.

    Args:
        capacity: Most samples in memory.
        neighbours: The k.
        dimension: Length of the vectors, before there is any.
    """

    def __init__(self, capacity: int, neighbours: int, dimension: int = 1) -> None:
        self._capacity, self._neighbours = capacity, neighbours
        self._memory = Memory(dimension, capacity, neighbours)

    @property
    def seen(self) -> int:
        """How many normal samples there are."""
        return self._memory.seen

    def learn(self, vectors: FloatArray, seed: int, groups: IntArray | None = None) -> None:
        """Fill the memory."""
        self._memory = Memory(vectors.shape[1], self._capacity, self._neighbours, seed)
        self._memory.fill(vectors, np.zeros(len(vectors), np.int64) if groups is None else groups)

    def fit(self, vectors: FloatArray, groups: IntArray, weights: FloatArray, seed: int) -> FloatArray:  # noqa: ARG002
        """Fill the memory; each sample is then asked about without its own group."""
        self.learn(vectors, seed, groups)
        distance = np.empty(len(vectors))
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            distance[rows] = self._memory.distance_without(int(group), vectors[rows])
        return distance

    def add(self, vectors: FloatArray, weights: FloatArray) -> None:  # noqa: ARG002
        """Take in more normal samples."""
        self._memory.add(vectors)

    def score(self, vectors: FloatArray) -> FloatArray:
        """`(N,)` distance to the k-th nearest."""
        return self._memory.distance(vectors)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        memory = self._memory
        counts = {"seen": np.array(memory.seen), "seed": np.array(memory.seed)}
        return {"samples": memory.samples, "recent": memory.recent} | counts

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        samples = state["samples"]
        self._memory = Memory(samples.shape[1], self._capacity, self._neighbours, int(state["seed"]))
        self._memory.samples, self._memory.groups = samples, np.zeros(len(samples), np.int64)
        self._memory.recent, self._memory.seen = state["recent"], int(state["seen"])


class Shape(ABC):
    """A density of some form. It is not learned anew for what is taken in later.

    Instead, what is as near to such samples as normal ones are to each other counts as average at most.

    Args:
        neighbours: To so many of the samples that were taken in something must be near; a single one excuses nothing.
    """

    arrays: ClassVar[tuple[str, ...]]
    """Names of what it learns."""

    def __init__(self, neighbours: int) -> None:
        self._neighbours = neighbours
        self._learned: dict[str, NDArray[Any]] = {}
        self._taught: FloatArray = np.zeros((0, 1), np.float32)
        self._radius = self._average = 0.0
        self._seen = 0

    @property
    def seen(self) -> int:
        """How many normal samples there are."""
        return self._seen

    @abstractmethod
    def learned(self, vectors: FloatArray, seed: int) -> dict[str, NDArray[Any]]:
        """What is learned from vectors `(N, d)`."""

    @abstractmethod
    def judged(self, learned: Mapping[str, NDArray[Any]], vectors: FloatArray) -> FloatArray:
        """`(N,)` minus the logarithm of a density, or what stands for it."""

    def learn(self, vectors: FloatArray, seed: int) -> None:
        """Learn the density alone."""
        self._learned = self.learned(vectors[drawn(len(vectors), MOST, seed)], seed)
        self._taught = np.zeros((0, vectors.shape[1]), np.float32)

    def fit(self, vectors: FloatArray, groups: IntArray, weights: FloatArray, seed: int) -> FloatArray:  # noqa: ARG002
        """Learn the density; what is far from it is told by densities that each leave out some of the groups."""
        rows = drawn(len(vectors), MOST, seed)
        some, fold = vectors[rows], np.unique(groups, return_inverse=True)[1][rows] % FOLDS
        self.learn(vectors, seed)
        found = np.empty(len(some))
        for number in range(FOLDS):
            out = fold == number
            found[out] = self.judged(self.learned(some[~out], seed), some[out]) if 0 < out.sum() < len(some) else 0
        self._seen, self._average = len(vectors), float(found.mean())
        self._radius = _reach(some[:PROBES], self._neighbours)
        return found

    def add(self, vectors: FloatArray, weights: FloatArray) -> None:  # noqa: ARG002
        """Take in more normal samples; the newest are kept."""
        self._taught = np.concatenate([self._taught, np.asarray(vectors, np.float32)])[-RECENT:]
        self._seen += len(vectors)

    def score(self, vectors: FloatArray) -> FloatArray:
        """`(N,)` minus the logarithm of the density; average at most near what was taken in."""
        if not len(vectors):
            return np.zeros(0)
        score = self.judged(self._learned, vectors.astype(np.float64))
        score = score.astype(np.float32).astype(np.float64)  # sums round differently in batches of other sizes
        if len(self._taught) < self._neighbours:
            return score
        near = _distance(self._taught, vectors, self._neighbours) <= self._radius
        return np.where(near, np.minimum(score, self._average), score)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        numbers = {"seen": np.array(self._seen), "near": np.array([self._radius, self._average])}
        return self._learned | {"taught": self._taught} | numbers

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._learned = {name: state[name] for name in self.arrays}
        self._taught, self._seen = state["taught"], int(state["seen"])
        self._radius, self._average = (float(number) for number in state["near"])


def drawn(count: int, most: int, seed: int) -> IntArray:
    """`(M,)` rows, all of them or so many at random."""
    return np.random.default_rng([seed, count]).permutation(count)[:most]


def _distance(samples: FloatArray, vectors: FloatArray, k: int) -> FloatArray:
    """`(N,)` to the k-th nearest sample, or to the furthest where there are fewer."""
    distance, _ = cKDTree(samples).query(vectors, [min(k, len(samples))])
    return np.asarray(distance[:, 0])


def _reach(samples: FloatArray, k: int) -> float:
    """How far most samples are from their k-th next."""
    return float(np.quantile(_distance(samples, samples, k + 1), INSIDE))
