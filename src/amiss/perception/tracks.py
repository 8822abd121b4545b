"""Linking boxes in time, in ByteTrack's manner.

Source: Zhang et al., "ByteTrack: multi-object tracking by associating every detection box", 2022. Confident boxes are
matched to predicted tracks first, the others to what is left; only confident boxes start tracks. The motion model is
a constant-velocity Kalman filter for each of centre x, centre y, width and height on its own.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.optimize import linear_sum_assignment

from amiss.config import TracksConfig
from amiss.perception.overlap import iou_matrix
from amiss.types import Boxes, FloatArray, Frame, IntArray

__all__ = ["Tracker"]

# Standard deviations in box heights: of a measured box, of a new track's speed (a second), of acceleration (a second²).
MEASURED, BORN_SPEED, ACCELERATION = 0.06, 1.5, 2.0


@dataclasses.dataclass
class _Filters:
    """Kalman filters of all live tracks: state and covariance for each of cx, cy, w, h."""

    id: IntArray
    seen: FloatArray  # (N,) seconds of the last box
    place: FloatArray  # (N, 4)
    speed: FloatArray  # (N, 4) a second
    var_place: FloatArray  # (N, 4)
    var_both: FloatArray  # (N, 4) covariance of place and speed
    var_speed: FloatArray  # (N, 4)

    @classmethod
    def born(cls, ids: IntArray, seconds: float, boxes: FloatArray) -> _Filters:
        place = _to_centre(boxes)
        height = np.maximum(place[:, 3:], 1.0) * np.ones(4)
        zero = np.zeros_like(place)
        seen = np.full(len(ids), seconds)
        return cls(ids, seen, place, zero, (MEASURED * height) ** 2, zero.copy(), (BORN_SPEED * height) ** 2)

    def take(self, rows: IntArray) -> _Filters:
        return _Filters(*(getattr(self, item.name)[rows] for item in dataclasses.fields(self)))

    def join(self, other: _Filters) -> _Filters:
        pairs = ((getattr(self, item.name), getattr(other, item.name)) for item in dataclasses.fields(self))
        return _Filters(*(np.concatenate(pair) for pair in pairs))

    def predict(self, dt: float) -> None:
        """Move every filter on by `dt` seconds (white-noise acceleration)."""
        noise = (ACCELERATION * np.maximum(self.place[:, 3:], 1.0)) ** 2
        self.place = self.place + dt * self.speed
        self.var_place = self.var_place + dt * (2 * self.var_both + dt * self.var_speed) + noise * dt**4 / 4
        self.var_both = self.var_both + dt * self.var_speed + noise * dt**3 / 2
        self.var_speed = self.var_speed + noise * dt**2

    def correct(self, rows: IntArray, boxes: FloatArray, seconds: float) -> None:
        """Take in the boxes measured for the filters `rows`."""
        measured = _to_centre(boxes)
        spread = self.var_place[rows] + (MEASURED * np.maximum(measured[:, 3:], 1.0)) ** 2
        gain_place, gain_speed = self.var_place[rows] / spread, self.var_both[rows] / spread
        surprise = measured - self.place[rows]
        self.place[rows] += gain_place * surprise
        self.speed[rows] += gain_speed * surprise
        self.var_speed[rows] -= gain_speed * self.var_both[rows]
        self.var_both[rows] *= 1 - gain_place
        self.var_place[rows] *= 1 - gain_place
        self.seen[rows] = seconds

    def boxes(self) -> FloatArray:
        half = np.maximum(self.place[:, 2:], 1.0) / 2
        return np.concatenate([self.place[:, :2] - half, self.place[:, :2] + half], axis=1)


def _to_centre(boxes: FloatArray) -> FloatArray:
    """Xyxy → centre x, centre y, width, height, float64."""
    boxes = np.asarray(boxes, np.float64)
    size = boxes[:, 2:] - boxes[:, :2]
    return np.concatenate([boxes[:, :2] + size / 2, size], axis=1)


class Tracker:
    """Gives boxes track ids; no state outside the object.

    Args:
        config: Thresholds and how long a track lives on unseen.
        gap: Jump in seconds that ends all tracks.
    """

    def __init__(self, config: TracksConfig, gap: float) -> None:
        self._config = config
        self._gap = gap
        self.reset()

    def reset(self) -> None:
        """Forget all tracks and start counting anew."""
        self._next = 0
        self._seconds = 0.0
        self._filters = _Filters.born(np.zeros(0, np.int64), 0.0, np.zeros((0, 4)))

    def update(self, frame: Frame, boxes: Boxes) -> Boxes:
        """The boxes of `frame` with their track ids; unconfident boxes that fit no track keep `NO_TRACK`."""
        dt = frame.seconds - self._seconds
        self._seconds = frame.seconds
        if not 0 <= dt <= self._gap:
            self._filters = self._filters.take(np.zeros(0, np.int64))
        self._filters.predict(max(dt, 0.0))
        track = np.full(len(boxes), -1, np.int64)
        sure = boxes.confidence >= self._config.high
        free: IntArray = np.arange(len(self._filters.id))
        for group in (np.flatnonzero(sure), np.flatnonzero(~sure)):
            free = self._match(boxes.xyxy, group, free, track, frame.seconds)
        born = np.flatnonzero(sure & (track < 0))
        track[born] = np.arange(self._next, self._next + len(born))
        self._next += len(born)
        alive = np.flatnonzero(frame.seconds - self._filters.seen <= self._config.lost)
        new = _Filters.born(track[born], frame.seconds, boxes.xyxy[born])
        self._filters = self._filters.take(alive).join(new)
        return dataclasses.replace(boxes, track=track)

    def _match(self, xyxy: FloatArray, group: IntArray, free: IntArray, track: IntArray, seconds: float) -> IntArray:
        """Match the boxes `group` to the filters `free`, write their ids into `track`, return what is still free."""
        overlap = iou_matrix(xyxy[group], self._filters.boxes()[free])
        row, column = linear_sum_assignment(-overlap)
        good = overlap[row, column] >= max(self._config.iou, 1e-9)
        chosen, filters = group[row[good]], free[column[good]]
        track[chosen] = self._filters.id[filters]
        self._filters.correct(filters, xyxy[chosen], seconds)
        return np.setdiff1d(free, filters)
