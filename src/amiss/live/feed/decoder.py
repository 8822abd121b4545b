"""The process that decodes one camera."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from amiss.config import MasksConfig
from amiss.errors import CameraError
from amiss.live.feed.backoff import Backoff
from amiss.live.feed.board import Board, Doing
from amiss.live.feed.connection import GRACE, Feed
from amiss.live.feed.ring import Picture, Ring
from amiss.live.settings import CameraSettings
from amiss.perception.masks import Masks
from amiss.types import Frame

__all__ = ["Ended", "Lost", "Ready", "Wanted", "decode"]


@dataclass(frozen=True)
class Ready:
    """There are pictures in the ring."""


@dataclass(frozen=True)
class Wanted:
    """A ring is needed whose slots have so many bytes."""

    room: int


@dataclass(frozen=True)
class Lost:
    """The camera was lost, or could not be reached.

    Attributes:
        reason: Why, without secrets.
        run: Pictures of this run and later ones came after it.
    """

    reason: str
    run: int


@dataclass(frozen=True)
class Ended:
    """A file was played to its end."""


def decode(settings: CameraSettings, connection: Connection) -> None:
    """Decode a camera until the parent is gone, or a file is over.

    What `connection` brings from the parent first is the board; rings are asked for when their size is known.

    Args:
        settings: Of the camera.
        connection: To the parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its children
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _Decoder(settings, connection, Board.receive(connection)).run()
    except (EOFError, ConnectionError):
        return  # the parent has closed its end


def _end_with_parent() -> None:
    """Leave at once when the parent is gone, in whatever call the process may be."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(0)


class _Decoder:
    """Connects, decodes, masks, and hands pictures to the parent; connects anew for ever."""

    def __init__(self, settings: CameraSettings, connection: Connection, board: Board) -> None:
        self._settings, self._connection, self._board = settings, connection, board
        self._masks = Masks(MasksConfig(privacy=settings.privacy))
        self._ring: Ring | None = None
        self._backoff = Backoff(settings.retry)
        self._run = 0

    def run(self) -> None:
        while True:
            self._board.doing = Doing.CONNECTING
            feed = Feed(self._settings, self._board, self._run)
            reason = self._follow(feed)
            self._run = feed.next_run
            del feed
            gc.collect()  # a closed container holds a megabyte in cycles, which would pile up for long
            if reason is not None:
                self._board.doing = Doing.WAITING
                self._connection.send(Lost(reason, self._run))
                self._sleep(self._backoff.next())
            elif not self._settings.repeat:
                self._connection.send(Ended())
                return

    def _follow(self, feed: Feed) -> str | None:
        """Hand on all pictures of a connection; why it was lost, or None where it was a file that is over."""
        try:
            for picture in feed:
                self._hand_on(picture)
        except CameraError as error:
            return str(error)
        return None

    def _hand_on(self, picture: Picture) -> None:
        masked = self._masks.apply(Frame(picture.image, 0, 0.0)).image
        size = masked.size
        if self._ring is None or size > self._ring.room:
            self._ring = self._ask_for_ring(size)
        ready = self._ring.put(Picture(masked, picture.run, picture.seconds, picture.start, picture.clock))
        self._board.doing = Doing.RUNNING
        self._backoff.reset()
        if ready:
            self._connection.send(Ready())

    def _ask_for_ring(self, room: int) -> Ring:
        """A ring from the parent, who takes first what still waits in the old one."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None
        self._connection.send(Wanted(room))
        while not self._connection.poll(1.0):
            self._board.promise(GRACE)
        refusal: str | None = self._connection.recv()
        if refusal is not None:
            raise CameraError(refusal)
        return Ring.receive(self._connection, self._settings.queue, room)

    def _sleep(self, seconds: float) -> None:
        self._board.promise(seconds + GRACE)
        time.sleep(seconds)
