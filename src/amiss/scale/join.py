"""From the scores of parts to those of the clip: tracks that cross a cut are one again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from amiss.perception.overlap import iou_matrix
from amiss.scale.jobs import PartScores
from amiss.scale.plan import Part
from amiss.types import NO_TRACK, FloatArray, IntArray, RegionScores

__all__ = ["Joined", "join"]

SAME = 0.5
"""IoU from which two boxes of one frame are the same thing."""


@dataclass(frozen=True, eq=False)
class Joined:
    """The scores of a whole clip.

    Attributes:
        regions: Of its windows, in order of frames.
        clock: `(T,)` seconds of its frames.
        known: For each part, its own track id by the one in `regions`.
    """

    regions: RegionScores
    clock: FloatArray
    known: tuple[dict[int, int], ...]


def join(parts: Sequence[Part], scores: Sequence[PartScores]) -> Joined:
    """Put the parts of a clip together.

    Each part answers for its own frames. A track of a part is the track of the part before whose boxes it shares in
    the frames that both have seen, by the best assignment of all; every other gets a number of its own.

    Args:
        parts: The plan.
        scores: Of each part.
    """
    kept: list[RegionScores] = []
    clocks: list[FloatArray] = []
    known: list[dict[int, int]] = []
    before, free = None, 0
    for part, one in zip(parts, scores, strict=True):
        numbers = _numbers(before, one.regions, part.start, free) if before is not None else _own(one.regions)
        free = max([free, *(number + 1 for number in numbers.values())])
        mine = replace(one.regions, track=_renamed(one.regions.track, numbers))
        kept.append(mine[mine.frame >= part.start])
        stop = one.first + len(one.clock) if part.stop is None else part.stop
        clocks.append(one.clock[part.start - one.first : stop - one.first])
        known.append({theirs: own for own, theirs in numbers.items()})
        before = mine
    return Joined(RegionScores.merge(kept), np.concatenate(clocks), tuple(known))


def _own(regions: RegionScores) -> dict[int, int]:
    """Every track under its own number."""
    return {int(track): int(track) for track in np.unique(regions.track) if track != NO_TRACK}


def _renamed(track: IntArray, numbers: dict[int, int]) -> IntArray:
    return np.array([numbers.get(int(one), NO_TRACK) for one in track], np.int64)


def _numbers(before: RegionScores, after: RegionScores, start: int, free: int) -> dict[int, int]:
    """The number of each track of a part, given the part before with its numbers."""
    shared = _shared(before[before.frame < start], after[after.frame < start])
    theirs, mine = (sorted({pair[side] for pair in shared}) for side in (0, 1))
    table = np.array([[shared.get((one, other), 0) for other in mine] for one in theirs]).reshape(
        len(theirs), len(mine)
    )
    rows, columns = linear_sum_assignment(-table)
    found = {mine[column]: theirs[row] for row, column in zip(rows, columns, strict=True) if table[row, column]}
    new = [int(track) for track in np.unique(after.track) if track != NO_TRACK and int(track) not in found]
    return found | {track: free + place for place, track in enumerate(new)}


def _shared(before: RegionScores, after: RegionScores) -> dict[tuple[int, int], int]:
    """In how many frames a track of the part before and one of this part have the same box."""
    counts: dict[tuple[int, int], int] = {}
    for frame in np.intersect1d(before.frame, after.frame):
        left, right = (one[slice(*np.searchsorted(one.frame, [frame, frame + 1]))] for one in (before, after))
        for row, column in np.argwhere(iou_matrix(left.box, right.box) >= SAME):
            pair = int(left.track[row]), int(right.track[column])
            if NO_TRACK not in pair:
                counts[pair] = counts.get(pair, 0) + 1
    return counts
