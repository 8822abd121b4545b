"""The COCO skeleton: its joints, what belongs together, whose body is whose, and poses made steady in time."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from amiss.perception.overlap import iou_matrix
from amiss.types import NO_TRACK, Boxes, FloatArray, IntArray, Poses

__all__ = [
    "JOINTS",
    "LIMBS",
    "PAIRS",
    "PoseSmoother",
    "attach",
    "by_track",
    "extent",
    "from_box",
    "no_poses",
    "share_inside",
    "to_box",
]

JOINTS = (
    "nose",
    *("left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder"),
    *("left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip"),
    *("left knee", "right knee", "left ankle", "right ankle"),
)
"""Names of the joints, in the order of COCO (Lin et al., 2014)."""

PAIRS = tuple((left, left + 1) for left in range(1, len(JOINTS), 2))
"""The left and the right one of each joint that the body has twice."""

LIMBS = (
    *((0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10)),
    *((5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
)
"""Joints that bones, or lines across the body, connect."""

LEAST_INSIDE = 2 / 3
"""A pose belongs to a box only if it holds this share of its joints, each by its confidence."""
FORGOTTEN = 10.0
"""After so many time constants what was known of a track counts for nothing."""


def no_poses() -> Poses:
    """A frame without bodies."""
    return Poses(np.zeros((0, len(JOINTS), 3), np.float32))


def to_box(joints: FloatArray, xyxy: FloatArray) -> FloatArray:
    """Joints in the coordinates of their boxes, in which a body that walks on stays where it is.

    Args:
        joints: `(N, 17, 3)` x, y in pixels, confidence.
        xyxy: `(N, 4)` pixels.

    Returns:
        `(N, 17, 3)` float64: x and y from the lower middle of the box, in box heights, and confidence.
    """
    foot, height = _frame_of(xyxy)
    return np.concatenate([(joints[..., :2] - foot) / height, joints[..., 2:]], axis=2)


def from_box(joints: FloatArray, xyxy: FloatArray) -> FloatArray:
    """The inverse of `to_box`: `(N, 17, 3)` float32 pixels; zeros for joints without confidence."""
    foot, height = _frame_of(xyxy)
    pixels = np.concatenate([joints[..., :2] * height + foot, joints[..., 2:]], axis=2)
    return np.where(joints[..., 2:] > 0, pixels, 0).astype(np.float32)


def _frame_of(xyxy: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lower middle `(N, 1, 2)` and height `(N, 1, 1)`, at least one pixel."""
    xyxy = np.asarray(xyxy, np.float64)
    foot = np.stack([(xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3]], axis=1)
    return foot[:, None], np.maximum(xyxy[:, 3] - xyxy[:, 1], 1.0)[:, None, None]


def by_track(poses: Poses, track: IntArray) -> FloatArray:
    """`(N, 17, 3)` float32 joints of the tracks `(N,)`, zeros for those without a pose."""
    row_of = {int(owner): row for row, owner in enumerate(poses.track) if owner != NO_TRACK}
    rows = np.array([row_of.get(int(owner), -1) for owner in track], np.int64)
    joints = np.zeros((len(rows), len(JOINTS), 3), np.float32)
    joints[rows >= 0] = poses.joints[rows[rows >= 0]]
    return joints


def attach(joints: FloatArray, boxes: Boxes) -> Poses:
    """Give poses to the boxes that hold them, each to one: the assignment with the largest sum of overlaps.

    Args:
        joints: `(M, 17, 3)` x, y in pixels, confidence; those without confidence are not there.
        boxes: Boxes with track ids.

    Returns:
        The poses that lie in a box of a track, with its id.
    """
    seen = joints[joints[..., 2].any(1)] if len(joints) else np.zeros((0, len(JOINTS), 3), np.float32)
    inside = share_inside(seen, boxes.xyxy)
    fit = np.where(inside >= LEAST_INSIDE, inside * iou_matrix(extent(seen), boxes.xyxy), 0.0)
    row, column = linear_sum_assignment(-fit)
    good = (fit[row, column] > 0) & (boxes.track[column] != NO_TRACK)
    return Poses(seen[row[good]], boxes.track[column[good]])


def extent(joints: FloatArray) -> FloatArray:
    """`(M, 4)` the rectangle around the joints of each pose that are there, each a pixel wide."""
    there = joints[..., 2:] > 0
    near = np.where(there, joints[..., :2] - 0.5, np.inf).min(1, initial=np.inf)
    far = np.where(there, joints[..., :2] + 0.5, -np.inf).max(1, initial=-np.inf)
    return np.concatenate([near, far], axis=1)


def share_inside(joints: FloatArray, xyxy: FloatArray) -> FloatArray:
    """`(M, N)` how much of the confidence of each pose lies in each box."""
    place, sure = joints[:, None, :, :2], joints[:, None, :, 2]  # M, 1, 17, 2 and M, 1, 17
    inside = ((place >= xyxy[:, None, :2]) & (place <= xyxy[:, None, 2:])).all(3)  # M, N, 17
    return np.asarray((inside * sure).sum(2) / np.maximum(sure.sum(2), 1e-9))


class PoseSmoother:
    """Makes poses steady along their tracks: an exponential filter in the coordinates of the box.

    A joint's place is the mean of all its places, each weighted by its confidence and by exp(-age / time constant), so
    that frames may come at any pace and an unsure joint leans on what was seen before. As the box moves along, a body
    that walks on is not dragged behind.

    Args:
        seconds: Time constant; 0 changes nothing.
    """

    def __init__(self, seconds: float) -> None:
        self._constant = seconds
        self.reset()

    def reset(self) -> None:
        """Forget all tracks."""
        self._known: dict[int, tuple[float, FloatArray]] = {}

    def update(self, poses: Poses, boxes: Boxes, seconds: float) -> Poses:
        """The poses of one frame, made steady; confidences stay what they are.

        Args:
            poses: Each with the track id of one of the boxes.
            boxes: The frame's boxes.
            seconds: Its time stamp.
        """
        if not self._constant:
            return poses
        row_of = {int(track): row for row, track in enumerate(boxes.track)}
        xyxy = boxes.xyxy[[row_of[int(track)] for track in poses.track]].reshape(-1, 4)
        joints = to_box(poses.joints, xyxy)
        before = self._faded(poses.track, seconds)
        weight = before[..., 2:] + joints[..., 2:]
        mixed = before[..., :2] * before[..., 2:] + joints[..., :2] * joints[..., 2:]
        place = np.divide(mixed, weight, out=np.zeros_like(mixed), where=weight > 0)
        self._remember(poses.track, seconds, np.concatenate([place, weight], axis=2))
        return Poses(from_box(np.concatenate([place, joints[..., 2:]], axis=2), xyxy), poses.track)

    def _faded(self, track: IntArray, seconds: float) -> FloatArray:
        """`(N, 17, 3)` place and weight of all that was seen of each track before; the weight fades with time."""
        found = np.zeros((len(track), len(JOINTS), 3))
        for row, owner in enumerate(track):
            if int(owner) in self._known:
                then, joints = self._known[int(owner)]
                found[row] = joints
                found[row, :, 2] *= np.exp(-max(seconds - then, 0.0) / self._constant)
        return found

    def _remember(self, track: IntArray, seconds: float, joints: FloatArray) -> None:
        oldest = seconds - FORGOTTEN * self._constant
        self._known = {owner: known for owner, known in self._known.items() if known[0] >= oldest}
        self._known |= {int(owner): (seconds, row) for owner, row in zip(track, joints, strict=True)}
