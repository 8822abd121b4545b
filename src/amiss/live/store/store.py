"""The store as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from amiss.errors import StorageError
from amiss.live.store.accounts import AccountsPart
from amiss.live.store.cameras import CamerasPart
from amiss.live.store.database import Database, address_of
from amiss.live.store.events import EventsPart
from amiss.live.store.feedback import FeedbackPart
from amiss.live.store.files import FilesPart
from amiss.live.store.incidents import IncidentsPart
from amiss.live.store.leases import LeasesPart
from amiss.live.store.migrate import migrate
from amiss.live.store.outbox import OutboxPart
from amiss.live.store.review import ReviewPart
from amiss.storage import storage_errors

__all__ = ["Store"]

PATIENCE = 10.0
"""Seconds that another process, or a server that starts anew, is waited for."""


class Store(
    EventsPart, FilesPart, IncidentsPart, OutboxPart, CamerasPart, FeedbackPart, AccountsPart, ReviewPart, LeasesPart
):
    """Events, incidents, messages, lives, feedback, accounts, leases, the log; what was kept is on the disk.

    One object a process, opened after it was forked; any number of threads may use it.
    """

    @classmethod
    def open(
        cls, url: str | Path, media: Path, *, patience: float = PATIENCE, clock: Callable[[], float] = time.time
    ) -> Self:
        """Open a store, and make it or bring it to this version where needed.

        Args:
            url: A file for SQLite, or `postgresql+psycopg://user:password@host:port/database`.
            media: Folder of clips and pictures; it is made.
            patience: Seconds that other processes, and a server that starts anew, are waited for.
            clock: Seconds since 1970.

        Raises:
            ConfigError: The address is of no store.
            BusyError: Another process holds it, or its server does not answer.
            StorageError: It was written by a newer version, is damaged, or cannot be written.
        """
        with storage_errors(media):
            media.mkdir(parents=True, exist_ok=True)
        database = Database(address_of(url), patience)
        migrate(database)
        return cls(database, media, clock)

    def verify(self) -> None:
        """Read through the database, as far as it can be checked: a file of SQLite as a whole.

        Raises:
            StorageError: It is damaged.
        """
        found = self._database.read(lambda session: _problems(session.connection()))
        if found:
            raise StorageError(
                f"the store {self._database.address} is damaged ({found[0]}); stop amiss, keep a copy of the file, "
                "then put a backup in its place or recover it with sqlite3's .recover"
            )

    def close(self) -> None:
        """Give its connections back."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _problems(connection: sa.Connection) -> list[str]:
    """What the database finds wrong with itself."""
    if connection.dialect.name != "sqlite":
        return []
    lines = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
    return [str(line) for line in lines if line != "ok"]
