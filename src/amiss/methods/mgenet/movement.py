"""How somebody moves, in numbers that depend neither on where in a step a segment begins nor on build and direction."""

from __future__ import annotations

import math

import numpy as np

from amiss.methods.pose_flow.segments import normalised
from amiss.methods.pose_flow.settings import PoseFlowSettings
from amiss.types import FloatArray, Windows

__all__ = ["MOVEMENT", "movement_of"]

MOVEMENT = 74
"""Numbers of a movement: two for both coordinates of 18 joints, and two of the whole body."""
STILL = 0.01
"""Added to speeds before their logarithm is taken."""
ENDS = 4
"""The way of a body leads from its mean place in the first of so many parts of a segment to that in the last."""


def movement_of(windows: Windows, guide: PoseFlowSettings) -> FloatArray:
    """How far the joints go, how fast, and how far the body gets.

    Postures are left out: a place has seen a few people only, and how these held themselves would tell the next one
    from them whatever he does. What nobody does anywhere is told by the flow.

    Args:
        windows: Segments with `pose` `(N, T, 17, 3)` and `size` `(N, 2)`.
        guide: From which confidence on a joint is sure.

    Returns:
        `(N, 74)` float64: standard deviation of each coordinate of the 18 joints over the segment, the logarithm of its
        mean change from frame to frame, and the absolute way of the body; in standard deviations of the segment's y, as
        `normalised` gives them.
    """
    place = normalised(windows.data["pose"], windows.data["size"], guide.confidence)  # N, 2, T, 18
    speed = np.abs(np.diff(place, axis=2)).mean(2)
    body = place.mean(3)  # N, 2, T
    part = max(body.shape[2] // ENDS, 1)
    way = body[..., -part:].mean(2) - body[..., :part].mean(2)
    rows = place.std(2), np.log(speed + STILL), np.abs(way)
    return np.concatenate([row.reshape(len(place), math.prod(row.shape[1:])) for row in rows], axis=1)
