"""How several scores of the same normal regions hang together, and how steady each is, from normal footage alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri_exp

from amiss.scoring.tail import Tail
from amiss.types import FloatArray, IntArray

__all__ = ["HIGHEST", "Dependence", "depend", "log_tail", "steadiness", "tail_of"]

HIGHEST = 1 - 1e-4
"""No tail probability counts as higher: what is more usual than all that was seen is no proof against the others."""
LEAST_BOTH = 8
"""Regions of a block that both of two methods scored, below which it says nothing about the two."""
LEAST_WEIGHT = 0.05
"""Of a method, before weights are brought to a mean of 1."""
THINNEST = 0.5
"""A tail falls off at most twice as fast as the upper half of what was seen."""


@dataclass(frozen=True, eq=False)
class Dependence:
    """How the tail probabilities of K methods hang together on normal footage.

    Attributes:
        normal: `(K, K)` correlation of their normal scores, 0..1.
        log: `(K, K)` correlation of their logarithms, 0..1, which is ruled by what is rare.
    """

    normal: FloatArray
    log: FloatArray

    @classmethod
    def none(cls, count: int) -> Dependence:
        """Of methods that have nothing to do with each other."""
        return cls(np.eye(count), np.eye(count))

    def of(self, chosen: IntArray) -> Dependence:
        """Of some of the methods."""
        return Dependence(self.normal[np.ix_(chosen, chosen)], self.log[np.ix_(chosen, chosen)])


def tail_of(scores: FloatArray) -> Tail:
    """The tail of normal scores `(N,)`, not thinner than a few of them can tell.

    An exponential distribution from the median to the threshold has a scale of its own; with few values, or equal ones,
    the highest of them may seem the highest possible, and half that scale is taken.
    """
    tail = Tail.fit(scores)
    upper = (tail.threshold - float(np.median(scores))) / float(np.log(0.5 / tail.share))
    least = max(THINNEST * upper, 1e-6 * (1 + abs(tail.threshold)))
    return replace(tail, pareto=replace(tail.pareto, scale=max(tail.pareto.scale, least)))


def log_tail(tail: Tail, scores: FloatArray) -> FloatArray:
    """Natural logarithms of the tail probabilities of scores `(N,)`, never above that of `HIGHEST`."""
    return np.asarray(np.minimum(-np.log(10) * tail.rarity(scores), np.log(HIGHEST)))


def depend(blocks: Sequence[FloatArray]) -> Dependence:
    """The dependence that normal footage shows, taken for closer than it looks where there is little to look at.

    Regions of one stretch of time are much alike, so a stretch counts as one witness, however many regions it has. To
    the B that there are one more is added in which the two methods agree in full: a correlation r becomes
    (B r + 1) / (B + 1). What was never scored by both thus counts as the same evidence twice.

    Args:
        blocks: Of each stretch `(N, K)` logarithms of tail probabilities, NaN where a method scored nothing.
    """
    count = blocks[0].shape[1]
    normal, log = np.eye(count), np.eye(count)
    for one in range(count):
        for other in range(one):
            pairs = [block[:, [one, other]] for block in blocks]
            pairs = [pair[~np.isnan(pair).any(1)] for pair in pairs]
            pairs = [pair for pair in pairs if len(pair) >= LEAST_BOTH]
            both = np.concatenate(pairs) if pairs else np.zeros((0, 2))
            normal[one, other] = normal[other, one] = _closer(-ndtri_exp(both), len(pairs))
            log[one, other] = log[other, one] = _closer(-both, len(pairs))
    return Dependence(normal, log)


def _closer(values: FloatArray, witnesses: int) -> float:
    """The correlation of two columns, with one more witness of full agreement; opposites count as independent."""
    spread = values.std(0) if len(values) else np.zeros(2)
    around = values - values.mean(0, keepdims=True) if len(values) else values
    seen = float(around.prod(1).mean() / spread.prod()) if (spread > 0).all() else 1.0
    return float(np.clip((witnesses * seen + 1) / (witnesses + 1), 0.0, 1.0))


def steadiness(blocks: Sequence[Sequence[FloatArray]]) -> FloatArray:
    """`(K,)` weights of methods by how well normal footage of one time foretells that of another; their mean is 1.

    Of each stretch the tail probabilities are taken by the others. For a method whose scores are as high at one time as
    at another the mean of -ln p is 1 in each; the weight is 1 / (1 + v), v being the mean squared deviation from that.
    With fewer than two stretches nobody can tell, and all weigh the same.

    Args:
        blocks: Of each method, the normal scores of each stretch.
    """
    drifts = np.array([_drift([block for block in own if len(block)]) for own in blocks])
    weights = np.maximum(1 / (1 + drifts), LEAST_WEIGHT)
    return np.asarray(weights / weights.mean())


def _drift(blocks: Sequence[FloatArray]) -> float:
    """The mean squared deviation from 1 of the mean of -ln p of each stretch, by the tails of the others."""
    if len(blocks) < 2:
        return 0.0
    means = []
    for number, block in enumerate(blocks):
        others = np.concatenate([other for place, other in enumerate(blocks) if place != number])
        means.append(float(-log_tail(tail_of(others), block).mean()))
    return float(np.square(np.array(means) - 1).mean())
