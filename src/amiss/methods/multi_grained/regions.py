"""From maps of a number a cell to scored regions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import find_objects, label, uniform_filter

from amiss.types import BoolArray, FloatArray

__all__ = ["STILL", "Region", "pooled", "regions_of", "resampled", "told"]

STILL = -3.0
"""What a cell that does not move has in each part, in standard deviations: the tasks say nothing of it."""
EXTENT = 1 / 3
"""Share of its peak down to which a region reaches: of a half, a third and a quarter the best on synthetic footage."""
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


def pooled(values: FloatArray, near: int) -> FloatArray:
    """`(…, h, w)` averaged over squares of `near` cells a side, those at the border over what there is repeated."""
    size = (1,) * (values.ndim - 2) + (near, near)
    return np.asarray(uniform_filter(np.asarray(values, np.float64), size, mode="nearest"))


def regions_of(values: FloatArray, near: int, level: float) -> list[Region]:
    """The regions of a map whose average reaches a level, the highest first; what is highest, if none does.

    A region reaches from its peak as far as the average is above a third of it: with one level for all, what is far out
    would take in all that is near it, and what just stands out would be a part of what it is. A peak within the region
    of a higher one is no region of its own.

    Args:
        values: `(h, w)`, not averaged; a region is as large as those of its cells that are above 0, if any are.
        near: Cells a side over which it is averaged.
        level: From here on the average of a cell stands out.
    """
    smooth = pooled(values, near)
    numbers, count = label(smooth >= level, AROUND)
    anywhere = np.ones(smooth.shape, np.bool_)
    islands = [numbers == number for number in range(1, count + 1)] or [anywhere]
    peaks = [_highest(smooth, island) for island in islands]
    taken = np.zeros(smooth.shape, np.bool_)
    found = []
    for peak in sorted(peaks, key=lambda place: -smooth[place]):
        if taken[peak]:
            continue
        left = np.where(taken, -np.inf, smooth)
        inside = _around(left, peak, _extent(float(smooth[peak]), level), near)
        taken |= inside
        own = inside & (values > 0)
        place = find_objects(np.asarray(own if own.any() else inside, np.int8))[0]
        rows, columns = ((side.start, side.stop) for side in place)
        found.append(Region(rows, columns, peak))
    return found


def _extent(peak: float, level: float) -> float:
    """How low a region goes; a level below what is usual bounds it itself, as shares of peaks mean little there."""
    if level <= 0:
        return level
    return max(peak, level if np.isfinite(level) else 0.0) * EXTENT


def _highest(smooth: FloatArray, inside: BoolArray) -> tuple[int, int]:
    """Row and column of the highest cell of those inside."""
    row, column = np.unravel_index(int(np.where(inside, smooth, -np.inf).argmax()), smooth.shape)
    return int(row), int(column)


def _around(smooth: FloatArray, peak: tuple[int, int], least: float, near: int) -> BoolArray:
    """`(h, w)` the cells above a level that hang together with a peak; `near` cells a side, if it is not above it."""
    if smooth[peak] >= least:
        numbers, _ = label(smooth >= least, AROUND)
        return np.asarray(numbers == numbers[peak])
    inside = np.zeros(smooth.shape, np.bool_)
    reach = near // 2
    rows, columns = (slice(max(at - reach, 0), at + reach + 1) for at in peak)
    inside[rows, columns] = True
    return inside


def resampled(values: FloatArray, region: Region, side: int) -> FloatArray:
    """`(P, side, side)` float16: maps `(P, h, w)` within a region, what is below 0 being 0."""
    inside = np.maximum(values[:, slice(*region.rows), slice(*region.columns)], 0).astype(np.float32)
    fine = [cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR) for part in inside]
    return np.asarray(np.minimum(fine, 60000), np.float16)
