"""Region-level recall: how many abnormal regions are found at so many false ones a frame.

A region that was found is right if it overlaps an abnormal region of its frame enough, else it is false; an abnormal
region counts as found if any found one overlaps it enough. Nothing is told apart twice: several right regions on one
abnormal one are neither false nor counted again.

Source: the region-based detection criterion of Ramachandra and Jones, "Street Scene: a new dataset and evaluation
protocol for video anomaly detection", WACV 2020, at one rate of false regions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amiss.errors import MetricError
from amiss.perception.overlap import iou_matrix
from amiss.types import FloatArray

__all__ = ["RegionLevels", "recall_at", "region_levels"]


@dataclass(frozen=True, eq=False)
class RegionLevels:
    """The scores that decide about regions.

    Attributes:
        found: One an abnormal region: the highest score of a region on it, -inf where there is none.
        false: The scores of regions that lie on none.
    """

    found: FloatArray
    false: FloatArray


def region_levels(truth: FloatArray, boxes: FloatArray, scores: FloatArray, overlap: float = 0.1) -> RegionLevels:
    """The levels of one frame.

    Args:
        truth: `(M, 4)` boxes of its abnormal regions, pixels.
        boxes: `(N, 4)` boxes that were found.
        scores: `(N,)` how abnormal each is.
        overlap: Intersection over union from which a box lies on another.
    """
    scores = np.asarray(scores, np.float64)
    on = iou_matrix(truth, boxes) >= overlap
    found = np.where(on, scores, -np.inf).max(1, initial=-np.inf)
    return RegionLevels(found, scores[~on.any(0)])


def recall_at(levels: RegionLevels, frames: int, rate: float = 1.0) -> float:
    """The share of abnormal regions that are found at the lowest level with at most so many false ones a frame.

    Args:
        levels: Of all frames.
        frames: How many there are.
        rate: False regions a frame.

    Raises:
        MetricError: There is no abnormal region.
    """
    if not len(levels.found):
        raise MetricError("there is no abnormal region, so there is no recall of regions")
    allowed = int(rate * frames)
    false = np.sort(levels.false)[::-1]
    level = false[allowed] if len(false) > allowed else -np.inf
    return float((levels.found > level).mean())
