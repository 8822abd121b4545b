"""Clips of whole frames."""

from __future__ import annotations

from collections import deque
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.perception.seen import Seen
from amiss.types import NO_TRACK, FloatArray, Image, Windows
from amiss.windows.needs import Needs

__all__ = ["ClipBuilder", "is_cut"]

CELLS = 16
"""Side of the grid on which two pictures are compared."""
CHANGED = 16.0
"""Grey levels by which a cell changes that no longer shows what it did, beyond what all cells have in common."""
MOST = 0.5
"""Share of the cells that no longer show what they did after a cut."""


class ClipBuilder:
    """Cuts clips of whole frames; keeps the last few frames, made smaller, and nothing else.

    A clip holds `length` frames, each `pace` frames after the one before, as `image` `(1, L, h, w, 3)` uint8 RGB with
    `h, w` the `shape` of `needs`, and `crop` `(1, L)` int64, the number of each picture, which clips share. Its box is
    the whole picture at the frame that it is scored at, in pixels. `size` `(1, 2)` float32 is the picture's width and
    height, and `step` the seconds between the frame that it is scored at and the one before. There is one clip a frame,
    or one every `stride` frames. None spans a gap in time, nor a cut, after which hardly anything is where it was.

    Args:
        needs: Length, pace, shape, which frame a clip is scored at, and how many frames apart clips are.
    """

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._past: deque[tuple[int, float, float, int, Image]] = deque(maxlen=needs.span)
        self._cells: FloatArray | None = None
        self._count = 0

    def reset(self) -> None:
        """Forget the frames before."""
        self._past.clear()
        self._cells = None

    def update(self, seen: Seen) -> Windows:
        """The clip that this frame completes, if any."""
        frame = seen.frame
        rows, columns = self._needs.shape
        image = np.asarray(cv2.resize(frame.image, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
        cells = _cells(image)
        if not seen.step or (self._cells is not None and is_cut(self._cells, cells)):
            self._past.clear()
        self._cells = cells
        self._past.append((frame.index, frame.seconds, seen.step, self._count, image))
        self._count += 1
        whole = len(self._past) == self._needs.span
        index, seconds, step, _, _ = self._past[-1 - self._needs.lag] if whole else self._past[-1]
        count = int(whole and index % self._needs.stride == 0)
        return Windows(
            frame=np.full(count, index),
            seconds=np.full(count, seconds),
            box=np.tile(np.array((0, 0, *frame.size), np.float32), (count, 1)),
            track=np.full(count, NO_TRACK),
            data=self._data(count)
            | {
                "size": np.tile(np.array(frame.size, np.float32), (count, 1)),
                "step": np.full(count, step, np.float32),
            },
        )

    def _data(self, count: int) -> dict[str, NDArray[Any]]:
        length, shape = self._needs.length, self._needs.shape
        if not count:
            return {"image": np.zeros((0, length, *shape, 3), np.uint8), "crop": np.zeros((0, length), np.int64)}
        held = list(self._past)[:: self._needs.pace]
        image = np.stack([picture for *_, picture in held])[None]
        return {"image": image, "crop": np.array([[number for *_, number, _ in held]], np.int64)}


def _cells(image: Image) -> FloatArray:
    """`(256,)` mean brightness of the cells of a grid over a picture."""
    small = cv2.resize(image, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(np.asarray(small, np.float64).mean(-1).ravel())


def is_cut(before: FloatArray, now: FloatArray) -> bool:
    """Whether two pictures are so unlike that the camera was turned, or another one takes over.

    A change of light is one that all cells have in common.

    Args:
        before: `(K,)` brightness of cells, 0..255.
        now: `(K,)` the same cells later.
    """
    change = now - before
    return bool((np.abs(change - np.median(change)) > CHANGED).mean() > MOST)
