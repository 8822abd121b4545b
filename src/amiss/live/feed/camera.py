"""A camera as the parent process has it: frames that arrive, incidents, numbers."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from amiss.live.feed.backoff import Backoff
from amiss.live.feed.board import Doing
from amiss.live.feed.child import Child
from amiss.live.feed.connection import Source
from amiss.live.feed.ring import Picture
from amiss.live.nouns import Arrival, Incident, IncidentKind
from amiss.live.settings import CameraSettings
from amiss.types import Frame

__all__ = ["Camera", "Numbers", "State"]

_log = logging.getLogger(__name__)
_LATELY = 5.0
_BEYOND = 0.001


class State(StrEnum):
    """What a camera does."""

    CONNECTING = "connecting"
    RUNNING = "running"
    WAITING = "waiting"
    """For the next attempt."""
    STOPPED = "stopped"
    """By whoever started it, or because its file is over."""


@dataclass(frozen=True)
class Numbers:
    """How a camera fares, since it was made.

    Attributes:
        state: What it does.
        decoded: Pictures that were decoded, including those that its rate leaves out.
        arrived: Frames that were taken.
        dropped: Frames that were not, because newer ones came first.
        corrupt: Packets and pictures that could not be decoded, or not without damage.
        reconnects: How often frames came again after a gap.
        restarts: How often its decoding process had to be started anew.
        rate: Frames a second that arrived lately.
        error: Why there are no frames, or were not the last time; without secrets.
        last: When the last frame came, in seconds since 1970; None before the first.
    """

    state: State
    decoded: int
    arrived: int
    dropped: int
    corrupt: int
    reconnects: int
    restarts: int
    rate: float
    error: str | None
    last: float | None


class _Stream:
    """Makes the seconds of a stream from those of its runs: they never go back, and jump from one run to the next."""

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._origin: float | None = None
        self._run: tuple[int, int] | None = None
        self._base = self._last = 0.0

    def seconds(self, run: tuple[int, int], seconds: float, clock: float) -> float:
        if self._origin is None:
            self._origin = clock
        elif run != self._run:
            self._base = max(clock - self._origin, self._last + self._gap + _BEYOND) - seconds
        self._run = run
        self._last = self._base + seconds
        return self._last


class Camera:
    """A camera that a process of its own decodes.

    Nothing here waits for the camera. Whoever owns it blocks on `ready`, of several cameras at once, and calls `take`,
    `incidents` and, every second or so, `watch`. All calls come from one thread.

    Args:
        name: Its name.
        settings: Its settings.
        gap: Seconds; between two connections the seconds of frames jump by more.

    Raises:
        ConfigError: An address of a kind that is not known.
    """

    def __init__(self, name: str, settings: CameraSettings, gap: float) -> None:
        self.name = name
        self._settings = settings
        self._address = Source.of(settings).address
        self._stream = _Stream(gap)
        self._backoff = Backoff(settings.retry)
        self._child: Child | None = None
        self._generation = 0
        self._again: float | None = None
        self._over = True
        self._arrivals: list[Arrival] = []
        self._news: list[Incident] = []
        self._lost: deque[tuple[tuple[int, int], str]] = deque()
        self._gap: Incident | None = None
        self._since = 0.0
        self._last: Arrival | None = None
        self._clocks: deque[float] = deque()
        self._numbers = Numbers(State.STOPPED, 0, 0, 0, 0, 0, 0, 0.0, None, None)

    def __repr__(self) -> str:
        return f"Camera({self.name!r}, {str(self._address)!r})"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def settings(self) -> CameraSettings:
        """What it was made with."""
        return self._settings

    def start(self) -> None:
        """Start to decode; nothing happens where that is so already."""
        if not self._over:
            return
        self._over, self._since = False, time.time()
        self._spawn()

    def stop(self) -> None:
        """End the decoding process; frames that wait can still be taken."""
        if self._child is not None:
            self._bury(self._child)
        self._again, self._over = None, True
        self._settle()

    @property
    def ready(self) -> tuple[Connection, ...]:
        """What `multiprocessing.connection.wait` wakes up for when there is something to take; ask anew each time."""
        return (self._child.connection,) if self._child is not None and self._child.speaks else ()

    def take(self) -> list[Arrival]:
        """All frames that wait, the oldest first; it never waits for any."""
        if self._child is not None:
            self._child.listen()
            self._take(self._child)
            self._check_over(self._child)
        self._settle()
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def incidents(self) -> list[Incident]:
        """What went wrong since the last call; one that has ended comes a second time, with its end."""
        news, self._news = self._news, []
        return news

    def watch(self) -> None:
        """Start the decoding process anew where it died or hangs."""
        child = self._child
        if child is not None:
            child.listen()
            self._check_over(child)
        if child is not None and not self._over:
            trouble = child.trouble()
            if trouble is not None:
                self._replace(child, trouble)
        if self._again is not None and time.monotonic() >= self._again:
            self._again = None
            self._spawn()

    @property
    def numbers(self) -> Numbers:
        """How it fares."""
        child = self._child
        oldest = time.monotonic() - _LATELY
        while self._clocks and self._clocks[0] < oldest:
            self._clocks.popleft()
        numbers = replace(self._numbers, state=self._state(), rate=len(self._clocks) / _LATELY)
        if child is None:
            return numbers
        return replace(
            numbers,
            decoded=numbers.decoded + child.decoded,
            corrupt=numbers.corrupt + child.corrupt,
            dropped=numbers.dropped + child.dropped,
        )

    def _state(self) -> State:
        if self._over:
            return State.STOPPED
        if self._child is None:
            return State.WAITING
        doing = self._child.doing
        return {Doing.CONNECTING: State.CONNECTING, Doing.RUNNING: State.RUNNING}.get(doing, State.WAITING)

    def _spawn(self) -> None:
        """A decoding process, or another attempt later where the system has no room for one."""
        self._generation += 1
        try:
            self._child = Child(self._settings, f"amiss-{self.name}")
        except OSError as error:
            reason = f"its decoding process cannot be started ({error.strerror or error})"
            self._lost.append(((self._generation, 0), reason))
            self._again = time.monotonic() + self._backoff.next()
            self._settle()

    def _replace(self, child: Child, trouble: str) -> None:
        """End a process that is of no use; a new one comes at once where frames had come, else after a while."""
        self._bury(child)
        if child.over:  # which it said last
            self._over = True
            return
        self._lost.append(((self._generation + 1, 0), trouble))
        self._settle()
        if child.fruitful:
            self._backoff.reset()
        self._again = time.monotonic() + (0.0 if child.fruitful else self._backoff.next())
        self._numbers = replace(self._numbers, restarts=self._numbers.restarts + 1)

    def _bury(self, child: Child) -> None:
        """Kill a process, and keep what it left."""
        child.kill()
        child.listen()
        self._take(child)
        self._numbers = replace(
            self._numbers,
            decoded=self._numbers.decoded + child.decoded,
            corrupt=self._numbers.corrupt + child.corrupt,
            dropped=self._numbers.dropped + child.dropped,
        )
        child.close()
        self._child = None

    def _take(self, child: Child) -> None:
        """Take what a process has decoded, in order with what it lost."""
        pictures, lost = child.take()
        self._lost.extend(((self._generation, loss.run), loss.reason) for loss in lost)
        for picture in pictures:
            self._settle((self._generation, picture.run))
            self._arrive(picture)

    def _check_over(self, child: Child) -> None:
        if child.over and not self._over:
            self._over = True
            _log.info("camera %s: its file is over", self.name)
            self._bury(child)

    def _settle(self, before: tuple[int, int] | None = None) -> None:
        """Say what was lost before a run, or all that was."""
        while self._lost and (before is None or self._lost[0][0] <= before):
            self._begin_gap(self._lost.popleft()[1])

    def _begin_gap(self, reason: str) -> None:
        if reason != self._numbers.error or self._gap is None:
            _log.warning("camera %s: %s", self.name, reason)
        self._numbers = replace(self._numbers, error=reason)
        if self._gap is None:
            start = self._since if self._last is None else max(self._since, self._last.at)
            self._gap = Incident(self.name, IncidentKind.GAP, start, None, reason)
            self._news.append(self._gap)

    def _end_gap(self, at: float) -> None:
        if self._gap is not None:
            end = max(at, self._gap.start)
            self._news.append(replace(self._gap, end=end))
            _log.info("camera %s: frames come again after %.1f s", self.name, end - self._gap.start)
            self._gap = None
            self._numbers = replace(self._numbers, reconnects=self._numbers.reconnects + 1)

    def _arrive(self, picture: Picture) -> None:
        run = self._generation, picture.run
        seconds = self._stream.seconds(run, picture.seconds, picture.clock)
        at = picture.start + picture.seconds
        arrival = Arrival(self.name, Frame(picture.image, self._numbers.arrived, seconds), at, picture.clock)
        self._end_gap(at)
        self._compare_size(arrival)
        self._last = arrival
        self._arrivals.append(arrival)
        self._clocks.append(picture.clock)
        self._numbers = replace(self._numbers, arrived=self._numbers.arrived + 1, last=at)

    def _compare_size(self, arrival: Arrival) -> None:
        """Tell where pictures have another size than before."""
        if self._last is None or self._last.frame.size == arrival.frame.size:
            return
        was, now = ("x".join(map(str, frame.size)) for frame in (self._last.frame, arrival.frame))
        detail = f"its pictures are {now} now and were {was} before"
        _log.warning("camera %s: %s", self.name, detail)
        start = min(self._last.at, arrival.at)
        self._news.append(Incident(self.name, IncidentKind.RESIZED, start, arrival.at, detail))
