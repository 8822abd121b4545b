"""What the store keeps comes back as it was, changes only as told, and is there once."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event as hooks
from sqlalchemy.exc import OperationalError

from amiss.errors import ConfigError, StorageError
from amiss.live.address import Address
from amiss.live.nouns import Change, Incident, IncidentKind, Verdict
from amiss.live.store import Curve, Feedback, FeedbackKind, Life, LogEntry, Store
from amiss.live.store.failures import storage_error
from support_stores import AT, Clock, Place, event


def ids(store: Store, channel: str = "phone") -> list[str]:
    """Ids of all messages of a channel in the order in which they can be sent."""
    found = []
    while messages := store.due(channel, AT + 1e6):
        for message in messages:
            found.append(message.id)
            store.delivered(message, AT)
    return found


def test_an_event_comes_back_as_it_was(stored: Place) -> None:
    row = event(snapshot="gate/a.jpg", clip="gate/a.mp4", repeats=2, verdict=Verdict.RIGHT, quiet="night")
    assert stored.open().put_event(row, Change.NEW)
    assert stored.open().event("e1") == row
    assert stored.open().event("e2") is None


def test_numbers_of_numpy_and_odd_text_are_kept(store: Store) -> None:
    odd = "half \ud800 and nul \x00"
    row = event(severity=np.float32(2.5), likeness={"vector": np.float32([1, 2])}, alarm=np.bool_(True), quiet=odd)
    row = replace(row, parts={"pose": float("inf")}, reasons=(odd,))
    assert store.put_event(row, Change.NEW, ["phone"])
    kept = store.event("e1")
    assert kept is not None
    assert (kept.severity, kept.alarm, kept.likeness) == (2.5, True, {"vector": [1.0, 2.0]})
    assert kept.quiet == "half ? and nul \ufffd"
    assert kept.parts == {"pose": None}
    assert store.due("phone", AT)[0].body["parts"] == {"pose": None}


def test_a_time_that_is_no_number_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="no number as its peak"):
        store.put_event(event(peak=float("nan")), Change.NEW, ["phone"])
    assert store.events() == []


def test_the_same_change_again_changes_nothing(store: Store) -> None:
    longer, over = event(end=AT + 2), event(end=AT + 3, open=False)
    for row, change in ((event(), Change.NEW), (longer, Change.UPDATE), (over, Change.END)):
        assert store.put_event(row, change, ["phone"])
        assert not store.put_event(row, change, ["phone", "mail"])
    assert ids(store) == ["e1:new:0", "e1:update:0", "e1:end:0"]
    assert ids(store, "mail") == []
    for row, change in ((event(severity=9.0), Change.NEW), (longer, Change.UPDATE), (event(end=AT + 9), Change.END)):
        assert not store.put_event(row, change, ["phone"])
    assert store.event("e1") == over


def test_updates_are_counted_by_what_they_say(store: Store) -> None:
    first, second = event(end=AT + 2), event(end=AT + 3)
    assert store.put_event(event(), Change.NEW, ["phone"])
    for row, new in ((first, True), (second, True), (first, False), (second, False), (event(end=AT + 4), True)):
        assert store.put_event(row, Change.UPDATE, ["phone"]) is new
    assert ids(store) == ["e1:new:0", "e1:update:0", "e1:update:1", "e1:update:2"]
    assert store.event("e1") == event(end=AT + 4)


def test_an_end_closes_and_a_late_update_does_not_open(store: Store) -> None:
    store.put_event(event(end=AT + 5), Change.END, ["phone"])
    assert store.open_events() == []
    for late in (event(end=AT + 4), event(end=AT + 5, severity=4.0)):
        assert not store.put_event(late, Change.UPDATE, ["phone"])
    assert store.event("e1") == event(end=AT + 5, open=False)


def test_what_joins_an_ended_event_opens_and_ends_it_again(store: Store) -> None:
    store.put_event(event(), Change.NEW, ["phone"])
    store.put_event(event(), Change.END, ["phone"])
    assert store.put_event(event(end=AT + 30, repeats=1), Change.UPDATE, ["phone"])
    assert [row.id for row in store.open_events()] == ["e1"]
    assert store.put_event(event(end=AT + 30, repeats=1), Change.END, ["phone"]) is True
    assert store.open_events() == []
    assert ids(store) == ["e1:new:0", "e1:end:0", "e1:update:0", "e1:end:1"]


def test_news_that_come_late_are_told_and_take_nothing_back(store: Store) -> None:
    assert store.put_event(event(end=AT + 5, open=False), Change.END, ["phone"])
    assert store.put_event(event(), Change.NEW, ["phone"])
    assert not store.put_event(event(), Change.NEW, ["phone"])
    assert not store.put_event(event(end=AT + 6), Change.END, ["phone"])
    assert store.event("e1") == event(end=AT + 5, open=False)
    assert ids(store) == ["e1:end:0", "e1:new:0"]


def test_an_update_leaves_what_others_said(store: Store) -> None:
    store.put_event(event(), Change.NEW)
    store.set_verdict("e1", Verdict.RIGHT, "ann")
    store.set_media("e1", snapshot="gate/a.jpg")
    store.set_media("e1", clip="gate/a.mp4")
    store.put_event(event(end=AT + 2, suppressed=4), Change.UPDATE)
    store.put_event(event(end=AT + 3, open=False), Change.END)
    wanted = {"verdict": Verdict.RIGHT, "snapshot": "gate/a.jpg", "clip": "gate/a.mp4", "suppressed": 4}
    assert store.event("e1") == event(end=AT + 3, open=False, **wanted)
    store.set_verdict("e1", Verdict.NONE, "ann")
    assert store.events(reviewed=True) == []
    assert [entry.what for entry in store.entries("e1")] == ["verdict none", "verdict right"]


def test_what_is_said_of_an_unknown_event_is_an_error(store: Store) -> None:
    with pytest.raises(StorageError, match="no event 'e9'"):
        store.set_verdict("e9", Verdict.RIGHT, "ann")
    with pytest.raises(StorageError, match="no event 'e9'"):
        store.set_media("e9", clip="gate/a.mp4")
    with pytest.raises(StorageError, match="no event 'e9'"):
        store.add_feedback(Feedback("gate", FeedbackKind.NORMAL, "ann", AT, "e9"))
    with pytest.raises(StorageError, match="no feedback 9"):
        store.revoke_feedback(9, "ann")
    assert store.entries() == []


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.jpg", "gate/../../a.jpg", "", "gate\\a.jpg"])
def test_media_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    with Store.open(tmp_path / "store.sqlite", tmp_path / "media") as store:
        store.put_event(event(), Change.NEW)
        with pytest.raises(StorageError, match="folder of media"):
            store.set_media("e1", snapshot=name)
        with pytest.raises(StorageError, match="folder of media"):
            store.put_event(event(end=AT + 9, clip=name), Change.UPDATE)
        assert store.event("e1") == event()


def test_events_are_filtered_and_ordered(store: Store) -> None:
    for place, (camera, severity, alarm) in enumerate([("gate", 3.0, True), ("yard", 5.0, False), ("gate", 4.0, True)]):
        row = event(f"e{place}", camera=camera, severity=severity, alarm=alarm, start=AT + place, open=place == 2)
        store.put_event(row, Change.NEW)
    store.set_verdict("e0", Verdict.NORMAL, "ann")

    def found(**filters: object) -> list[str]:
        return [row.id for row in store.events(**filters)]  # type: ignore[arg-type]

    assert found() == ["e2", "e1", "e0"]
    assert found(order="severity") == ["e1", "e2", "e0"]
    assert found(camera="gate") == ["e2", "e0"]
    assert found(since=AT + 1) == ["e2", "e1"]
    assert found(until=AT + 1) == ["e0"]
    assert found(since=AT + 1, until=AT + 2) == ["e1"]
    assert (found(alarm=True), found(alarm=False)) == (["e2", "e0"], ["e1"])
    assert (found(reviewed=True), found(reviewed=False)) == (["e0"], ["e2", "e1"])
    assert (found(limit=2), found(limit=2, offset=2)) == (["e2", "e1"], ["e0"])
    assert [row.id for row in store.open_events()] == ["e2"]
    assert store.open_events("yard") == []


def test_an_incident_is_kept_once_and_told_when_it_begins_and_ends(store: Store) -> None:
    lasts = Incident("gate", IncidentKind.GAP, AT, None, "no frames for 5 s")
    over = replace(lasts, end=AT + 60, detail="no frames for 60 s")
    assert [store.put_incident(lasts, ["phone"]), store.put_incident(lasts, ["phone"])] == [True, False]
    assert store.incidents(lasting=True) == [lasts]
    assert [store.put_incident(over, ["phone"]), store.put_incident(over, ["phone"])] == [True, False]
    assert not store.put_incident(lasts, ["phone"])
    assert store.incidents() == [over]
    assert ids(store) == [f"gate-gap-{AT * 1000:.0f}:new:0", f"gate-gap-{AT * 1000:.0f}:end:0"]
    assert store.put_incident(replace(over, end=AT + 61), ["phone"])
    assert (store.incidents()[0].end, ids(store)) == (AT + 61, [])


def test_an_incident_that_is_over_at_once_is_told_once(store: Store) -> None:
    store.put_incident(Incident("gate", IncidentKind.RESIZED, AT, AT, "640x360, then 320x180"), ["phone"])
    (message,) = store.due("phone", AT)
    assert (message.change, message.body["kind"], message.body["start"]) == (None, "resized", AT)
    assert message.body["end"] is not None


def test_incidents_are_filtered(store: Store) -> None:
    store.put_incident(Incident("gate", IncidentKind.GAP, AT, AT + 10, ""))
    store.put_incident(Incident("yard", IncidentKind.MOVED, AT + 5, None, ""))

    def found(**filters: object) -> list[str]:
        return [incident.camera for incident in store.incidents(**filters)]  # type: ignore[arg-type]

    assert found() == ["yard", "gate"]
    assert found(camera="gate") == ["gate"]
    assert found(lasting=False) == ["gate"]
    assert (found(since=AT + 10), found(since=AT + 11)) == (["yard", "gate"], ["yard"])
    assert (found(until=AT + 5), found(limit=1)) == (["gate"], ["yard"])


def test_a_life_has_a_history(stored: Place) -> None:
    clock = Clock()
    store = stored.open(clock=clock)
    assert store.life("gate") is None
    store.set_life("gate", Life.COLLECTING, "new", "rule", {"hours": 0})
    clock.now += 60
    store.set_life("gate", Life.COLLECTING, "still", "rule", {"hours": 1})
    clock.now += 60
    store.set_life("gate", Life.SHADOW, "24 h collected", "rule")
    store.set_life("yard", Life.LIVE, "by hand", "ann")
    gate = stored.open().lives()["gate"]
    assert (gate.life, gate.since, gate.why, gate.detail) == (Life.SHADOW, AT + 120, "24 h collected", {"hours": 1})
    assert sorted(store.lives()) == ["gate", "yard"]
    assert list(store.lives(["yard", "roof"])) == ["yard"]
    assert store.camera_names() == ["gate", "yard"]
    history = [(step.before, step.after, step.at) for step in store.life_changes("gate")]
    assert history == [(None, Life.COLLECTING, AT), (Life.COLLECTING, Life.SHADOW, AT + 120)]


def test_feedback_holds_until_it_expires_or_is_revoked(stored: Place) -> None:
    clock = Clock(AT + 50)
    store = stored.open(clock=clock)
    store.put_event(event(), Change.NEW)
    normal = Feedback("gate", FeedbackKind.NORMAL, "ann", AT, "e1", {"place": [0.5]})
    snooze = Feedback("gate", FeedbackKind.SNOOZE, "bob", AT + 10, until=AT + 20)
    kept = [store.add_feedback(said) for said in (normal, snooze, normal)]
    assert kept[0] == kept[2] == replace(normal, id=kept[0].id)
    store.add_feedback(Feedback("yard", FeedbackKind.RIGHT, "ann", AT))

    def holds(at: float) -> list[FeedbackKind]:
        return [said.kind for said in store.feedback("gate", at)]

    assert [holds(AT - 1), holds(AT), holds(AT + 19)] == [[], ["normal"], ["normal", "snooze"]]
    assert holds(AT + 20) == ["normal"]
    assert store.revoke_feedback(kept[0].id, "bob").revoked == AT + 50
    clock.now += 5
    assert store.revoke_feedback(kept[0].id, "bob").revoked == AT + 50
    assert [holds(AT + 49), holds(AT + 50)] == [["normal"], []]
    assert len(store.feedback("gate")) == 2
    assert len(store.feedback()) == 3
    said = f"revoked feedback {kept[0].id} (normal)"
    assert store.entries("e1") == [LogEntry("bob", said, "e1", AT + 50), LogEntry("ann", "feedback normal", "e1", AT)]


def test_who_did_what_is_kept(stored: Place) -> None:
    clock = Clock()
    store = stored.open(clock=clock)
    for place in range(3):
        store.log("ann", f"step {place}", "gate")
        clock.now += 1
    store.log("bob", "looked", "yard")
    assert [entry.what for entry in store.entries(limit=2, offset=1)] == ["step 2", "step 1"]
    assert store.entries("yard") == [LogEntry("bob", "looked", "yard", AT + 3)]


def test_curves_are_found_by_time_and_dropped(store: Store) -> None:
    curves = [Curve("gate", AT + hour * 3600, AT + hour * 3600 + 3599, f"gate/{hour}.parquet", 10) for hour in range(3)]
    for curve in [*curves, Curve("yard", AT, AT + 9, "yard/0.parquet", 1)]:
        store.add_curve(curve)
    store.add_curve(replace(curves[2], frames=11))
    assert store.curves("gate", AT + 3599, AT + 3601) == curves[:2]
    assert store.curves("gate", AT + 7200, AT + 1e6) == [replace(curves[2], frames=11)]
    assert {curve.path for curve in store.drop_curves(AT + 3600)} == {"gate/0.parquet", "yard/0.parquet"}
    assert store.curves("gate", 0, 2 * AT) == [curves[1], replace(curves[2], frames=11)]


def test_threads_write_at_once(store: Store) -> None:
    """Each thread brings events of its own, and all bring the same one."""
    failed: list[BaseException] = []

    def put(thread: int) -> None:
        try:
            for place in range(5):
                store.put_event(event(f"e{thread}-{place}"), Change.NEW, ["phone"])
                store.put_event(event("shared", end=AT + 2 + place), Change.UPDATE, ["phone"])
                store.set_life("gate", Life.LIVE, "", "rule")
        except StorageError as error:
            failed.append(error)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(store.events()) == 21
    sent = ids(store)
    assert len(sent) == len(set(sent)) == 25
    assert len(store.life_changes("gate")) == 1


def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'new' / 'store.sqlite'}", tmp_path / "media", patience=3) as store:
        found = {
            name: store._database.read(lambda session, name=name: session.connection().exec_driver_sql(name).scalar())
            for name in ("PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA foreign_keys", "PRAGMA busy_timeout")
        }
    assert list(found.values()) == ["wal", 2, 1, 3000]


def test_a_file_that_cannot_grow_is_a_full_disk(tmp_path: Path) -> None:
    kept: list[str] = []

    def put_many(store: Store) -> None:
        for place in range(100):
            store.put_event(event(f"e{place}", model="m" * 4000), Change.NEW, ["phone"])
            kept.append(f"e{place}")

    with Store.open(tmp_path / "store.sqlite", tmp_path / "media") as store:
        hooks.listen(store._database._engine, "connect", lambda made, _: made.execute("PRAGMA max_page_count=60"))
        with pytest.raises(StorageError, match="the disk is full at the store"):
            put_many(store)
        assert 0 < len(kept) == len(store.events()) == store.waiting()["phone"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://amiss:pass%40w%2Fd@host/db",
        "postgresql+psycopg://host/db?user=amiss&password=pass%40w%2Fd&sslmode=require",
    ],
)
@pytest.mark.parametrize("said", ["no entry with pass@w/d for amiss", "no entry with pass%40w%2Fd", "{url} is away"])
def test_what_a_database_says_is_told_without_the_password(url: str, said: str) -> None:
    cause = sqlite3.OperationalError(said.format(url=url) + "\nand a second line")
    text = str(storage_error(OperationalError("SELECT 1", {}, cause), Address.parse(url)))
    assert "***" in text
    assert all(secret not in text for secret in ("pass@w/d", "pass%40w%2Fd", "second"))


@pytest.mark.parametrize(
    "url", ["mysql://root:s3cret@host/db", "sqlite://", "sqlite:///:memory:", "postgresql://a:s3cret@[", "://"]
)
def test_what_is_no_store_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="give a file for SQLite") as caught:
        Store.open(url, tmp_path)
    assert "s3cret" not in str(caught.value)
