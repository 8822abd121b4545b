"""From the windows of a bag to its instances: tubes, parts of tubes, and segments of time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amiss.types import FloatArray, IntArray, Windows
from amiss.windows.tubes import MOMENT

__all__ = ["SEGMENTS", "Rows", "averaged", "bags_of", "parts_of", "segments_of", "times_of", "tubes_of"]

SEGMENTS = 32
"""Equal segments that the time of a video is divided into (videolets)."""

Rows = Sequence[IntArray]
"""The rows of each instance."""


def bags_of(windows: Windows) -> Rows:
    """The rows of each bag, in the order of their first rows."""
    _, first, owner = np.unique(windows.data["bag"], return_index=True, return_inverse=True)
    return [np.flatnonzero(owner == bag) for bag in np.argsort(first)]


def tubes_of(windows: Windows) -> Rows:
    """The rows of each tube, in order of time; tubes of different bags are different ones."""
    rows = np.flatnonzero(windows.data["kind"] != MOMENT)
    keys = np.column_stack([windows.data["bag"][rows], windows.track[rows]])
    order = np.lexsort((windows.data["block"][rows], keys[:, 1], keys[:, 0]))
    edges = np.flatnonzero((np.diff(keys[order], axis=0) != 0).any(1)) + 1
    return [rows[part] for part in np.split(order, edges) if len(part)]


def parts_of(tubes: Rows, size: int) -> Rows:
    """Each tube in equal parts of about `size` blocks."""
    return [part for tube in tubes for part in np.array_split(tube, max(round(len(tube) / size), 1))]


def segments_of(windows: Windows, count: int = SEGMENTS) -> Rows:
    """The rows of the whole picture in so many equal segments of time; fewer where there are fewer blocks."""
    rows = np.flatnonzero(windows.data["kind"] == MOMENT)
    rows = rows[np.argsort(windows.seconds[rows], kind="stable")]
    return np.array_split(rows, min(count, len(rows))) if len(rows) else []


def averaged(values: FloatArray, groups: Rows) -> FloatArray:
    """`(n, D)` float32 mean of the rows `(N, D)` of each instance."""
    found = [np.asarray(values[rows], np.float32).mean(0) for rows in groups]
    return np.stack(found) if found else np.zeros((0, values.shape[1]), np.float32)


def times_of(windows: Windows, groups: Rows) -> FloatArray:
    """`(n,)` float32 when each instance is, as a share of the time from the first window to the last."""
    seconds = np.asarray(windows.seconds)
    first = seconds.min(initial=np.inf)
    span = max(float(seconds.max(initial=-np.inf) - first), 1e-6)
    return np.array([(seconds[rows].mean() - first) / span for rows in groups], np.float32)
