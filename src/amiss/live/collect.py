"""What a camera keeps of what it sees, to learn from: windows in blocks of some minutes, a bounded number of them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from amiss.live.nouns import Arrival
from amiss.live.settings import LearningSettings
from amiss.methods import Exemplar
from amiss.perception.cache import Cache, Entry, EntryWriter
from amiss.types import FloatArray, Image, Windows
from amiss.windows.store import WindowPart, WindowWriter

__all__ = ["Block", "Collector", "Learned", "learned", "read_blocks", "thumbnails"]

HEIGHT = 96
"""Pixels of a thumbnail."""
THUMBS, ROWS = "thumbs", "thumb_rows"
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
        end: Of its last.
    """

    part: WindowPart
    start: float
    end: float

    @property
    def hours(self) -> float:
        """How long it is."""
        return (self.end - self.start) / 3600

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
    """

    def __init__(self, folder: Path, settings: LearningSettings, zone: str) -> None:
        self._cache, self._settings, self._zone = Cache(folder), settings, ZoneInfo(zone)
        self._open = ExitStack()
        self._writer: EntryWriter | None = None
        self._windows: WindowWriter | None = None
        self._start = 0.0
        self._frames = 0
        self._first = 0
        self._last = (0.0, 0.0)
        self._thumbed: dict[int, float] = {}
        self._bytes = 0

    def add(self, arrival: Arrival, windows: Windows) -> None:
        """Keep the windows of a frame.

        Raises:
            StorageError: They cannot be written; the block so far is dropped.
        """
        long = arrival.at - self._start >= self._settings.block * 60
        if self._writer and (long or not 0 <= arrival.frame.seconds - self._last[1] <= self._settings.block * 60):
            self.close()
        if self._writer is None:
            self._begin(arrival)
        if self._writer is None or self._windows is None:
            return
        rows = windows.frame >= self._first  # a window that began before the block belongs to the one before
        inside = windows[rows]
        self._windows.append(arrival.frame.seconds, replace(inside, frame=inside.frame - self._first))
        self._frames, self._last = self._frames + 1, (arrival.at, arrival.frame.seconds)
        self._show(self._writer, arrival, inside)

    def _begin(self, arrival: Arrival) -> None:
        name = f"{datetime.fromtimestamp(arrival.at, UTC):%Y%m%dT%H%M%S%f}"
        self._open = ExitStack()
        self._writer = self._open.enter_context(self._cache.writing(name))
        self._windows = WindowWriter(self._writer)
        self._start, self._first, self._frames, self._bytes = arrival.at, arrival.frame.index, 0, 0
        self._thumbed = {}

    def _show(self, writer: EntryWriter, arrival: Arrival, windows: Windows) -> None:
        """A thumbnail of each track every few seconds, for examples of what is normal."""
        for window in windows if arrival.frame.index - self._first in windows.frame - self._first else ():
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
        writer.meta = {"start": self._start, "end": self._last[0]}
        self._open.close()
        self._thin()

    def _thin(self) -> None:
        """Of the hour of the week that most is kept of, drop the oldest, until there are few enough."""
        blocks = read_blocks(self._cache.root)
        while len(blocks) > self._settings.blocks:
            hours = [_hour(block, self._zone) for block in blocks]
            fullest = Counter(hours).most_common(1)[0][0]
            oldest = blocks.pop(hours.index(fullest))
            shutil.rmtree(self._cache.root / oldest.part.name)


def _hour(block: Block, zone: ZoneInfo) -> tuple[int, int]:
    """Day of the week (0 is Monday) and hour of the day."""
    begin = datetime.fromtimestamp(block.start, zone)
    return begin.weekday(), begin.hour


def read_blocks(folder: Path) -> list[Block]:
    """The whole blocks in a folder, in order of time; what was cut short is passed over."""
    cache = Cache(folder)
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    entries = [(name, entry) for name in names if (entry := cache.find(name)) and "start" in entry.meta]
    whole = [(name, entry) for name, entry in entries if "frame" in entry.arrays and len(entry.arrays["clock"]) > 1]
    return [Block(WindowPart(name, entry), entry.meta["start"], entry.meta["end"]) for name, entry in whole]


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
        hours[_hour(block, local)] += block.hours
    days = [DAYS[day] for day in range(7) if not hours[day].any()]
    nights = [f"{hour}:00" for hour in range(24) if not hours[:, hour].any()]
    missing = [f"nothing of {', '.join(days)}"] if days else []
    missing += [f"nothing of the hours from {', '.join(nights)}"] if nights else []
    return Learned(hours, len(blocks), sum(len(block.part) for block in blocks), tuple(missing))
