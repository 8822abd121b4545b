"""Score curves for drawing: few points that keep every peak, and all of them where few are left."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss.errors import StorageError
from amiss.live.curves import read_curve
from amiss.types import FloatArray

__all__ = ["Drawn", "read_between", "thin"]

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A piece of a curve.

    Attributes:
        at: `(N,)` seconds since 1970.
        calibrated: `(N,)` scores.
        exact: Whether these are all points that there are.
        frames: How many there are.
    """

    at: FloatArray
    calibrated: FloatArray
    exact: bool
    frames: int


def read_between(paths: Sequence[Path], start: float, end: float) -> tuple[FloatArray, FloatArray]:
    """Times and scores between two times, of the files that can be read.

    Args:
        paths: Of curves, in order of time.
        start: Seconds since 1970.
        end: Likewise.
    """
    pieces = [piece for path in paths if (piece := _read(path)) is not None]
    at = np.concatenate([np.zeros(0), *(piece[0] for piece in pieces)])
    calibrated = np.concatenate([np.zeros(0), *(piece[1] for piece in pieces)])
    inside = (at >= start) & (at <= end)
    at, calibrated = at[inside], calibrated[inside]
    order = np.argsort(at, kind="stable")
    return at[order], calibrated[order]


def _read(path: Path) -> tuple[FloatArray, FloatArray] | None:
    try:
        return read_curve([path])
    except StorageError as error:
        LOG.info("%s", error)
        return None


def thin(at: FloatArray, calibrated: FloatArray, points: int) -> Drawn:
    """Keep the lowest and the highest of each stretch, so that no peak is lost.

    Args:
        at: `(N,)` seconds, ascending.
        calibrated: `(N,)` scores.
        points: About how many to keep.
    """
    count = len(at)
    if count <= points:
        return Drawn(at, calibrated, exact=True, frames=count)
    edges = np.unique(np.linspace(0, count, max(points // 2, 1) + 1).astype(int))[:-1]
    # The place of the extreme of each stretch: sorted by stretch and score, it is the first or the last of its stretch.
    stretch = np.repeat(np.arange(len(edges)), np.diff(np.append(edges, count)))
    order = np.lexsort((calibrated, stretch))
    lowest, highest = order[edges], order[np.append(edges[1:], count) - 1]
    kept = np.unique(np.concatenate([lowest, highest, [0, count - 1]]))
    return Drawn(at[kept], calibrated[kept], exact=False, frames=count)
