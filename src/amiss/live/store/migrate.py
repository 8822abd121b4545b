"""A database is brought to the tables of this version when it is opened."""

from __future__ import annotations

import logging
import time

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from amiss.errors import BusyError, StorageError
from amiss.live.address import Address
from amiss.live.store.database import WRITES, Database, make_engine
from amiss.live.store.failures import is_race, storage_error
from amiss.live.store.tables import Base

__all__ = ["VERSION_TABLE", "alembic_config", "migrate"]

VERSION_TABLE = "amiss_revision"
LOCK = 0x616D697373
"""The number under which PostgreSQL lets one process at a time change the tables."""
PAUSE = 0.1


def migrate(database: Database, target: str = "head") -> None:
    """Make or change the tables; of several processes that do so at once the first does it and all go on.

    Args:
        database: Where.
        target: Revision to come to.

    Raises:
        BusyError: Another process holds the database, or its server does not answer.
        StorageError: It was written by a newer version, holds something else, is damaged, or failed.
    """
    engine = make_engine(database.url, database.patience, poolclass=NullPool)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells at length that there is nothing to do
    until = time.monotonic() + database.patience
    while not _migrated(engine, database.address, target, last=time.monotonic() >= until):
        time.sleep(PAUSE)


def alembic_config() -> Config:
    """Where alembic finds the revisions."""
    config = Config()
    config.set_main_option("script_location", "amiss.live.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _migrated(engine: Engine, address: Address, target: str, *, last: bool) -> bool:
    """Whether it could be done; what may pass is an error only at the last attempt."""
    try:
        with engine.connect() as connection:
            if _is_there(connection, address, target):
                return True
        _upgrade(engine, address, target)
    except SQLAlchemyError as error:
        found = storage_error(error, address)
        if last or not (isinstance(found, BusyError) or is_race(error)):
            raise found from None  # its own text may hold the password
        return False
    return True


def _upgrade(engine: Engine, address: Address, target: str) -> None:
    """All steps as one transaction, which no other process enters."""
    with engine.execution_options(**{WRITES: True}).connect() as connection:
        if connection.dialect.name == "sqlite":  # tables that are made anew keep the rows that refer to them
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            if not _is_there(connection, address, target):
                _check_own(connection, address)
                config = alembic_config()
                config.attributes["connection"] = connection
                command.upgrade(config, target)


def _is_there(connection: Connection, address: Address, target: str) -> bool:
    """Whether the tables are those of the target already.

    Raises:
        StorageError: They are of a newer version.
    """
    script = ScriptDirectory.from_config(alembic_config())
    heads = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_heads()
    known = {revision.revision for revision in script.walk_revisions()}
    if unknown := set(heads) - known:
        raise StorageError(
            f"the store {address} was written by a newer version of amiss (revision {min(unknown)}); update amiss"
        )
    wanted = script.as_revision_number(target)
    return wanted is not None and set(heads) == {wanted}


def _check_own(connection: Connection, address: Address) -> None:
    """Whether there are no tables in the way; only asked while no other process makes some.

    Raises:
        StorageError: There are tables of something else.
    """
    names = set(sa.inspect(connection).get_table_names())
    if VERSION_TABLE not in names and (foreign := sorted(names & set(Base.metadata.tables))):
        raise StorageError(
            f"the store {address} has tables of something else ({', '.join(foreign)}); give amiss a database of its own"
        )
