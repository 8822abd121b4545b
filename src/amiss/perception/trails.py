"""The way of each track: how long it has stayed on one spot, how it moves, and how it moves beside the others.

All of it comes of tracks alone, and of the past alone: no picture is looked at, and a live camera has what a file has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from amiss.config import TracksConfig
from amiss.types import NO_TRACK, BoolArray, Boxes, FloatArray, Frame

__all__ = ["WAYS", "Trails"]

WAYS: Mapping[str, tuple[int, ...]] = {"dwell": (), "speed": (), "path": (5,), "company": (2,)}
"""What is told of each box, and its shape."""
SPAN = 0.5
"""Seconds over which a speed is taken."""
BASE = 1.0
"""Seconds over which a movement is fitted: jitter of boxes weighs little in it."""
MOVED = 0.4
"""Seconds for which both of two have to be followed before they are said to come nearer."""
CURVED = 4
"""From so many points on a movement may have an acceleration."""
SPOT = 0.75
"""Whoever keeps within this many heights of the present box stays on one spot."""


class Trails:
    """Remembers the way of each track, for a bounded time.

    Args:
        config: How long trails are remembered, and how long a track lives on unseen.
        wanted: Which of `WAYS` to tell.
    """

    def __init__(self, config: TracksConfig, wanted: Collection[str] = tuple(WAYS)) -> None:
        self._memory, self._life = config.trail, config.life
        self._wanted = [name for name in WAYS if name in wanted]
        self.reset()

    def reset(self) -> None:
        """Forget all trails."""
        self._ways: dict[int, _Way] = {}

    def update(self, frame: Frame, boxes: Boxes) -> Mapping[str, FloatArray]:
        """What each box of `frame`, which carry their track ids, has come through, zeros for boxes without a track.

        Returns:
            Of what is wanted, float32: `dwell` `(N,)` seconds since the middle of its lower edge was last further than
            three quarters of its height from where it is now. `speed` `(N,)` pixels a second that its middle has come
            in the last half second; 0 where a track begins. `path` `(N, 5)` of its middle in the last second, by least
            squares: velocity x, y in pixels a second, acceleration x, y in pixels a second squared, and over how many
            seconds they are taken. `company` `(N, 2)` pixels from the middle of its lower edge to that of the nearest
            other track, infinite where there is none, and the pixels a second by which the two come nearer, which is
            negative where they part, and 0 until both have been followed for 0.4 seconds.
        """
        across = boxes.xyxy[:, [0, 2]].mean(1)
        places = np.column_stack([across, boxes.xyxy[:, 3], boxes.xyxy[:, [1, 3]].mean(1)]).astype(np.float64)
        reach = SPOT * (boxes.xyxy[:, 3] - boxes.xyxy[:, 1])
        found = {name: np.zeros((len(boxes), *WAYS[name]), np.float32) for name in self._wanted}
        path = np.zeros((len(boxes), 5))
        rows = np.flatnonzero(boxes.track != NO_TRACK)
        for row in rows:
            way = self._ways.setdefault(int(boxes.track[row]), _Way())
            way.add(frame.seconds, places[row], self._memory)
            if "dwell" in found:
                found["dwell"][row] = way.dwell(float(reach[row]))
            if "speed" in found:
                found["speed"][row] = way.speed()
            if {"path", "company"} & found.keys():
                path[row] = way.path()
        if "path" in found:
            found["path"][:] = path
        if "company" in found:
            found["company"][rows] = _company(places[rows, :2], path[rows, :2], path[rows, 4] >= MOVED - 1e-6)
        oldest = frame.seconds - self._life
        self._ways = {track: way for track, way in self._ways.items() if way.last >= oldest}
        return found


def _company(feet: FloatArray, velocity: FloatArray, sure: BoolArray) -> FloatArray:
    """`(n, 2)` distance to the nearest other of the points `(n, 2)`, and how fast the two, if sure, come nearer."""
    if len(feet) < 2:
        return np.tile([np.inf, 0.0], (len(feet), 1))
    apart = feet[None] - feet[:, None]  # from, to, xy
    distance = np.hypot(apart[..., 0], apart[..., 1])
    np.fill_diagonal(distance, np.inf)
    rows, nearest = np.arange(len(feet)), distance.argmin(1)
    least = distance[rows, nearest]
    towards = apart[rows, nearest] / np.maximum(least, 1e-9)[:, None]
    closing = ((velocity - velocity[nearest]) * towards).sum(1)
    return np.column_stack([least, np.where(sure & sure[nearest], closing, 0.0)])


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
        known = self._since(SPAN)
        seconds = known[-1, 0] - known[0, 0]
        return float(np.hypot(*(known[-1, [1, 3]] - known[0, [1, 3]])) / seconds) if seconds > 0 else 0.0

    def path(self) -> FloatArray:
        """`(5,)` velocity and acceleration in the middle of the last second, and of how many seconds they are.

        They are those of the parabola that fits the points best, or of the line where there are few.
        """
        known = self._since(BASE)
        seconds = float(known[-1, 0] - known[0, 0])
        if seconds <= 0:
            return np.zeros(5)
        time = known[:, 0] - (known[0, 0] + known[-1, 0]) / 2
        powers = time[:, None] ** np.arange(3 if len(known) >= CURVED else 2)
        fit = np.linalg.lstsq(powers, known[:, [1, 3]] - known[-1, [1, 3]], rcond=None)[0]
        return np.array([*fit[1], *(2 * fit[2] if len(fit) > 2 else (0.0, 0.0)), seconds])

    def _since(self, seconds: float) -> FloatArray:
        """The points of the last `seconds`."""
        known = self._known
        return known[int(np.searchsorted(known[:, 0], known[-1, 0] - seconds - 1e-6)) :]
