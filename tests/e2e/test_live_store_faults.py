"""Whatever happens to a store: what it acknowledged is there once, and the rest is there whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import event as hooks

from amiss.errors import BusyError, StorageError
from amiss.live.nouns import Change
from amiss.live.settings import MediaSettings
from amiss.live.store import Media, MediaKind, Store
from support_postgres import CLEAR, DATABASE, DISCONNECT, IN_ADDRESS, Postgres
from support_stores import AT, Clock, Place, event

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""
POINTS = "before", "commit", "committed", "acknowledged", "writing", "written", "renamed", "unnamed", "named"
TOLD = {"phone": ["new:0", "end:0"], "mail": ["new:0"]}


def after(seconds: float, work: Callable[[], object]) -> threading.Thread:
    thread = threading.Timer(seconds, work)
    thread.start()
    return thread


# A process that dies


@pytest.fixture
def dying(stored: Place) -> Iterator[Callable[[str, str], dict[str, Any]]]:
    """Lets a process put an event and die at a point."""
    folder = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    words = [sys.executable, str(folder / "store_child.py"), str(stored.url), str(stored.media)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, env=environment, **pipes) as child:  # noqa: S603

        def die(point: str, name: str) -> dict[str, Any]:
            child.stdin.write(f"{point} {name}\n")
            child.stdin.flush()
            answer: dict[str, Any] = json.loads(child.stdout.readline())
            return answer

        yield die
        child.stdin.close()
        child.wait(20)


def recover(place: Place, name: str, said: list[str]) -> None:
    """Start anew after a death: what was acknowledged is there; the rest is put again and is there once."""
    store = place.open()
    media = Media(store, MediaSettings(free=0), clock=Clock())
    found = [row for row in store.events() if row.id == name]
    assert len(found) == (1 if "new" in said else len(found)) <= 1
    for channel in TOLD:  # an event without its message would never be told
        assert [message.id for message in store.due(channel, AT)] == [f"{row.id}:new:0" for row in found]
    media.check(time.time() + 3600)
    named = {row.clip for row in store.events() if row.clip is not None}
    whole = [path for path in store.media.rglob("*") if path.is_file() and path.name != ".amiss"]
    assert {path.relative_to(store.media).as_posix() for path in whole} == named
    if "clip" in said:
        assert (store.media / str(found[0].clip)).read_text() == "whole"
    store.put_event(event(name), Change.NEW, ["phone", "mail"])
    assert [row.id for row in store.open_events()] == ([] if "end" in said else [name])
    store.put_event(event(name, end=AT + 9, open=False), Change.END, ["phone"])
    assert [row.id for row in store.events()].count(name) == 1
    for channel, changes in TOLD.items():
        assert delivered(store, channel) == [f"{name}:{change}" for change in changes]
    place.close()


def delivered(store: Store, channel: str) -> list[str]:
    found = []
    while messages := store.due(channel, AT):
        for message in messages:
            found.append(message.id)
            store.delivered(message, AT)
    return found


def test_a_process_that_dies_at_any_step_loses_nothing(
    stored: Place, dying: Callable[[str, str], dict[str, Any]]
) -> None:
    acknowledged: dict[str, list[str]] = {}
    for place, point in enumerate(POINTS):
        end = dying(point, f"p{place}")
        assert end["signal"] == signal.SIGKILL, (point, end)
        acknowledged[point] = end["said"]
        recover(stored, f"p{place}", end["said"])
    none, new, clip = [], ["new"], ["new", "clip"]
    assert list(acknowledged.values()) == [none, none, none, new, new, new, new, new, clip]
    statements = 0
    while (end := dying(f"statement:{statements}", f"s{statements}"))["signal"]:
        recover(stored, f"s{statements}", end["said"])
        statements += 1
    assert end == {"said": ["new", "clip", "end"], "signal": 0, "exit": 0}
    recover(stored, f"s{statements}", end["said"])
    assert statements > 4


# A database that is held by another


@contextmanager
def held(place: Place, server: Postgres | None) -> Iterator[Callable[[], None]]:
    """Another process holds the database until it is told to let go."""
    if server is not None:
        connection = psycopg.connect(str(place.url).replace("+psycopg", ""))
        connection.execute("LOCK TABLE events, changes, outbox")
        yield connection.close
        connection.close()
        return
    words = [sys.executable, "-c", HOLD, str(place.url)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as child:  # noqa: S603
        assert child.stdout.readline() == "held\n"
        yield child.kill
        child.kill()


def server_of(place: Place, request: pytest.FixtureRequest) -> Postgres | None:
    server: Postgres | None = request.getfixturevalue("postgres") if isinstance(place.url, str) else None
    return server


def test_a_lock_that_stays_is_an_error_and_nothing_is_written(stored: Place, request: pytest.FixtureRequest) -> None:
    store = stored.open(patience=0.5)
    store.put_event(event(), Change.NEW, ["phone"])
    with held(stored, server_of(stored, request)) as release:
        start = time.monotonic()
        with pytest.raises(BusyError, match="held by another process"):
            store.put_event(event("e2"), Change.NEW, ["phone"])
        assert 0.4 < time.monotonic() - start < 3
        release()
    assert [row.id for row in store.events()] == ["e1"]
    assert store.waiting() == {"phone": 1}
    assert store.put_event(event("e2"), Change.NEW, ["phone"])


def test_a_lock_that_goes_is_waited_for(stored: Place, request: pytest.FixtureRequest) -> None:
    store = stored.open(patience=5)
    with held(stored, server_of(stored, request)) as release:
        thread = after(0.5, release)
        start = time.monotonic()
        assert store.put_event(event(), Change.NEW, ["phone"])
        assert time.monotonic() - start > 0.4
        thread.join()
    assert stored.open().waiting() == {"phone": 1}


def test_a_store_of_sqlite_is_read_while_another_process_writes(tmp_path: Path) -> None:
    place = Place(tmp_path / "store.sqlite", tmp_path / "media", [])
    store = place.open(patience=0.5)
    store.put_event(event(), Change.NEW)
    with held(place, None):
        assert store.events() == place.open(patience=0.5).events() == [event()]
    place.close()


# A disk that is full


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(words, capture_output=True).returncode:  # noqa: S603
        pytest.skip("a small disk cannot be mounted here (run the tests as root with the right to mount)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(4096))


def put_many(store: Store, kept: list[str]) -> None:
    for place in range(200):
        store.put_event(event(f"e{place}"), Change.NEW, ["phone"])
        kept.append(f"e{place}")


def test_a_full_disk_keeps_the_event_whose_clip_has_no_room(tiny: Path) -> None:
    with Store.open(tiny / "store.sqlite", tiny / "media") as store:
        store.put_event(event(), Change.NEW, ["phone"])
        media = Media(store, MediaSettings(free=0.001))
        with pytest.raises(StorageError, match=r"the disk is full at .*e1-clip.mp4"):
            media.write("e1", MediaKind.CLIP, fill)
        assert [path for path in store.media.rglob("*") if path.is_file() and path.name != ".amiss"] == []
        assert store.event("e1") == event()
        assert store.put_event(event(open=False), Change.END, ["phone"])


def test_a_full_disk_refuses_what_is_new_and_keeps_what_was(tiny: Path, tmp_path: Path) -> None:
    kept: list[str] = []
    with Store.open(tiny / "store.sqlite", tiny / "media", clock=Clock()) as store:
        media = Media(store, MediaSettings(free=0.5 * 1e-3), clock=Clock(AT + 60))
        store.put_event(event("old", open=False), Change.END)
        media.write("old", MediaKind.CLIP, lambda path: path.write_bytes(bytes(1 << 20)) and None)
        with pytest.raises(OSError, match="No space left"):
            fill(tiny / "ballast")
        with pytest.raises(StorageError, match="the disk is full at the store"):
            put_many(store, kept)
    with Store.open(tiny / "store.sqlite", tiny / "media", clock=Clock()) as store:
        assert {row.id for row in store.events(limit=1000)} == {*kept, "old"}
        assert store.waiting().get("phone", 0) == len(kept)
        media = Media(store, MediaSettings(free=0.5 * 1e-3), clock=Clock(AT + 60))
        assert media.sweep() == ["gate/2023-11-14/old-clip.mp4"]
        assert store.put_event(event("new"), Change.NEW, ["phone"])
        store.verify()


# A server that goes away


def test_a_server_that_was_restarted_is_found_again(postgres: Postgres, tmp_path: Path) -> None:
    place = Place(postgres.new_database(), tmp_path, [])
    store = place.open(patience=5)
    store.put_event(event(), Change.NEW, ["phone"])
    for mode in ("fast", "immediate"):
        postgres.stop(mode)
        postgres.start()
        assert store.put_event(event(mode), Change.NEW, ["phone"])
    assert delivered(store, "phone") == ["e1:new:0", "fast:new:0", "immediate:new:0"]
    place.close()


def test_a_server_that_is_away_is_waited_for_and_then_named(postgres: Postgres, tmp_path: Path) -> None:
    place = Place(postgres.new_database(), tmp_path, [])
    store = place.open(patience=6)
    hasty = place.open(patience=0.5)
    postgres.stop()
    try:
        with pytest.raises(BusyError, match=r"does not answer .*see whether its server runs") as caught:
            hasty.put_event(event("hasty"), Change.NEW, ["phone"])
        assert_closed(caught.value)
        with pytest.raises(BusyError, match="does not answer") as caught:
            place.open(patience=0.5)
        assert_closed(caught.value)
    finally:
        thread = after(0.5, postgres.start)
        try:
            assert store.put_event(event(), Change.NEW, ["phone"])
        finally:
            thread.join()
    assert [row.id for row in hasty.events()] == ["e1"]
    place.close()


@pytest.mark.parametrize("moment", ["inside", "after"])
def test_a_connection_that_breaks_in_a_transaction_is_made_anew(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Inside the transaction nothing was kept; after its commit it was, and only the answer is lost."""
    place = Place(postgres.new_database(), tmp_path, [])
    store = place.open()
    broken: list[str] = []

    def break_once(*_: object) -> None:
        if not broken:
            broken.append(moment)
            postgres.execute(DISCONNECT)

    real = store._database._writer.dialect.do_commit

    def commit(connection: Any) -> None:
        real(connection)
        if not broken:
            break_once()
            connection.execute("SELECT 1")  # which the driver finds out of

    if moment == "inside":
        hooks.listen(store._database._writer, "commit", break_once)
    else:
        monkeypatch.setattr(store._database._writer.dialect, "do_commit", commit)
    store.put_event(event(), Change.NEW, ["phone"])
    assert broken == [moment]
    assert [row.id for row in store.events()] == ["e1"]
    assert delivered(store, "phone") == ["e1:new:0"]
    place.close()


