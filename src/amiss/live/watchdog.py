"""Signs of life: systemd is told that all is well only while all is well."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence

__all__ = ["Notifier", "Watchdog"]

log = logging.getLogger(__name__)

OFTEN = 3
"""Signs in the time after which systemd would give up."""
SLOWEST = 5.0
"""Seconds between two looks at the parts."""


class Notifier:
    """Sends systemd a line of what has happened, if it started this process and wants to know.

    Args:
        address: `NOTIFY_SOCKET`: a path, or @ and a name for an abstract one; without one nothing is sent.
    """

    def __init__(self, address: str | None) -> None:
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address

    def tell(self, *lines: str) -> bool:
        """Send lines such as `READY=1`; returns whether they could be sent."""
        if not self._address:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            try:
                sender.settimeout(1.0)
                sender.sendto("\n".join(lines).encode(), self._address)
            except OSError as error:
                log.warning("systemd cannot be told %s: %s", lines[0], error.strerror or "it does not listen")
                return False
        return True


class Watchdog:
    """Gives systemd a sign of life as long as every part has given one lately; it also works without systemd.

    A part that is silent for too long is logged. systemd then gets no more signs and, with `WatchdogSec=`, starts the
    service anew.

    Args:
        parts: Seconds, by name of a part, for which it may be silent; it counts from `start` or from the first time
            that it is named.
        environment: Where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are read.
        clock: Seconds that never jump.
    """

    def __init__(
        self,
        parts: Mapping[str, float],
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = dict(parts)
        self._clock = clock
        self._seen = dict.fromkeys(self._patience, clock())
        self._lock = threading.Lock()
        self._notifier = Notifier(environment.get("NOTIFY_SOCKET"))
        self._wanted, self._every = _interval(environment)
        self._silent: tuple[str, ...] = ()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def expect(self, part: str, seconds: float) -> None:
        """From now on a part must give a sign at least every so many seconds."""
        with self._lock:
            self._patience[part] = seconds
            self._seen[part] = self._clock()

    def forget(self, part: str) -> None:
        """A part has ended as it should."""
        with self._lock:
            self._patience.pop(part, None)
            self._seen.pop(part, None)

    def alive(self, part: str) -> None:
        """A part is well; one that nobody expects is not looked at."""
        with self._lock:
            if part in self._patience:
                self._seen[part] = self._clock()

    def silent(self) -> Sequence[str]:
        """The parts that have been silent for too long."""
        now = self._clock()
        with self._lock:
            return [part for part, seconds in self._patience.items() if now - self._seen[part] > seconds]

    def start(self) -> None:
        """All is up: tell systemd that the service is ready, and begin to look."""
        with self._lock:
            self._seen = dict.fromkeys(self._patience, self._clock())
        self._notifier.tell("READY=1", "STATUS=watching")
        self._thread.start()

    def close(self) -> None:
        """Tell systemd that the service ends, and look no more."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._notifier.tell("STOPPING=1")

    def _run(self) -> None:
        while not self._closed.is_set():
            self._look()
            self._closed.wait(self._every)

    def _look(self) -> None:
        silent = tuple(self.silent())
        if silent != self._silent:
            self._report(silent)
        if self._wanted and not silent:
            self._notifier.tell("WATCHDOG=1")

    def _report(self, silent: tuple[str, ...]) -> None:
        self._silent = silent
        status = f"no sign of life from {', '.join(silent)}" if silent else "watching"
        log.log(logging.ERROR if silent else logging.INFO, "watchdog: %s", status)
        self._notifier.tell(f"STATUS={status}")


def _interval(environment: Mapping[str, str]) -> tuple[bool, float]:
    """Whether systemd wants signs of life from this process, and seconds between two looks."""
    text, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not text.isdecimal() or int(text) == 0 or process not in ("", str(os.getpid())):
        return False, SLOWEST
    return True, min(int(text) / 1e6 / OFTEN, SLOWEST)
