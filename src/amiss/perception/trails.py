"""The way of each track: for how long it has stayed on one spot, and how fast it is."""

from __future__ import annotations

import numpy as np

from amiss.config import TracksConfig
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame

__all__ = ["Trails"]

SPAN = 0.5
"""Seconds over which a speed is taken."""
SPOT = 0.75
"""Whoever keeps within this many heights of the present box stays on one spot."""


class Trails:
    """Remembers the way of each track, for a bounded time.

    Args:
        config: How long trails are remembered, and how long a track lives on unseen.
    """

    def __init__(self, config: TracksConfig) -> None:
        self._memory, self._life = config.trail, config.life
        self.reset()

    def reset(self) -> None:
        """Forget all trails."""
        self._ways: dict[int, _Way] = {}

    def update(self, frame: Frame, boxes: Boxes) -> tuple[FloatArray, FloatArray]:
        """For how long each box of `frame`, which carry their track ids, has stayed on one spot, and how fast it is.

        Returns:
            `(N,)` float32 seconds since the middle of its lower edge was last further than three quarters of its
            height from where it is now; 0 for boxes without a track. And `(N,)` float32 pixels a second that its middle
            has come in the last half second; 0 where a track begins.
        """
        across = boxes.xyxy[:, [0, 2]].mean(1)
        places = np.column_stack([across, boxes.xyxy[:, 3], boxes.xyxy[:, [1, 3]].mean(1)]).astype(np.float64)
        reach = SPOT * (boxes.xyxy[:, 3] - boxes.xyxy[:, 1])
        dwell, speed = np.zeros(len(boxes), np.float32), np.zeros(len(boxes), np.float32)
        for row in np.flatnonzero(boxes.track != NO_TRACK):
            way = self._ways.setdefault(int(boxes.track[row]), _Way())
            way.add(frame.seconds, places[row], self._memory)
            dwell[row], speed[row] = way.dwell(float(reach[row])), way.speed()
        oldest = frame.seconds - self._life
        self._ways = {track: way for track, way in self._ways.items() if way.last >= oldest}
        return dwell, speed


class _Way:
    """The points of one track: a growing buffer whose oldest points are dropped."""

    def __init__(self) -> None:
        self._points = np.empty((64, 4))  # seconds, x, lower edge, middle
        self._first = self._end = 0

    @property
    def last(self) -> float:
        """Seconds of the newest point."""
        return float(self._points[self._end - 1, 0])

    @property
    def _known(self) -> FloatArray:
        return self._points[self._first : self._end]

    def add(self, seconds: float, place: FloatArray, memory: float) -> None:
        """Append a point; forget those older than `memory` seconds."""
        if self._end == len(self._points):
            known = self._known
            self._points = np.concatenate([known, np.empty((max(len(known), 64), 4))])
            self._first, self._end = 0, len(known)
        self._points[self._end] = seconds, *place
        self._end += 1
        self._first += int(np.searchsorted(self._known[:, 0], seconds - memory))

    def dwell(self, reach: float) -> float:
        """Seconds since it was last further than `reach` from where it is now."""
        known = self._known
        far = np.flatnonzero(np.hypot(*(known[:, 1:3] - known[-1, 1:3]).T) > reach)
        return float(known[-1, 0] - known[far[-1] + 1 if len(far) else 0, 0])

    def speed(self) -> float:
        """Pixels a second from where it was half a second ago, or when it was first seen since."""
        known = self._known
        before = known[int(np.searchsorted(known[:, 0], known[-1, 0] - SPAN - 1e-6))]
        seconds = known[-1, 0] - before[0]
        return float(np.hypot(*(known[-1, [1, 3]] - before[[1, 3]])) / seconds) if seconds > 0 else 0.0
