"""Telling how far long work is."""

from __future__ import annotations

from amiss.methods.base import Progress

__all__ = ["Counter", "silent"]


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


class Counter:
    """Adds up steps for a progress that wants totals.

    Args:
        what: What is being done.
        total: Of how many steps; what was announced may be less than what comes.
        progress: Who is told.
    """

    def __init__(self, what: str, total: int, progress: Progress) -> None:
        self._what, self._total, self._progress, self._done = what, total, progress, 0

    def __call__(self, step: int = 1) -> None:
        """So many steps more are done."""
        self._done += step
        self._progress(self._what, self._done, max(self._total, self._done))

    def at_least(self, done: int) -> None:
        """So many steps are done in all, some of them perhaps without being counted."""
        self(max(done - self._done, 0))
