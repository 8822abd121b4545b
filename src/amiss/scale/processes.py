"""Workers as processes of this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from amiss.errors import ClusterError
from amiss.scale.jobs import Answer, Job
from amiss.scale.team import Setup

__all__ = ["Processes", "serve"]

START = 120.0
"""Seconds within which a worker must have begun."""
FIRST_DEATHS = 3
"""So many workers may end before any has answered."""


class Processes:
    """Worker processes, each with a pipe; one that ends is replaced.

    Args:
        setup: What each is started with.
        count: How many.

    Raises:
        ClusterError: They cannot be started.
    """

    def __init__(self, setup: Setup, count: int) -> None:
        self._setup = setup
        self._context = get_context("spawn")
        self._pipes: dict[int, Connection] = {}
        self._processes: dict[int, Any] = {}
        self._number = 0
        self._deaths = 0
        self.started = count
        for _ in range(count):
            self._start()

    @property
    def workers(self) -> tuple[int, ...]:
        """The numbers of those that are there."""
        return tuple(self._pipes)

    def send(self, worker: int, job: Job) -> None:
        """Give a job to a worker that has none; that it is gone is found by `wait`."""
        with contextlib.suppress(OSError):
            self._pipes[worker].send(job)

    def wait(self) -> Answer:
        """Wait for the next answer; a worker that is gone is replaced.

        Raises:
            ClusterError: Workers end again and again before they have done anything.
        """
        numbers = {id(pipe): number for number, pipe in self._pipes.items()}
        ready = wait(list(self._pipes.values()))[0]
        worker = numbers[id(ready)]
        try:
            value, error = self._pipes[worker].recv()
        except (EOFError, OSError):
            return self._lost(worker)
        self._deaths = 0
        return Answer(worker, value, error)

    def close(self) -> None:
        """Ask all to end, and end those that do not."""
        for pipe in self._pipes.values():
            with contextlib.suppress(OSError):
                pipe.send(None)
        for process in self._processes.values():
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in self._pipes.values():
            pipe.close()
        self._pipes, self._processes = {}, {}

    def _lost(self, worker: int) -> Answer:
        self._pipes.pop(worker).close()
        process = self._processes.pop(worker)
        process.join(5)
        self._deaths += 1
        if self._deaths > FIRST_DEATHS + len(self._pipes):
            raise ClusterError(
                f"worker processes end before they have done anything (exit code {process.exitcode}); is there enough "
                "memory?"
            )
        self._start()
        return Answer(worker, lost=True)

    def _start(self) -> None:
        here, there = self._context.Pipe()
        process = self._context.Process(target=serve, args=(there, self._setup), daemon=True, name="amiss-worker")
        try:
            with _threads(self._setup.threads):
                process.start()
        except OSError as error:
            raise ClusterError(f"no worker process can be started ({error.strerror}); give fewer: scale.workers") from (
                error
            )
        there.close()
        self._pipes[self._number], self._processes[self._number] = here, process
        self._number += 1


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """Processes that start inside use so many threads each."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def serve(pipe: Connection, setup: Setup) -> None:
    """What a worker process runs: jobs in, answers out, until it is asked to end or its driver is gone."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver, which then ends its workers
    from amiss.scale.work import Worker

    worker = Worker(setup)
    try:
        while (job := _next(pipe)) is not None:
            pipe.send(_answer(worker, job))
    except BrokenPipeError:
        pass  # the driver is gone, and nobody waits for the answer
    finally:
        worker.close()


def _next(pipe: Connection) -> Job | None:
    try:
        return pipe.recv()  # type: ignore[no-any-return]  # the driver sends nothing else
    except (EOFError, OSError):
        return None


def _answer(worker: Any, job: Job) -> tuple[Any, Exception | None]:
    """A worker outlives whatever a clip does to it; what went wrong is told to the driver."""
    try:
        return worker.do(job), None
    except Exception as error:  # noqa: BLE001  # told, not swallowed
        return None, error
