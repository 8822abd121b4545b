"""Cameras and receivers that come to this process and leave it, as its leases say."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from amiss.errors import AmissError
from amiss.live.keeper import Keeper
from amiss.live.store import Lease, LeaseKind
from amiss.live.tenancy import Key, Tenancy

__all__ = ["House", "Moves"]

LOG = logging.getLogger(__name__)

MOST = 4
"""Things that are opened at once, where there are as many cores: a dead shard may leave many."""


class House(Protocol):
    """Where cameras and receivers are moved to."""

    def prepare(self, lease: Lease) -> Callable[[], None]:
        """Make what takes long, in a thread of its own; gives what is then to be called to begin.

        Raises:
            AmissError: It cannot be had here.
        """

    def leave(self, lease: Lease) -> None:
        """End it at once; what was seen is on its way to the store."""


@dataclass(frozen=True)
class _Coming:
    lease: Lease
    ready: Future[Callable[[], None]]


class Moves:
    """Opens what this process has a lease of, and closes what it has no more.

    What is given back is released only when all that was seen of it is kept. What was lost is stopped first and asked
    about later; a lease that went to another refuses what comes of it.

    Args:
        tenancy: What this process has.
        houses: Where things are opened, by kind.
        keeper: Keeps what was seen.
    """

    def __init__(self, tenancy: Tenancy, houses: dict[LeaseKind, House], keeper: Keeper) -> None:
        self._tenancy, self._houses, self._keeper = tenancy, houses, keeper
        self._coming: dict[Key, _Coming] = {}
        self._here: dict[Key, Lease] = {}
        self._going: set[Key] = set()
        self._pool = ThreadPoolExecutor(min(os.cpu_count() or 1, MOST), "moving")

    def follow(self) -> bool:
        """Do what leases say by now; returns whether anything has changed. Never waits for anything long."""
        held, surplus = self._tenancy.leases, self._tenancy.surplus
        before = dict(self._here)
        for key, lease in list(self._here.items()):
            if held.get(key) != lease:
                LOG.warning("the %s %s is lost: its lease is over, or another shard's", *key)
                self._close(key, partial(self._gone, key))
        for key in [key for key in self._here if key in surplus]:
            LOG.info("the %s %s is given back: another shard has less", *key)
            self._close(key, partial(self._give_back, key, self._here[key]))
        for key, coming in list(self._coming.items()):
            if key in surplus and coming.ready.cancel():  # it was not begun with
                self._here[key] = self._coming.pop(key).lease
                self._close(key, partial(self._give_back, key, coming.lease))
            elif coming.ready.done():
                self._arrive(key, coming, wanted=held.get(key) == coming.lease)
        for key, lease in held.items():
            if key not in surplus and not (key in self._here or key in self._coming or key in self._going):
                self._coming[key] = _Coming(lease, self._pool.submit(self._houses[key[0]].prepare, lease))
        return before != self._here

    def close(self) -> None:
        """Open nothing any more; what is here is for its house to end."""
        self._pool.shutdown(cancel_futures=True)
        for coming in self._coming.values():
            if not coming.ready.cancelled() and coming.ready.exception() is None:
                self._houses[coming.lease.kind].leave(coming.lease)

    def _arrive(self, key: Key, coming: _Coming, *, wanted: bool) -> None:
        del self._coming[key]
        self._here[key] = coming.lease
        try:
            begin = coming.ready.result()
        except AmissError as error:
            LOG.error("the %s %s cannot be had here and is left to others: %s", *key, error)  # noqa: TRY400
            self._avoid(key)
            return
        except Exception:  # a fault with one must not touch the others
            LOG.exception("the %s %s cannot be had here and is left to others", *key)
            self._avoid(key)
            return
        if wanted:
            begin()
            LOG.info("the %s %s is here (lease %d)", *key, coming.lease.token)
        else:
            self._close(key, partial(self._gone, key))

    def _avoid(self, key: Key) -> None:
        self._close(key, partial(self._give_back, key, self._here[key], avoid=True))

    def _close(self, key: Key, then: Callable[[], None]) -> None:
        """End something, and do what follows when all is kept that was seen of it."""
        lease = self._here.pop(key)
        self._going.add(key)
        self._houses[key[0]].leave(lease)
        self._keeper.add(f"giving back {key[0]} {key[1]}", then)

    def _give_back(self, key: Key, lease: Lease, *, avoid: bool = False) -> None:
        self._tenancy.release(lease, avoid=avoid)
        self._gone(key)

    def _gone(self, key: Key) -> None:
        self._going.discard(key)
