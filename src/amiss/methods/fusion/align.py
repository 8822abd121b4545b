"""Which regions of several methods are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from amiss.types import NO_TRACK, BoolArray, FloatArray, IntArray, RegionScores

__all__ = ["Aligned", "align"]

SHARED = 0.5
"""Regions of whole frames join a box if they share at least so much of the smaller of the two."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """Regions that any of K methods scored, in order of frames.

    Attributes:
        frame: `(N,)` int64.
        seconds: `(N,)` float64.
        box: `(N, 4)` float32.
        track: `(N,)` int64.
        rows: `(N, K)` int64 row of each in the table of each method, -1 where that has none.
        own: `(N, K)` whether that row has the region's own box, and did not merely join it.
    """

    frame: IntArray
    seconds: FloatArray
    box: FloatArray
    track: IntArray
    rows: IntArray
    own: BoolArray

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, member: int, values: FloatArray, absent: float) -> FloatArray:
        """`(N,)` what a method has for each region, and `absent` where it has no row."""
        rows = self.rows[:, member]
        return np.where(rows >= 0, np.append(values, absent)[rows], absent)

    def with_more(self, more: Aligned) -> Aligned:
        """These and more, in order of frames."""
        names = vars(self)
        joined = {name: np.concatenate([getattr(self, name), getattr(more, name)]) for name in names}
        order = np.argsort(joined["frame"], kind="stable")
        return Aligned(**{name: values[order] for name, values in joined.items()})


def align(tables: Sequence[RegionScores]) -> Aligned:
    """The regions of several methods on the same frames of one clip.

    Regions of one track in one frame are the same. A region without a track, of a method that looks at whole frames,
    joins every region of its frame with which it shares at least half of the smaller one's area; where several would
    join, the highest does. One that joins none is a region of its own.
    """
    aligned = _tracked(tables)
    for member, table in enumerate(tables):
        loose = np.flatnonzero(table.track == NO_TRACK)
        aligned = _joined(aligned, member, table, loose[np.argsort(-table.score[loose], kind="stable")])
    return aligned


def _tracked(tables: Sequence[RegionScores]) -> Aligned:
    """The regions of tracks."""
    span = max(int(table.track.max(initial=0)) for table in tables) + 1
    rows = [np.flatnonzero(table.track != NO_TRACK) for table in tables]
    codes = [table.frame[own] * span + table.track[own] for table, own in zip(tables, rows, strict=True)]
    every = np.unique(np.concatenate(codes))
    found = np.full((len(every), len(tables)), -1)
    for member, (own, code) in enumerate(zip(rows, codes, strict=True)):
        found[np.searchsorted(every, code), member] = own
    return _from(tables, found)


def _from(tables: Sequence[RegionScores], rows: IntArray) -> Aligned:
    """Regions `(N, K)` by their rows, each with the place that the first method gives to it."""
    first = (rows >= 0).argmax(1)
    offsets = np.cumsum([0, *(len(table) for table in tables)])
    chosen = offsets[first] + rows[np.arange(len(rows)), first]
    names = ("frame", "seconds", "box", "track")
    place = {name: np.concatenate([getattr(table, name) for table in tables])[chosen] for name in names}
    return Aligned(**place, rows=rows, own=rows >= 0)


def _joined(aligned: Aligned, member: int, table: RegionScores, loose: IntArray) -> Aligned:
    """With the regions of one method that have no track, the highest first."""
    rows, left = aligned.rows.copy(), []
    starts = np.searchsorted(aligned.frame, table.frame[loose], "left")
    stops = np.searchsorted(aligned.frame, table.frame[loose], "right")
    for row, start, stop in zip(loose, starts, stops, strict=True):
        near = _shared(table.box[row], aligned.box[start:stop]) >= SHARED
        free = rows[start:stop, member] < 0
        rows[start:stop, member][near & free] = row
        if not near.any():
            left.append(row)
    alone = np.full((len(left), rows.shape[1]), -1)
    alone[:, member] = left
    place = {name: getattr(table, name)[left] for name in ("frame", "seconds", "box", "track")}
    return replace(aligned, rows=rows).with_more(Aligned(**place, rows=alone, own=alone >= 0))


def _shared(box: FloatArray, others: FloatArray) -> FloatArray:
    """`(M,)` the area that a box shares with each of others, as a share of the smaller of the two."""
    near, far = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.maximum(far - near, 0).prod(1)
    areas = np.minimum((box[2:] - box[:2]).prod(), (others[:, 2:] - others[:, :2]).prod(1))
    return np.asarray(common / np.maximum(areas, 1e-9))
