"""Transactions on SQLite or PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from amiss.errors import ConfigError
from amiss.live.address import Address
from amiss.live.store.columns import as_json
from amiss.live.store.failures import is_passing, is_race, storage_error
from amiss.storage import storage_errors

__all__ = ["Database", "address_of", "make_engine"]

T = TypeVar("T")
WRITES = "amiss_writes"
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two attempts to reach a server."""
IDLE = 5000
"""Milliseconds after which PostgreSQL ends a transaction whose process does nothing: it may hold what others wait for.
"""
RACES = 3
"""How often a transaction is done anew because another came between."""


class Database:
    """One database; every piece of work is a transaction of its own. Any number of threads may use it.

    Args:
        url: Of SQLAlchemy, see `address_of`.
        patience: Seconds to wait for another process, or for a server that is starting.
    """

    def __init__(self, url: URL, patience: float) -> None:
        self.address = Address.parse(url.render_as_string(hide_password=False))
        self.url = url
        self.patience = patience
        self._engine = make_engine(url, patience)
        self._writer = self._engine.execution_options(**{WRITES: True})
        self._turn = threading.Lock() if url.get_backend_name() == "sqlite" else None

    def read(self, work: Callable[[Session], T]) -> T:
        """Do work that changes nothing.

        Raises:
            BusyError: The server does not answer.
            StorageError: The database failed.
        """
        return self._run(self._engine, work)

    def write(self, work: Callable[[Session], T]) -> T:
        """Do work as one transaction: all of it is kept, and on the disk, when this returns; or nothing of it.

        A connection may break after the work was kept and before that is known, and the work is then done once more:
        it must come to the same.

        Raises:
            BusyError: Another process holds the database, or its server does not answer, for longer than `patience`.
            StorageError: The disk is full, or the database failed.
        """
        with self._turn_to_write():
            return self._run(self._writer, work)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """Threads write to SQLite in turn: it would have them ask each other again and again, and sleep in between."""
        mine = self._turn is not None and self._turn.acquire(timeout=self.patience)
        try:
            yield
        finally:
            if mine and self._turn is not None:
                self._turn.release()

    def _run(self, engine: Engine, work: Callable[[Session], T]) -> T:
        until, pause, races = time.monotonic() + self.patience, FIRST_PAUSE, RACES
        while True:
            try:
                with Session(engine, expire_on_commit=False) as session, session.begin():
                    return work(session)
            except SQLAlchemyError as error:
                if is_race(error) and races:
                    races -= 1
                elif not is_passing(error) or time.monotonic() >= until:
                    raise storage_error(error, self.address) from None  # its own text may hold the password
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def address_of(place: str | Path) -> URL:
    """Where a database is.

    Args:
        place: A file for SQLite, or an address: `sqlite:///…` or `postgresql+psycopg://…`.

    Raises:
        ConfigError: It is neither, or nothing would be kept there.
        StorageError: The folder of the file cannot be made.
    """
    if isinstance(place, Path) or "://" not in place:
        return _file_url(Path(place))
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        raise ConfigError(f"the store {Address.parse(place)} is no address; {EXPECTED}") from None
    if url.drivername in ("postgresql", "postgresql+psycopg") and Address.parse(place).scheme:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return _file_url(Path(url.database))
    raise ConfigError(f"the store {Address.parse(place)} cannot be used; {EXPECTED}")


EXPECTED = "give a file for SQLite, or postgresql+psycopg://user:password@host:port/database"


def _file_url(file: Path) -> URL:
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    return URL.create("sqlite", database=str(file.absolute()))


def make_engine(url: URL, patience: float, **options: Any) -> Engine:
    """An engine whose connections lose nothing that was committed, and wait for others so long and no longer.

    Args:
        url: Of SQLAlchemy.
        patience: Seconds.
        options: Of `sqlalchemy.create_engine`.
    """
    given = {"hide_parameters": True, "json_serializer": as_json} | options
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"isolation_level": None, "timeout": patience}, **given)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    limits = {"connect_timeout": max(2, round(patience)), "keepalives_idle": 10, "keepalives_interval": 5}
    engine = sa.create_engine(url, connect_args=limits, pool_pre_ping=True, **given)
    event.listen(engine, "connect", _PreparePostgresql(patience))
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """What will write locks at once: a reader that turns writer is refused without waiting."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class _PreparePostgresql:
    """Settings of each connection: how long locks are waited for, and that a commit is on the disk.

    Args:
        patience: Seconds.
    """

    def __init__(self, patience: float) -> None:
        self._patience = round(1000 * patience)

    def __call__(self, connection: Any, _: object) -> None:
        connection.execute(f"SET lock_timeout = {self._patience}")
        connection.execute("SET synchronous_commit = on")
        connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE}")
        connection.commit()
