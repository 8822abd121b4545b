"""A bounded memory of normal vectors: a uniform sample of all that was seen, and the newest of it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

from amiss.types import BoolArray, FloatArray, IntArray

__all__ = ["Memory"]

RECENT = 1024
"""How many of the newest samples are kept for sure."""
TREE_DIMENSIONS = 8
SPARE = 8
"""Samples beyond those asked for whose distances are measured exactly: the search may take one of two alike ones."""
FEW = 64
"""So many vectors, of the things in one frame, are compared with all samples at once; more by a search in pieces."""


class Memory:
    """Nearest-neighbour distances to normal samples.

    A reservoir (Vitter, 1985) keeps a uniform sample, so that distances speak of density and not only of whether
    something was seen once. The newest samples are kept beside it for sure: what is taken in now counts at once.

    Args:
        dimension: Length of the vectors.
        capacity: Most samples in the reservoir.
        neighbours: The score is the distance to this nearest sample; a single odd sample excuses nothing.
        seed: Seed of the choice.
    """

    def __init__(self, dimension: int, capacity: int, neighbours: int, seed: int = 0) -> None:
        self.capacity = capacity
        self.neighbours = neighbours
        self.seen = 0
        self.samples: FloatArray = np.zeros((0, dimension), np.float32)
        self.groups: IntArray = np.zeros(0, np.int64)
        self.recent: FloatArray = np.zeros((0, dimension), np.float32)
        self.seed = seed
        self._index: _Index | None = None

    def fill(self, vectors: FloatArray, groups: IntArray) -> None:
        """Begin with a uniform sample of `vectors` `(N, d)`, and of each the group `(N,)` it comes from."""
        chosen = np.sort(np.random.default_rng(self.seed).permutation(len(vectors))[: self.capacity])
        self.samples, self.groups = np.asarray(vectors[chosen], np.float32), groups[chosen]
        self.seen = len(vectors)
        self._index = None

    def add(self, vectors: FloatArray) -> None:
        """Take in more normal samples `(N, d)`: some into the reservoir, the newest for sure."""
        vectors = np.asarray(vectors, np.float32)
        generator = np.random.default_rng([self.seed, self.seen])
        slots = generator.integers(0, self.seen + 1 + np.arange(len(vectors)))
        room = self.capacity - len(self.samples)
        slots[:room] = len(self.samples) + np.arange(len(slots[:room]))
        samples = np.concatenate([self.samples, vectors[:room]]) if room > 0 else self.samples.copy()
        kept = slots < self.capacity
        samples[slots[kept]] = vectors[kept]
        self.samples, self.groups = samples, np.zeros(len(samples), np.int64)
        kept[kept] = _last_of_each(slots[kept])  # a later one of these may have taken the slot
        self.recent = np.concatenate([self.recent, vectors[~kept]])[-RECENT:]
        self.seen += len(vectors)
        self._index = None

    def distance(self, vectors: FloatArray) -> FloatArray:
        """`(N,)` float64 distance of each vector `(N, d)` to its k-th nearest sample."""
        if self._index is None:
            self._index = _Index(np.concatenate([self.samples, self.recent]))
        return self._index.kth(vectors, self.neighbours)

    def distance_without(self, group: int, vectors: FloatArray) -> FloatArray:
        """The same, from a memory that has not met `group`."""
        return _Index(self.samples[self.groups != group]).kth(vectors, self.neighbours)


def _last_of_each(slots: IntArray) -> BoolArray:
    """`(N,)` whether no later slot is the same."""
    _, from_end = np.unique(slots[::-1], return_index=True)
    last = np.zeros(len(slots), np.bool_)
    last[len(slots) - 1 - from_end] = True
    return last


class _Index:
    """Nearest neighbours among samples `(N, d)` float32."""

    def __init__(self, samples: FloatArray) -> None:
        self._samples = samples
        self._tree = cKDTree(samples) if samples.shape[1] <= TREE_DIMENSIONS else None
        self._squares = (samples**2).sum(1)
        self._search: NearestNeighbors | None = None
        self._before: dict[tuple[int, bytes], float] = {}

    def kth(self, vectors: FloatArray, k: int) -> FloatArray:
        """`(N,)` float64 distance to the k-th nearest sample, or to the furthest where there are fewer.

        What is seen along a track is computed anew only now and then: the few vectors of a frame that were asked about
        in the frame before as well are not measured again.
        """
        vectors = np.asarray(vectors, np.float32)
        if self._tree is not None or not 0 < len(vectors) <= FEW:
            return self._measured(vectors, k)
        keys, before = [(k, vector.tobytes()) for vector in vectors], self._before
        new = [row for row, key in enumerate(keys) if key not in before]
        found = dict(zip((keys[row] for row in new), self._measured(vectors[new], k).tolist(), strict=True))
        self._before = now = {key: found[key] if key in found else before[key] for key in keys}
        return np.array([now[key] for key in keys])

    def _measured(self, vectors: FloatArray, k: int) -> FloatArray:
        """As `kth` says.

        The search's own distances are rounded otherwise in batches of other sizes, so they are measured once more, of
        some more samples than are asked for.
        """
        if not len(vectors):
            return np.zeros(0)
        k = min(k, len(self._samples))
        nearest = self._nearest(vectors, min(k + SPARE, len(self._samples)))
        apart = self._samples[nearest].astype(np.float64) - vectors[:, None]  # N, k + SPARE, d
        return np.sqrt(np.partition((apart**2).sum(2), k - 1, axis=1)[:, k - 1])

    def _nearest(self, vectors: FloatArray, k: int) -> IntArray:
        """`(N, k)` the nearest samples of each vector."""
        if self._tree is not None:
            return np.asarray(self._tree.query(vectors, k)[1]).reshape(len(vectors), k)
        if len(vectors) > FEW:
            self._search = self._search or NearestNeighbors(algorithm="brute").fit(self._samples)
            return np.asarray(self._search.kneighbors(vectors, k, return_distance=False))
        squares = self._squares - 2 * vectors @ self._samples.T  # N, samples; the vectors' own squares change no order
        return np.argpartition(squares, k - 1, axis=1)[:, :k]
