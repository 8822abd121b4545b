"""From heat maps of joints and fields of limbs to people.

Source: Cao et al., "Realtime multi-person 2D pose estimation using part affinity fields", 2017, section 2: joints are
the local maxima of their heat maps; two joints belong to one person if the field of their limb points from one to the
other all along the line between them (equations 10 and 11); each limb's pairs are matched greedily, best first, and
limbs that share a joint are one person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amiss.types import BoolArray, FloatArray, IntArray

__all__ = ["COCO_ORDER", "FIELDS", "find_people"]

FIELDS = (
    *((1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 2), (2, 3), (3, 4), (2, 16), (1, 5), (5, 6), (6, 7), (5, 17)),
    *((1, 0), (0, 14), (0, 15), (14, 16), (15, 17)),
)
"""The limb of each field, from joint to joint: the x of field i is channel 2 i, its y the one after. Joints are in the
order of the heat maps: nose, neck, right shoulder, elbow, wrist, left ones, right hip, knee, ankle, left ones, right
eye, left eye, right ear, left ear."""

COCO_ORDER = np.array([0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10])
"""The heat map of each COCO joint; that of the neck is left out."""

HEAT_MAPS = 18
PEAK = 0.1
"""Least value of a joint's heat map at its peak."""
SAMPLES = 10
"""Points on the line between two joints at which the field is read."""
FIELD = 0.05
"""Least component of the field along the line."""
ALONG = 0.8
"""Share of the points at which it must reach that."""
LEAST_JOINTS = 4
"""People of fewer joints are dropped."""


@dataclass(frozen=True, eq=False)
class _Peaks:
    """All maxima of all heat maps: kind `(P,)`, place `(P, 2)` x and y in cells, value `(P,)`."""

    kind: IntArray
    place: FloatArray
    value: FloatArray


def find_people(heat: FloatArray, fields: FloatArray) -> FloatArray:
    """Joints of everybody.

    Args:
        heat: `(18 or more, h, w)` heat maps; what follows the joints (the background) is not read.
        fields: `(38, h, w)` part affinity fields.

    Returns:
        `(N, 18, 3)` float64: x and y in cells, the centre of the first cell being 0, and the value of the heat map;
        zeros where a joint was not found.
    """
    peaks = _find_peaks(heat[:HEAT_MAPS])
    limb, first, second = _candidates(peaks)
    score, good = _line_integrals(fields, limb, peaks.place[first], peaks.place[second])
    order = np.flatnonzero(good)[np.argsort(-score[good], kind="stable")]
    people = _assemble(peaks, *_match(limb[order], first[order], second[order]))
    found = np.zeros((len(people), HEAT_MAPS, 3))
    for row, rows in enumerate(people):
        found[row, peaks.kind[rows], :2], found[row, peaks.kind[rows], 2] = peaks.place[rows], peaks.value[rows]
    return found


def _find_peaks(heat: FloatArray) -> _Peaks:
    """Local maxima among the eight neighbours; of a plateau its last cell counts."""
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    kind, y, x = np.nonzero(heat > PEAK)  # few cells of many
    for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1)):
        here = padded[kind, y + 1, x + 1]
        top = (here >= padded[kind, y + 1 + dy, x + 1 + dx]) & (here > padded[kind, y + 1 - dy, x + 1 - dx])
        kind, y, x = kind[top], y[top], x[top]
    value = heat[kind, y, x].astype(np.float64)
    # in the padded maps, whose cells lie one further
    right = _vertex(padded[kind, y + 1, x], value, padded[kind, y + 1, x + 2])
    down = _vertex(padded[kind, y, x + 1], value, padded[kind, y + 2, x + 1])
    return _Peaks(kind, np.column_stack([x + right, y + down]), value)


def _vertex(before: FloatArray, middle: FloatArray, after: FloatArray) -> FloatArray:
    """Where the parabola through three neighbours is highest, from the middle one, which is at least as high as both.

    At the edge of the map, and on a plateau, the middle itself.
    """
    edge = ~np.isfinite(before) | ~np.isfinite(after)
    before, after = np.where(edge, middle, before), np.where(edge, middle, after)
    bend = 2 * middle - before - after
    return np.divide(after - before, 2 * bend, out=np.zeros_like(middle), where=bend > 1e-9)


def _candidates(peaks: _Peaks) -> tuple[IntArray, IntArray, IntArray]:
    """Each pair of joints that a limb could connect: its limb, the row of the first joint and of the second."""
    rows = [np.flatnonzero(peaks.kind == kind) for kind in range(HEAT_MAPS)]
    first = [np.repeat(rows[a], len(rows[b])) for a, b in FIELDS]
    second = [np.tile(rows[b], len(rows[a])) for a, b in FIELDS]
    limb = np.repeat(np.arange(len(FIELDS)), [len(pairs) for pairs in first])
    return limb, np.concatenate(first), np.concatenate(second)


def _line_integrals(fields: FloatArray, limb: IntArray, a: FloatArray, b: FloatArray) -> tuple[FloatArray, BoolArray]:
    """The mean of the field's component along each line from `a` `(C, 2)` to `b`, and whether it is a limb."""
    way = b - a
    length = np.hypot(way[:, 0], way[:, 1])
    direction = way / np.maximum(length, 1e-9)[:, None]
    share = np.linspace(0, 1, SAMPLES)
    points = a[:, None] + share[None, :, None] * way[:, None]  # C, samples, 2
    parts = [_at(fields, 2 * limb + axis, points) * direction[:, axis, None] for axis in (0, 1)]
    along = parts[0] + parts[1]
    good = ((along > FIELD).mean(1) >= ALONG) & (along.mean(1) > FIELD)
    return np.asarray(along.mean(1)), np.asarray(good)


def _at(fields: FloatArray, channel: IntArray, points: FloatArray) -> FloatArray:
    """`(C, samples)` values of one channel for each line, bilinear between the cells."""
    limit = np.array([fields.shape[2] - 1, fields.shape[1] - 1])
    points = np.clip(points, 0, limit)
    low = np.minimum(points.astype(np.int64), np.maximum(limit - 1, 0))
    high = np.minimum(low + 1, limit)
    right, down = (points - low)[..., 0], (points - low)[..., 1]
    channel = channel[:, None]
    rows = [
        fields[channel, y, low[..., 0]] * (1 - right) + fields[channel, y, high[..., 0]] * right
        for y in (low[..., 1], high[..., 1])
    ]
    return np.asarray(rows[0] * (1 - down) + rows[1] * down)


def _match(limb: IntArray, first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """Of candidates from the best to the worst those whose joints no better one of the same limb has taken."""
    taken: set[tuple[int, int]] = set()
    kept = []
    for row, (field, a, b) in enumerate(zip(limb.tolist(), first.tolist(), second.tolist(), strict=True)):
        if (field, a) not in taken and (field, b) not in taken:
            taken |= {(field, a), (field, b)}
            kept.append(row)
    return first[kept], second[kept]


def _assemble(peaks: _Peaks, first: IntArray, second: IntArray) -> list[IntArray]:
    """Rows of the peaks of each person: limbs from the best to the worst, joined where both have no joint twice."""
    people = {row: {int(kind): row} for row, kind in enumerate(peaks.kind)}
    owner = list(people)
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        one, other = owner[a], owner[b]
        if one == other or people[one].keys() & people[other].keys():
            continue
        for row in people[other].values():
            owner[row] = one
        people[one] |= people.pop(other)
    return [np.array(list(person.values())) for person in people.values() if len(person) >= LEAST_JOINTS]
