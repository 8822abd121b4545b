"""The body as a graph: 18 joints, the neck among them, and which of them are near each other."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from amiss.types import IntArray

__all__ = ["FROM_COCO", "JOINTS", "LEFT_RIGHT", "adjacency", "distances"]

JOINTS = (
    *("nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist"),
    *("right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle"),
    *("right eye", "left eye", "right ear", "left ear"),
)
"""Names of the joints, in the order of the graph."""

FROM_COCO = (0, 17, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""Where each is among the 17 joints of COCO with the neck after them."""

LINKS = (
    *((0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7)),
    *((2, 8), (8, 9), (9, 10), (5, 11), (11, 12), (12, 13)),
    *((0, 14), (0, 15), (14, 16), (15, 17)),
)

LEFT_RIGHT = tuple(
    JOINTS.index(name.replace("left", "right") if "left" in name else name.replace("right", "left")) for name in JOINTS
)
"""The joint of the other side for each joint, itself for nose and neck."""


def distances() -> IntArray:
    """`(18, 18)` links on the shortest way between two joints."""
    found = np.full((len(JOINTS), len(JOINTS)), len(JOINTS), np.int64)
    np.fill_diagonal(found, 0)
    for one, other in LINKS:
        found[one, other] = found[other, one] = 1
    for middle in range(len(JOINTS)):  # Floyd and Warshall
        found = np.minimum(found, found[:, middle, None] + found[None, middle])
    return found


def adjacency(hops: int) -> Tensor:
    """Each joint's neighbourhood as weights that sum to 1 down each column.

    Args:
        hops: How many links it reaches.

    Returns:
        `(18, D)` float32. D is 18, or 1 where every neighbourhood is the whole body: all columns are the same then.
    """
    near = (distances() <= hops).astype(np.float32)
    columns = near / near.sum(0)
    return torch.from_numpy(columns[:, :1] if near.all() else columns)
