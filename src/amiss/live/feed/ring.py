"""Pictures go from the process that decodes them to its parent through shared memory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from multiprocessing.connection import Connection

import numpy as np

from amiss.live.feed.block import Block
from amiss.types import Image

__all__ = ["Picture", "Ring"]

_HEAD = 8
_COLUMNS = 8
_STATE, _NUMBER, _RUN, _SECONDS, _START, _CLOCK, _HEIGHT, _WIDTH = range(_COLUMNS)
_TOLD, _DROPPED, _PUBLISHED = range(3)
_WORD = 8
_SPARE = 2  # one that is written, and one that is read
_PATIENCE = 0.02


class _State(IntEnum):
    FREE = 0
    WRITTEN = 1
    FULL = 2
    READ = 3


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture on its way.

    Attributes:
        image: `(H, W, 3)` uint8 RGB, upright.
        run: Number of the run of time stamps that it belongs to; a new connection, a new size, or a clock of the
            camera that jumped begin a new one.
        seconds: Since the first picture of its run, by the time stamps of the camera.
        start: When its run began, in seconds since 1970 by the wall clock.
        clock: When it was decoded, by the monotonic clock of this machine.
    """

    image: Image
    run: int
    seconds: float
    start: float
    clock: float


class Ring:
    """A few slots for pictures: one process puts them in, another takes them out, and neither waits for the other.

    Where more than `queue` pictures wait, the oldest is dropped and counted. A slot is free, written, full or read;
    states change under the lock, pixels are copied without it. Whoever writes or reads a slot has it for itself: the
    writer takes free slots alone, the reader full ones, so that no picture is ever seen half written. Of the
    `queue + 2` slots one is always free: at most `queue` are full, and one is read.

    Args:
        block: Memory of `Ring.size_of(queue, room)` bytes.
        queue: Most pictures that may wait.
        room: Bytes of the largest picture that fits.
    """

    def __init__(self, block: Block, queue: int, room: int) -> None:
        self._block, self._queue = block, queue
        self.room = room
        slots = queue + _SPARE
        self._head = block.array("float64", 0, _HEAD)
        self._slots = block.array("float64", _WORD * _HEAD, slots, _COLUMNS)
        self._pixels = block.array("uint8", _WORD * (_HEAD + slots * _COLUMNS), slots, room)

    @staticmethod
    def size_of(queue: int, room: int) -> int:
        """Bytes of memory that a ring needs."""
        slots = queue + _SPARE
        return _WORD * (_HEAD + slots * _COLUMNS) + slots * room

    @classmethod
    def create(cls, queue: int, room: int) -> Ring:
        """A new ring.

        Raises:
            OSError: There is not so much memory, or too many files are open.
        """
        return cls(Block.create(cls.size_of(queue, room)), queue, room)

    @classmethod
    def receive(cls, connection: Connection, queue: int, room: int) -> Ring:
        """A ring that another process sent."""
        return cls(Block.receive(connection, cls.size_of(queue, room)), queue, room)

    def send(self, connection: Connection) -> None:
        """Let the process at the other end of a connection have it."""
        self._block.send(connection)

    @property
    def dropped(self) -> int:
        """Pictures that were dropped because newer ones came before they were taken."""
        return int(self._head[_DROPPED])

    @property
    def published(self) -> int:
        """Pictures that were put in, including those dropped."""
        return int(self._head[_PUBLISHED])

    def put(self, picture: Picture) -> bool:
        """Put a picture in.

        Args:
            picture: One that fits.

        Returns:
            Whether the reader should be told; not where it was told and has not looked since.
        """
        with self._block.locked():
            slot = int(np.flatnonzero(self._slots[:, _STATE] == _State.FREE)[0])
            self._slots[slot, _STATE] = _State.WRITTEN
        self._pixels[slot, : picture.image.size] = picture.image.reshape(-1)
        height, width = picture.image.shape[:2]
        self._slots[slot, _RUN:] = (picture.run, picture.seconds, picture.start, picture.clock, height, width)
        with self._block.locked():
            return self._publish(slot)

    def _publish(self, slot: int) -> bool:
        """Make a slot full, drop the oldest where too many would wait, and say whether the reader must be told.

        In this order, so that a writer which is killed at any step leaves no more than the queue holds.
        """
        full = self._full()
        if len(full) >= self._queue:
            self._slots[full[0], _STATE] = _State.FREE
            self._head[_DROPPED] += 1
        self._slots[slot, _NUMBER] = self._head[_PUBLISHED]
        self._slots[slot, _STATE] = _State.FULL
        self._head[_PUBLISHED] += 1
        tell = not self._head[_TOLD]
        self._head[_TOLD] = 1
        return tell

    def _full(self) -> list[int]:
        """Full slots, the oldest first."""
        full = np.flatnonzero(self._slots[:, _STATE] == _State.FULL)
        return [int(slot) for slot in full[np.argsort(self._slots[full, _NUMBER])]]

    def take(self) -> list[Picture]:
        """Take out what waits, the oldest first; images own their pixels.

        A writer that was stopped while it held the lock makes this give less than there is, not wait.
        """
        taken = []
        for _ in range(self._queue):  # what comes meanwhile waits for the next time, and was told of
            slot = self._claim()
            if slot is None:
                break
            taken.append(self._copy(slot))
        self._claim_nothing()
        return taken

    def _claim(self) -> int | None:
        """The oldest full slot, which is the reader's from now on; the one it had before is free again."""
        try:
            with self._block.locked(_PATIENCE):
                self._free_read()
                self._head[_TOLD] = 0
                full = self._full()
                if full:
                    self._slots[full[0], _STATE] = _State.READ
                return full[0] if full else None
        except TimeoutError:
            return None

    def _claim_nothing(self) -> None:
        """Free what was read last; where the lock cannot be had, the next claim does so."""
        try:
            with self._block.locked(_PATIENCE):
                self._free_read()
        except TimeoutError:
            return

    def _free_read(self) -> None:
        self._slots[self._slots[:, _STATE] == _State.READ, _STATE] = _State.FREE

    def _copy(self, slot: int) -> Picture:
        run, seconds, start, clock, height, width = (float(value) for value in self._slots[slot, _RUN:])
        shape = int(height), int(width), 3
        image = self._pixels[slot, : shape[0] * shape[1] * shape[2]].reshape(shape).copy()
        return Picture(image, int(run), seconds, start, clock)

    def close(self) -> None:
        """Give the memory back."""
        self._block.close()
