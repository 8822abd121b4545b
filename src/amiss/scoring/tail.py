"""How rare a value is: the empirical tail, continued by a generalised Pareto distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amiss.types import FloatArray

__all__ = ["Pareto", "Tail", "fit_pareto"]

LEAST_EXCESSES = 10
KEPT = 2000
TIED = 2
"""Values by which what exceeds a threshold may miss its share, as numbers are whole."""
SLACK = 1e-9
"""Values that differ by less than this share are equal: filters round, and what is usual must not look rarer by it."""


@dataclass(frozen=True)
class Pareto:
    """Generalised Pareto distribution of what exceeds a threshold: P(X > x) = (1 + shape·x/scale)^(-1/shape).

    Attributes:
        shape: 0 is exponential; larger is a heavier tail. Never negative here, so that nothing is impossible.
        scale: In the unit of the values.
    """

    shape: float
    scale: float

    def log_survival(self, excess: FloatArray) -> FloatArray:
        """Natural logarithm of the share above, for excesses of 0 and more."""
        ratio = np.maximum(excess, 0.0) / self.scale
        return np.asarray(-ratio if self.shape < 1e-6 else -np.log1p(self.shape * ratio) / self.shape)

    def excess_at(self, log_share: float) -> float:
        """The excess that a share exceeds, whose natural logarithm is given: it may be too small for a number."""
        if self.shape < 1e-6:
            return -self.scale * log_share
        return self.scale / self.shape * float(np.expm1(-self.shape * log_share))


def fit_pareto(excesses: FloatArray) -> Pareto:
    """Probability-weighted moments (Hosking and Wallis, 1987), shape kept within 0..0.5.

    With fewer than ten excesses the shape cannot be told and the exponential is taken.
    """
    values = np.sort(np.asarray(excesses, np.float64))
    mean = max(float(values.mean()), 1e-12) if len(values) else 1e-12
    if len(values) < LEAST_EXCESSES:
        return Pareto(0.0, mean)
    above = float(((len(values) - 1 - np.arange(len(values))) / (len(values) - 1) * values).mean())  # E[x (1 - F)]
    shape = 2.0 - mean / max(mean - 2.0 * above, 1e-12)
    if shape <= 0:
        return Pareto(0.0, mean)
    shape = min(shape, 0.5)
    return Pareto(shape, mean * (1.0 - shape))


@dataclass(frozen=True, eq=False)
class Tail:
    """Tail probabilities of normal values.

    Attributes:
        quantiles: `(Q,)` float64, evenly spaced quantiles of the normal values.
        threshold: Above it the Pareto distribution speaks.
        share: Share of normal values above the threshold.
        pareto: Of what exceeds it.
    """

    quantiles: FloatArray
    threshold: float
    share: float
    pareto: Pareto

    @classmethod
    def fit(cls, values: FloatArray, share: float = 0.05) -> Tail:
        """Learn from normal values, the highest `share` of which make the Pareto tail; fewer where many are equal."""
        values = np.asarray(values, np.float64)
        quantiles = np.quantile(values, np.linspace(0, 1, min(KEPT, len(values))))
        threshold = float(np.quantile(values, 1 - share))
        excesses = values[values > threshold + _slack(quantiles)] - threshold
        least = 1 / max(len(values), 1)
        if len(excesses) < share * len(values) - TIED:  # many values are the threshold itself, as where nobody comes
            share = max(len(excesses) * least, least)
        return cls(quantiles, threshold, share, fit_pareto(excesses))

    def rarity(self, values: FloatArray) -> FloatArray:
        """-log10 of the share of normal values as high or higher: 1 is one in ten, 4 is one in ten thousand.

        Never falls as the value rises; 0 for whatever is as low as the lowest normal value.
        """
        values = np.asarray(values, np.float64) - _slack(self.quantiles)
        grid = np.linspace(1, 0, len(self.quantiles))
        body = np.interp(values, self.quantiles, grid, 1.0, 0.0)
        seen = -np.log10(np.clip(body, self.share, 1.0))
        beyond = -np.log10(self.share) - self.pareto.log_survival(values - self.threshold) / np.log(10)
        return np.asarray(np.where(values > self.threshold, beyond, seen))

    def value_at(self, rarity: float) -> float:
        """The value whose rarity this is; the inverse of `rarity`."""
        if rarity > -np.log10(self.share):
            return self.threshold + self.pareto.excess_at(-rarity * float(np.log(10)) - float(np.log(self.share)))
        return float(np.interp(1 - 10.0**-rarity, np.linspace(0, 1, len(self.quantiles)), self.quantiles))


def _slack(quantiles: FloatArray) -> float:
    """By how much two values may differ and still be equal."""
    return SLACK * (1.0 + float(np.abs(quantiles).max()))
