"""What happens at cameras, on its way to the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from prometheus_client import generate_latest

from amiss.errors import StorageError
from amiss.live.alarms import Note
from amiss.live.health import Health
from amiss.live.journal import CROWD, Journal
from amiss.live.keeper import Keeper
from amiss.live.life import Course, Word
from amiss.live.nouns import Change, Incident, IncidentKind, Verdict
from amiss.live.recorder import Clip, _Shot
from amiss.live.settings import MediaSettings, MetricsSettings
from amiss.live.store import Lease, LeaseKind, Life, Media, Store
from support_live import arrival, painted
from support_postgres import Postgres
from support_servers import until
from support_stores import AT, event

FAR = 4_000_000_000.0


class Desk:
    """A journal on a store."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(folder / "s.sqlite", folder / "media")
        self.health = Health(MetricsSettings(), folder)
        self.keepers = Keeper(self.health.error), Keeper(self.health.error)
        settings = MediaSettings()
        media = Media(self.store, settings)
        names = {"gate": ["c"]}
        self.woken: list[float] = []
        wake = lambda: self.woken.append(time.monotonic())  # noqa: E731
        self.journal = Journal(self.store, media, self.keepers, names, wake, self.health, settings)
        for keeper in self.keepers:
            keeper.start()

    def done(self) -> None:
        until(lambda: not any(keeper.waiting for keeper in self.keepers))

    def due(self) -> list[str]:
        return [message.id for message in self.store.due("c", FAR)]

    def numbers(self) -> str:
        return generate_latest(self.health._registry).decode()

    def close(self) -> None:
        for keeper in self.keepers:
            keeper.close(1.0)
        self.store.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def test_an_alarm_is_kept_with_its_picture_before_it_is_told(desk: Desk) -> None:
    image = painted((250, 0, 0))
    desk.journal.note(Note(event("e"), Change.NEW, told=True, picture=True), arrival(0.0, image=image))
    desk.done()
    (message,) = desk.store.due("c", FAR)
    assert message.id == "e:new:0"
    assert message.snapshot is not None
    assert cv2.imread(str(message.snapshot)).shape == image.shape
    assert desk.woken
    worse = replace(event("e"), severity=9.0)
    desk.journal.note(Note(worse, Change.UPDATE, told=True, picture=True), arrival(2.0, image=painted((0, 0, 250))))
    desk.journal.note(Note(replace(worse, open=False), Change.END, told=True), arrival(3.0))
    desk.done()
    desk.store.delivered(message, AT)
    (update,) = desk.store.due("c", FAR)
    assert (update.id, update.body["severity"]) == ("e:update:1", 9.0)
    assert update.snapshot is not None
    blue, _, red = cv2.imread(str(update.snapshot))[62:98, 22:38].mean((0, 1))
    assert blue > red, "the picture is of the worse moment"
    assert 'amiss_events_total{alarm="yes",camera="gate"} 1.0' in desk.numbers()


def test_a_quiet_event_is_kept_and_nobody_is_told(desk: Desk) -> None:
    row = event("e", alarm=False, quiet="shadow")
    desk.journal.note(Note(row, Change.NEW, told=False, picture=True), arrival(0.0))
    desk.journal.note(Note(replace(row, open=False), Change.END, told=False), arrival(1.0))
    desk.done()
    assert desk.due() == []
    kept = desk.store.event("e")
    assert kept is not None
    assert not kept.open
    assert kept.snapshot
    alarm = event("f", alarm=False, quiet="zone")
    desk.journal.note(Note(alarm, Change.NEW, told=False, picture=True), arrival(0.0))
    desk.journal.note(Note(event("f"), Change.NEW, told=True, picture=True), arrival(2.0))
    desk.done()
    assert desk.due() == ["f:new:0"]


def test_what_was_left_open_ends_and_is_told_if_it_was_not(desk: Desk) -> None:
    for name, changes in (("told", (Change.UPDATE, Change.NEW)), ("untold", (Change.UPDATE,))):
        for change in changes:
            desk.store.put_event(event(name), change, ["c"] if change is Change.NEW else [])
        desk.journal.close_left(event(name))
    desk.journal.close_left(event("quiet", alarm=False, quiet="shadow"))
    desk.done()
    assert sorted(desk.due()) == ["told:new:0", "untold:new:0"]
    assert desk.store.open_events() == []
    assert desk.store.waiting() == {"c": 4}, "new and end of each, once"


def test_incidents_that_lasted_when_the_program_ended_end(desk: Desk) -> None:
    desk.journal.incident(Incident("gate", IncidentKind.GAP, AT, None, "no frames"))
    desk.journal.incident(Incident("yard", IncidentKind.GAP, AT, None, "no frames"))
    desk.journal.close_incidents("gate", AT + 60)
    desk.done()
    assert [(one.camera, one.end) for one in desk.store.incidents(lasting=False)] == [("gate", AT + 60)]
    assert desk.store.waiting() == {"c": 2}


