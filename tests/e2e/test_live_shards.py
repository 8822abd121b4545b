"""Two processes share six cameras; one is killed, and the other has all of them within 15 seconds."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

import amiss
import support_footage as footage
from amiss.live.store import LeaseKind, Store
from support_cli import Run
from support_postgres import Postgres
from support_servers import Broker, Listener, free_port, until

LOG = logging.getLogger(__name__)
PROGRAM = "from amiss.cli import main; main()"
CAMERAS = [f"c{number}" for number in range(6)]
SCORED = re.compile(r'^amiss_score_seconds_count\{camera="(\w+)"\} (\S+)$', re.MULTILINE)
WITHIN = 15.0


class Process:
    """`amiss watch FILE --shard NAME`."""

    def __init__(self, file: Path, name: str) -> None:
        self.name, self.port, self.log = name, free_port(), file.with_name(f"{name}.log")
        path = os.pathsep.join(path for path in sys.path if path)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", PROGRAM, "watch", str(file), "--shard", name],
                stdout=out,
                stderr=out,
                env=os.environ | {"PYTHONPATH": path, "PORT": str(self.port)},
            )

    def page(self) -> str:
        with suppress(OSError):
            return str(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=2).read().decode())
        return ""

    def scored(self) -> dict[str, int]:
        """Frames that were scored, by camera."""
        return {name: int(float(count)) for name, count in SCORED.findall(self.page())}

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Watcher(threading.Thread):
    """Looks which process scores which camera, and when each began to."""

    def __init__(self, processes: list[Process]) -> None:
        super().__init__(daemon=True)
        self.processes, self.over = processes, False
        self.before: dict[str, dict[str, int]] = {}
        self.doubles: list[tuple[str, list[str]]] = []
        self.seen: dict[str, dict[str, float]] = defaultdict(dict)

    def run(self) -> None:
        while not self.over:
            busy = defaultdict(list)
            for one in self.processes:
                counts = one.scored()
                before = self.before.get(one.name, {})
                for camera in [name for name, count in counts.items() if count > before.get(name, 0)]:
                    busy[camera].append(one.name)
                    self.seen[one.name][camera] = time.monotonic()
                self.before[one.name] = counts
            self.doubles += [(camera, names) for camera, names in busy.items() if len(names) > 1]
            time.sleep(0.1)

    def since(self, process: Process, when: float) -> set[str]:
        """Cameras of which a process has scored a frame after a moment."""
        return {camera for camera, at in list(self.seen[process.name].items()) if at > when}


@pytest.fixture(scope="module")
def quick(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is quick to use."""
    sets = [*footage.SETTINGS, "method.parts=[speed,size,place]", "perception.boxes.source=motion"]
    folder = tmp_path_factory.mktemp("shards") / "quick.amiss"
    amiss.learn(place / "training", settings=sets, budget="60/hour").save(folder)
    return folder


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    (tmp_path / "broker").mkdir()
    with Broker(tmp_path / "broker") as made:
        yield made


def settings(folder: Path, place: Path, model: Path, store: str, broker: Broker) -> Path:
    camera = {"source": str(place / "testing" / "wild0.mp4"), "model": str(model), "repeat": True}
    values = {
        "data": "data",
        "store": store,
        "cameras": dict.fromkeys(CAMERAS, camera | {"rate": 4, "cooldown": 0}),
        "alerts": [{"name": "house", "kind": "mqtt", "address": broker.address}],
        "media": {"before": 0.5, "after": 0.5, "free": 0},
        "metrics": {"port": "${PORT}"},
    }
    file = folder / "watch.yaml"
    file.write_text(yaml.safe_dump(values))
    file.chmod(0o600)
    return file


def told(listener: Listener, change: str) -> list[dict[str, Any]]:
    heard = [json.loads(payload) for topic, payload, _ in list(listener.heard) if topic.endswith("/events")]
    return [body for body in heard if body["change"] == change]


