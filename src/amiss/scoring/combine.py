"""From the regions of a frame to the frame."""

from __future__ import annotations

import numpy as np

from amiss.types import FloatArray, RegionScores

__all__ = ["worst_region"]


def worst_region(regions: RegionScores, length: int, floor: float) -> FloatArray:
    """`(length,)` float64: the highest score of each frame's regions.

    Args:
        regions: Scored regions, frames below `length`.
        length: Number of frames.
        floor: What a frame without any region gets: the lowest score of a normal region, so that an empty scene is as
            normal as can be, and never NaN.
    """
    curve = np.full(length, floor, np.float64)
    np.maximum.at(curve, regions.frame, np.asarray(regions.score, np.float64))
    return curve
