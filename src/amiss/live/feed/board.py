"""What a decoding process lets its parent know at any time, without a word being sent."""

from __future__ import annotations

import time
from enum import IntEnum
from multiprocessing.connection import Connection

from amiss.live.feed.block import Block

__all__ = ["Board", "Doing"]

_FIELDS = 4
_SIZE = 8 * _FIELDS
_PROMISE, _DOING, _DECODED, _CORRUPT = range(_FIELDS)


class Doing(IntEnum):
    """What the decoding process of a camera does."""

    CONNECTING = 0
    RUNNING = 1
    WAITING = 2


class Board:
    """A few numbers in shared memory, written by the decoding process alone; each is whole by itself.

    A process that may have to wait for a camera cannot beat time. It promises instead when it will give the next sign
    of life; one that breaks its promise hangs.

    Args:
        block: Where they are.
    """

    def __init__(self, block: Block) -> None:
        self._block = block
        self._values = block.array("float64", 0, _FIELDS)

    @classmethod
    def create(cls) -> Board:
        """A new one, whose promise is broken already.

        Raises:
            OSError: There is no memory, or too many files are open.
        """
        return cls(Block.create(_SIZE))

    @classmethod
    def receive(cls, connection: Connection) -> Board:
        """One that another process sent."""
        return cls(Block.receive(connection, _SIZE))

    def send(self, connection: Connection) -> None:
        """Let the process at the other end of a connection have it."""
        self._block.send(connection)

    def promise(self, seconds: float) -> None:
        """Say that the next sign of life comes within so many seconds from now."""
        self._values[_PROMISE] = time.monotonic() + seconds

    @property
    def late(self) -> float:
        """Seconds since the promise was broken; negative while it holds."""
        return time.monotonic() - float(self._values[_PROMISE])

    @property
    def doing(self) -> Doing:
        """What the process does."""
        return Doing(int(self._values[_DOING]))

    @doing.setter
    def doing(self, doing: Doing) -> None:
        self._values[_DOING] = doing

    @property
    def decoded(self) -> int:
        """Pictures that were decoded, including those left out for the sake of the rate."""
        return int(self._values[_DECODED])

    def count_decoded(self) -> None:
        """One picture more."""
        self._values[_DECODED] += 1

    @property
    def corrupt(self) -> int:
        """Packets and pictures that could not be decoded, or not without damage."""
        return int(self._values[_CORRUPT])

    def count_corrupt(self) -> None:
        """One more."""
        self._values[_CORRUPT] += 1

    def close(self) -> None:
        """Give the memory back."""
        self._block.close()