def test_a_server_that_would_answer_too_soon_waits_for_its_disk(postgres: Postgres, tmp_path: Path) -> None:
    place = Place(postgres.new_database(), tmp_path, [])
    postgres.execute(f"ALTER DATABASE {DATABASE} SET synchronous_commit = off")
    try:
        store = place.open(patience=7)
        query = [sqlalchemy.text(f"SHOW {name}") for name in ("synchronous_commit", "lock_timeout")]
        assert [store._database.read(lambda session, q=q: session.scalar(q)) for q in query] == ["on", "7s"]
    finally:
        postgres.execute(f"ALTER DATABASE {DATABASE} RESET synchronous_commit")
        place.close()


# Passwords


def assert_closed(error: BaseException) -> None:
    """Neither an error nor what is logged of it holds the password."""
    said = "".join(traceback.format_exception(error)) + repr(error)
    assert CLEAR not in said
    assert IN_ADDRESS not in said
    assert "\n" not in str(error)
    assert error.__suppress_context__ or error.__context__ is None


def test_a_wrong_password_is_not_repeated(postgres: Postgres, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    start = time.monotonic()
    for address in (
        postgres.address("postgres", f"{IN_ADDRESS}x"),
        f"postgresql://127.0.0.1:{postgres.port}/postgres?user=amiss&password={IN_ADDRESS}x",
        postgres.address("nowhere"),
    ):
        with caplog.at_level("DEBUG"), pytest.raises(StorageError, match="lets nobody in") as caught:
            Store.open(address, tmp_path, patience=5)
        assert_closed(caught.value)
        assert "127.0.0.1" in str(caught.value)
    assert CLEAR not in caplog.text
    assert IN_ADDRESS not in caplog.text
    assert time.monotonic() - start < 5  # it is no use to wait


def test_what_a_server_refuses_is_one_line_without_its_address(postgres: Postgres, tmp_path: Path) -> None:
    place = Place(postgres.new_database(), tmp_path, [])
    store = place.open()
    postgres.execute("DROP TABLE outbox", DATABASE)
    with pytest.raises(StorageError, match="outbox") as caught:
        store.put_event(event(), Change.NEW, ["phone"])
    assert_closed(caught.value)
    assert store.events() == []
    place.close()
