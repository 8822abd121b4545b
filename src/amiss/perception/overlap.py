"""How boxes overlap."""

from __future__ import annotations

import numpy as np

from amiss.types import BoolArray, Boxes, FloatArray

__all__ = ["iou_matrix", "iou_rows", "suppressed"]


def iou_matrix(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of every box of `a` `(N, 4)` with every box of `b` `(M, 4)`: `(N, M)` float64."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    near = np.maximum(a[:, None, :2], b[None, :, :2])
    far = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(far - near, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def iou_rows(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of each box of `a` `(N, 4)` with the box of `b` `(N, 4)` in its row: `(N,)` float64.

    It is 0 where both boxes have no area, and the same number as in `iou_matrix`, to the last bit.
    """
    ax, ay, az, aw = np.asarray(a, np.float64).T
    bx, by, bz, bw = np.asarray(b, np.float64).T
    shared = np.maximum(np.minimum(az, bz) - np.maximum(ax, bx), 0)
    shared *= np.maximum(np.minimum(aw, bw) - np.maximum(ay, by), 0)
    union = (az - ax) * (aw - ay) + (bz - bx) * (bw - by) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def suppressed(boxes: Boxes, iou: float) -> BoolArray:
    """`(N,)` which boxes overlap a surer one of their label, that is kept, by more than `iou`.

    Args:
        boxes: In order of confidence, the surest first.
        iou: Overlap from which two boxes are one thing.
    """
    rivals = (iou_matrix(boxes.xyxy, boxes.xyxy) > iou) & (boxes.label[:, None] == boxes.label[None, :])
    gone = np.zeros(len(boxes), np.bool_)
    for row in range(len(boxes)):
        if not gone[row]:
            gone[row + 1 :] |= rivals[row, row + 1 :]
    return gone
