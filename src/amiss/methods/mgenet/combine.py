"""From the parts of a segment to its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from amiss.methods.normal import Usual
from amiss.scoring.tail import Tail
from amiss.types import FloatArray

__all__ = ["Rule", "combined", "comparable", "tails_of"]

Rule = Literal["tail", "sum", "raw"]
MOST = 16.0
"""What is rarer than one in so many powers of ten is so rare: the tail was learned from some thousands."""


def tails_of(usual: Usual) -> Sequence[Tail]:
    """How rare values of each part are, from a sample of normal segments."""
    return [Tail.fit(column) for column in usual.sample.T]


def comparable(raw: FloatArray, usual: Usual, tails: Sequence[Tail], rule: Rule) -> FloatArray:
    """`(N, P)` parts in numbers that can be compared, of `(N, P)` raw ones.

    With `tail` minus the logarithm, to the base of ten, of the share of normal segments that have as much or more;
    with `sum` standard deviations above the mean of normal segments; with `raw` they are as they are.
    """
    if rule == "tail":
        columns = [tail.rarity(column) for tail, column in zip(tails, raw.T, strict=True)]
        return np.minimum(np.stack(columns, 1), MOST)
    return usual.standardised(raw) if rule == "sum" else raw


def combined(parts: Mapping[str, FloatArray], shares: Mapping[str, float], rule: Rule) -> FloatArray:
    """`(N,)` scores.

    With `tail` the least of the parts' tail probabilities, each over its share (Tippett's rule, weighted), as minus
    its logarithm to the base of ten; else the sum of the parts, each times its share (equation 16).
    """
    counted = {name: part for name, part in parts.items() if shares[name] > 0}
    if rule == "tail" and counted:
        return np.asarray(np.max([part + np.log10(shares[name]) for name, part in counted.items()], axis=0))
    start = np.zeros(len(next(iter(parts.values()))))
    return np.asarray(sum((shares[name] * part for name, part in counted.items()), start))
