"""Object cubes: the box of one frame, cut from the frames around it or before it."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.perception.features import crop
from amiss.perception.seen import Seen
from amiss.perception.skeleton import by_track
from amiss.types import BoolArray, Boxes, FloatArray, Windows
from amiss.windows.needs import Needs

__all__ = ["CubeBuilder"]

EDGE = 2.0
"""Pixels from the edge of the picture at which a box is taken to go on outside it."""


class CubeBuilder:
    """Cuts object cubes; keeps the last few frames and nothing else.

    A cube is what the object's box in the frame that the cube is scored at, the last one or the middle one, shows in
    each of the last `length` frames; there is none before so many frames have passed, and none spans a gap in time.
    Every cube also carries `step`, the seconds from the frame before to the one that it is scored at (0 where there is
    none), and `cut` `(2,)` bool, whether the picture's edge cuts the box across and down.

    Args:
        needs: Length, size, which frame a cube is scored at, and which arrays to cut.
    """

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._past: deque[Seen] = deque(maxlen=needs.length)

    def reset(self) -> None:
        """Forget the frames before."""
        self._past.clear()

    def update(self, seen: Seen) -> Windows:
        """The cubes that this frame completes, in the order of the boxes of the frame that they are scored at."""
        if not seen.step:
            self._past.clear()
        self._past.append(seen)
        whole = len(self._past) == self._needs.length
        at = self._past[-1 - self._needs.lag] if whole else seen
        boxes = at.boxes if whole and at.frame.index % self._needs.stride == 0 else Boxes.empty()
        return Windows(
            frame=np.full(len(boxes), at.frame.index),
            seconds=np.full(len(boxes), at.frame.seconds),
            box=boxes.xyxy,
            track=boxes.track,
            label=boxes.label,
            data=self._data(at, boxes),
        )

    def _data(self, seen: Seen, boxes: Boxes) -> dict[str, NDArray[Any]]:
        size, past = self._needs.size, list(self._past)
        data: dict[str, NDArray[Any]] = {"step": np.full(len(boxes), seen.step, np.float32)}
        data["cut"] = _touches_edge(boxes.xyxy, seen.frame.size)
        if "image" in self._needs.arrays:
            data["image"] = self._cut([item.frame.image for item in past], boxes, (size, size, 3)).astype(np.uint8)
        if "flow" in self._needs.arrays:
            flows = [item.flow for item in past if item.flow is not None]
            data["flow"] = self._cut(flows, boxes, (size, size, 2)).astype(np.float16)
        if "feature" in self._needs.arrays and seen.features is not None:
            data["feature"] = seen.features[: len(boxes)].astype(np.float16)
        data |= {name: told[: len(boxes)] for name, told in seen.ways.items() if name in self._needs.arrays}
        if "pose" in self._needs.arrays and seen.poses is not None:
            data["pose"] = by_track(seen.poses, boxes.track)
        return data

    def _cut(self, pictures: list[NDArray[Any]], boxes: Boxes, shape: tuple[int, ...]) -> NDArray[Any]:
        """`(N, length, *shape)`: each box out of each picture."""
        if not len(boxes):
            return np.zeros((0, self._needs.length, *shape))
        return np.stack([[crop(picture, box, shape[0]) for picture in pictures] for box in boxes.xyxy])


def _touches_edge(boxes: FloatArray, size: tuple[int, int]) -> BoolArray:
    """`(N, 2)`: whether each box reaches the left or right, and the upper or lower edge of the picture."""
    near = boxes[:, :2] <= EDGE
    far = boxes[:, 2:] >= np.asarray(size) - EDGE
    return np.asarray(near | far)
