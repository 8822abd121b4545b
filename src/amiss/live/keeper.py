"""What is to be kept, in order, by a thread that scoring does not wait for."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from amiss.errors import AmissError, BusyError, LeaseError

__all__ = ["Keeper"]

LOG = logging.getLogger(__name__)

Work = Callable[[], None]

LEAST, MOST = 0.2, 3.0
"""Seconds until something that could not be kept is tried again."""
CLEAN = 30.0
"""Seconds within which all that waits is kept when the program ends."""


@dataclass(frozen=True)
class _Job:
    """Something to do: `must` is tried until it is done, all else once, or as long as it only has to wait."""

    name: str
    work: Work
    must: bool


class Keeper:
    """Does one thing after the other. What must be kept is tried until it is, and nothing overtakes it.

    What is refused since another process has the camera by now is given up: it would be refused for ever.

    Args:
        failed: Told the name of what failed, each time.
        alive: Told every now and then that the thread is well.
    """

    def __init__(
        self, failed: Callable[[str], None] = lambda _: None, alive: Callable[[], None] = lambda: None
    ) -> None:
        self._jobs: deque[_Job] = deque()
        self._failed, self._alive = failed, alive
        self._change = threading.Condition()
        self._closing = False
        self._until = float("inf")
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def add(self, name: str, work: Work, *, must: bool = True) -> None:
        """Have something done after all that was added before.

        Args:
            name: What it is, for the log.
            work: To call; it may raise an `AmissError`.
            must: Whether it is tried again until it is done, and not only while the store is busy.
        """
        with self._change:
            self._jobs.append(_Job(name, work, must))
            self._change.notify()

    @property
    def waiting(self) -> int:
        """How much is still to be done."""
        return len(self._jobs)

    def close(self, seconds: float = CLEAN) -> bool:
        """Do what is still to be done and end.

        Args:
            seconds: Within which it must be done.

        Returns:
            Whether all was done.
        """
        with self._change:
            self._closing, self._until = True, time.monotonic() + seconds
            self._change.notify()
        if self._thread.ident is not None:
            self._thread.join(seconds + 1.0)
        return not self._jobs

    def _run(self) -> None:
        pause = LEAST
        while job := self._next():
            if self._try(job):
                pause = LEAST
                with self._change:
                    self._jobs.popleft()
                continue
            if time.monotonic() >= self._until:
                return
            with self._change:
                self._change.wait(pause if not self._closing else LEAST)
            pause = min(2 * pause, MOST)

    def _next(self) -> _Job | None:
        """The oldest job, which stays in the queue until it is done; None at the end."""
        with self._change:
            while not self._jobs:
                if self._closing:
                    return None
                self._alive()
                self._change.wait(1.0)
            return self._jobs[0]

    def _try(self, job: _Job) -> bool:
        """Whether it is done, or given up."""
        self._alive()
        try:
            job.work()
        except AmissError as error:
            again = (job.must and not isinstance(error, LeaseError)) or isinstance(error, BusyError)
            LOG.warning("%s failed%s: %s", job.name, ", it is tried again" if again else "", error)
            self._failed(job.name)
            return not again
        except Exception:  # a fault in one thing must not stop the keeping of all others
            LOG.exception("%s failed and is given up", job.name)
            self._failed(job.name)
        return True
