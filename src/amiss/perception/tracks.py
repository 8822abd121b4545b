"""Linking boxes in time, in ByteTrack's manner, with looks where overlap alone leaves it open.

Sources: Zhang et al., "ByteTrack: multi-object tracking by associating every detection box", 2022: confident boxes are
matched to predicted tracks first, the others to what is left; only confident boxes start tracks, which count from their
second box on, or at once in the first frame. Wojke et al., "Simple
online and realtime tracking with a deep association metric", 2017: the cosine distance of looks counts beside overlap,
forbids what looks too unlike (equations 2 to 6, by overlap in place of the Mahalanobis distance), and finds a track
again that motion alone no longer reaches. Looks are taken only of boxes that compete, overlap little or fit no track,
and now and then along a track.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np
from scipy.optimize import linear_sum_assignment

from amiss.config import TracksConfig
from amiss.perception.kalman import Filters, to_centre
from amiss.perception.overlap import iou_matrix
from amiss.perception.reid import REIDS, Reid
from amiss.types import NO_TRACK, BoolArray, Boxes, FloatArray, Frame, IntArray

__all__ = ["Tracker"]

LEAST = 1e-9
"""Every match that is allowed gains at least this much."""
WEAK = 0.5
"""A box that overlaps its track less than this is looked at, even if nothing competes."""
WEIGHT = 0.5
"""Overlap (IoU) that looks weigh up: so much is added where they are equal, and taken where they are far apart."""
UNLIKE = 1.4
"""Looks this many times further apart than those of one thing may be are of two."""
KEEP, STALE = 0.8, 0.5
"""Share that a track's look keeps of itself when it is taken anew, and seconds after which that is due."""
HIDDEN = 0.15
"""Boxes that overlap another one by this (IoU) may show that one: they change no look and contradict none."""
EDGE = 3.0
"""Whoever was last seen this many pixels from the edge of the picture may have left it, and is not looked for."""
REACH, PACE, GROWTH = 1.0, 1.2, 1.6
"""A lost track is looked for within so many heights, and so many more a second; it may be so many times as high."""


class _Sight:
    """The boxes of one frame, whose looks are taken when they are first asked for."""

    def __init__(self, frame: Frame, boxes: Boxes, reid: Reid) -> None:
        self.boxes, self.size, self._image = boxes.xyxy, frame.size, frame.image
        self._reid, self.same = reid, reid.same
        self._looks = np.zeros((len(boxes), reid.dimensions), np.float32)
        self._known = np.zeros(len(boxes), np.bool_)

    def looks(self, rows: IntArray) -> FloatArray:
        """`(n, D)` the looks of the boxes `rows`."""
        missing = np.unique(rows[~self._known[rows]])
        if len(missing):
            self._looks[missing] = self._reid(self._image, self.boxes[missing])
            self._known[missing] = True
        return self._looks[rows]

    @cached_property
    def clear(self) -> BoolArray:
        """`(N,)` whether no other box hides any of it."""
        overlap = iou_matrix(self.boxes, self.boxes)
        np.fill_diagonal(overlap, 0)
        return np.asarray(overlap.max(1, initial=0) < HIDDEN)


