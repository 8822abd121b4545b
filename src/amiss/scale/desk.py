"""Gives out work: what is begun is finished before more is begun, and a worker has one job at a time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from amiss.errors import ClusterError, FootageError
from amiss.scale.jobs import Job
from amiss.scale.team import Team

__all__ = ["Desk", "Task"]


@dataclass(eq=False)
class Task:
    """A job, and what to do with its answer.

    Attributes:
        job: The job.
        done: Called with the answer and the number of the worker.
        failed: Called with what was wrong.
        rank: Tasks of lower rank are given out first.
        worker: Who should have it, if it is there; anybody else may when it is not.
        elsewhere: Whether another worker may be able to do what one could not, as where it lacks the file.
    """

    job: Job
    done: Callable[[Any, int], None]
    failed: Callable[[Exception], None]
    rank: int = 1
    worker: int | None = None
    elsewhere: bool = False
    tried: set[int] = field(default_factory=set)


class Desk:
    """Gives out tasks until none is left.

    Args:
        team: The workers.
        attempts: How often a task is tried that ended its worker.
    """

    def __init__(self, team: Team, attempts: int) -> None:
        self._team, self._attempts = team, attempts
        self._queue: list[tuple[int, int, Task]] = []
        self._pinned: dict[int, list[Task]] = {}
        self._count = itertools.count()
        self._busy: dict[int, Task] = {}

    def add(self, task: Task) -> None:
        """Have a task done."""
        if task.worker is not None and task.worker in self._team.workers:
            self._pinned.setdefault(task.worker, []).append(task)
        else:
            heapq.heappush(self._queue, (task.rank, next(self._count), task))

    def run(self, feed: Iterator[Task]) -> None:
        """Do all tasks, and those that come of them.

        Args:
            feed: Further tasks; asked for the next only when a worker has nothing to do.

        Raises:
            ClusterError: The workers are gone for good.
        """
        while True:
            for worker in self._team.workers:
                if worker not in self._busy and (task := self._next(worker, feed)):
                    self._busy[worker] = task
                    task.tried.add(worker)
                    self._team.send(worker, task.job)
            if not self._busy:
                return
            self._settle()

    def _next(self, worker: int, feed: Iterator[Task]) -> Task | None:
        if self._pinned.get(worker):
            return self._pinned[worker].pop(0)
        waiting: list[tuple[int, int, Task]] = []
        found: Task | None = None
        while self._queue and found is None:
            entry = heapq.heappop(self._queue)
            found = entry[2] if worker not in entry[2].tried or not self._others(entry[2]) else None
            waiting += [entry] if found is None else []
        for entry in waiting:
            heapq.heappush(self._queue, entry)
        return found or next(feed, None)

    def _others(self, task: Task) -> set[int]:
        """Workers that have not tried a task."""
        return set(self._team.workers) - task.tried

    def _settle(self) -> None:
        """Take the next answer in."""
        answer = self._team.wait()
        task = self._busy.pop(answer.worker, None)
        if answer.lost:
            for left in self._pinned.pop(answer.worker, []):
                self.add(left)
        if task is None:  # it had nothing to do
            return
        if answer.lost:
            if len(task.tried) < self._attempts:
                self.add(task)
            else:
                task.failed(ClusterError(f"it ended {len(task.tried)} workers, one after the other"))
        elif answer.error is None:
            task.done(answer.value, answer.worker)
        elif task.elsewhere and isinstance(answer.error, FootageError) and self._may_try(task):
            self.add(task)
        else:
            task.failed(answer.error)

    def _may_try(self, task: Task) -> bool:
        return bool(self._others(task)) and len(task.tried) < self._attempts
