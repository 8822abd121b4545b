"""How unlike normal windows of other cameras a window is, and how that is mixed with what its own camera says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.methods.attributes.memory import Memory
from amiss.types import FloatArray, IntArray

__all__ = ["SHARE", "Elsewhere", "evenly", "mixed", "own_share"]

SHARE = 512
"""Samples that a camera gives for an attribute: all the same number, so that each camera counts the same."""
MOST_GROUPS = 1 << 16
POWER = 2.0
"""Of left-out normal samples the share that is z standard deviations off thins out about as (1 + z)^-2."""


def own_share(tracks: float, strength: float) -> float:
    """What a camera's own footage counts, the others together being worth `strength` tracks: n / (n + k)."""
    return tracks / (tracks + strength) if tracks + strength > 0 else 1.0


def mixed(own: FloatArray, others: FloatArray, share: float) -> FloatArray:
    """`(N,)` standard deviations above the average, of a mixture of two populations of normal samples.

    The share of normal samples that are as far off is the mean of both shares, the own one weighing `share`: what is
    usual in one of them is not rare, however far it is from the other. Below the average the scores themselves are
    averaged.

    Args:
        own: `(N,)` standard deviations, by what the camera has seen itself.
        others: `(N,)` by what the others have seen.
        share: From 0, only the others count, to 1.
    """
    rare = share * _rare(own) + (1 - share) * _rare(others)
    below = share * np.minimum(own, 0.0) + (1 - share) * np.minimum(others, 0.0)
    return np.asarray(rare ** (-1 / POWER) - 1 + below)


def _rare(score: FloatArray) -> FloatArray:
    return np.asarray((1.0 + np.maximum(score, 0.0)) ** -POWER)


def evenly(count: int, number: int = SHARE) -> IntArray:
    """`(number,)` rows of `count`, evenly through them; some come again where there are fewer."""
    return np.linspace(0, count - 1, number).round().astype(np.int64)


class Elsewhere:
    """One attribute as other cameras have shown it.

    Distances are calibrated by leaving out what a camera has shown at one time, as they are of a single camera. To
    leave out whole cameras would measure how cameras differ, and where one of a few has seen cars nothing would be far
    off.

    Args:
        neighbours: The k of the k-th nearest sample.
    """

    def __init__(self, neighbours: int) -> None:
        self._neighbours = neighbours
        self._state: dict[str, NDArray[Any]] = {}
        self._memory = Memory(1, 1, neighbours)

    def fit(self, samples: Sequence[FloatArray], groups: Sequence[IntArray]) -> None:
        """Learn from samples of each camera.

        Args:
            samples: Of each `(M, d)`.
            groups: Of each `(M,)`, what is left out together.
        """
        pooled = np.concatenate([one[evenly(len(one))] for one in samples]).astype(np.float64)
        parts = [number * MOST_GROUPS + one[evenly(len(one))] for number, one in enumerate(groups)]
        owner = np.concatenate(parts)
        scale = np.maximum(pooled.std(0), 1e-6)
        self._restore(pooled / scale, owner)
        left_out = np.empty(len(pooled))
        for number in np.unique(owner):
            rows = np.flatnonzero(owner == number)
            left_out[rows] = self._memory.distance_without(int(number), self._memory.samples[rows])
        spread = np.array(max(float(left_out.std()), 1e-9))
        self._state = {"scale": scale, "centre": np.array(left_out.mean()), "spread": spread}

    def _restore(self, samples: FloatArray, owner: IntArray) -> None:
        self._memory = Memory(samples.shape[1], len(samples), self._neighbours)
        self._memory.samples, self._memory.groups = np.asarray(samples, np.float32), owner

    def score(self, vectors: FloatArray) -> FloatArray:
        """`(N,)` standard deviations of left-out normal samples above the average one.

        Args:
            vectors: `(N, d)` as the attribute gives them.
        """
        distance = self._memory.distance(np.asarray(vectors / self._state["scale"], np.float32))
        return np.asarray((distance - self._state["centre"]) / self._state["spread"])

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        return self._state | {"samples": self._memory.samples}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._state = {name: state[name] for name in ("scale", "centre", "spread")}
        self._restore(state["samples"], np.zeros(len(state["samples"]), np.int64))
