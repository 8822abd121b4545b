"""How much a camera's footage can say: windows of one track are one piece of evidence, not hundreds."""

from __future__ import annotations

import numpy as np

from amiss.types import NO_TRACK, IntArray

__all__ = ["blocks_of", "track_numbers", "widened"]


def track_numbers(owners: IntArray, tracks: IntArray) -> IntArray:
    """`(N,)` number of each window's track among all clips, by where they begin.

    Windows without a track are each taken for one of their own.

    Args:
        owners: `(N,)` clip of each window.
        tracks: `(N,)` track within its clip.
    """
    alone = tracks == NO_TRACK
    names = np.column_stack([owners, tracks, np.where(alone, np.arange(len(tracks)), -1)])
    _, first, number = np.unique(names, axis=0, return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return np.asarray(order[number.ravel()])


def blocks_of(tracks: IntArray, blocks: int) -> IntArray:
    """`(N,)` which of so many blocks of time each window is in, by when its track begins.

    A track in two blocks would be compared with itself, and everything but an exact copy would be far from normal.
    Where fewer tracks than blocks are there, or one is there almost always, time itself is cut.

    Args:
        tracks: `(N,)` as `track_numbers` gives it, in order of time.
        blocks: How many.
    """
    rows = np.arange(len(tracks)) * blocks // max(len(tracks), 1)
    _, first, number = np.unique(tracks, return_index=True, return_inverse=True)
    found = rows[first][number.ravel()]
    largest = np.bincount(found, minlength=1).max(initial=0)
    return np.asarray(found if 2 * largest <= len(tracks) else rows)


def widened(spread: float, reach: float, tracks: int) -> float:
    """Standard deviation of left-out distances, if one more track were as far off as samples are from their middle.

    The rule of succession: what so few tracks have not shown may still be normal. It fades as tracks are added.

    Args:
        spread: Standard deviation of left-out distances.
        reach: How much further than the average distance that is; nothing is added where it is not further.
        tracks: From how many tracks the distances are.
    """
    return float(np.sqrt((tracks * spread**2 + max(reach, 0.0) ** 2) / (tracks + 1)))
