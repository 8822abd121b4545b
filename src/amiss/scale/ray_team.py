"""Workers as actors of a Ray cluster."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from amiss import __version__
from amiss.errors import ClusterError, ConfigError
from amiss.scale.jobs import Answer, Job
from amiss.scale.team import Setup

__all__ = ["RayTeam", "connected"]

STORE = 256 << 20
"""Bytes of the object store of a cluster of this machine alone; answers are small."""
ASKED = 10.0
"""Seconds between questions whether the cluster is still there."""
FIRST_DEATHS = 3


class RayTeam:
    """Actors that hold the model once; one that is gone is replaced.

    Args:
        on: `ray` starts a cluster of this machine, `ray:auto` joins the one that runs here, `ray://HOST:PORT` another.
        setup: What each is started with.
        count: How many; by default one for each core of the cluster.

    Raises:
        ConfigError: Ray is not installed.
        ClusterError: There is no cluster, or it has another version of amiss.
    """

    def __init__(self, on: str, setup: Setup, count: int | None) -> None:
        self._ray = connected(on, count)
        count = count or int(self._ray.cluster_resources().get("CPU", 1))
        self._setup = self._ray.put(setup)
        self._kind = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Actor)
        self._actors: dict[int, Any] = {}
        self._waiting: dict[Any, int] = {}
        self._number = 0
        self._deaths = 0
        try:
            for _ in range(count):
                self._start()
            self._check()
        except ClusterError:
            self.close()
            raise

    @property
    def workers(self) -> tuple[int, ...]:
        """The numbers of those that are there."""
        return tuple(self._actors)

    def send(self, worker: int, job: Job) -> None:
        """Give a job to a worker that has none."""
        with self._reached():
            self._waiting[self._actors[worker].do.remote(job)] = worker

    def wait(self) -> Answer:
        """Wait for the next answer; a worker that is gone is replaced.

        Raises:
            ClusterError: The cluster has gone away.
        """
        done: list[Any] = []
        while not done:
            with self._reached():
                done, _ = self._ray.wait(list(self._waiting), num_returns=1, timeout=ASKED)
                if not done and not any(node["Alive"] for node in self._ray.nodes()):
                    raise ClusterError("no machine of the cluster is left; run it again to go on")
        worker = self._waiting.pop(done[0])
        try:
            with self._reached():
                value, error = self._ray.get(done[0])
        except (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError):
            return self._lost(worker)
        self._deaths = 0
        return Answer(worker, value, error)

    def close(self) -> None:
        """End the workers, and the connection."""
        with contextlib.suppress(Exception):  # a cluster that is gone has nothing left to end
            for actor in self._actors.values():
                self._ray.kill(actor)
        self._actors = {}
        with contextlib.suppress(Exception):
            self._ray.shutdown()

    def _lost(self, worker: int) -> Answer:
        del self._actors[worker]
        self._deaths += 1
        if self._deaths > FIRST_DEATHS + len(self._actors):
            raise ClusterError("workers end before they have done anything; is there enough memory on their machines?")
        with self._reached():
            self._start()
        return Answer(worker, lost=True)

    def _start(self) -> None:
        self._actors[self._number] = self._kind.remote(self._setup)
        self._number += 1

    def _check(self) -> None:
        """That what runs there is what runs here."""
        with self._reached():
            versions = self._ray.get([actor.version.remote() for actor in self._actors.values()], timeout=START)
        for version in set(versions) - {__version__}:
            raise ClusterError(f"a machine of the cluster has amiss {version}, and this one {__version__}; update it")

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """What Ray says of a cluster that is not there, in one line."""
        gone = (self._ray.exceptions.RaySystemError, self._ray.exceptions.GetTimeoutError, ConnectionError)
        try:
            yield
        except gone as error:
            raise ClusterError(f"the cluster does not answer ({_first(error)}); run it again to go on") from error


START = 180.0
"""Seconds within which all workers must have begun."""


class _Actor:
    """A worker on some machine of the cluster."""

    def __init__(self, setup: Setup) -> None:
        from amiss.scale.work import Worker

        self._worker = Worker(setup)

    def version(self) -> str:
        """Of amiss there."""
        return __version__

    def do(self, job: Job) -> tuple[Any, Exception | None]:
        """The answer, or what was wrong."""
        try:
            return self._worker.do(job), None
        except Exception as error:  # noqa: BLE001  # told, not swallowed
            return None, error


def connected(on: str, count: int | None = None) -> Any:
    """Ray's module after it is connected to a cluster.

    Args:
        on: As for `RayTeam`.
        count: Cores of a cluster of this machine alone; all when left out.

    Raises:
        ConfigError: Ray is not installed.
        ClusterError: There is no such cluster.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries that Ray brings
            import ray
    except ImportError:
        raise ConfigError("--on ray needs Ray: pip install 'amiss[scale]'") from None
    address = {"ray": None, "ray:auto": "auto"}.get(on, on)
    own: dict[str, Any] = (
        {"num_cpus": count, "object_store_memory": STORE, "include_dashboard": False} if address is None else {}
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ClusterError(f"there is no Ray cluster at {on} ({_first(error)}); start one, or check it") from error
    return ray


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
