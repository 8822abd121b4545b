"""How somebody moves, in numbers that do not depend on where in a step a segment begins."""

from __future__ import annotations

import math

import numpy as np

from amiss.methods.pose_flow.segments import normalised
from amiss.methods.pose_flow.settings import PoseFlowSettings
from amiss.types import FloatArray, Windows

__all__ = ["MOVEMENT", "movement_of"]

MOVEMENT = 112
"""Numbers of a movement: three for both coordinates of 18 joints, and four of the whole body."""
STILL = 0.01
"""Added to speeds before their logarithm is taken."""
ENDS = 4
"""The way of a body leads from its mean place in the first of so many parts of a segment to that in the last."""


def movement_of(windows: Windows, guide: PoseFlowSettings) -> FloatArray:
    """Posture, its changes, speeds of the joints, and the way of the body.

    Args:
        windows: Segments with `pose` `(N, T, 17, 3)` and `size` `(N, 2)`.
        guide: From which confidence on a joint is sure.

    Returns:
        `(N, 112)` float64: mean and standard deviation of each coordinate of the 18 joints over the segment, the
        logarithm of its mean change from frame to frame, and the way of the body with its absolute value; in standard
        deviations of the segment's y, as `normalised` gives them.
    """
    place = normalised(windows.data["pose"], windows.data["size"], guide.confidence)  # N, 2, T, 18
    speed = np.abs(np.diff(place, axis=2)).mean(2)
    body = place.mean(3)  # N, 2, T
    part = max(body.shape[2] // ENDS, 1)
    way = body[..., -part:].mean(2) - body[..., :part].mean(2)
    rows = place.mean(2), place.std(2), np.log(speed + STILL), way, np.abs(way)
    return np.concatenate([row.reshape(len(place), math.prod(row.shape[1:])) for row in rows], axis=1)
