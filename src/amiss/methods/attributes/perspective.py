"""How tall things usually are at each height of the picture: what is far away is small, and slow in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.types import BoolArray, FloatArray

__all__ = ["Perspective"]

BINS = 24
LEAST_IN_BIN = 8
MOST_LEFT = 0.5
"""Of the typical deviation of heights, the most that a believed line leaves unexplained."""


class Perspective:
    """Usual box height as a line over the lower edge of the box, which is what a ground plane gives.

    The line goes through the median heights of boxes at equal depths, by the median of all slopes (Theil and Sen), so
    that groups seen as one and half-hidden people do not bend it. Boxes that the picture cuts are left out. Where the
    line does not halve the typical deviation of heights, as in a view from afar or with boxes that merge people, one
    height serves the whole view: a wrong perspective is worse than none.
    """

    def __init__(self) -> None:
        self._line = np.array([0.0, 1.0])  # slope and intercept
        self._range = np.array([1.0, 1.0])  # lowest and highest height that is believed
        self._width = np.array(0.5)

    def fit(self, boxes: FloatArray, cut: BoolArray) -> None:
        """Learn from boxes `(N, 4)` pixels, of which `cut` `(N, 2)` says whether the picture cuts them."""
        whole = boxes[~cut.any(1)]
        whole = whole if len(whole) >= LEAST_IN_BIN else boxes
        foot, height = _middles(whole)
        slope = _median_slope(foot, height)
        self._line = np.array([slope, np.median(height) - slope * np.median(foot)], np.float64)
        self._range = np.maximum(np.array([height.min(), height.max()], np.float64), 1.0)
        heights = whole[:, 3] - whole[:, 1]
        if _deviation(heights - self.height_at(whole)) > MOST_LEFT * _deviation(heights - np.median(heights)):
            self._line = np.array([0.0, np.median(heights)], np.float64)
            self._range = np.maximum(self._line[[1, 1]], 1.0)
        widths = np.maximum(whole[:, 2] - whole[:, 0], 1.0) / self.height_at(whole)
        self._width = np.array(np.median(widths), np.float64)

    @property
    def width(self) -> float:
        """Usual width, in usual heights."""
        return float(self._width)

    def height_at(self, boxes: FloatArray) -> FloatArray:
        """`(N,)` usual height in pixels where each box `(N, 4)` stands; never outside what was seen."""
        expected = self._line[0] * np.asarray(boxes[:, 3], np.float64) + self._line[1]
        return np.asarray(np.clip(expected, *self._range))

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        return {"line": self._line, "range": self._range, "width": self._width}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._line, self._range, self._width = state["line"], state["range"], state["width"]


def _deviation(values: FloatArray) -> float:
    """Median absolute value: a few groups seen as one do not count."""
    return float(np.median(np.abs(values)))


def _middles(boxes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median lower edge and median height of boxes at equal depths, from far to near."""
    order = np.argsort(boxes[:, 3])
    bins = np.array_split(order, max(min(BINS, len(order) // LEAST_IN_BIN), 1))
    middles = [(np.median(boxes[rows, 3]), np.median(boxes[rows, 3] - boxes[rows, 1])) for rows in bins]
    foot, height = np.array(middles, np.float64).T
    return foot, height


def _median_slope(foot: FloatArray, height: FloatArray) -> float:
    """Median slope of all pairs of points; 0 for fewer than three, or where all things stand at one depth."""
    first, second = np.triu_indices(len(foot), 1)
    apart = foot[second] > foot[first]  # the points come from far to near
    if len(foot) < 3 or not apart.any():
        return 0.0
    slopes = (height[second] - height[first])[apart] / (foot[second] - foot[first])[apart]
    return float(np.median(slopes))
