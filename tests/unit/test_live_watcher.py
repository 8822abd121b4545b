"""Cameras beside each other: what is wrong with one never touches another."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import amiss
import support_footage as footage
from amiss.errors import ConfigError, StorageError
from amiss.live import rounds
from amiss.live import watch as module
from amiss.live.doctor import Level, examine
from amiss.live.nouns import Arrival, Change
from amiss.live.settings import ShardSettings, WatchSettings
from amiss.live.store import LeaseKind, Store
from amiss.live.watch import Watcher
from support_postgres import Postgres
from support_stores import Clock, event

QUICK = ("method.parts=[speed,size,place]", "perception.boxes.source=motion")


@pytest.fixture(scope="module")
def settings(place: Path, tmp_path_factory: pytest.TempPathFactory) -> WatchSettings:
    folder = tmp_path_factory.mktemp("watch")
    amiss.learn(place / "training", settings=[*footage.SETTINGS, *QUICK], budget="60/hour").save(folder / "m.amiss")
    camera = {"source": str(place / "testing" / "wild0.mp4"), "model": str(folder / "m.amiss"), "queue": 64}
    return WatchSettings.build({"data": str(folder / "data"), "cameras": {"gate": camera, "yard": camera}})


def watched(settings: WatchSettings, data: Path) -> tuple[Watcher, dict[str, list[float]]]:
    found: dict[str, list[float]] = {"gate": [], "yard": []}
    given = settings.model_copy(update={"data": data})
    with Watcher(given, lambda arrival, score: found[arrival.camera].append(score)) as watcher:
        watcher.run(60.0)
    return watcher, found


def test_a_frame_that_cannot_be_scored_does_not_touch_the_other_camera(
    settings: WatchSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, well = watched(settings, tmp_path / "well")
    assert well["gate"] == well["yard"]
    assert len(well["gate"]) == footage.WILD
    step = module.Seat.step

    def broken(seat: module.Seat, arrival: Arrival) -> Any:
        if seat.name == "gate" and 20 <= arrival.frame.index < 30:
            raise ValueError("broken")
        return step(seat, arrival)

    monkeypatch.setattr(module.Seat, "step", broken)
    _, found = watched(settings, tmp_path / "broken")
    assert found["yard"] == well["yard"]
    assert found["gate"][:20] == well["gate"][:20]
    assert 20 < len(found["gate"]) < footage.WILD, "it goes on a while later"
    with module.store_of(settings.model_copy(update={"data": tmp_path / "broken"})) as store:
        assert {incident.kind for incident in store.incidents("gate")} == {"failed"}
        assert store.incidents("yard") == []
        assert store.open_events() == []


def test_nor_does_one_that_cannot_be_looked_at_or_ticked(
    settings: WatchSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(seat: module.Seat, *given: Any, **more: Any) -> Any:
        if seat.name == "gate":
            raise ValueError("broken")
        return kept[given[0].__class__ is Arrival](seat, *given, **more)

    kept = {True: module.Seat.prepare, False: module.Seat.tick}
    monkeypatch.setattr(module.Seat, "prepare", broken)
    monkeypatch.setattr(module.Seat, "tick", broken)
    monkeypatch.setattr(rounds, "look_together", lambda *_: 1 / 0)
    _, found = watched(settings, tmp_path / "data")
    assert found["gate"] == []
    assert len(found["yard"]) == footage.WILD


def test_messages_of_long_ago_are_given_up_and_newer_ones_wait(
    settings: WatchSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = settings.model_copy(update={"data": tmp_path / "data"})
    for days in (89, 91):
        at = time.time() - 86_400 * days
        with Store.open(given.data / "amiss.sqlite", given.data / "media", clock=Clock(at)) as store:
            store.put_event(event(f"e{days}", camera="gate", start=at, end=at + 1, open=False), Change.END, ["phone"])
    with Watcher(given) as watcher:
        watcher.run(60.0)
    with module.store_of(given) as store:
        assert [message.id for message in store.due("phone", time.time())] == ["e89:end:0"]
    assert "1 messages to 'phone' were given up undelivered: e91:end:0" in caplog.text


def test_the_disk_is_swept_while_something_waits_for_room_on_it(
    settings: WatchSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = threading.Event()
    monkeypatch.setattr(Watcher, "_sweep", lambda _: swept.set())

    def keep() -> None:
        if not swept.is_set():
            raise StorageError("the disk is full")

    with Watcher(settings.model_copy(update={"data": tmp_path / "data"})) as watcher:
        watcher._keeper.add("an event", keep)
        watcher.run(60.0)
        assert swept.is_set()


def test_who_is_no_shard_does_not_start_while_shards_live(
    settings: WatchSettings, tmp_path: Path, postgres: Postgres
) -> None:
    changes = {"data": tmp_path / "data", "store": SecretStr(postgres.new_database())}
    shared = settings.model_copy(update=changes)
    with module.store_of(shared) as store:
        assert shards_of(shared) == (Level.GOOD, "no process shares the cameras just now")
        store.enter_shard("cellar", "run", 30.0)
        store.renew_leases("cellar", "run", {LeaseKind.CAMERA: ["gate"]}, 30.0)
        assert shards_of(shared) == (Level.DOUBTFUL, "cellar has 1; nobody has yard: look at their logs")
        store.renew_leases("cellar", "run", {LeaseKind.CAMERA: ["gate", "yard"]}, 30.0)
        assert shards_of(shared) == (Level.GOOD, "cellar has 2 of 2 cameras")
        with pytest.raises(ConfigError, match="are shared by cellar; give this process a name by --shard"):
            Watcher(shared).__enter__()
    alone = shared.model_copy(update={"store": None, "shard": ShardSettings(name="attic")})
    assert shards_of(alone)[0] is Level.BAD
    with pytest.raises(ConfigError, match="is no PostgreSQL, which shards need"):
        Watcher(alone).__enter__()


def shards_of(settings: WatchSettings) -> tuple[Level, str]:
    """What the doctor finds of them."""
    found = next(one for one in examine(settings) if one.what == "shards")
    return found.level, found.text
