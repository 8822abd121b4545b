"""People of known joints, and the heat maps and fields that a network would give of them."""

from __future__ import annotations

import numpy as np

from amiss.perception.grouping import FIELDS, HEAT_MAPS
from amiss.types import FloatArray

SIZE = (32, 57)
STANDING = np.array(
    [
        *((0, -8), (0, -6), (-2, -6), (-3, -3), (-3, 0), (2, -6), (3, -3), (3, 0)),
        *((-1.5, 1), (-1.5, 5), (-1.5, 9), (1.5, 1), (1.5, 5), (1.5, 9)),
        *((-1, -9), (1, -9), (-2.2, -8.4), (2.2, -8.4)),
    ],
    float,
)


def person(x: float, y: float = 15, scale: float = 1.2) -> FloatArray:
    """`(18, 2)` joints in cells."""
    return STANDING * scale + [x, y]


def maps(*people: FloatArray, missing: tuple[int, ...] = ()) -> tuple[FloatArray, FloatArray]:
    """Heat maps and fields as the paper makes them for learning (equations 6 to 8), without the missing joints."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    heat, fields = np.zeros((HEAT_MAPS + 1, *SIZE)), np.zeros((2 * len(FIELDS), *SIZE))
    for joints in people:
        for joint in set(range(HEAT_MAPS)) - set(missing):
            near = np.exp(-((x - joints[joint, 0]) ** 2 + (y - joints[joint, 1]) ** 2) / 2)
            heat[joint] = np.maximum(heat[joint], near)
        for limb, (a, b) in enumerate(FIELDS):
            way = joints[b] - joints[a]
            unit = way / np.hypot(*way)
            along = (x - joints[a, 0]) * unit[0] + (y - joints[a, 1]) * unit[1]
            across = np.abs((x - joints[a, 0]) * unit[1] - (y - joints[a, 1]) * unit[0])
            on = (along > -1) & (along < np.hypot(*way) + 1) & (across < 1)
            fields[2 * limb][on], fields[2 * limb + 1][on] = unit
    return heat, fields
