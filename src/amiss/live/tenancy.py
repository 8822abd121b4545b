"""What this process has of the cameras that several share: leases, renewed by a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping

from amiss.errors import ConfigError, LeaseError, StorageError
from amiss.live.health import ShardNumbers
from amiss.live.settings import ShardSettings
from amiss.live.store import Lease, LeaseKind, Round, Store

__all__ = ["Key", "Tenancy"]

LOG = logging.getLogger(__name__)

EARLY = 0.1
"""Share of a lease by which it counts as over here before it is so in the database: time to stop."""
SOON = 0.5
"""Seconds until a shard that has less than its share asks again."""
LATE = 0.05
"""Seconds after the end of another's lease at which it is asked for."""
AVOID = 60.0
"""Seconds for which something that could not be opened here is left to others."""

Key = tuple[LeaseKind, str]


class Tenancy:
    """Has leases and renews them; where it cannot, it has none before anybody else may take them.

    How long a lease holds is counted twice: by the database, whose clock alone decides who may take it, and here from
    the moment before it was renewed, by a clock that never jumps, and less a tenth. No clock of a machine is compared
    with another's.

    A shard whose last word with the database is a while ago renews what it has, and takes nothing yet: after an outage
    all come back at once, and each is to find what it had.

    Args:
        store: A store of its own, whose patience is short; it is closed with this.
        settings: Name and times.
        wanted: All that is to be shared, by kind.
        clock: Seconds that never jump.
    """

    def __init__(
        self,
        store: Store,
        settings: ShardSettings,
        wanted: Mapping[LeaseKind, Collection[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._name, self._run_id = str(settings.name), uuid.uuid4().hex
        self._wanted = {kind: tuple(names) for kind, names in wanted.items()}
        self._avoided: dict[Key, float] = {}
        self._round = Round((), {}, 0, float("inf"))
        self._until = self._renewed = -float("inf")
        self._lock = threading.Lock()
        self._asking = threading.Lock()  # what is released in the middle of a renewal would seem to be held after it
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenancy", daemon=True)

    def start(self) -> None:
        """Count as living, have a first look and start the thread.

        A process of this name that was killed is waited for until it counts as gone.

        Raises:
            ConfigError: Another process of this name is alive, or the store cannot be shared.
            StorageError: The database failed.
        """
        length, before = self._settings.lease, float("inf")
        while left := self._store.enter_shard(self._name, self._run_id, length):
            if left > before:
                raise ConfigError(f"another process runs as shard {self._name!r}; give each a name of its own")
            LOG.info("shard %s: the last process of this name counts as gone in %.1f s", self._name, left)
            before = left
            time.sleep(min(left, self._settings.renew))
        LOG.info("shard %s is there", self._name)
        self._thread.start()

    @property
    def leases(self) -> dict[Key, Lease]:
        """What this process has now; nothing where it is not certain."""
        with self._lock:
            if self._clock() >= self._until:
                return {}
            return {(lease.kind, lease.name): lease for lease in self._round.leases}

    @property
    def surplus(self) -> set[Key]:
        """What it has beyond its share, and is to give back: what came last."""
        with self._lock:
            found: set[Key] = set()
            for kind, share in self._round.quota.items():
                found.update((kind, lease.name) for lease in [x for x in self._round.leases if x.kind is kind][share:])
            return found

    @property
    def numbers(self) -> ShardNumbers:
        """How it stands."""
        held = sum(kind is LeaseKind.CAMERA for kind, _ in self.leases)
        share = self._round.quota.get(LeaseKind.CAMERA, 0)
        return ShardNumbers(self._name, held, share, self._round.shards, max(self._until - self._clock(), 0.0))

    def release(self, lease: Lease, *, avoid: bool = False) -> None:
        """Give something back, so that others can take it at once.

        Args:
            lease: What.
            avoid: Whether it is left to others for a minute.

        Raises:
            StorageError: The database failed; it is still held.
        """
        if avoid:
            self._avoided[lease.kind, lease.name] = self._clock() + AVOID
        with self._asking:
            self._store.release_leases(self._run_id, [lease])
            self._forget(lease)

    def close(self) -> None:
        """Give all back and be gone; where the database is away, others notice after a while."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        try:
            self._store.leave_shard(self._run_id)
        except StorageError as error:
            LOG.warning("shard %s cannot give its cameras back: %s", self._name, error)
        self._store.close()

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            with self._asking:
                pause = self._renew()

    def _renew(self) -> float:
        """Renew once; gives seconds until the next time."""
        began = self._clock()
        here = began - self._renewed <= 2 * self._settings.renew
        try:
            found = self._store.renew_leases(
                self._name, self._run_id, self._sought(began), self._settings.lease, take=here
            )
        except LeaseError as error:
            LOG.error("shard %s has nothing any more: %s", self._name, error)  # noqa: TRY400  # its text says it all
            self._lose()
            return self._enter_again()
        except StorageError as error:
            LOG.warning("shard %s cannot renew its leases, %.1f s are left: %s", self._name, self._left(), error)
            return SOON
        with self._lock:
            self._round, self._renewed = found, self._clock()
            self._until = began + self._settings.lease * (1 - EARLY)
        return self._pause(found, here=here)

    def _pause(self, found: Round, *, here: bool) -> float:
        """Until all is to be renewed, or something may be had."""
        held = {kind: sum(lease.kind is kind for lease in found.leases) for kind in found.quota}
        lacks = not here or any(held[kind] < share for kind, share in found.quota.items())
        over = found.next + LATE if found.next > 0 else float("inf")
        return min(self._settings.renew, over, SOON if lacks else float("inf"))

    def _sought(self, now: float) -> Mapping[LeaseKind, Collection[str]]:
        """All that is shared, but for what could not be opened here lately."""
        self._avoided = {key: until for key, until in self._avoided.items() if until > now}
        return {
            kind: [name for name in names if (kind, name) not in self._avoided] for kind, names in self._wanted.items()
        }

    def _forget(self, lease: Lease) -> None:
        with self._lock:
            left = tuple(one for one in self._round.leases if one != lease)
            self._round = Round(left, self._round.quota, self._round.shards, self._round.next)

    def _lose(self) -> None:
        with self._lock:
            self._round, self._until = Round((), {}, 0, float("inf")), -float("inf")

    def _enter_again(self) -> float:
        try:
            left = self._store.enter_shard(self._name, self._run_id, self._settings.lease)
        except StorageError as error:
            LOG.warning("shard %s: %s", self._name, error)
            return SOON
        return max(left, SOON)

    def _left(self) -> float:
        return max(self._until - self._clock(), 0.0)
