"""A bounded memory of normal vectors: a cover of what was seen, with how often it was seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.neighbors import NearestNeighbors

from amiss.types import FloatArray, IntArray

__all__ = ["Memory"]

BATCH = 1024
GROWTH = 1.25


class Memory:
    """Nearest-neighbour distances to a cover of normal samples.

    A sample nearer than `radius` to an item only adds to the item's weight; others become items. When there are more
    items than `capacity` the radius grows and the items are thinned to a cover of themselves, so the memory stays
    bounded and takes new samples at any time (the doubling idea of incremental clustering: Charikar et al., 1997).
    The score is the distance to the k-th nearest *sample*: an item counts as often as it was seen, so that a single
    odd sample among the normal ones does not excuse others like it.

    Args:
        dimension: Length of the vectors.
        capacity: Most items.
        neighbours: k.
        groups: How many groups of samples are told apart while learning.
    """

    def __init__(self, dimension: int, capacity: int, neighbours: int, groups: int = 1) -> None:
        self.capacity = capacity
        self.neighbours = neighbours
        self.radius = 0.0
        self.items: FloatArray = np.zeros((0, dimension), np.float32)
        self.weights: IntArray = np.zeros((0, groups), np.int64)
        self._index: NearestNeighbors | None = None

    def __len__(self) -> int:
        return len(self.items)

    def add(self, vectors: FloatArray, groups: IntArray) -> None:
        """Take in normal samples.

        Args:
            vectors: `(N, d)`.
            groups: `(N,)` group of each.
        """
        self._index = None
        for start in range(0, len(vectors), BATCH):
            self._add_batch(np.asarray(vectors[start : start + BATCH], np.float32), groups[start : start + BATCH])
            while len(self.items) > self.capacity:
                self._thin()

    def _add_batch(self, vectors: FloatArray, groups: IntArray) -> None:
        owner, distance = _nearest(vectors, self.items)
        far = np.flatnonzero(distance > self.radius)
        new, owner_of_far = _cover(vectors[far], self.radius)
        owner[far] = len(self.items) + owner_of_far
        self.items = np.concatenate([self.items, vectors[far][new]])
        self.weights = np.concatenate([self.weights, np.zeros((len(new), self.weights.shape[1]), np.int64)])
        np.add.at(self.weights, (owner, groups), 1)

    def _thin(self) -> None:
        """Grow the radius and keep a cover of the items; what is dropped gives its weight to what covers it."""
        if not self.radius:
            distance = _neighbour_gaps(self.items)
            self.radius = float(np.quantile(distance[distance > 0], 0.1)) if (distance > 0).any() else 1e-6
        self.radius *= GROWTH
        kept, owner = _cover(self.items, self.radius)
        weights = np.zeros((len(kept), self.weights.shape[1]), np.int64)
        np.add.at(weights, owner, self.weights)
        self.items, self.weights = self.items[kept], weights

    def distance(self, vectors: FloatArray) -> FloatArray:
        """`(N,)` float64 distance of each vector to its k-th nearest sample."""
        if self._index is None:
            self._index = _index(self.items)
        return _kth(self._index, self.weights.sum(1), vectors, self.neighbours)

    def distance_without(self, group: int, vectors: FloatArray) -> FloatArray:
        """The same, from what the other groups alone have shown.

        Items that only `group` has shown are left out, which gives the distance from a memory that never met it.
        """
        others = self.weights.sum(1) - self.weights[:, group]
        rows = np.flatnonzero(others)
        return _kth(_index(self.items[rows]), others[rows], vectors, self.neighbours)


def _index(items: FloatArray) -> NearestNeighbors:
    algorithm = "kd_tree" if items.shape[1] <= 8 else "brute"
    return NearestNeighbors(algorithm=algorithm).fit(items)


def _kth(index: NearestNeighbors, weights: IntArray, vectors: FloatArray, k: int) -> FloatArray:
    """Distance to the item at which the weights of the nearest items reach k."""
    if not len(vectors):
        return np.zeros(0)
    near = min(k, len(weights))
    distance, item = index.kneighbors(np.asarray(vectors, np.float32), near)
    reached = np.cumsum(weights[item], axis=1) >= k
    reached[:, -1] = True
    return np.asarray(distance[np.arange(len(vectors)), reached.argmax(1)], np.float64)


def _nearest(vectors: FloatArray, items: FloatArray) -> tuple[IntArray, FloatArray]:
    """Nearest item of each vector and its distance; infinitely far where there are no items."""
    if not len(items):
        return np.zeros(len(vectors), np.int64), np.full(len(vectors), np.inf)
    distance, item = _index(items).kneighbors(vectors, 1)
    return np.asarray(item[:, 0], np.int64), np.asarray(distance[:, 0])


def _neighbour_gaps(items: FloatArray) -> FloatArray:
    """`(N,)` distance of each item to the nearest other one."""
    distance, _ = _index(items).kneighbors(items, 2)
    return np.asarray(distance[:, 1])


def _cover(vectors: FloatArray, radius: float) -> tuple[IntArray, IntArray]:
    """Greedy cover, in order: a vector is kept if no kept one lies within `radius`.

    Returns:
        `(M,)` rows kept, and for each of the N vectors the number of the kept one that covers it.
    """
    kept: list[int] = []
    owner = np.full(len(vectors), -1, np.int64)
    if not len(vectors):
        return np.zeros(0, np.int64), owner
    within: Sequence[IntArray] = _index(vectors).radius_neighbors(vectors, max(radius, 0.0), return_distance=False)
    for row, near in enumerate(within):
        if owner[row] < 0:
            free = near[owner[near] < 0]
            owner[free] = len(kept)
            owner[row] = len(kept)
            kept.append(row)
    return np.asarray(kept, np.int64), owner
