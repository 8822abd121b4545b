"""One attribute's memory with its calibration: how far from normal, in units of how normal samples differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from amiss.methods.attributes.evidence import widened
from amiss.methods.attributes.memory import Memory
from amiss.methods.attributes.parts import Attribute, Rank
from amiss.types import FloatArray, IntArray, Windows
from amiss.windows.needs import Array

__all__ = ["Density"]

QUANTILES = np.concatenate([np.linspace(0, 0.99, 496), np.linspace(0.99, 1, 505)[1:]])
SCALE_SAMPLES = 20_000
"""Windows from which means, spreads and directions are taken, evenly through all."""
WIDTH_SAMPLES = 4096
"""Windows from which it is told how far apart samples are, evenly through all."""
CHUNK = 4096
"""Windows that are turned into vectors at once: deep features of all would fill the memory."""


class Density:
    """How unlike normal windows a window is in one attribute.

    Args:
        attribute: The attribute.
        capacity: Most items in memory.
        neighbours: The k of the k-th nearest sample.
    """

    def __init__(self, attribute: Attribute, capacity: int, neighbours: int) -> None:
        self.attribute = attribute
        self._capacity, self._neighbours = capacity, neighbours
        self._state: dict[str, NDArray[Any]] = {}
        self._memory = Memory(1, capacity, neighbours)

    def fit(self, windows: Windows, groups: IntArray, seed: int) -> None:
        """Learn from normal windows; distances are calibrated on groups that the memory does not hold.

        Only windows that show the attribute count. Where they are not from two groups at least, nothing can be said of
        it, and every window counts as usual.

        Args:
            windows: The windows.
            groups: `(N,)` group of each, such as its clip.
            seed: Of the choice of what is kept.
        """
        known = self.attribute.known(windows)
        if len(np.unique(groups[known])) < 2:
            self._say_nothing(windows)
            return
        if not known.all():
            windows, groups = self._lightened(windows)[known], groups[known]
        some = self.attribute.vectors(windows[:: -(-len(windows) // SCALE_SAMPLES)])
        self._state = {"mean": some.mean(0), "basis": self._basis(some, self.attribute.units(windows))}
        vectors = self.vectors(windows)
        self._memory = Memory(vectors.shape[1], self._capacity, self._neighbours, seed)
        self._memory.fill(vectors, groups)
        left_out = self._left_out(vectors, groups)
        self._state |= {
            "centre": np.array(left_out.mean()),
            "spread": np.array(max(float(left_out.std()), self.attribute.least_spread)),
            "distances": np.quantile(left_out, QUANTILES),
            "quantities": np.quantile(self.attribute.quantity(windows), QUANTILES),
        }

    def widen(self, windows: Windows, tracks: IntArray) -> None:
        """Have the few tracks that it was learned from speak of no more than they can, see `widened`.

        Args:
            windows: What it was fitted to.
            tracks: `(N,)` number of the track of each, as `track_numbers` gives it.
        """
        known = self.attribute.known(windows)
        if not len(self._memory.samples):
            return
        some = self.vectors(self._lightened(windows)[np.flatnonzero(known)[:: -(-int(known.sum()) // WIDTH_SAMPLES)]])
        reach = float(np.sqrt(some.var(0, dtype=np.float64).sum())) - float(self._state["centre"])
        spread = widened(float(self._state["spread"]), reach, len(np.unique(tracks[known])))
        self._state["spread"] = np.array(spread)

    def _lightened(self, windows: Windows) -> Windows:
        """Without the arrays of other attributes, which need not be copied."""
        others = set(get_args(Array)) - set(self.attribute.arrays)
        return replace(windows, data={name: array for name, array in windows.data.items() if name not in others})

    def _say_nothing(self, windows: Windows) -> None:
        """Have an empty memory, from which nothing is far."""
        length = self.attribute.vectors(windows[:0]).shape[1]
        self._state = dict.fromkeys(("distances", "quantities"), np.zeros(len(QUANTILES)))
        self._state |= {"mean": np.zeros(length, np.float32), "basis": np.eye(length, dtype=np.float32)}
        self._state |= {"centre": np.array(0.0), "spread": np.array(1.0)}
        self._memory = Memory(length, self._capacity, self._neighbours)

    def _basis(self, some: FloatArray, units: FloatArray | None) -> FloatArray:
        """`(d, e)` that standardises each number or measures it in `units`, or projects to the principal directions."""
        if units is not None:
            return np.diag(1 / units).astype(np.float32)
        if not self.attribute.projection:
            return np.diag(1 / np.maximum(some.std(0), 1e-6)).astype(np.float32)
        return _principal_directions(some - some.mean(0), self.attribute.projection)

    def _project(self, raw: FloatArray) -> FloatArray:
        # In double precision, whose rounding does not show: products round differently in batches of other sizes.
        centred = raw.astype(np.float64) - self._state["mean"]
        return np.asarray(centred @ self._state["basis"].astype(np.float64), np.float32)

    def _left_out(self, vectors: FloatArray, groups: IntArray) -> FloatArray:
        """`(N,)` distance of each sample from what the other groups have shown."""
        distance = np.empty(len(vectors))
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            distance[rows] = self._memory.distance_without(int(group), vectors[rows])
        return distance

    def update(self, windows: Windows) -> None:
        """Take in more normal windows."""
        known = self.attribute.known(windows)
        if known.any() and len(self._memory.samples):
            self._memory.add(self.vectors(windows)[known])

    def vectors(self, windows: Windows) -> FloatArray:
        """`(N, e)` vectors in the memory's space."""
        starts = range(0, max(len(windows), 1), CHUNK)
        pieces = [self._project(self.attribute.vectors(windows[start : start + CHUNK])) for start in starts]
        return np.concatenate(pieces)

    def score(self, windows: Windows) -> FloatArray:
        """`(N,)` distance from normal, in standard deviations of left-out normal samples; 0 is an average one."""
        if not len(self._memory.samples):
            return np.zeros(len(windows))
        known = self.attribute.known(windows)
        distance = self._memory.distance(self.vectors(windows))
        return np.where(known, (distance - self._state["centre"]) / self._state["spread"], 0.0)

    def rank(self, windows: Windows, score: float) -> Rank:
        """Where a single window with this score stands among normal samples."""
        quantity = float(self.attribute.quantity(windows)[0])
        distance = score * float(self._state["spread"]) + float(self._state["centre"])
        below = float(np.interp(quantity, self._state["quantities"], QUANTILES, 0, 1))
        nearer = float(np.interp(distance, self._state["distances"], QUANTILES, 0, 1))
        return Rank(quantity, below, nearer, self._memory.seen)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        memory = self._memory
        counts = {"seen": np.array(memory.seen), "seed": np.array(memory.seed)}
        return self._state | {"samples": memory.samples, "recent": memory.recent} | counts

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        names = ("mean", "basis", "centre", "spread", "distances", "quantities")
        self._state = {name: state[name] for name in names}
        samples = state["samples"]
        self._memory = Memory(samples.shape[1], self._capacity, self._neighbours, int(state["seed"]))
        self._memory.samples, self._memory.groups = samples, np.zeros(len(samples), np.int64)
        self._memory.recent, self._memory.seen = state["recent"], int(state["seen"])


def _principal_directions(centred: FloatArray, count: int) -> FloatArray:
    """`(d, count)` float32: the directions in which `(N, d)` varies most, the widest first."""
    scatter = np.zeros((centred.shape[1], centred.shape[1]))
    for start in range(0, len(centred), CHUNK):
        piece = centred[start : start + CHUNK].astype(np.float64)
        scatter += piece.T @ piece
    _, directions = np.linalg.eigh(scatter)
    return np.asarray(directions[:, ::-1][:, :count], np.float32)
