"""What databases say when they fail, as one line that holds no password."""

from __future__ import annotations

import sqlite3
from urllib.parse import unquote

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError  # noqa: A004 (its own name for it)

from amiss.errors import BusyError, StorageError
from amiss.live.address import HIDDEN, Address, shown

__all__ = ["is_passing", "is_race", "storage_error"]

LOCKED = "the store {place} is held by another process ({why}); end that process or try again later"
FULL = "the disk is full at the store {place}; free some space, nothing that was kept before is lost"
DAMAGED = (
    "the store {place} is damaged ({why}); stop amiss, keep a copy of the file, then put a backup in its place or "
    "recover it with sqlite3's .recover"
)
CLOSED = "the store {place} cannot be written ({why}); look at the permissions of the file and its folder"
SILENT = "the store {place} does not answer ({why}); see whether its server runs and try again"
REFUSED = "the store {place} lets nobody in ({why}); mend user, password or name of the database in its address"
OTHER = "the store {place} failed ({why})"

SQLITE = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_READONLY: CLOSED,
    sqlite3.SQLITE_CANTOPEN: CLOSED,
    sqlite3.SQLITE_PERM: CLOSED,
    sqlite3.SQLITE_IOERR: CLOSED,
}
POSTGRESQL = {"55P03": LOCKED, "53100": FULL, "25006": CLOSED, "42501": CLOSED, "XX001": DAMAGED, "XX002": DAMAGED}
GONE = ("08", "57P0", "53300", "25P03")
"""Beginnings of PostgreSQL's states for a connection that broke or idled, a server that stops, starts or is full."""
RACES = ("40001", "40P01", "23505")
"""Two transactions met: it went wrong for this one and will not the next time."""


def storage_error(error: SQLAlchemyError, address: Address) -> StorageError:
    """The error to be raised in the place of SQLAlchemy's.

    Args:
        error: What was caught.
        address: Of the database.

    Returns:
        A `BusyError` where it may work later.
    """
    text = _text_of(error)
    kind = BusyError if text in (LOCKED, SILENT) else StorageError
    return kind(text.format(place=address, why=_why(error, address)))


def is_passing(error: SQLAlchemyError) -> bool:
    """Whether a connection broke or could not be made, so that the same may work in a moment."""
    return _text_of(error) is SILENT


def is_race(error: SQLAlchemyError) -> bool:
    """Whether another transaction came between, so that the same will work at once."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CONSTRAINT
    return (getattr(cause, "sqlstate", None) or "").startswith(RACES)


def _text_of(error: SQLAlchemyError) -> str:
    """Which of the sentences fits."""
    if isinstance(error, TimeoutError):  # all connections of this process are in use
        return LOCKED
    if not isinstance(error, DBAPIError):
        return OTHER
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, OTHER)
    state = getattr(cause, "sqlstate", None)
    if error.connection_invalidated or (state or "").startswith(GONE):
        return SILENT
    if state is None and type(cause).__name__ in ("OperationalError", "ConnectionTimeout"):
        return REFUSED if _is_refusal(str(cause)) else SILENT
    return POSTGRESQL.get(state or "", OTHER)


def _is_refusal(said: str) -> bool:
    """Whether a server that could be reached does not let one in; without a state, only its words tell."""
    return "FATAL" in said and any(words in said for words in ("authentication failed", "does not exist", "pg_hba"))


def _why(error: SQLAlchemyError, address: Address) -> str:
    """The first line of what the database said."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    lines = str(cause).strip().splitlines()
    said = shown(lines[0] if lines else type(cause).__name__, address)
    for secret in _secrets(address):
        said = said.replace(secret, HIDDEN)
    return said


def _secrets(address: Address) -> list[str]:
    """Secrets of an address as a driver takes them out of it, which may repeat them so, and those of its query."""
    pairs = [pair.partition("=") for pair in address.parts.query.split("&")]
    found = [*address.secrets, *(value for key, _, value in pairs if "pass" in key)]
    return sorted(filter(None, {*found, *map(unquote, found)}), key=len, reverse=True)
