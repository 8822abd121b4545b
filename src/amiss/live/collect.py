"""What a camera keeps of what it sees, to learn from: windows in blocks of some minutes, a bounded number of them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from amiss.errors import StorageError
from amiss.live.nouns import Arrival
from amiss.live.settings import LearningSettings
from amiss.methods import Exemplar
from amiss.perception.cache import INDEX, Cache, Entry, EntryWriter
from amiss.storage import storage_errors
from amiss.types import FloatArray, Image, Windows
from amiss.windows.store import WindowPart, WindowWriter

__all__ = ["Block", "Collector", "Learned", "block_times", "learned", "read_blocks", "thumbnails"]

HEIGHT = 96
"""Pixels of a thumbnail."""
THUMBS, ROWS = "thumbs", "thumb_rows"
PAUSE = 60.0
"""Seconds after which a block is begun again when one could not be written."""
AGAIN = 3.0
"""Seconds after which a track gets another thumbnail."""
MARGIN = 0.25
"""Of a box's size around it that a thumbnail shows as well."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some minutes of what a camera saw.

    Attributes:
        part: Its windows.
        start: Seconds since 1970 of its first frame.
        hours: How long it is, gaps left out.
    """

    part: WindowPart
    start: float
    hours: float

    def without(self, spans: Sequence[tuple[float, float]]) -> WindowPart:
        """Its windows but for those of some stretches of time, in seconds since 1970."""
        seconds = np.asarray(self.part.column("seconds"))
        at = seconds - float(self.part.clock[0]) + self.start
        inside = np.zeros(len(at), np.bool_)
        for start, end in spans:
            inside |= (at >= start) & (at <= end)
        return replace(self.part, rows=np.flatnonzero(~inside)) if inside.any() else self.part


class Collector:
    """Keeps the windows of one camera.

    Args:
        folder: Where to.
        settings: How long a block is, how many are kept.
        zone: Time zone in which hours of the week are counted.
        gap: A jump in time of more seconds than this is none that was seen.
    """

    def __init__(self, folder: Path, settings: LearningSettings, zone: str, gap: float) -> None:
        self._cache, self._settings, self._zone, self._gap = Cache(folder), settings, ZoneInfo(zone), gap
        self._open = ExitStack()
        self._writer: EntryWriter | None = None
        self._windows: WindowWriter | None = None
        self._start = self._covered = 0.0
        self._frames = self._first = 0
        self._last = (0.0, 0.0)
        self._thumbed: dict[int, float] = {}
        self._bytes = 0
        self._resume = -np.inf

    def add(self, arrival: Arrival, windows: Windows) -> None:
        """Keep the windows of a frame.

        Raises:
            StorageError: They cannot be written; the block so far is dropped, and the next begins a minute later.
        """
        if arrival.frame.seconds < self._resume:
            return
        if self._writer and not self._goes_on(arrival):
            self.close()
        try:
            with storage_errors(self._cache.root):
                self._append(self._writer or self._begin(arrival), arrival, windows)
        except StorageError:
            self._give_up(arrival)
            raise

    def _goes_on(self, arrival: Arrival) -> bool:
        """Whether a frame belongs to the block: it is the next one, and not too late."""
        longest = self._settings.block * 60
        apart = arrival.at - self._start, arrival.frame.seconds - self._last[1]
        return arrival.frame.index == self._first + self._frames and all(0 <= some < longest for some in apart)

    def _append(self, writer: EntryWriter, arrival: Arrival, windows: Windows) -> None:
        if self._windows is None:
            return
        inside = windows[windows.frame >= self._first]  # one that began before the block belongs to the one before
        self._windows.append(arrival.frame.seconds, replace(inside, frame=inside.frame - self._first))
        step = arrival.frame.seconds - self._last[1] if self._frames else 0.0
        self._covered += step if step <= self._gap else 0.0
        self._frames, self._last = self._frames + 1, (arrival.at, arrival.frame.seconds)
        self._show(writer, arrival, inside)

    def _begin(self, arrival: Arrival) -> EntryWriter:
        name = f"{datetime.fromtimestamp(arrival.at, UTC):%Y%m%dT%H%M%S%f}"
        self._open = ExitStack()
        self._writer = self._open.enter_context(self._cache.writing(name))
        self._windows = WindowWriter(self._writer)
        self._start, self._first, self._frames, self._bytes = arrival.at, arrival.frame.index, 0, 0
        self._covered, self._thumbed = 0.0, {}
        return self._writer

    def _give_up(self, arrival: Arrival) -> None:
        """Drop the block: a disk that is full stays so for a while."""
        self._resume = arrival.frame.seconds + PAUSE
        if self._writer is not None:
            self._writer, self._windows = None, None
            with suppress(StorageError):
                self._open.__exit__(StorageError, StorageError("dropped"), None)

    def _show(self, writer: EntryWriter, arrival: Arrival, windows: Windows) -> None:
        """A thumbnail of each track every few seconds, for examples of what is normal."""
        for window in windows[windows.frame == arrival.frame.index]:
            if arrival.frame.seconds - self._thumbed.get(window.track, -np.inf) < AGAIN:
                continue
            self._thumbed[window.track] = arrival.frame.seconds
            jpeg = np.frombuffer(_thumbnail(arrival.frame.image, window.box), np.uint8)
            place = window.track, arrival.frame.index - self._first, self._bytes, self._bytes + len(jpeg)
            writer.append({THUMBS: jpeg, ROWS: np.array([place], np.int64)})
            self._bytes += len(jpeg)

    def close(self) -> None:
        """End the block: it is kept when it is whole, and what is too much is dropped.

        Raises:
            StorageError: It cannot be written.
        """
        writer, self._writer, self._windows = self._writer, None, None
        if writer is None:
            return
        writer.meta = {"start": self._start, "hours": self._covered / 3600}
        self._open.close()
        self._thin()

    def forget(self) -> None:
        """Drop all that is kept: it is no longer what this camera sees.

        Raises:
            StorageError: The block that goes on cannot be ended.
        """
        self.close()
        for name in block_times(self._cache.root):
            shutil.rmtree(self._cache.root / name, ignore_errors=True)

    def _thin(self) -> None:
        """Of the hour of the week that most is kept of, drop the oldest, until there are few enough."""
        blocks = block_times(self._cache.root)
        hours = {name: _hour(start, self._zone) for name, (start, _) in blocks.items()}
        while len(hours) > self._settings.blocks:
            fullest = Counter(hours.values()).most_common(1)[0][0]
            oldest = next(name for name, hour in hours.items() if hour == fullest)
            del hours[oldest]
            shutil.rmtree(self._cache.root / oldest, ignore_errors=True)


def _hour(start: float, zone: ZoneInfo) -> tuple[int, int]:
    """Day of the week (0 is Monday) and hour of the day."""
    begin = datetime.fromtimestamp(start, zone)
    return begin.weekday(), begin.hour


def block_times(folder: Path) -> dict[str, tuple[float, float]]:
    """Of the blocks in a folder, in order of time, by name: when each begins and its hours; nothing else is read."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    found = {name: _times(folder / name / INDEX) for name in names}
    return {name: times for name, times in found.items() if times}


