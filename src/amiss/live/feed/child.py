"""The decoding process of a camera, as its parent handles it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from amiss.live.feed.board import Board, Doing
from amiss.live.feed.connection import GRACE
from amiss.live.feed.decoder import Ended, Lost, Ready, Wanted, decode
from amiss.live.feed.ring import Picture, Ring
from amiss.live.settings import CameraSettings

__all__ = ["Child"]

_BOOT = 60.0
_DEATH = 0.5


class Child:
    """A decoding process, the way to it, and the memory shared with it.

    Args:
        settings: Of the camera.
        name: Of the process.

    Attributes:
        connection: To it; wakes whoever waits for it when there is something to hear.
        speaks: Whether more may come from it.
        fruitful: Whether pictures came of it.
        over: Whether it has played its file to the end.

    Raises:
        OSError: The system has no room for another process.
    """

    def __init__(self, settings: CameraSettings, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue = settings.queue
        self._ring: Ring | None = None
        self._left: list[Picture] = []
        self._dropped = 0
        self._lost: list[Lost] = []
        self.fruitful = self.over = False
        self._board = Board.create()
        self._board.promise(_BOOT)
        self.connection, other = context.Pipe()
        self.speaks = True
        self._process = context.Process(target=decode, args=(settings, other), name=name, daemon=True)
        try:
            with _without_interrupts():
                self._process.start()
            self._board.send(self.connection)
        except OSError:
            self.kill()
            self.close()
            raise
        finally:
            other.close()

    @property
    def doing(self) -> Doing:
        """What it does."""
        return self._board.doing

    @property
    def decoded(self) -> int:
        """Pictures that it decoded."""
        return self._board.decoded

    @property
    def corrupt(self) -> int:
        """Packets and pictures that it could not decode."""
        return self._board.corrupt

    @property
    def dropped(self) -> int:
        """Pictures that were dropped because newer ones came before they were taken."""
        return self._dropped + (self._ring.dropped if self._ring is not None else 0)

    def listen(self) -> None:
        """Hear what it has said, without waiting for more."""
        for message in self._messages():
            if isinstance(message, Lost):
                self._lost.append(message)
            elif isinstance(message, Wanted):
                self._give_ring(message.room)
            self.over = self.over or isinstance(message, Ended)

    def take(self) -> tuple[list[Picture], list[Lost]]:
        """The pictures that wait, and what it said was lost; `listen` comes first."""
        (pictures, lost), self._left, self._lost = (self._left, self._lost), [], []
        pictures += self._ring.take() if self._ring is not None else []
        self.fruitful = self.fruitful or bool(pictures)
        return pictures, lost

    def _messages(self) -> Iterator[Ready | Wanted | Lost | Ended]:
        while self.speaks:
            try:
                if not self.connection.poll():
                    return
                yield self.connection.recv()
            except (EOFError, OSError):
                self.speaks = False  # it is dead, and `trouble` says so

    def _give_ring(self, room: int) -> None:
        """Make a ring for larger pictures; what waits in the old one is kept."""
        if self._ring is not None:
            self._left.extend(self._ring.take())
            self._dropped += self._ring.dropped
            self._ring.close()
            self._ring = None
        with suppress(BrokenPipeError, ConnectionResetError):  # it died meanwhile
            try:
                self._ring = Ring.create(self._queue, room)
            except OSError as error:
                self.connection.send(f"there is no memory for its pictures ({error}); close other programs")
                return
            self.connection.send(None)
            self._ring.send(self.connection)

    def trouble(self) -> str | None:
        """Why it is of no use any more, or None."""
        if not self.speaks:
            self._process.join(_DEATH)  # its end of the connection is closed a moment before it is dead
        if not self._process.is_alive():
            return f"its decoding process ended ({_how(self._process.exitcode)})"
        if not self.speaks:
            return "its decoding process closed its connection"
        if self._board.late > 0:
            return f"its decoding process gave no sign of life for more than {GRACE:g} s"
        return None

    def kill(self) -> None:
        """End it at once; it holds nothing that would have to be put in order."""
        if self._process.pid is not None:
            self._process.kill()
            self._process.join(_DEATH)

    def close(self) -> None:
        """Give back what was shared with it."""
        self.connection.close()
        self._board.close()
        if self._ring is not None:
            self._ring.close()
            self._ring = None
        self.speaks = False
        with suppress(ValueError):  # the system has not ended it yet; it is let go and reaped with the next one
            self._process.close()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """What is started meanwhile never hears of Ctrl-C, from its first instruction on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _how(code: int | None) -> str:
    """How a process ended, in words."""
    if code is not None and code < 0:
        return f"signal {-code}"
    return f"exit status {code}"
