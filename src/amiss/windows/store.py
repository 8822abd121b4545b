"""The windows of a training set on disk: memory-mapped, one part a clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.perception.cache import Entry, EntryWriter, content_key
from amiss.types import BoolArray, FloatArray, IntArray, Windows

__all__ = ["WindowPart", "WindowStore", "WindowWriter"]

COLUMNS = ("frame", "seconds", "box", "track", "label")
DATA, CLOCK, CROPS = "data.", "clock", "crops"
IMAGE, CROP = "image", "crop"
BAG = "data.bag"
LEAST_CLIPS = 4
"""Fewer are held out in part and not as a whole."""
BATCH, BATCH_BYTES = 4096, 1 << 28
"""Windows and bytes that are read at once, at most."""


class WindowWriter:
    """Appends frames and their windows to an entry of the cache.

    Windows with `image` `(N, L, S, S, 3)` and `crop` `(N, L)`, the number of each picture, share pictures: each is
    written once.

    Args:
        writer: Of the entry.
    """

    def __init__(self, writer: EntryWriter) -> None:
        self._writer = writer
        self._rows: dict[int, int] = {}

    def append(self, seconds: float, windows: Windows) -> None:
        """Append the time stamp of a frame and the windows that it completes, if any."""
        self.at(seconds)
        self.close(windows)

    def at(self, seconds: float) -> None:
        """Append the time stamp of a frame."""
        self._writer.append({CLOCK: np.array([seconds], np.float64)})

    def close(self, windows: Windows) -> None:
        """Append windows that only the end of the footage completes."""
        self._writer.append({name: getattr(windows, name) for name in COLUMNS})
        data = dict(windows.data)
        if CROP in data:
            data[CROP] = self._shared(data.pop(IMAGE), data[CROP])
        self._writer.append({DATA + name: array for name, array in data.items()})

    def _shared(self, images: NDArray[Any], numbers: IntArray) -> IntArray:
        """Write pictures that were not written before; returns the row of each in the place of its number."""
        each, first = np.unique(numbers, return_index=True)
        new = np.array([int(number) not in self._rows for number in each], np.bool_)
        self._writer.append({CROPS: images.reshape(numbers.size, *images.shape[2:])[first[new]]})
        self._rows |= {int(number): len(self._rows) + place for place, number in enumerate(each[new])}
        return np.array([self._rows[int(number)] for number in numbers.ravel()], np.int64).reshape(numbers.shape)


@dataclass(frozen=True, eq=False)
class WindowPart:
    """The windows of one clip.

    Attributes:
        name: The clip's name.
        entry: The cache's entry that holds them.
        first: First row of the part within the entry.
        last: Row after its last.
        rows: Where it has only some of these: their numbers within the entry, ascending.
        leaves: Arrays of its windows' data that are not read.
        label: Of the whole video: 1 if something abnormal happens in it, 0 if nothing does, None if nobody says.
    """

    name: str
    entry: Entry
    first: int = 0
    last: int | None = None
    rows: IntArray | None = None
    leaves: tuple[str, ...] = ()
    label: int | None = None

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
        """One of the columns of its windows, such as `frame`, or of their data, such as `data.pose`."""
        return self.entry.arrays[name][self.numbers]

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the entries of the cache that hold it."""
        return (self.entry.key,)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from other parts."""
        return self.entry.key, self.first, self.stop

    @property
    def clock(self) -> FloatArray:
        """`(T,)` seconds of all frames of the whole clip."""
        return self.entry.arrays[CLOCK]

    def __getitem__(self, rows: slice | IntArray) -> Windows:
        """Windows by row within the part; only these are read from disk."""
        chosen = self._absolute(rows)
        arrays = self.entry.arrays
        names = [name for name in arrays if name.startswith(DATA) and name.removeprefix(DATA) not in self.leaves]
        data = {name.removeprefix(DATA): _read(arrays[name], chosen) for name in names}
        if CROP in data and IMAGE not in self.leaves:
            data[IMAGE] = np.asarray(arrays[CROPS][data[CROP]])
        return Windows(**{name: _read(arrays[name], chosen) for name in COLUMNS}, data=data)

    def _absolute(self, rows: slice | IntArray) -> slice | IntArray:
        """Rows of the part as rows of the entry."""
        if self.rows is not None:
            return np.asarray(self.rows[rows])
        if not isinstance(rows, slice):
            return np.asarray(rows) + self.first
        start, stop, _ = rows.indices(len(self))
        return slice(self.first + start, self.first + max(start, stop))

    def batches(self, size: int | None = None) -> Iterator[Windows]:
        """All windows in order, so many at once; by default as many as there is memory for, and bags as a whole."""
        if BAG in self.entry.arrays:
            bags = np.asarray(self.column(BAG))
            edges = [0, *(np.flatnonzero(np.diff(bags)) + 1).tolist(), len(bags)] if len(bags) else []
            yield from (self[first:last] for first, last in pairwise(edges))
            return
        size = size or max(min(BATCH, BATCH_BYTES // self.bytes_each), 1)
        for start in range(0, len(self), size):
            yield self[start : start + size]

    @property
    def bytes_each(self) -> int:
        """Of a window's data in memory."""
        arrays = self.entry.arrays
        read = [array for name, array in arrays.items() if name.startswith(DATA)]
        pictures = arrays[CROPS][0].nbytes * arrays[DATA + CROP].shape[1] if len(arrays.get(CROPS, ())) else 0
        return pictures + sum(int(np.prod(array.shape[1:])) * array.itemsize for array in read) + 1

    def without(self, *names: str) -> WindowPart:
        """The same windows without some of the arrays of their data."""
        return replace(self, leaves=(*self.leaves, *names))

    def at(self, frame: int) -> Windows:
        """The windows that are scored at a frame."""
        first, last = np.searchsorted(self.column("frame"), [frame, frame + 1])
        return self[int(first) : int(last)]

    def of(self, track: int, frame: int) -> Windows:
        """The window of a track that is scored nearest to a frame; of what has no track, all of that frame."""
        rows = np.flatnonzero(self.column("track") == track)
        frames = np.asarray(self.column("frame")[rows])
        apart = np.abs(frames - frame)
        return self[rows[frames == frames[apart.argmin()]] if len(rows) else rows]

    def between(self, start: float, stop: float) -> WindowPart:
        """The windows with `start <= seconds < stop`, as a part of their own."""
        first, last = np.searchsorted(self.column("seconds"), [start, stop])
        if self.rows is not None:
            return replace(self, rows=self.rows[first:last])
        return replace(self, first=self.first + int(first), last=self.first + int(last))

    def cut(self, share: float) -> float:
        """The second from which so large a share of its windows is held out; its first windows never are."""
        seconds = self.column("seconds")
        return max(float(np.quantile(seconds, 1 - share)), float(np.nextafter(seconds[0], np.inf)))

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

    def without(self, *names: str) -> WindowStore:
        """The same windows without some of the arrays of their data."""
        return WindowStore([part.without(*names) for part in self.parts])

    def fingerprint(self) -> str:
        """A key of its windows."""
        rows = ["" if part.rows is None else part.rows.tobytes().hex() for part in self.parts]
        marks = [part.label for part in self.parts]
        told = [marks] if any(mark is not None for mark in marks) else []
        return content_key([part.identity for part in self.parts], rows, *told)

    def split(self, share: float, seed: int) -> tuple[WindowStore, WindowStore]:
        """What to train on, and what to hold out: whole clips, or the end of each where there are few with windows.

        Args:
            share: Of the clips, or of each clip's windows; 0 holds nothing out.
            seed: Draws the clips.
        """
        parts = [part for part in self.parts if len(part)]
        if not share:
            return WindowStore(parts), WindowStore([])
        if len(parts) < LEAST_CLIPS:
            cuts = [part.cut(share) for part in parts]
            before = [part.between(-np.inf, cut) for part, cut in zip(parts, cuts, strict=True)]
            return WindowStore(before), WindowStore([p.between(c, np.inf) for p, c in zip(parts, cuts, strict=True)])
        order = np.random.default_rng(seed).permutation(len(parts))
        count = min(max(1, round(share * len(parts))), len(parts) - 1)
        held = set(order[:count].tolist())
        kept = [part for index, part in enumerate(parts) if index not in held]
        return WindowStore(kept), WindowStore([parts[index] for index in sorted(held)])

    def _take(self, chosen: BoolArray) -> tuple[Windows, IntArray]:
        windows, owners, start = [], [], 0
        for index, part in enumerate(self.parts):
            rows = np.flatnonzero(chosen[start : start + len(part)])
            start += len(part)
            if len(rows):
                windows.append(part[rows])
                owners.append(np.full(len(rows), index))
        return Windows.merge(windows), np.concatenate(owners)
