"""A store of any version is brought to this one with all that is in it; one of a newer version is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from amiss.errors import BusyError, StorageError
from amiss.live.nouns import Change
from amiss.live.store import Life
from amiss.live.store.database import Database, address_of
from amiss.live.store.migrate import LOCK, VERSION_TABLE, alembic_config, migrate
from amiss.live.store.tables import Base
from support_stores import AT, Place, event

FIRST = {
    "events": {
        "id": "e1", "camera": "gate", "start": AT, "peak": AT + 1, "end": AT + 2, "open": True, "alarm": True,
        "quiet": "", "severity": 3.5, "level": 3.0, "model": "abc", "parts": '{"pose": 1.0}', "reasons": '["fast"]',
        "examples": "[]", "tube": "{}", "size": "[640, 360]", "zones": "[]", "likeness": "{}", "repeats": 0,
        "verdict": "none", "suppressed": None, "snapshot": None, "clip": None,
    },
    "changes": {"event": "e1", "change": "new", "number": 0, "digest": "0"},
    "outbox": {
        "id": "e1:new:0", "channel": "phone", "subject": "e1", "event": "e1", "change": "new", "camera": "gate",
        "body": '{"event": "e1"}', "put": AT, "due": AT, "attempts": 3, "delivered": None,
    },
    "incidents": {"camera": "gate", "kind": "gap", "start": AT, "end": None, "detail": "no frames"},
    "cameras": {"name": "gate", "life": "live", "since": AT, "why": "", "by": "rule", "detail": '{"hours": 2}'},
    "lives": {"camera": "gate", "before": None, "after": "live", "at": AT, "why": "", "by": "rule"},
    "feedback": {
        "camera": "gate", "event": "e1", "kind": "normal", "likeness": "{}", "by": "ann", "at": AT, "until": None,
        "revoked": None,
    },
}  # fmt: skip
"""A row of each table as the first revision had it."""


@contextmanager
def connected(place: Place) -> Iterator[sa.Connection]:
    engine = sa.create_engine(address_of(place.url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection


def revisions() -> list[str]:
    """From the first to the last."""
    found = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return [revision.revision for revision in found][::-1]


def made_at(place: Place, revision: str) -> None:
    """An empty store as an older version made it."""
    database = Database(address_of(place.url), 5.0)
    migrate(database, revision)
    database.close()


def rows(place: Place, tables: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What is in some columns of some tables."""
    with connected(place) as connection:
        found = {}
        for name, row in tables.items():
            columns = [sa.column(column) for column in row]
            read = connection.execute(sa.select(*columns).select_from(sa.table(name))).mappings()
            found[name] = [dict(line) for line in read]
        return found


def test_the_tables_are_those_of_the_models(stored: Place) -> None:
    stored.open()
    with connected(stored) as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_heads() == (revisions()[-1],)


def test_rows_of_the_first_version_live_on(stored: Place) -> None:
    assert len(revisions()) > 1
    made_at(stored, revisions()[0])
    with connected(stored) as connection:
        for name, row in FIRST.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            values = {key: sa.literal_column(f"'{value}'") if _is_json(value) else value for key, value in row.items()}
            connection.execute(sa.insert(table).values(values))
    before = rows(stored, FIRST)
    assert all(len(found) == 1 for found in before.values())
    store = stored.open()
    assert rows(stored, FIRST) == before
    kept = store.event("e1")
    assert kept is not None
    assert (kept.parts, kept.reasons, kept.size, kept.open) == ({"pose": 1.0}, ("fast",), (640, 360), True)
    (message,) = store.due("phone", AT)
    assert (message.id, message.attempts, message.body["event"]) == ("e1:new:0", 3, "e1")
    assert not store.put_event(event(), Change.NEW, ["phone"])
    assert store.put_event(event(), Change.END, ["phone"])
    assert store.lives()["gate"].life is Life.LIVE
    assert [said.by for said in store.feedback("gate", AT)] == ["ann"]
    assert len(store.incidents()) == 1


