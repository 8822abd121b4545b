"""Constant-velocity Kalman filters of many boxes at once: centre x, centre y, width and height, each on its own.

Source: Kalman, "A new approach to linear filtering and prediction problems", 1960, with white-noise acceleration.
"""

from __future__ import annotations

import dataclasses
from typing import Self

import numpy as np

from amiss.types import FloatArray, IntArray

__all__ = ["Filters", "to_centre"]

# Standard deviations in box heights: of a measured box, of a new track's speed (a second), of acceleration (a second²).
MEASURED, BORN_SPEED, ACCELERATION = 0.06, 1.5, 2.0


@dataclasses.dataclass
class Filters:
    """The filters of all live tracks: state and covariance for each of cx, cy, w, h, and how each track looks.

    Attributes:
        id: `(N,)` int64 track ids.
        hits: `(N,)` boxes so far.
        seen: `(N,)` seconds of the last box.
        last: `(N, 4)` the last box, cx, cy, w, h in pixels.
        place: `(N, 4)` cx, cy, w, h in pixels.
        speed: `(N, 4)` pixels a second.
        var_place: `(N, 4)` variance of the place.
        var_both: `(N, 4)` covariance of place and speed.
        var_speed: `(N, 4)` variance of the speed.
        look: `(N, D)` float32 of length 1, zeros where there is none yet.
        looked: `(N,)` seconds of the last look, -inf where there is none yet.
    """

    id: IntArray
    hits: IntArray
    seen: FloatArray
    last: FloatArray
    place: FloatArray
    speed: FloatArray
    var_place: FloatArray
    var_both: FloatArray
    var_speed: FloatArray
    look: FloatArray
    looked: FloatArray

    @classmethod
    def born(cls, ids: IntArray, seconds: float, boxes: FloatArray, dimensions: int) -> Self:
        """New filters at rest on `boxes` `(N, 4)` xyxy, without a look of `dimensions` numbers."""
        place = to_centre(boxes)
        height = np.maximum(place[:, 3:], 1.0) * np.ones(4)
        zero, count = np.zeros_like(place), len(ids)
        look = np.zeros((count, dimensions), np.float32), np.full(count, -np.inf)
        spread = (MEASURED * height) ** 2, zero.copy(), (BORN_SPEED * height) ** 2
        return cls(ids, np.ones(count, np.int64), np.full(count, seconds), place.copy(), place, zero, *spread, *look)

    def take(self, rows: IntArray) -> Self:
        """The filters `rows`."""
        return type(self)(*(getattr(self, item.name)[rows] for item in dataclasses.fields(self)))

    def join(self, other: Self) -> Self:
        """These filters and those after them."""
        pairs = ((getattr(self, item.name), getattr(other, item.name)) for item in dataclasses.fields(self))
        return type(self)(*(np.concatenate(pair) for pair in pairs))

    def predict(self, dt: float) -> None:
        """Move every filter on by `dt` seconds."""
        noise = (ACCELERATION * np.maximum(self.place[:, 3:], 1.0)) ** 2
        self.place = self.place + dt * self.speed
        self.var_place = self.var_place + dt * (2 * self.var_both + dt * self.var_speed) + noise * dt**4 / 4
        self.var_both = self.var_both + dt * self.var_speed + noise * dt**3 / 2
        self.var_speed = self.var_speed + noise * dt**2

    def correct(self, rows: IntArray, boxes: FloatArray, seconds: float) -> None:
        """Take in the boxes `(n, 4)` xyxy measured for the filters `rows`."""
        measured = to_centre(boxes)
        spread = self.var_place[rows] + (MEASURED * np.maximum(measured[:, 3:], 1.0)) ** 2
        gain_place, gain_speed = self.var_place[rows] / spread, self.var_both[rows] / spread
        surprise = measured - self.place[rows]
        self.place[rows] += gain_place * surprise
        self.speed[rows] += gain_speed * surprise
        self.var_speed[rows] -= gain_speed * self.var_both[rows]
        self.var_both[rows] *= 1 - gain_place
        self.var_place[rows] *= 1 - gain_place
        self.hits[rows] += 1
        self.seen[rows] = seconds
        self.last[rows] = measured

    def restart(self, rows: IntArray, boxes: FloatArray) -> None:
        """Put the filters `rows` at rest on `boxes`, keeping their ids and looks."""
        fresh = type(self).born(self.id[rows], 0.0, boxes, 0)
        for name in ("place", "speed", "var_place", "var_both", "var_speed"):
            getattr(self, name)[rows] = getattr(fresh, name)

    def boxes(self) -> FloatArray:
        """`(N, 4)` xyxy where each should be now."""
        half = np.maximum(self.place[:, 2:], 1.0) / 2
        return np.concatenate([self.place[:, :2] - half, self.place[:, :2] + half], axis=1)


def to_centre(boxes: FloatArray) -> FloatArray:
    """Xyxy → centre x, centre y, width, height, float64."""
    boxes = np.asarray(boxes, np.float64)
    size = boxes[:, 2:] - boxes[:, :2]
    return np.concatenate([boxes[:, :2] + size / 2, size], axis=1)
