"""The windows of a training set on disk: memory-mapped, one part a clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.perception.cache import Entry, EntryWriter, content_key
from amiss.types import BoolArray, FloatArray, IntArray, Windows

__all__ = ["WindowPart", "WindowStore", "write_frame", "write_windows"]

COLUMNS = ("frame", "seconds", "box", "track", "label")
DATA, CLOCK = "data.", "clock"


def write_windows(writer: EntryWriter, windows: Windows) -> None:
    """Append windows to an entry of the cache."""
    writer.append({name: getattr(windows, name) for name in COLUMNS})
    writer.append({DATA + name: array for name, array in windows.data.items()})


def write_frame(writer: EntryWriter, seconds: float) -> None:
    """Append the time stamp of a frame, whether or not it has windows."""
    writer.append({CLOCK: np.array([seconds], np.float64)})


@dataclass(frozen=True, eq=False)
class WindowPart:
    """The windows of one clip.

    Attributes:
        name: The clip's name.
        entry: The cache's entry that holds them.
        first: First row of the part within the entry.
        last: Row after its last.
        rows: Where it has only some of these: their numbers within the entry, ascending.
    """

    name: str
    entry: Entry
    first: int = 0
    last: int | None = None
    rows: IntArray | None = None

    @property
    def stop(self) -> int:
        """Row after the last, within the entry."""
        return len(self.entry.arrays["frame"]) if self.last is None else self.last

    def __len__(self) -> int:
        return self.stop - self.first if self.rows is None else len(self.rows)

    @property
    def numbers(self) -> slice | IntArray:
        """Its rows within the entry."""
        return slice(self.first, self.stop) if self.rows is None else self.rows

    def column(self, name: str) -> NDArray[Any]:
        """One of the columns of its windows, such as `frame`."""
        return self.entry.arrays[name][self.numbers]

    @property
    def clock(self) -> FloatArray:
        """`(T,)` seconds of all frames of the whole clip."""
        return self.entry.arrays[CLOCK]

    def __getitem__(self, rows: slice | IntArray) -> Windows:
        """Windows by row within the part; only these are read from disk."""
        chosen = self._absolute(rows)
        arrays = self.entry.arrays
        data = {name.removeprefix(DATA): _read(value, chosen) for name, value in arrays.items() if DATA in name}
        return Windows(**{name: _read(arrays[name], chosen) for name in COLUMNS}, data=data)

    def _absolute(self, rows: slice | IntArray) -> slice | IntArray:
        """Rows of the part as rows of the entry."""
        if self.rows is not None:
            return np.asarray(self.rows[rows])
        if not isinstance(rows, slice):
            return np.asarray(rows) + self.first
        start, stop, _ = rows.indices(len(self))
        return slice(self.first + start, self.first + max(start, stop))

    def batches(self, size: int = 4096) -> Iterator[Windows]:
        """All windows in order."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def at(self, frame: int) -> Windows:
        """The windows that are scored at a frame."""
        first, last = np.searchsorted(self.column("frame"), [frame, frame + 1])
        return self[int(first) : int(last)]

    def between(self, start: float, stop: float) -> WindowPart:
        """The windows with `start <= seconds < stop`, as a part of their own."""
        first, last = np.searchsorted(self.column("seconds"), [start, stop])
        if self.rows is not None:
            return replace(self, rows=self.rows[first:last])
        return WindowPart(self.name, self.entry, self.first + int(first), self.first + int(last))

    def only(self, chosen: BoolArray) -> WindowPart:
        """Some of its windows, as a part of their own.

        Args:
            chosen: `(N,)` whether to keep each.
        """
        numbers = self.numbers
        every = np.arange(numbers.start, numbers.stop) if isinstance(numbers, slice) else numbers
        return replace(self, rows=every[chosen])


def _read(array: NDArray[Any], rows: slice | IntArray) -> NDArray[Any]:
    """Rows in memory of their own; choosing by number has copied them already."""
    return np.array(array[rows]) if isinstance(rows, slice) else np.asarray(array[rows])


class WindowStore:
    """The windows of several clips.

    Args:
        parts: One a clip, or a time block of a clip.
    """

    def __init__(self, parts: Sequence[WindowPart]) -> None:
        self.parts = tuple(parts)

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def sample(self, number: int, generator: np.random.Generator) -> tuple[Windows, IntArray]:
        """At most `number` windows drawn without replacement, in the order of the store, and each one's part.

        Returns:
            The windows, and `(N,)` index of the part each comes from.
        """
        chosen = np.zeros(len(self), np.bool_)
        chosen[generator.permutation(len(self))[:number]] = True
        return self._take(chosen)

    def take(self, rows: IntArray) -> Windows:
        """Windows by their number in the whole store, in the order asked for; only these are read from disk.

        Args:
            rows: `(N,)` numbers from 0; one may come several times.

        Raises:
            IndexError: A number that the store does not have.
        """
        rows = np.asarray(rows, np.int64)
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of a store of {len(self)} windows")
        order = np.argsort(rows, kind="stable")  # memory that is mapped is read from front to back
        edges = np.cumsum([0, *map(len, self.parts)])
        cuts = np.searchsorted(rows[order], edges)
        pieces = [
            part[rows[order[first:last]] - start]
            for part, start, first, last in zip(self.parts, edges, cuts, cuts[1:], strict=False)
            if last > first
        ]
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return Windows.merge(pieces)[back] if pieces else Windows.merge([part[:0] for part in self.parts[:1]])

    def fingerprint(self) -> str:
        """A key of its windows."""
        rows = ["" if part.rows is None else part.rows.tobytes().hex() for part in self.parts]
        return content_key([(part.entry.key, part.first, part.stop) for part in self.parts], rows)

    def _take(self, chosen: BoolArray) -> tuple[Windows, IntArray]:
        windows, owners, start = [], [], 0
        for index, part in enumerate(self.parts):
            rows = np.flatnonzero(chosen[start : start + len(part)])
            start += len(part)
            if len(rows):
                windows.append(part[rows])
                owners.append(np.full(len(rows), index))
        return Windows.merge(windows), np.concatenate(owners)
