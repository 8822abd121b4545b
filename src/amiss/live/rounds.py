"""Frames of all cameras, scored in rounds by a few threads."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from amiss.errors import StorageError
from amiss.live.desk import Desk
from amiss.live.health import Health
from amiss.live.nouns import Arrival
from amiss.pipeline import look_together

__all__ = ["Rounds"]

LOG = logging.getLogger(__name__)

MOST = 4
"""Threads that score, where there are as many cores: more wait for each other's Python."""


class Rounds:
    """Scores one frame of each camera that has some, in a round: networks see those of a round together.

    What cannot be scored of one camera is said of it, and never touches another.

    Args:
        desks: The cameras, by name; they may come and go between two rounds.
        health: Told what was scored, and what could not be.
        found: Told each frame that was scored and its calibrated score, by several threads.
    """

    def __init__(self, desks: Mapping[str, Desk], health: Health, found: Callable[[Arrival, float], None]) -> None:
        self._desks, self._health, self._found = desks, health, found
        self._pool = ThreadPoolExecutor(min(os.cpu_count() or 1, MOST), "score")

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def do(self) -> None:
        """One frame of each camera that has any; only those wait for the others whose networks see them together."""
        alone: list[Future[None]] = []
        together: list[tuple[Desk, Future[Arrival | None]]] = []
        for desk in self._desks.values():
            if not desk.waiting:
                continue
            arrival = desk.waiting.popleft()
            if desk.seat.pipeline.network:
                together.append((desk, self._pool.submit(self._prepare, desk, arrival)))
            else:
                alone.append(self._pool.submit(self._serve, desk, arrival))
        given = [(desk, shaped) for desk, found in together if (shaped := found.result())]
        if given:
            self._look_together(given)
        for found in [*alone, *(self._pool.submit(self._score, *pair) for pair in given)]:
            found.result()

    def _look_together(self, given: Sequence[tuple[Desk, Arrival]]) -> None:
        try:
            look_together([desk.seat.pipeline for desk, _ in given], [arrival.frame for _, arrival in given])
        except Exception:  # whatever is wrong with one, each then asks for itself
            LOG.exception("cameras cannot be looked at together")

    def _serve(self, desk: Desk, arrival: Arrival) -> None:
        """Prepare and score a frame that no network has to see beside others."""
        if shaped := self._prepare(desk, arrival):
            self._score(desk, shaped)

    def _prepare(self, desk: Desk, arrival: Arrival) -> Arrival | None:
        try:
            return desk.seat.prepare(arrival)
        except Exception as error:  # a fault at one camera must not touch the others
            LOG.exception("the view of camera %s cannot be looked at", desk.camera.name)
            self._fault(desk, arrival, error)
            return None

    def _score(self, desk: Desk, arrival: Arrival) -> None:
        try:
            update = desk.seat.step(arrival)
        except StorageError as error:  # scores are safe, windows or curves are not
            LOG.warning("camera %s: %s", desk.camera.name, error)
            self._health.error("disk")
            return
        except Exception as error:  # as above
            LOG.exception("camera %s cannot be scored", desk.camera.name)
            self._fault(desk, arrival, error)
            return
        self._health.frame(desk.camera.name, time.monotonic() - arrival.clock)
        if update is not None:
            self._found(arrival, update.calibrated)

    def _fault(self, desk: Desk, arrival: Arrival, error: Exception) -> None:
        self._health.error("scoring")
        desk.seat.start_anew(f"a frame cannot be scored ({type(error).__name__})", arrival.at)
