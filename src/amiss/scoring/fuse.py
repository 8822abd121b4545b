"""Several tail probabilities as one.

All rules take logarithms, as what is far out has probabilities that are too small for a number. Each gives the tail
probability itself where only one method says anything, and gives uniform ones for independent uniform ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from scipy.special import gammaincc, gammainccinv, gammaln, log_ndtr, logsumexp, ndtri_exp

from amiss.scoring.dependence import HIGHEST, Dependence
from amiss.types import FloatArray

__all__ = ["RULES", "Rule", "combine"]

Rule = Literal["brown", "stouffer", "cauchy", "minimum", "fisher"]
Combination = Callable[[FloatArray, FloatArray, Dependence], FloatArray]

DEEP = -200.0
"""Logarithms below it are handled by what the rules come to far out, before numbers run out."""


def combine(logs: FloatArray, weights: FloatArray, dependence: Dependence, rule: Rule) -> FloatArray:
    """`(N,)` logarithms of combined tail probabilities.

    A row is combined over those methods that scored it, and as many count as tests.

    Args:
        logs: `(N, K)` natural logarithms of tail probabilities, NaN where a method scored nothing; one in each row is
            not.
        weights: `(K,)` above 0.
        dependence: Of the K methods.
        rule: Which; all but `fisher` keep to what they say where methods depend on each other.
    """
    logs = np.minimum(logs, np.log(HIGHEST))
    there = ~np.isnan(logs)
    out = np.zeros(len(logs))
    for pattern in np.unique(there, axis=0):
        rows, chosen = np.flatnonzero((there == pattern).all(1)), np.flatnonzero(pattern)
        some = logs[np.ix_(rows, chosen)]
        out[rows] = some[:, 0] if len(chosen) == 1 else RULES[rule](some, weights[chosen], dependence.of(chosen))
    return np.minimum(out, 0.0)


def fisher(logs: FloatArray, weights: FloatArray, dependence: Dependence) -> FloatArray:  # noqa: ARG001
    """Fisher's sum as if methods were independent, weighted by Lancaster: a weight is half the degrees of freedom."""
    return _log_gamma_tail(np.full(len(logs), weights.sum()), _gammas(logs, weights).sum(1))


def brown(logs: FloatArray, weights: FloatArray, dependence: Dependence) -> FloatArray:
    """Fisher's sum as a scaled chi-square, whose mean and variance are those of the dependent sum (Brown, 1975)."""
    spread = np.sqrt(weights)
    mean, variance = weights.sum(), float(spread @ dependence.log @ spread)
    scale = variance / mean
    return _log_gamma_tail(np.full(len(logs), mean / scale), _gammas(logs, weights).sum(1) / scale)


def stouffer(logs: FloatArray, weights: FloatArray, dependence: Dependence) -> FloatArray:
    """The weighted sum of normal scores, by the variance that their correlation gives to it."""
    total = -ndtri_exp(logs) @ weights
    return np.asarray(log_ndtr(-total / np.sqrt(float(weights @ dependence.normal @ weights))))


def minimum(logs: FloatArray, weights: FloatArray, dependence: Dependence) -> FloatArray:  # noqa: ARG001
    """The least of p / w, for as many tests as there are (Šidák); dependence makes it err on the side of normal."""
    least = np.minimum((logs - np.log(weights)).min(1, keepdims=True) + np.log(weights), np.log(HIGHEST))
    near = np.log1p(-np.exp(least)).sum(1)
    seen = np.log(-np.expm1(np.minimum(near, -1e-9)))
    return np.asarray(np.where(near > -1e-9, logsumexp(least, axis=1), seen))


def cauchy(logs: FloatArray, weights: FloatArray, dependence: Dependence) -> FloatArray:  # noqa: ARG001
    """The weighted mean of Cauchy scores, whose tail hardly depends on the dependence (Liu and Xie, 2020)."""
    shares = weights / weights.sum()
    mean = (1 / np.tan(np.pi * np.exp(np.maximum(logs, DEEP)))) @ shares
    far = -logsumexp(-logs, axis=1, b=shares)  # where tan x is x
    return np.asarray(np.where(logs.min(1) < DEEP, far, np.log(np.arctan2(1.0, mean) / np.pi)))


RULES: Mapping[Rule, Combination] = {
    "brown": brown,
    "stouffer": stouffer,
    "cauchy": cauchy,
    "minimum": minimum,
    "fisher": fisher,
}


def _gammas(logs: FloatArray, shapes: FloatArray) -> FloatArray:
    """`(N, K)` values of gamma distributions of unit scale whose tail probabilities are given; far out in a line."""
    near = gammainccinv(shapes, np.exp(np.maximum(logs, DEEP)))
    return np.asarray(near + np.maximum(DEEP - logs, 0.0))


def _log_gamma_tail(shape: FloatArray, value: FloatArray) -> FloatArray:
    """`(N,)` logarithms of the tail probabilities of gamma distributions of unit scale."""
    far = np.maximum(value, -DEEP)
    beyond = (shape - 1) * np.log(far) - far - gammaln(shape) + np.log1p((shape - 1) / far)
    near = np.log(gammaincc(shape, np.minimum(value, -DEEP)))
    return np.asarray(np.where(value > -DEEP, beyond, near))
