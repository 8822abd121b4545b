"""A Gaussian mixture with full covariances; as many parts as the Bayesian information criterion asks for."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from amiss.methods.attributes.estimators import Shape
from amiss.types import FloatArray

__all__ = ["Mixture", "fit_mixture", "minus_log_density"]

PARTS = (1, 2, 3, 5)
LEAST_A_NUMBER = 10
"""Samples for each number of a vector, and part, without which a part is not tried."""
LEAST_VARIANCE = 1e-3
"""Added to variances, of numbers whose own variance is about one."""
ROUNDS = 100


class Mixture(Shape):
    """Minus the logarithm of the density of a Gaussian mixture."""

    arrays = ("weights", "means", "precisions", "scale")

    def learned(self, vectors: FloatArray, seed: int) -> dict[str, NDArray[Any]]:
        """Weights, means, and triangular roots of the precisions."""
        scale = np.maximum(vectors.std(0), 1e-6).astype(np.float64)
        return fit_mixture(vectors / scale, PARTS, seed) | {"scale": scale}

    def judged(self, learned: Mapping[str, NDArray[Any]], vectors: FloatArray) -> FloatArray:
        """`(N,)` nats."""
        scale = learned["scale"]
        return minus_log_density(learned, vectors / scale) + float(np.log(scale).sum())


def fit_mixture(
    vectors: FloatArray, parts: Sequence[int], seed: int, least_variance: float = LEAST_VARIANCE
) -> dict[str, NDArray[Any]]:
    """`weights` `(K,)`, `means` `(K, d)` and `precisions` `(K, d, d)` of the best mixture of vectors `(N, d)`.

    Args:
        vectors: Numbers whose variance is about one.
        parts: Numbers of parts to try.
        seed: Of the first guess.
        least_variance: Added to variances.
    """
    vectors = np.asarray(vectors, np.float64)
    most = max(len(vectors) // (LEAST_A_NUMBER * vectors.shape[1]), 1)
    tried = []
    for number in [number for number in parts if number <= most] or [1]:
        model = GaussianMixture(number, reg_covar=least_variance, max_iter=ROUNDS, random_state=seed)
        with warnings.catch_warnings():  # a mixture that still moves a little, or has fewer clusters, will do
            warnings.simplefilter("ignore", ConvergenceWarning)
            tried.append((model.fit(vectors).bic(vectors), number, model))
    model = min(tried, key=lambda item: item[:2])[2]
    return {"weights": model.weights_, "means": model.means_, "precisions": model.precisions_cholesky_}


def minus_log_density(mixture: Mapping[str, NDArray[Any]], vectors: FloatArray) -> FloatArray:
    """`(N,)` float64 nats of vectors `(N, d)`."""
    vectors = np.asarray(vectors, np.float64)
    parts = []
    for weight, mean, root in zip(*(mixture[name] for name in ("weights", "means", "precisions")), strict=True):
        apart = ((vectors - mean) @ root) ** 2
        volume = np.log(np.diag(root)).sum() - 0.5 * vectors.shape[1] * np.log(2 * np.pi)
        parts.append(np.log(weight) + volume - 0.5 * apart.sum(1))
    return -np.asarray(logsumexp(np.stack(parts), axis=0))
