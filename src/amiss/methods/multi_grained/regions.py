"""From maps of a number a cell to scored regions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import find_objects, label, uniform_filter

from amiss.types import BoolArray, FloatArray

__all__ = ["NEAR", "STILL", "Region", "pooled", "regions_of", "resampled", "told"]

STILL = -3.0
"""What a cell that does not move has in each part, in standard deviations: the tasks say nothing of it."""
NEAR = 3
"""Cells a side over which a map is averaged, so that a single cell is no region."""
AROUND = np.ones((3, 3), np.bool_)
"""Cells that touch, at a corner too, belong together."""


@dataclass(frozen=True)
class Region:
    """A region of a map.

    Attributes:
        rows: Of its cells, the first and the one after the last.
        columns: Likewise.
        peak: Row and column of its highest cell.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    peak: tuple[int, int]


def told(standard: FloatArray, change: FloatArray, static: float) -> FloatArray:
    """The parts of a score where they say something; cells that do not move are as normal as can be.

    Args:
        standard: `(P, h, w)` standard deviations above the mean of normal cells that move.
        change: `(h, w)` grey levels by which a cell changes from frame to frame.
        static: Grey levels from which on a cell moves altogether; at half of it, it is still.

    Returns:
        `(P, h, w)`.
    """
    moves = np.clip(2 * change / max(static, 1e-9) - 1, 0, 1)
    return np.asarray(STILL + moves * (standard - STILL))


def pooled(values: FloatArray) -> FloatArray:
    """`(…, h, w)` averaged over 3×3 cells, those at the border over what there is of them repeated."""
    size = (1,) * (values.ndim - 2) + (NEAR, NEAR)
    return np.asarray(uniform_filter(np.asarray(values, np.float64), size, mode="nearest"))


def regions_of(values: FloatArray, level: float) -> list[Region]:
    """The connected components of a map that reach a level; around the highest cell, if none does.

    Args:
        values: `(h, w)`.
        level: From here on a cell stands out.
    """
    high: BoolArray = values >= level
    if not high.any():
        row, column = np.unravel_index(int(values.argmax()), values.shape)
        reach = NEAR // 2
        rows = max(int(row) - reach, 0), min(int(row) + reach + 1, values.shape[0])
        columns = max(int(column) - reach, 0), min(int(column) + reach + 1, values.shape[1])
        return [Region(rows, columns, (int(row), int(column)))]
    numbers, _ = label(high, AROUND)
    found = []
    for number, place in enumerate(find_objects(numbers), 1):
        inside = np.where(numbers[place] == number, values[place], -np.inf)
        row, column = np.unravel_index(int(inside.argmax()), inside.shape)
        first = place[0].start, place[1].start
        peak = int(row) + first[0], int(column) + first[1]
        found.append(Region((first[0], place[0].stop), (first[1], place[1].stop), peak))
    return found


def resampled(values: FloatArray, region: Region, side: int) -> FloatArray:
    """`(P, side, side)` float16: maps `(P, h, w)` within a region, what is below 0 being 0."""
    inside = np.maximum(values[:, slice(*region.rows), slice(*region.columns)], 0).astype(np.float32)
    fine = [cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR) for part in inside]
    return np.asarray(np.minimum(fine, 60000), np.float16)
