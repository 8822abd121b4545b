"""What a stage gave for each frame of a video: kept on disk as it comes, or read back instead of asking the stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.perception.cache import Entry, EntryWriter

__all__ = ["Rows", "StageLog"]

Rows = Mapping[str, NDArray[Any]]
"""Named columns of one frame, with a row per thing."""

COUNT = "rows_of_frame"


class StageLog:
    """The rows of one stage, frame after frame.

    Args:
        kept: What an earlier run has left, None to ask the stage.
        writer: Where to keep what the stage gives, None to keep nothing.
    """

    def __init__(self, kept: Entry | None = None, writer: EntryWriter | None = None) -> None:
        self._kept, self._writer = kept, writer
        self._ends = np.cumsum(kept.arrays[COUNT]) if kept else np.zeros(0, np.int64)
        self._frame = 0

    @property
    def known(self) -> bool:
        """Whether an earlier run has left its rows, so that the stage is not asked."""
        return self._kept is not None

    def next(self, ask: Callable[[], Rows]) -> Rows:
        """The rows of the next frame; `ask` has the stage find them where they are not known."""
        if self._kept:
            return self._read(self._kept)
        rows = ask()
        if self._writer:
            count = len(next(iter(rows.values())))
            self._writer.append({**rows, COUNT: np.array([count], np.int64)})
        return rows

    def _read(self, kept: Entry) -> Rows:
        end = int(self._ends[self._frame])
        start = int(self._ends[self._frame - 1]) if self._frame else 0
        self._frame += 1
        return {name: np.array(column[start:end]) for name, column in kept.arrays.items() if name != COUNT}
