"""What went wrong with the frames of a camera, and when they are looked at again."""

from __future__ import annotations

import time

from amiss.live.feed.backoff import Backoff

__all__ = ["Faults"]

WELL = 10.0
"""Seconds without a fault after which a camera is well again."""
LONGEST = 30.0
"""Most seconds for which a camera is left alone after a fault."""


class Faults:
    """Many faults one after the other are one, and each leaves the camera alone for longer.

    Attributes:
        since: When the first was, in seconds since 1970; None while all is well.
        last: When the last was.
        why: What the first was, in a sentence.
        until: When frames are looked at again, by the monotonic clock.
        broken: Whether what they go through must be made anew first.
    """

    def __init__(self) -> None:
        self._backoff = Backoff(LONGEST)
        self.since: float | None = None
        self.last = self.until = 0.0
        self.why = ""
        self.broken = False

    def add(self, why: str, at: float) -> bool:
        """Something went wrong; returns whether it is the first."""
        first = self.since is None
        if first:
            self.since, self.why = at, why
        self.last, self.broken = at, True
        self.until = time.monotonic() + self._backoff.next()
        return first

    @property
    def due(self) -> bool:
        """Whether it is time to make anew what was broken."""
        return self.broken and time.monotonic() >= self.until

    def well(self, at: float) -> float | None:
        """All went well at a time; gives since when something had not, once that is over."""
        if self.since is None or 0 <= at - self.last < WELL:
            return None
        since, self.since = self.since, None
        self._backoff.reset()
        return since