def test_a_word_of_a_person_is_not_overwritten_by_what_did_not_hear_it(desk: Desk) -> None:
    course = Course(Life.LIVE, AT, "it is new")
    desk.journal.course("gate", course)
    desk.done()
    record = desk.store.lives()["gate"]
    desk.store.set_life("gate", Life.FROZEN, "set by ann", "ann", Word(Life.FROZEN, "ann", AT + 5).detail(record))
    desk.journal.course("gate", replace(course, seen=1.0))
    desk.journal.course("gate", Course(Life.SHADOW, AT + 6, "a rule"))
    desk.done()
    assert desk.store.lives()["gate"].life is Life.FROZEN
    desk.journal.course("gate", Course(Life.LIVE, AT + 9, "set by ann", "ann", heard=AT + 5))
    desk.done()
    assert desk.store.lives()["gate"].life is Life.LIVE


def test_it_asks_the_store_what_people_said_and_counts(desk: Desk) -> None:
    now = time.time()
    for name, start in (("new", now - 60), ("old", now - 3 * 86_400)):
        row = event(name, start=start, peak=start, end=start + 5)
        desk.store.put_event(row, Change.NEW, ["c"])
    desk.store.set_verdict("old", Verdict.NORMAL, "ann")
    desk.journal.course("gate", Course(Life.LIVE, now, ""))
    desk.journal.refresh(["gate"])
    desk.done()
    seen = desk.journal.seen
    assert seen.alarms == {"gate": 1}
    assert [start for start, _ in desk.journal.spoiled("gate")] == [now - 60], "what is normal is no bad example"
    assert seen.lives["gate"].life is Life.LIVE
    assert 'amiss_outbox_messages{channel="c"} 2.0' in desk.numbers()
    waited = next(line for line in desk.numbers().splitlines() if line.startswith("amiss_outbox_oldest_seconds{"))
    assert float(waited.split()[1]) >= 54
    for message in desk.store.due("c", FAR):
        desk.store.delivered(message, now)
    desk.journal.refresh(["gate"])
    desk.done()
    assert 'amiss_outbox_messages{channel="c"} 0.0' in desk.numbers(), "nothing waits any more"


def test_a_store_that_is_away_is_not_asked_again_and_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise StorageError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "lives", gone)
        desk.keepers[0].add("slow", lambda: time.sleep(0.2))
        for _ in range(20):
            desk.journal.refresh(["gate"])
        assert desk.keepers[0].waiting <= 2
        desk.done()
    desk.journal.refresh(["gate"])
    desk.done()
    assert not desk.journal._asking


def test_the_lease_is_that_of_the_moment_in_which_something_was_seen(tmp_path: Path, postgres: Postgres) -> None:
    """What waits while the database is away, and the camera elsewhere, is refused though the camera came back."""
    store = Store.open(postgres.new_database(), tmp_path / "media")
    leases = {"gate": Lease(LeaseKind.CAMERA, "gate", 1)}
    keeper, health = Keeper(), Health(MetricsSettings(), tmp_path)
    media = Media(store, MediaSettings())
    names = {"gate": ["c"]}
    give = leases.__getitem__
    journal = Journal(store, media, (keeper, keeper), names, lambda: None, health, MediaSettings(), give)
    store.enter_shard("a", "run", 30.0)
    for _ in range(3):
        (lease,) = store.renew_leases("a", "run", {LeaseKind.CAMERA: ["gate"]}, 30.0).leases
        store.release_leases("run", [lease])
    journal.note(Note(event("old"), Change.NEW, told=True), arrival(0.0))
    journal.incident(Incident("gate", IncidentKind.GAP, AT, None, "old"))
    (lease,) = store.renew_leases("a", "run", {LeaseKind.CAMERA: ["gate"]}, 30.0).leases
    leases["gate"] = lease
    journal.note(Note(event("new"), Change.NEW, told=True), arrival(0.0))
    keeper.start()
    assert keeper.close(5.0)
    assert [row.id for row in store.events()] == ["new"]
    assert store.incidents() == []
    with pytest.raises(KeyError):
        journal.note(Note(event("x", camera="yard"), Change.NEW, told=True), arrival(0.0))
    store.close()


@pytest.mark.parametrize(("waiting", "more"), [(CROWD, 1), (CROWD + 1, 0)])
def test_videos_are_left_out_where_too_much_waits_to_be_kept(store: Store, waiting: int, more: int) -> None:
    """The store is away: nothing that waits is to fill the memory but what must be kept."""
    keeper, media = Keeper(), Media(store, MediaSettings())
    health = Health(MetricsSettings(), store.media)
    journal = Journal(store, media, (keeper, Keeper()), {}, lambda: None, health, MediaSettings())
    for _ in range(waiting):
        keeper.add("an event", lambda: None)
    journal.clip(Clip("e1", [_Shot(AT, b"")]))
    assert keeper.waiting == waiting + more