@pytest.mark.timeout(400)
def test_a_shard_that_is_killed_is_taken_over_within_15_seconds(
    tmp_path: Path,
    place: Path,
    quick: Path,
    postgres: Postgres,
    broker: Broker,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "0")
    address = postgres.new_database()
    file = settings(tmp_path, place, quick, address, broker)
    processes = [Process(file, "a"), Process(file, "b")]
    watching = Watcher(processes)
    store = Store.open(address, tmp_path / "data" / "media")
    try:
        with Listener(broker) as listener:
            watching.start()
            until(lambda: Counter(store.holders().values()) == {"a": 3, "b": 3}, 90.0)
            until(lambda: sum(len(watching.since(one, 0.0)) for one in processes) >= 6, 60.0)
            until(lambda: told(listener, "new"), 60.0)
            (post,) = store.holdings(LeaseKind.ALERT)
            dead, heir = sorted(processes, key=lambda one: one.name != post.shard)
            lost = [name for name, shard in store.holders().items() if shard == dead.name]
            dead.kill()
            begun = time.monotonic()
            until(lambda: watching.since(heir, begun) == set(CAMERAS), WITHIN)
            seconds = max(watching.seen[heir.name].values()) - begun
            LOG.info("all cameras of the killed shard are watched after %.1f s", seconds)
            until(lambda: f'amiss_shard_cameras{{shard="{heir.name}"}} 6.0' in heir.page())  # told at its next turn
            assert [shard.name for shard in store.shards()] == [heir.name]
            until(lambda: {body["camera"] for body in told(listener, "end")} >= set(lost), 60.0)
            assert f"(watched by {heir.name})" in run("camera", file, "c0").out
            heir.process.send_signal(signal.SIGTERM)
            assert heir.process.wait(60) == 0, heir.log.read_text()
            assert store.shards() == []
            assert store.holders() == {}
            once(store, listener)
        watching.over = True
        watching.join()
        assert watching.doubles == [], "no camera is ever watched by two"
        taken = [entry.what for entry in store.entries(lost[0], 20) if entry.what.startswith("took")]
        assert f"from {dead.name}, which is gone" in taken[0]
        assert "Traceback" not in heir.log.read_text()
    finally:
        for one in processes:
            one.kill()
        store.close()


def once(store: Store, listener: Listener) -> None:
    """Nothing is left open, and of each event it was told once that it began and that it ended."""
    assert store.open_events() == []
    assert store.waiting() == {}
    alarms = {row.id for row in store.events(alarm=True, limit=1000)}
    assert alarms
    for change in ("new", "end"):
        until(lambda change=change: {body["event"]["id"] for body in told(listener, change)} >= alarms)  # type: ignore[misc]
        ids = {body["id"] for body in told(listener, change)}
        assert len(ids) == len(alarms), "a message that comes again after the kill has the same id"
    assert listener.last("amiss/status") == b"offline"


@pytest.mark.timeout(400)
def test_a_shard_that_was_frozen_writes_nothing_of_what_it_lost(
    tmp_path: Path, place: Path, quick: Path, postgres: Postgres, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stands still cannot notice that its leases are over; when it goes on others have its cameras."""
    monkeypatch.setenv("PORT", "0")
    address = postgres.new_database()
    file = settings(tmp_path, place, quick, address, broker)
    values = yaml.safe_load(file.read_text())
    values["cameras"] = {name: values["cameras"][name] for name in CAMERAS[:2]}
    values["shard"] = {"lease": 3.0, "renew": 0.5}
    file.write_text(yaml.safe_dump(values))
    processes = [Process(file, "a"), Process(file, "b")]
    store = Store.open(address, tmp_path / "data" / "media")
    try:
        with Listener(broker) as listener:
            until(lambda: Counter(store.holders().values()) == {"a": 1, "b": 1}, 90.0)
            until(lambda: all(one.scored() for one in processes) and told(listener, "new"), 60.0)
            (post,) = store.holdings(LeaseKind.ALERT)
            frozen, heir = sorted(processes, key=lambda one: one.name != post.shard)
            (camera,) = [name for name, shard in store.holders().items() if shard == frozen.name]
            token = {one.lease.name: one.lease.token for one in store.holdings()}[camera]
            frozen.process.send_signal(signal.SIGSTOP)
            until(lambda: heir.scored().get(camera), 60.0)
            frozen.process.send_signal(signal.SIGCONT)
            until(lambda: "is lost: its lease is over" in frozen.log.read_text(), 30.0)
            until(lambda: Counter(store.holders().values()) == {"a": 1, "b": 1}, 60.0)
            until(lambda: all(len(one.scored()) for one in processes), 60.0)
            assert max(one.lease.token for one in store.holdings(LeaseKind.CAMERA)) > token
            for one in processes:
                one.process.send_signal(signal.SIGTERM)
            assert [one.process.wait(60) for one in processes] == [0, 0]
            once(store, listener)
        assert "Traceback" not in frozen.log.read_text() + heir.log.read_text()
    finally:
        for one in processes:
            one.kill()
        store.close()
