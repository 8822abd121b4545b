"""How tall things usually are at each height of the picture: what is far away is small, and slow in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from amiss.types import FloatArray

__all__ = ["Perspective"]

BINS = 24
LEAST_IN_BIN = 8
EDGE = 3.0


class Perspective:
    """Usual box height as a line over the lower edge of the box, which is what a ground plane gives.

    The line goes through the median heights of boxes at equal depths, by the median of all slopes (Theil and Sen), so
    that groups seen as one and half-hidden people do not bend it. Boxes at the edge of what was seen are left out:
    the picture cuts them.
    """

    def __init__(self) -> None:
        self._line = np.array([0.0, 1.0])  # slope and intercept
        self._range = np.array([1.0, 1.0])  # lowest and highest height that is believed

    def fit(self, boxes: FloatArray) -> None:
        """Learn from boxes `(N, 4)` pixels."""
        whole = boxes[(boxes[:, 3] < boxes[:, 3].max() - EDGE) & (boxes[:, 1] > boxes[:, 1].min() + EDGE)]
        foot, height = _middles(whole if len(whole) >= LEAST_IN_BIN else boxes)
        slope, intercept = theilslopes(height, foot)[:2] if len(foot) > 2 else (0.0, float(np.median(height)))
        self._line = np.array([slope, intercept], np.float64)
        self._range = np.maximum(np.array([height.min(), height.max()], np.float64), 1.0)

    def height_at(self, boxes: FloatArray) -> FloatArray:
        """`(N,)` usual height in pixels where each box `(N, 4)` stands; never outside what was seen."""
        expected = self._line[0] * np.asarray(boxes[:, 3], np.float64) + self._line[1]
        return np.asarray(np.clip(expected, *self._range))

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        return {"line": self._line, "range": self._range}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._line, self._range = state["line"], state["range"]


def _middles(boxes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median lower edge and median height of boxes at equal depths, from far to near."""
    order = np.argsort(boxes[:, 3])
    bins = np.array_split(order, max(min(BINS, len(order) // LEAST_IN_BIN), 1))
    middles = [(np.median(boxes[rows, 3]), np.median(boxes[rows, 3] - boxes[rows, 1])) for rows in bins]
    foot, height = np.array(middles, np.float64).T
    return foot, height
