"""Person segments: the poses of one track over the last few frames, and what it looked like."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.perception.features import crop
from amiss.perception.seen import Seen
from amiss.perception.skeleton import by_track, no_poses
from amiss.types import Boxes, FloatArray, Image, Poses, Windows
from amiss.windows.needs import Needs

__all__ = ["SegmentBuilder", "squares"]

GROWN = 0.2
"""The rectangle around a person's joints is grown by this share of its size on each side."""


@dataclass(frozen=True, eq=False)
class _Crop:
    """What one person looked like in one frame.

    Attributes:
        number: Running number among all crops.
        image: `(S, S, 3)`.
        place: `(4,)` pixels of the frame.
    """

    number: int
    image: Image
    place: FloatArray


@dataclass(frozen=True, eq=False)
class _Moment:
    """What is kept of a frame: not its picture."""

    index: int
    seconds: float
    step: float
    boxes: Boxes
    poses: Poses
    size: tuple[int, int]
    scene: FloatArray | None = None
    crops: dict[int, _Crop] = field(default_factory=dict)


class SegmentBuilder:
    """Cuts segments; keeps what was seen of people in the last few frames and nothing else.

    A segment holds the poses of one track in `length` frames, one after the other, as `pose` `(N, L, 17, 3)` float32:
    x, y in pixels and confidence, zeros in a frame without the person. It has the frame, box and track of the frame
    that it is scored at, and there is one for each box of that frame whose track lacks at most `missing` poses. None
    spans a gap in time. With it come `size` `(N, 2)` float32, the picture's width and height in pixels, and `step`, the
    seconds between the frame that it is scored at and the one before.

    Where `image` is asked for, it is what a square around the person shows in each frame, `(N, L, S, S, 3)` uint8, in a
    frame without the person that of the nearest frame; `crop` `(N, L)` int64 is the number of each picture, and `place`
    `(N, 4)` float32 the square in the frame that the segment is scored at, in pixels. `scene` is `(N, D)` float32.

    Args:
        needs: Length, which frame a segment is scored at, how many poses may be missing, and which arrays to give.
    """

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._past: deque[_Moment] = deque(maxlen=needs.length)
        self._count = 0

    def reset(self) -> None:
        """Forget the frames before."""
        self._past.clear()

    def update(self, seen: Seen) -> Windows:
        """The segments that this frame completes, in the order of the boxes of the frame that they are scored at."""
        if not seen.step:
            self._past.clear()
        poses = seen.poses or no_poses()
        frame = seen.frame
        timed = frame.index, frame.seconds, seen.step
        self._past.append(_Moment(*timed, seen.boxes, poses, frame.size, seen.scene, self._crops(seen, poses)))
        whole = len(self._past) == self._needs.length
        at = self._past[-1 - self._needs.lag] if whole else self._past[-1]
        boxes = at.boxes if whole and at.index % self._needs.stride == 0 else Boxes.empty()
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
            }
            | self._looks(boxes, at),
        )

    def _poses(self, boxes: Boxes) -> FloatArray:
        """`(N, L, 17, 3)` the joints of the boxes' tracks in every frame that is kept."""
        if not len(boxes):
            return np.zeros((0, self._needs.length, 17, 3), np.float32)
        return np.stack([by_track(moment.poses, boxes.track) for moment in self._past], axis=1)

    def _crops(self, seen: Seen, poses: Poses) -> dict[int, _Crop]:
        """What each track looks like in a frame."""
        if "image" not in self._needs.arrays:
            return {}
        places = squares(by_track(poses, seen.boxes.track), seen.boxes.xyxy)
        first, self._count = self._count, self._count + len(places)
        return {
            int(track): _Crop(first + row, crop(seen.frame.image, place, self._needs.size), place)
            for row, (track, place) in enumerate(zip(seen.boxes.track, places, strict=True))
        }

    def _looks(self, boxes: Boxes, at: _Moment) -> dict[str, NDArray[Any]]:
        """The arrays of segments that are there only where they are asked for."""
        looks: dict[str, NDArray[Any]] = {}
        if "image" in self._needs.arrays:
            shape = self._needs.length, self._needs.size, self._needs.size, 3
            crops = [_filled([moment.crops.get(int(track)) for moment in self._past]) for track in boxes.track]
            looks["image"] = np.array([[one.image for one in row] for row in crops], np.uint8).reshape(-1, *shape)
            looks["crop"] = np.array([[one.number for one in row] for row in crops], np.int64).reshape(-1, shape[0])
            places = [at.crops[int(track)].place for track in boxes.track]
            looks["place"] = np.array(places, np.float32).reshape(-1, 4)
        if "scene" in self._needs.arrays and at.scene is not None:
            looks["scene"] = np.tile(at.scene.astype(np.float32), (len(boxes), 1))
        return looks


def _filled(crops: Sequence[_Crop | None]) -> list[_Crop]:
    """The crops of a track, those of frames without the person taken from the nearest frame that has one."""
    there = np.array([index for index, one in enumerate(crops) if one is not None])
    nearest = [crops[there[np.abs(there - index).argmin()]] for index in range(len(crops))]
    return [one for one in nearest if one is not None]


def squares(joints: FloatArray, boxes: FloatArray) -> FloatArray:
    """`(N, 4)` squares around people: as long as the longer side of the joints' rectangle, grown by a fifth each way.

    What somebody carries or rides stays in view. A person without joints has the square of the box.

    Args:
        joints: `(N, 17, 3)` x, y in pixels, confidence; joints without confidence are not there.
        boxes: `(N, 4)` pixels.
    """
    there = joints[..., 2:] > 0
    near = np.where(there, joints[..., :2], np.inf).min(1)
    far = np.where(there, joints[..., :2], -np.inf).max(1)
    seen = np.asarray(there.any((1, 2)))[:, None]
    near, far = np.where(seen, near, boxes[:, :2]), np.where(seen, far, boxes[:, 2:])
    half = np.maximum((0.5 + GROWN) * (far - near).max(1, keepdims=True), 1.0)
    middle = (near + far) / 2
    return np.concatenate([middle - half, middle + half], axis=1)
