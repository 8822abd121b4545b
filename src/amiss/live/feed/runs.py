"""Times of the pictures of a connection."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from amiss.footage.file import TimeLine

__all__ = ["Moment", "Runs", "Thinning"]

_APART = 10.0


@dataclass(frozen=True)
class Moment:
    """When a picture was.

    Attributes:
        run: Number of its run.
        seconds: Since the first picture of the run, by time stamps.
        start: When the run began, by the wall clock.
        began: The same by the monotonic clock.
        clock: When the picture was decoded, by the monotonic clock.
    """

    run: int
    seconds: float
    start: float
    began: float
    clock: float

    @property
    def due(self) -> float:
        """When it is shown by the monotonic clock, where time stamps set the pace."""
        return self.began + self.seconds

    def at(self, clock: float) -> Moment:
        """The same, ready at another time."""
        return replace(self, clock=clock)


class Runs:
    """Makes runs of pictures, within which time stamps can be relied on; see `TimeLine` for these.

    A new run begins with a picture of another size. It also begins where the camera's clock and this machine's are
    apart by more than ten seconds since the run began: the camera's clock was set, or has drifted for long.

    Args:
        first: Number of the first run.
    """

    def __init__(self, first: int = 0) -> None:
        self.next_number = first
        self._rate, self._paced = 25.0, False
        self._line = TimeLine(self._rate)
        self._kind: tuple[int, ...] | None = None
        self._run: Moment | None = None

    def begin(self, rate: float, *, paced: bool) -> None:
        """A connection was made.

        Args:
            rate: Nominal frames per second.
            paced: Whether pictures wait for their time, so that no clock of a camera can be wrong.
        """
        self._rate, self._paced, self._run = rate, paced, None

    def next(self, stamp: float | None, kind: tuple[int, ...]) -> Moment:
        """Times of the next picture.

        Args:
            stamp: Its time stamp in seconds of the camera's own clock, or None.
            kind: Its size, and whatever else is the same for all pictures of a run.
        """
        now = time.monotonic()
        if self._run is None or kind != self._kind:
            return self._anew(stamp, kind, now)
        seconds = self._line.next(stamp)
        if not self._paced and abs(seconds - (now - self._run.began)) > _APART:
            return self._anew(stamp, kind, now)
        return replace(self._run, seconds=seconds, clock=now)

    def _anew(self, stamp: float | None, kind: tuple[int, ...], now: float) -> Moment:
        if self._paced and self._run is not None:
            now = max(now, self._run.began + self._line.next(stamp))  # the pace goes on
        self._line, self._kind = TimeLine(self._rate), kind
        start = time.time() + now - time.monotonic()
        self._run = Moment(self.next_number, self._line.next(stamp), start, now, now)
        self.next_number += 1
        return self._run


class Thinning:
    """Leaves out pictures evenly, so that at most so many a second are left.

    Args:
        rate: Most frames a second, or None for all.
    """

    def __init__(self, rate: float | None) -> None:
        self._period = 1.0 / rate if rate else 0.0
        self._run: int | None = None
        self._due = self._before = 0.0

    def keeps(self, run: int, seconds: float) -> bool:
        """Whether a picture is kept; stamps that waver by up to a quarter of a period are forgiven.

        Args:
            run: Number of its run.
            seconds: Its time in the run.
        """
        if run != self._run:
            self._run, self._due, self._before = run, seconds, seconds
        # By less than half of the way to the next picture, or that one would have been the better choice.
        slack = min(0.25 * self._period, 0.45 * (seconds - self._before))
        self._before = seconds
        if seconds < self._due - slack:
            return False
        paused = seconds - self._due > self._period
        self._due = (seconds if paused else max(self._due, seconds - slack)) + self._period
        return True
