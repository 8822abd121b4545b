"""How long to wait before the next attempt at something that failed."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Backoff"]

_FIRST = 0.5
_PATIENT = 2.0
_SHORTLY = 60.0


class Backoff:
    """Half a second at first, then twice as long each time, up to a limit.

    Things that were away only shortly, such as a camera that starts anew, come back soon. So within the first minute
    no wait is longer than two seconds; only then it grows to the limit.

    Args:
        most: Longest wait in seconds.
        clock: Gives seconds that never go back.
    """

    def __init__(self, most: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._wait = _FIRST
        self._since: float | None = None

    def reset(self) -> None:
        """It worked."""
        self._wait, self._since = _FIRST, None

    def next(self) -> float:
        """It failed: seconds to wait now."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        most = min(self._most, _PATIENT) if now - self._since < _SHORTLY else self._most
        wait = min(self._wait, most)
        self._wait = min(2 * wait, self._most)
        return wait
