"""Abnormal regions and tracks from masks, where a data set does not list them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import find_objects, label
from scipy.optimize import linear_sum_assignment

from amiss.types import BoolArray, FloatArray, Track

__all__ = ["mask_boxes", "tracks_in"]


def mask_boxes(mask: BoolArray) -> FloatArray:
    """`(M, 4)` float32 boxes of the connected components of a mask `(H, W)`, pixels at a corner belonging together."""
    places = find_objects(label(mask, np.ones((3, 3)))[0])
    boxes = [(across.start, down.start, across.stop, down.stop) for down, across in places]
    return np.array(boxes, np.float32).reshape(-1, 4)


def tracks_in(masks: Iterable[BoolArray], rate: float) -> list[Track]:
    """Tracks of the connected components of masks: those that overlap most from frame to frame are one.

    Args:
        masks: `(H, W)` of each frame, True = abnormal.
        rate: Frames per second.
    """
    ended: list[list[tuple[int, FloatArray]]] = []
    alive: list[list[tuple[int, FloatArray]]] = []
    for frame, mask in enumerate(masks):
        boxes = mask_boxes(mask)
        before = np.array([track[-1][1] for track in alive], np.float32).reshape(-1, 4)
        going_on = _pairs(before, boxes)
        ended += [track for number, track in enumerate(alive) if number not in going_on.values()]
        alive = [
            [*(alive[going_on[number]] if number in going_on else []), (frame, box)] for number, box in enumerate(boxes)
        ]
    return [_track(number, rows, rate) for number, rows in enumerate([*ended, *alive])]


def _pairs(before: FloatArray, now: FloatArray) -> dict[int, int]:
    """For boxes `(N, 4)` that overlap one of the frame before, its number; as much as possible overlaps in all."""
    near = np.maximum(before[:, None, :2], now[None, :, :2])
    far = np.minimum(before[:, None, 2:], now[None, :, 2:])
    shared = np.clip(far - near, 0, None).prod(2)
    rows, columns = linear_sum_assignment(-shared)
    return {int(one): int(other) for other, one in zip(rows, columns, strict=True) if shared[other, one] > 0}


def _track(number: int, rows: list[tuple[int, FloatArray]], rate: float) -> Track:
    frame = np.array([frame for frame, _ in rows], np.int64)
    return Track(frame=frame, seconds=frame / rate, xyxy=np.array([box for _, box in rows]), id=number)
