"""Bundles: the windows that several methods ask for, of the same frames, seen once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from amiss.perception.cache import content_key
from amiss.perception.seen import Seen
from amiss.types import NO_TRACK, BoolArray, IntArray, Windows
from amiss.windows.store import BATCH, BATCH_BYTES, COLUMNS, WindowPart, WindowWriter

__all__ = ["Bundle", "BundleBuilder", "BundlePart", "BundleWriter", "bundled"]


@dataclass(frozen=True, eq=False)
class Bundle(Windows):
    """The windows of several methods, in order of frames; their frames are those of one clip.

    `data` has for each window the number of its method, `member` `(N,)` int64, its row in the table of that method,
    `row` `(N,)` int64, and `step` `(N,)` float32, as the windows themselves have it. Some rows of a bundle share its
    tables.

    Attributes:
        tables: The windows of each method by its name, with their own data.
    """

    tables: Mapping[str, Windows] = field(default_factory=dict)

    def of(self, name: str) -> Windows:
        """The windows of one method."""
        rows = self.data["row"][self.data["member"] == list(self.tables).index(name)]
        table = self.tables[name]
        return table if np.array_equal(rows, np.arange(len(table))) else table[rows]

    @classmethod
    def merge(cls, tables: Sequence[Self]) -> Self:
        """All rows of several bundles of the same methods, in order."""
        offsets = {name: np.cumsum([0, *(len(t.tables[name]) for t in tables)]) for name in tables[0].tables}
        columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in COLUMNS}
        data = {name: np.concatenate([table.data[name] for table in tables]) for name in tables[0].data}
        shifts = [np.array([offsets[name][number] for name in offsets]) for number in range(len(tables))]
        moved = [table.data["row"] + shift[table.data["member"]] for table, shift in zip(tables, shifts, strict=True)]
        data["row"] = np.concatenate(moved)
        joined = {name: Windows.merge([table.tables[name] for table in tables]) for name in tables[0].tables}
        return cls(**columns, data=data, tables=joined)


def bundled(tables: Mapping[str, Windows]) -> Bundle:
    """The windows of several methods as one table, in order of frames."""
    each = list(tables.values())
    member = np.repeat(np.arange(len(each)), [len(table) for table in each])
    row = np.concatenate([np.arange(len(table)) for table in each])
    order = np.argsort(np.concatenate([table.frame for table in each]), kind="stable")
    columns = {name: np.concatenate([getattr(table, name) for table in each])[order] for name in COLUMNS}
    step = np.concatenate([np.asarray(table.data["step"], np.float32) for table in each])[order]
    return Bundle(**columns, data={"member": member[order], "row": row[order], "step": step}, tables=tables)


class _Builder(Protocol):
    """What makes the windows of one method."""

    def reset(self) -> None: ...

    def update(self, seen: Seen) -> Windows: ...


class BundleBuilder:
    """Makes the windows of several methods of what was seen once.

    Args:
        builders: Of each method, by its name.
    """

    def __init__(self, builders: Mapping[str, _Builder]) -> None:
        self._builders = builders

    def reset(self) -> None:
        """Forget the frames before."""
        for builder in self._builders.values():
            builder.reset()

    def update(self, seen: Seen) -> Bundle:
        """The windows that this frame completes."""
        return bundled({name: builder.update(seen) for name, builder in self._builders.items()})


class BundleWriter:
    """Appends the windows of several methods, each to an entry of its own.

    Args:
        writers: By the name of the method; windows of others are not written.
    """

    def __init__(self, writers: Mapping[str, WindowWriter]) -> None:
        self._writers = writers

    def append(self, seconds: float, windows: Windows) -> None:
        """Append the time stamp of a frame and the windows that it completes, if any."""
        for name, writer in self._writers.items():
            writer.append(seconds, windows.of(name) if isinstance(windows, Bundle) else windows)


@dataclass(frozen=True, eq=False)
class BundlePart(WindowPart):
    """The windows that several methods ask for of one clip.

    Attributes:
        parts: Those of each method, by its name.
    """

    parts: Mapping[str, WindowPart] = field(default_factory=dict)

    @classmethod
    def of_parts(cls, parts: Mapping[str, WindowPart]) -> BundlePart:
        """The parts of the same clip as one."""
        first = next(iter(parts.values()))
        return cls(first.name, first.entry, parts=parts)

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts.values())

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the entries of the cache that hold the windows of the methods."""
        return tuple(key for part in self.parts.values() for key in part.keys)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from other parts."""
        chosen = {
            name: "" if part.rows is None else content_key(part.rows.tolist()) for name, part in self.parts.items()
        }
        return tuple((name, part.identity, chosen[name]) for name, part in self.parts.items())

    def column(self, name: str) -> NDArray[Any]:
        """One of the columns of its windows, such as `frame`."""
        every = np.concatenate([np.asarray(part.column(name)) for part in self.parts.values()])
        return np.asarray(every[self._order()])

    def _order(self) -> IntArray:
        """`(N,)` the rows of all methods, one after the other, in order of frames."""
        return np.argsort(np.concatenate([part.column("frame") for part in self.parts.values()]), kind="stable")

    def _split(self, numbers: IntArray) -> Bundle:
        """The windows whose numbers, one method after the other, are given."""
        edges = np.cumsum([0, *(len(part) for part in self.parts.values())])
        chosen = [numbers[(numbers >= a) & (numbers < b)] - a for a, b in pairwise(edges)]
        return bundled({name: part[rows] for (name, part), rows in zip(self.parts.items(), chosen, strict=True)})

    def __getitem__(self, rows: slice | IntArray) -> Bundle:
        """Windows by row within the part, in order of frames; only these are read from disk."""
        return self._split(np.sort(self._order()[rows]))

    def batches(self, size: int | None = None) -> Iterator[Bundle]:
        """All windows in order, about so many at once; all of a frame are in one batch."""
        each = sum(part.bytes_each for part in self.parts.values())
        size = size or max(min(BATCH, BATCH_BYTES // each), 1)
        columns = {name: np.asarray(part.column("frame")) for name, part in self.parts.items()}
        frames = np.sort(np.concatenate(list(columns.values())))
        edges = [*np.unique(frames[::size]).tolist(), np.inf] if len(frames) else []
        for first, last in pairwise(edges):
            rows = {name: np.searchsorted(column, [first, last]) for name, column in columns.items()}
            yield bundled({name: part[slice(*map(int, rows[name]))] for name, part in self.parts.items()})

    def without(self, *names: str) -> BundlePart:
        """The same windows without some of the arrays of their data."""
        return self._each({name: part.without(*names) for name, part in self.parts.items()})

    def at(self, frame: int) -> Bundle:
        """The windows that are scored at a frame."""
        return bundled({name: part.at(frame) for name, part in self.parts.items()})

    def of(self, track: int, frame: int) -> Bundle:
        """Each method's window of a track that is scored nearest to a frame; of whole frames, that of the frame."""
        found = {name: part.of(track, frame) for name, part in self.parts.items()}
        whole = {name: self.parts[name].of(NO_TRACK, frame) for name, windows in found.items() if not len(windows)}
        return bundled(found | whole)

    def between(self, start: float, stop: float) -> BundlePart:
        """The windows with `start <= seconds < stop`, as a part of their own."""
        return self._each({name: part.between(start, stop) for name, part in self.parts.items()})

    def only(self, chosen: BoolArray) -> BundlePart:
        """Some of its windows, as a part of their own.

        Args:
            chosen: `(N,)` whether to keep each.
        """
        back = np.empty(len(self), np.bool_)
        back[self._order()] = chosen
        cuts = np.split(back, np.cumsum([len(part) for part in self.parts.values()])[:-1])
        return self._each({name: part.only(kept) for (name, part), kept in zip(self.parts.items(), cuts, strict=True)})

    def _each(self, parts: Mapping[str, WindowPart]) -> BundlePart:
        return replace(self, parts=parts)