def _is_json(value: object) -> bool:
    return isinstance(value, str) and value[:1] in ("{", "[")


def test_opening_again_keeps_everything(stored: Place) -> None:
    stored.open().put_event(event(), Change.NEW, ["phone"])
    assert stored.open().events() == [event()]


def test_a_newer_store_is_refused(stored: Place) -> None:
    stored.open().put_event(event(), Change.NEW)
    with connected(stored) as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608
    with pytest.raises(StorageError, match=r"written by a newer version of amiss \(revision 9999\); update amiss"):
        stored.open()
    assert rows(stored, {"events": {"id": ""}}) == {"events": [{"id": "e1"}]}


def test_tables_of_something_else_are_left_alone(stored: Place) -> None:
    with connected(stored) as connection:
        connection.execute(sa.text("CREATE TABLE events (title TEXT)"))
        connection.execute(sa.text("INSERT INTO events VALUES ('concert')"))
    with pytest.raises(StorageError, match=r"tables of something else \(events\)"):
        stored.open()
    assert rows(stored, {"events": {"title": ""}}) == {"events": [{"title": "concert"}]}


def test_a_step_that_fails_leaves_the_old_tables(stored: Place) -> None:
    made_at(stored, revisions()[0])
    with connected(stored) as connection:
        connection.execute(sa.text("CREATE INDEX ix_events_severity ON events (severity)"))  # in the way of the second
    with pytest.raises(StorageError, match="ix_events_severity"):
        stored.open(patience=0.2)
    with connected(stored) as connection:
        assert not sa.inspect(connection).has_table("curves")
        connection.execute(sa.text("DROP INDEX ix_events_severity"))
    stored.open().log("ann", "looked", "gate")


@contextmanager
def entered(place: Place) -> Iterator[None]:
    """Another process is making the tables."""
    with connected(place) as connection:
        if isinstance(place.url, str):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield


def test_one_process_at_a_time_makes_the_tables(stored: Place) -> None:
    with entered(stored), pytest.raises(BusyError, match="held by another process"):
        stored.open(patience=0.3)
    with connected(stored) as connection:
        assert sa.inspect(connection).get_table_names() == []
    assert stored.open().events() == []


def test_tables_that_appear_while_one_looks_are_no_strangers(stored: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process makes all tables right after this one found none."""
    real, made = MigrationContext.get_current_heads, []

    def heads(context: MigrationContext) -> tuple[str, ...]:
        found = real(context)
        if not made:
            made.append(True)
            if isinstance(stored.url, str):  # a transaction of SQLite sees what was there when it began
                made_at(stored, "head")
        return found

    monkeypatch.setattr(MigrationContext, "get_current_heads", heads)
    assert stored.open().events() == []
    assert made


OPEN = """
import sys
from pathlib import Path
from amiss.live.store import Store
from support_stores import event
from amiss.live.nouns import Change
print("ready", flush=True)
sys.stdin.readline()
store = Store.open(sys.argv[1], Path(sys.argv[2]))
store.put_event(event(sys.argv[3]), Change.NEW, ["phone"])
store.put_event(event("shared"), Change.NEW, ["phone"])
"""


def test_processes_that_open_an_empty_store_at_once_all_succeed(stored: Place) -> None:
    folder = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(folder)])}
    words = [[sys.executable, "-W", "error", "-c", OPEN, str(stored.url), str(stored.media), f"e{n}"] for n in range(3)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = [subprocess.Popen(line, env=environment, **pipes) for line in words]  # noqa: S603
    try:
        for child in children:
            assert child.stdout.readline() == "ready\n"
        for child in children:
            child.stdin.write("\n")
            child.stdin.flush()
        for child in children:
            child.communicate(timeout=30)
    finally:
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
    assert [child.returncode for child in children] == [0, 0, 0]
    store = stored.open()
    assert sorted(row.id for row in store.events()) == ["e0", "e1", "e2", "shared"]
    assert store.waiting() == {"phone": 4}
