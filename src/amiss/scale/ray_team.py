"""Workers as actors of a Ray cluster."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amiss import __version__
from amiss.errors import ClusterError, ConfigError
from amiss.scale.jobs import Answer, Job
from amiss.scale.team import Setup

__all__ = ["RayTeam", "connected"]

STORE = 256 << 20
"""Bytes of the object store of a cluster of this machine alone; answers are small."""
ASKED, SILENT = 5.0, 3
"""Seconds between questions whether the cluster is still there, and how many of them may stay unanswered."""
ENDING = 5.0
"""Seconds in which workers may end what they do and remove what they kept on their machines."""
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
        self._head = str(self._ray.get_runtime_context().gcs_address) if not on.startswith("ray://") else on[6:]
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
        done = self._first(list(self._waiting))
        worker = self._waiting.pop(done)
        try:
            with self._reached():
                value, error = self._ray.get(done)
        except (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError):
            return self._lost(worker)
        self._deaths = 0
        return Answer(worker, value, error)

    def _first(self, waiting: list[Any]) -> Any:
        """The first of some answers that is there.

        Ray itself says nothing of a cluster that went away for a minute, and then ends this process.
        """
        done: list[Any] = []
        silent = 0
        while not done:
            with self._reached():
                done, _ = self._ray.wait(waiting, num_returns=1, timeout=ASKED)
            silent = 0 if done or _answers(self._head) else silent + 1
            if silent == SILENT:
                raise ClusterError("the cluster has gone away; run it again to go on")
        return done[0]

    def close(self) -> None:
        """End the workers, and the connection."""
        if _answers(self._head):
            with contextlib.suppress(Exception):  # a cluster that is gone has nothing left to end
                ended = [actor.end.remote() for actor in self._actors.values()]
                self._ray.wait(ended, num_returns=len(ended), timeout=ENDING)
                for actor in self._actors.values():
                    self._ray.kill(actor)
                self._ray.shutdown()
        self._actors = {}

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
        asked = [actor.version.remote() for actor in self._actors.values()]
        versions = set()
        while asked:
            done = self._first(asked)
            asked.remove(done)
            with self._reached():
                versions.add(str(self._ray.get(done)))
        for version in versions - {__version__}:
            raise ClusterError(f"a machine of the cluster has amiss {version}, and this one {__version__}; update it")

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """What Ray says of a cluster that is not there, in one line."""
        gone = (self._ray.exceptions.RaySystemError, ConnectionError)
        try:
            yield
        except gone as error:
            raise ClusterError(f"the cluster does not answer ({_first(error)}); run it again to go on") from error


class _Actor:
    """A worker on some machine of the cluster."""

    def __init__(self, setup: Setup) -> None:
        from amiss.scale.work import Worker

        self._worker = Worker(setup)

    def version(self) -> str:
        """Of amiss there."""
        return __version__

    def end(self) -> None:
        """Remove what only this worker needed."""
        self._worker.close()

    def do(self, job: Job) -> tuple[Any, Exception | None]:
        """The answer, or what was wrong."""
        try:
            return self._worker.do(job), None
        except Exception as error:  # noqa: BLE001  # told, not swallowed
            return None, error


def _answers(address: str) -> bool:
    """Whether anybody takes connections at `HOST:PORT`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ASKED).close()
    except (OSError, ValueError):
        return False
    return True


def connected(on: str, count: int | None = None) -> Any:
    """Ray's module after it is connected to a cluster.

    Args:
        on: As for `RayTeam`.
        count: Cores of a cluster of this machine alone; all when left out.

    Raises:
        ConfigError: Ray is not installed.
        ClusterError: There is no such cluster.
    """
    if on.startswith("ray://"):
        _show_token()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries that Ray brings
            import ray
    except ImportError:
        raise ConfigError("--on ray needs Ray: pip install 'amiss[scale]'") from None
    if on.startswith("ray://") and not _answers(on.removeprefix("ray://")):
        # Ray's client would try for half a minute, and leave this process unfit for any other cluster.
        raise ClusterError(f"there is no Ray cluster at {on} (nobody answers there); start one, or check it")
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


def _show_token() -> None:
    """Have Ray's client show the token by which clusters know their users, where this user has one.

    Ray looks for it when it is imported, and is then of that opinion for good.
    """
    if "ray" in sys.modules:
        return
    kept = Path.home() / ".ray" / "auth_token"
    if kept.is_file() or "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ:
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