def _times(index: Path) -> tuple[float, float] | None:
    """When a block begins and its hours; None where it is none, or was cut short."""
    try:
        meta = json.loads(index.read_text(encoding="utf-8"))["meta"]
        return float(meta["start"]), float(meta["hours"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_blocks(folder: Path) -> list[Block]:
    """The whole blocks in a folder, in order of time; what was cut short is passed over."""
    cache = Cache(folder)
    entries = [(name, times, cache.find(name)) for name, times in block_times(folder).items()]
    whole = [
        (name, times, entry)
        for name, times, entry in entries
        if entry and "frame" in entry.arrays and len(entry.arrays["clock"]) > 1
    ]
    return [Block(WindowPart(name, entry), *times) for name, times, entry in whole]


def _thumbnail(image: Image, box: FloatArray) -> bytes:
    """The box with a margin around it, as a small JPEG."""
    x1, y1, x2, y2 = (float(value) for value in box)
    pad_x, pad_y = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    height, width = image.shape[:2]
    piece = image[int(max(y1 - pad_y, 0)) : int(min(y2 + pad_y, height)) + 1]
    piece = piece[:, int(max(x1 - pad_x, 0)) : int(min(x2 + pad_x, width)) + 1]
    size = max(round(piece.shape[1] * HEIGHT / piece.shape[0]), 8), HEIGHT
    shown = cv2.cvtColor(cv2.resize(piece, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())


def thumbnails(blocks: Sequence[Block], exemplars: Sequence[Exemplar]) -> dict[str, bytes]:
    """JPEGs of normal examples, `0000.jpg` and on: of the same track, a moment before or after where need be.

    Args:
        blocks: That the exemplars come from.
        exemplars: Chosen by the method; those that nothing was kept of are left out.
    """
    entries = {block.part.name: block.part.entry for block in blocks}
    found = {f"{index:04d}.jpg": _find(entries[one.clip], one) for index, one in enumerate(exemplars)}
    return {name: jpeg for name, jpeg in found.items() if jpeg}


def _find(entry: Entry, exemplar: Exemplar) -> bytes:
    arrays = entry.arrays
    if ROWS not in arrays:
        return b""
    here = np.flatnonzero(np.asarray(arrays["frame"]) == exemplar.frame)
    if not len(here):
        return b""
    row = here[int(np.abs(arrays["box"][here] - exemplar.box).sum(1).argmin())]
    rows = np.asarray(arrays[ROWS])
    same = rows[rows[:, 0] == int(arrays["track"][row])]
    if not len(same):
        return b""
    _, _, first, last = same[int(np.abs(same[:, 1] - exemplar.frame).argmin())]
    return bytes(np.asarray(arrays[THUMBS][first:last]).tobytes())


@dataclass(frozen=True, eq=False)
class Learned:
    """What a camera has seen so far.

    Attributes:
        hours: `(7, 24)` hours of footage that are kept, by day of the week (0 is Monday) and hour of the day.
        blocks: How many blocks.
        windows: How many windows.
        missing: In sentences, what a week has that nothing is kept of.
    """

    hours: FloatArray
    blocks: int
    windows: int
    missing: tuple[str, ...]


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def learned(blocks: Sequence[Block], zone: str) -> Learned:
    """Sum up what is kept of what a camera saw.

    Args:
        blocks: As `read_blocks` gives them.
        zone: Time zone in which hours of the week are counted.
    """
    hours = np.zeros((7, 24))
    local = ZoneInfo(zone)
    for block in blocks:
        hours[_hour(block.start, local)] += block.hours
    days = [DAYS[day] for day in range(7) if not hours[day].any()]
    nights = [f"{hour}:00" for hour in range(24) if not hours[:, hour].any()]
    missing = [f"nothing of {', '.join(days)}"] if days else []
    missing += [f"nothing of the hours from {', '.join(nights)}"] if nights else []
    return Learned(hours, len(blocks), sum(len(block.part) for block in blocks), tuple(missing))
