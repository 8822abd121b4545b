"""What all pages share: the store, the folder of data, who may come in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from amiss.live.store import Account, Role, Store
from amiss.web.doorman import Doorman
from amiss.web.library import Library
from amiss.web.shelf import Shelf
from amiss.web.trial import Trials

__all__ = ["Site"]


class Site:
    """The review page of one store.

    Args:
        store: Events, cameras, accounts.
        data: Folder of data, as the watcher lays it out.
        clock: Seconds since 1970.
    """

    def __init__(self, store: Store, data: Path, clock: Callable[[], float] = time.time) -> None:
        self.store, self.data, self.clock = store, data, clock
        self.doorman = Doorman(store, clock)
        self.shelf = Shelf(data / "cameras")
        self.library = Library(data / "benches")
        self.trials = Trials(store, self.shelf, clock)
        self._invitation = ""

    def invite(self) -> str | None:
        """A token with which the first admin is made, good once; None where there are accounts already.

        Raises:
            StorageError: The database failed.
        """
        if self.store.has_accounts():
            return None
        token = secrets.token_urlsafe(24)
        self._invitation = hashlib.sha256(token.encode()).hexdigest()
        return token

    def is_invited(self, token: str) -> bool:
        """Whether this is the token of the invitation."""
        given = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        return bool(self._invitation) and hmac.compare_digest(given, self._invitation)

    def make_first(self, name: str, password: str) -> Account:
        """Make the first admin; the invitation is used up.

        Raises:
            ConfigError: There are accounts already, or the name or the password will not do.
            StorageError: The database failed.
        """
        made = self.doorman.make(name, password, Role.ADMIN, None, "first run", first=True)
        self._invitation = ""
        return made

    def knows(self, camera: str) -> bool:
        """Whether there is such a camera: the store or a folder knows it.

        Raises:
            StorageError: The database failed.
        """
        if self.store.life(camera) is not None or self.shelf.knows(camera):
            return True
        return bool(self.store.events(camera, limit=1))

    def cameras(self, account: Account) -> list[str]:
        """Names of the cameras that a person may see.

        Raises:
            StorageError: The database failed.
        """
        names = {*self.store.camera_names(), *self.store.event_cameras(), *self.shelf.names()}
        return sorted(names if account.allowed is None else names & account.allowed)