class Tracker:
    """Gives boxes track ids; no state outside the object.

    Args:
        config: Thresholds, how long a track lives on unseen, and by what looks it is told from others.
        gap: Jump in seconds that ends all tracks.

    Raises:
        ConfigError: There are no such looks.
        WeightsError: They come from a network that is absent or damaged.
    """

    def __init__(self, config: TracksConfig, gap: float) -> None:
        self._config = config
        self._gap = gap
        self._reid = REIDS[config.appearance]()
        self.reset()

    def reset(self) -> None:
        """Forget all tracks and start counting anew."""
        self._next = 0
        self._seconds = -np.inf
        self._filters = self._born(np.zeros(0, np.int64), np.zeros((0, 4)))

    def update(self, frame: Frame, boxes: Boxes) -> Boxes:
        """The boxes of `frame` with their track ids; boxes of no track, or of none yet, keep `NO_TRACK`.

        Boxes that come with track ids keep them; a box source gives all of its boxes some, or none.
        """
        if (boxes.track != NO_TRACK).any():
            return boxes
        if begins := not 0 <= frame.seconds - self._seconds <= self._gap:
            self._filters = self._filters.take(np.zeros(0, np.int64))
        self._advance(0.0 if begins else frame.seconds - self._seconds, frame.seconds)
        sight = _Sight(frame, boxes, self._reid) if self._reid and len(boxes) else None
        sure = boxes.confidence >= self._config.high
        owner = self._associate(boxes.xyxy, sure, sight)
        if sight:
            self._find_again(np.flatnonzero(sure & (owner < 0)), owner, sight)
        held = np.flatnonzero(owner >= 0)
        self._filters.correct(owner[held], boxes.xyxy[held], frame.seconds)
        self._start(np.flatnonzero(sure & (owner < 0)), boxes.xyxy, owner)
        if begins:
            self._filters.hits[:] = self._config.confirm
        if sight:
            self._remember(owner, sight)
        track = np.full(len(boxes), NO_TRACK, np.int64)
        counts = np.flatnonzero(owner >= 0)
        counts = counts[self._filters.hits[owner[counts]] >= self._config.confirm]
        track[counts] = self._filters.id[owner[counts]]
        return dataclasses.replace(boxes, track=track)

    def _born(self, ids: IntArray, boxes: FloatArray) -> Filters:
        return Filters.born(ids, self._seconds, boxes, self._reid.dimensions if self._reid else 0)

    def _advance(self, dt: float, seconds: float) -> None:
        """Predict where the tracks are now, without those that have not been seen for too long."""
        self._seconds = seconds
        self._filters = self._filters.take(np.flatnonzero(self._unseen() <= self._config.life))
        self._filters.predict(dt)

    def _unseen(self) -> FloatArray:
        """`(T,)` seconds for which each track has not been seen."""
        return self._seconds - self._filters.seen

    def _start(self, rows: IntArray, boxes: FloatArray, owner: IntArray) -> None:
        """Start a track at each of the boxes `rows`."""
        owner[rows] = len(self._filters.id) + np.arange(len(rows))
        self._filters = self._filters.join(self._born(self._next + np.arange(len(rows)), boxes[rows]))
        self._next += len(rows)

    def _associate(self, boxes: FloatArray, sure: BoolArray, sight: _Sight | None) -> IntArray:
        """`(N,)` the filter that each box continues, -1 where there is none; sure boxes choose first."""
        owner = np.full(len(boxes), -1, np.int64)
        free: IntArray = np.flatnonzero(self._unseen() <= self._config.lost)
        overlap = iou_matrix(boxes, self._filters.boxes())
        for group, seen in ((np.flatnonzero(sure), sight), (np.flatnonzero(~sure), None)):
            gain = self._gain(overlap[np.ix_(group, free)], group, free, seen)
            row, column = _best(gain)
            owner[group[row]] = free[column]
            free = np.delete(free, column)
        return owner

    def _gain(self, overlap: FloatArray, group: IntArray, free: IntArray, sight: _Sight | None) -> FloatArray:
        """What matching each box of `group` to each filter of `free` gains; 0 is forbidden."""
        near = overlap >= max(self._config.iou, LEAST)
        gain = np.where(near, overlap, 0.0)
        if sight is None:
            return gain
        rivals = (near.sum(1, keepdims=True) > 1) | (near.sum(0, keepdims=True) > 1)
        looked = self._filters.looked[free]
        due = sight.clear[group, None] & (self._seconds - looked >= STALE)
        row, column = np.nonzero(near & (rivals | (overlap < WEAK) | due) & (looked > -np.inf))
        # 0: they look the same, 1: as unlike as one thing may look
        unlike = (1 - (sight.looks(group[row]) * self._filters.look[free[column]]).sum(1)) / sight.same
        weighed = np.maximum(gain[row, column] + WEIGHT * (1 - np.minimum(unlike, 2)), LEAST)
        gain[row, column] = np.where((unlike > UNLIKE) & sight.clear[group[row]], 0.0, weighed)
        return gain

    def _find_again(self, rows: IntArray, owner: IntArray, sight: _Sight) -> None:
        """Give tracks that were lost to those of the boxes `rows` that look like them and are within reach."""
        filters = self._filters
        inside = _inside(filters.last, sight.size) & (filters.looked > -np.inf) & (self._unseen() > 0)
        lost = np.setdiff1d(np.flatnonzero(inside), owner)
        if not len(lost) or not len(rows):
            return
        near = _within_reach(to_centre(sight.boxes[rows]), filters.last[lost], self._unseen()[lost])
        chosen, wanted = near.any(1), near.any(0)
        rows, lost, near = rows[chosen], lost[wanted], near[np.ix_(chosen, wanted)]
        unlike = (1 - sight.looks(rows) @ filters.look[lost].T) / sight.same
        row, column = _best(np.where(near & (unlike <= 1), 1 + LEAST - unlike, 0.0))
        owner[rows[row]] = lost[column]
        filters.restart(lost[column], sight.boxes[rows[row]])

    def _remember(self, owner: IntArray, sight: _Sight) -> None:
        """Mix the looks of boxes that nothing hides into those of their tracks, where that is due."""
        filters = self._filters
        rows = np.flatnonzero((owner >= 0) & sight.clear)
        rows = rows[self._seconds - filters.looked[owner[rows]] >= STALE]
        mine = owner[rows]
        keep = np.where(filters.looked[mine] > -np.inf, KEEP, 0.0)[:, None]
        mixed = keep * filters.look[mine] + (1 - keep) * sight.looks(rows)
        filters.look[mine] = mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), LEAST)
        filters.looked[mine] = self._seconds


def _best(gain: FloatArray) -> tuple[IntArray, IntArray]:
    """Rows and columns of the allowed matches of largest sum."""
    row, column = linear_sum_assignment(-gain)
    allowed = gain[row, column] > 0
    return row[allowed], column[allowed]


def _inside(last: FloatArray, size: tuple[int, int]) -> BoolArray:
    """`(T,)` whether boxes `(T, 4)` cx, cy, w, h keep away from the edge of a picture of `size`."""
    near, far = last[:, :2] - last[:, 2:] / 2, last[:, :2] + last[:, 2:] / 2
    return np.asarray(((near > EDGE) & (far < np.asarray(size) - EDGE)).all(1))


def _within_reach(here: FloatArray, last: FloatArray, unseen: FloatArray) -> BoolArray:
    """`(N, T)` whether boxes `here` may be those `last` seen so many seconds ago; all cx, cy, w, h."""
    tall = np.maximum(here[:, None, 3], last[None, :, 3])
    low = np.maximum(np.minimum(here[:, None, 3], last[None, :, 3]), 1)
    way = np.hypot(here[:, None, 0] - last[None, :, 0], here[:, None, 1] - last[None, :, 1])
    return np.asarray((way <= tall * (REACH + PACE * unseen)) & (tall <= GROWTH * low))
