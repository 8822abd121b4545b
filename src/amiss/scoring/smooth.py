"""Filters over a clip's frame scores: centred for files, causal for live footage."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from amiss.errors import ConfigError
from amiss.types import FloatArray

__all__ = ["CausalFilter", "Smoothing", "is_jump", "smooth_stretches"]

DEFAULT_WIDTH = {"none": 0.0, "gaussian": 3.0, "median": 17.0, "cascade": 6.0}
REACH = 4.0


@dataclass(frozen=True)
class Smoothing:
    """A filter and its width.

    Attributes:
        filter: none, gaussian, median or cascade: Gaussians of σ = 1, 2, 3, … one after the other.
        width: The Gaussian's standard deviation, that of the widest of a cascade, or the median's length, in frames.
    """

    filter: Literal["none", "gaussian", "median", "cascade"]
    width: float

    @classmethod
    def parse(cls, text: str) -> Smoothing:
        """Read `none`, `gaussian:SIGMA`, `median:WIDTH` or `cascade:SIGMA`.

        Without a number σ is 3, the median's length 17, and the cascade's last σ 6, as published for flows on poses.

        Raises:
            ConfigError: It is none of these.
        """
        name, _, number = text.partition(":")
        try:
            width = float(number) if number else DEFAULT_WIDTH[name]
        except (ValueError, KeyError):
            width = -1.0
        if name == "none" and not number:
            return cls("none", 0.0)
        if name == "gaussian" and 0 < width < np.inf:
            return cls("gaussian", width)
        if name == "median" and width >= 1 and width % 2 == 1:
            return cls("median", width)
        if name == "cascade" and 1 <= width <= 100 and width % 1 == 0:
            return cls("cascade", width)
        raise ConfigError(
            f"scoring.smoothing does not take {text!r}; give none, gaussian:SIGMA, median:WIDTH (an odd number) or "
            "cascade:SIGMA (a whole number)"
        )

    def __str__(self) -> str:
        return self.filter if self.filter == "none" else f"{self.filter}:{self.width:g}"

    @property
    def sigmas(self) -> tuple[float, ...]:
        """Standard deviations of the Gaussians that are applied one after the other."""
        return tuple(np.arange(1.0, self.width + 1)) if self.filter == "cascade" else (self.width,)

    def centred(self, values: FloatArray, warm_up: int = 0, cool_down: int = 0) -> FloatArray:
        """`(T,)` smoothed with the past and the future; the ends repeat.

        Args:
            values: `(T,)`.
            warm_up: So many first values come too early to say anything; the first after them takes their place.
            cool_down: So many last values come too late, likewise.
        """
        if 0 < warm_up + cool_down < len(values) and self.filter != "none":
            values = np.pad(values[warm_up : len(values) - cool_down], (warm_up, cool_down), "edge")
        if self.filter == "none" or not len(values):
            return np.array(values, np.float64)
        if self.filter != "median":
            smooth = np.asarray(values, np.float64)
            for sigma in self.sigmas:
                smooth = np.asarray(gaussian_filter1d(smooth, sigma, mode="nearest"))
            return smooth
        return np.asarray(median_filter(np.asarray(values, np.float64), int(self.width), mode="nearest"))

    def causal(self, values: FloatArray) -> FloatArray:
        """`(T,)` smoothed with the past only, as `CausalFilter` does value by value."""
        running = CausalFilter(self)
        return np.array([running.update(float(value)) for value in values], np.float64)


def is_jump(before: float, now: float, gap: float) -> bool:
    """Whether time goes back, or on by more than `gap` seconds: nothing reaches across."""
    return not 0 <= now - before <= gap


def smooth_stretches(
    smooth: Callable[[FloatArray], FloatArray], values: FloatArray, seconds: FloatArray, gap: float
) -> FloatArray:
    """`(T,)` the values, smoothed within each stretch of time without a jump.

    Args:
        smooth: Smooths one stretch.
        values: `(T,)`.
        seconds: `(T,)` time of each.
        gap: Jump in seconds that parts two stretches.
    """
    jumps = [row for row in range(1, len(seconds)) if is_jump(float(seconds[row - 1]), float(seconds[row]), gap)]
    return np.concatenate([smooth(stretch) for stretch in np.split(values, jumps)])


def _half_gaussians(sigmas: Sequence[float]) -> FloatArray:
    """`(K,)` weights of the present value and those before it: half Gaussians, one after the other."""
    kernel = np.ones(1)
    for sigma in sigmas:
        lag = np.arange(int(REACH * sigma) + 1)
        kernel = np.convolve(kernel, np.exp(-0.5 * (lag / max(sigma, 1e-9)) ** 2))
    return kernel


class CausalFilter:
    """The one-sided filter, value by value: half Gaussians, or the median of the last values.

    Args:
        smoothing: Filter and width.
    """

    def __init__(self, smoothing: Smoothing) -> None:
        self._median = smoothing.filter == "median"
        self._kernel = np.ones(1) if self._median else _half_gaussians(smoothing.sigmas)
        length = int(smoothing.width) if self._median else len(self._kernel)
        self._past: deque[float] = deque(maxlen=length)

    def reset(self) -> None:
        """Forget the values before."""
        self._past.clear()

    def update(self, value: float) -> float:
        """The smoothed value at this moment; until the filter is full it is as long as what there is."""
        self._past.appendleft(value)
        if self._median:
            return float(np.median(self._past))
        kernel = self._kernel[: len(self._past)]
        return float(kernel @ np.array(self._past) / kernel.sum())
