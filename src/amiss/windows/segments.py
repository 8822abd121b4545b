"""Person segments: the poses of one track over the last few frames."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from amiss.perception.seen import Seen
from amiss.perception.skeleton import by_track, no_poses
from amiss.types import Boxes, FloatArray, Poses, Windows
from amiss.windows.needs import Needs

__all__ = ["SegmentBuilder"]


@dataclass(frozen=True, eq=False)
class _Moment:
    """What is kept of a frame: not its picture."""

    index: int
    seconds: float
    step: float
    boxes: Boxes
    poses: Poses
    size: tuple[int, int]


class SegmentBuilder:
    """Cuts segments; keeps what was seen of people in the last few frames and nothing else.

    A segment holds the poses of one track in `length` frames, one after the other, as `pose` `(N, L, 17, 3)` float32:
    x, y in pixels and confidence, zeros in a frame without the person. It has the frame, box and track of the frame
    that it is scored at, and there is one for each box of that frame whose track lacks at most `missing` poses. None
    spans a gap in time. With it come `size` `(N, 2)` float32, the picture's width and height in pixels, and `step`, the
    seconds between the frame that it is scored at and the one before.

    Args:
        needs: Length, which frame a segment is scored at, and how many poses may be missing.
    """

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._past: deque[_Moment] = deque(maxlen=needs.length)

    def reset(self) -> None:
        """Forget the frames before."""
        self._past.clear()

    def update(self, seen: Seen) -> Windows:
        """The segments that this frame completes, in the order of the boxes of the frame that they are scored at."""
        if not seen.step:
            self._past.clear()
        poses = seen.poses or no_poses()
        frame = seen.frame
        self._past.append(_Moment(frame.index, frame.seconds, seen.step, seen.boxes, poses, frame.size))
        whole = len(self._past) == self._needs.length
        at = self._past[-1 - self._needs.lag] if whole else self._past[-1]
        boxes = at.boxes if whole else Boxes.empty()
        pose = self._poses(boxes)
        there = (~pose[..., 2].any(2)).sum(1) <= self._needs.missing
        boxes, count = boxes[there], int(there.sum())
        return Windows(
            frame=np.full(count, at.index),
            seconds=np.full(count, at.seconds),
            box=boxes.xyxy,
            track=boxes.track,
            label=boxes.label,
            data={
                "pose": pose[there],
                "size": np.tile(np.array(at.size, np.float32), (count, 1)),
                "step": np.full(count, at.step, np.float32),
            },
        )

    def _poses(self, boxes: Boxes) -> FloatArray:
        """`(N, L, 17, 3)` the joints of the boxes' tracks in every frame that is kept."""
        if not len(boxes):
            return np.zeros((0, self._needs.length, 17, 3), np.float32)
        return np.stack([by_track(moment.poses, boxes.track) for moment in self._past], axis=1)
