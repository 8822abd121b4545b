"""The command that watches, in a process of its own, with those who are told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import pytest
import yaml

import amiss
import support_footage as footage
from amiss.live.nouns import Change
from amiss.live.store import Life, Store
from support_cli import Run, problem
from support_servers import Receiver, until

PROGRAM = "from amiss.cli import main; main()"


@pytest.fixture(scope="module")
def gate(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is quick to use."""
    sets = [*footage.SETTINGS, "method.parts=[speed,size,place]", "perception.boxes.source=motion"]
    folder = tmp_path_factory.mktemp("gate") / "gate.amiss"
    amiss.learn(place / "training", settings=sets, budget="60/hour").save(folder)
    return folder


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def settings(folder: Path, place: Path, model: Path, receiver: Receiver, cameras: Any = None) -> Path:
    """A file of settings; without others one camera that plays a file for ever."""
    clip = str(place / "testing" / "wild0.mp4")
    gate_camera = {"source": clip, "model": str(model), "repeat": True, "cooldown": 0}
    alert = {"name": "hook", "kind": "webhook", "address": f"http://{receiver.address}/hook"}
    values = {
        "data": str(folder / "data"),
        "cameras": cameras or {"gate": gate_camera},
        "alerts": [alert],
        "media": {"before": 1.0, "after": 0.5, "free": 0},
    }
    file = folder / "watch.yaml"
    file.write_text(yaml.safe_dump(values))
    return file


class Watching:
    """`amiss watch`, running."""

    def __init__(self, file: Path, log: Path) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", PROGRAM, "watch", str(file)],
                stdout=out,
                stderr=out,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        self.log = log

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(number) for number in listed.split()]


def bodies(receiver: Receiver, change: str | None = None) -> list[dict[str, Any]]:
    found = [json.loads(post.body) for post in list(receiver.posts) if b'"change"' in post.body or change is None]
    return [body for body in found if change is None or body.get("change") == change]


def alive(number: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def opened(folder: Path) -> Store:
    return Store.open(folder / "data" / "amiss.sqlite", folder / "data" / "media")


def test_an_alert_arrives_with_pictures_and_commands_answer(
    tmp_path: Path, place: Path, gate: Path, receiver: Receiver, run: Run
) -> None:
    file = settings(tmp_path, place, gate, receiver)
    with Watching(file, tmp_path / "log") as watching:
        until(lambda: bodies(receiver, "end"), 60.0)
        until(lambda: list((tmp_path / "data" / "media").rglob("*.mp4")), 30.0)
        children = watching.children()
        assert children
        begun = time.monotonic()
        watching.process.send_signal(signal.SIGTERM)
        assert watching.process.wait(15) == 0, watching.log.read_text()
        assert time.monotonic() - begun < 10
    until(lambda: not any(map(alive, children)), 5.0)
    log = watching.log.read_text()
    assert "Traceback" not in log
    assert "stopped; events are in" in log
    new, end = bodies(receiver, "new")[0], bodies(receiver, "end")[0]
    event = new["event"]["id"] if "event" in new else new["id"]
    with opened(tmp_path) as store:
        row = store.event(event)
        assert row is not None
        assert row.alarm
        assert store.open_events() == []
        assert [body for body in (new, end) if event in json.dumps(body)]
        withs = [one for one in store.events("gate") if one.clip]
        assert withs
        assert all(one.snapshot for one in store.events("gate"))
        media = store.media
        picture = cv2.imread(str(media / str(withs[0].snapshot)))
        assert picture.shape == (footage.HEIGHT, footage.WIDTH, 3)
        with av.open(str(media / str(withs[0].clip))) as video:
            assert sum(1 for _ in video.decode(video=0)) > 5
    commands(run, file, event, tmp_path)


def commands(run: Run, file: Path, event: str, folder: Path) -> None:
    """What is said of what was watched."""
    listed = run("events", file, "--json", folder / "events.json")
    assert listed.status == 0, listed
    assert event in listed.out
    known = json.loads((folder / "events.json").read_text())
    assert event in [one["id"] for one in known]
    assert run("events", file, "--camera", "gate", "--alarms").out.count(", alarm") == len(known)
    assert event in run("events", folder / "data").out
    assert "nobody is told" in run("judge", file, event, "normal", "--days", "2").out
    assert "1 thing that were said" in run("judge", file, event, "undo").out
    assert "stay alarms" in run("judge", file, event, "right").out
    assert "no alarms for 2 hours" in run("judge", file, "gate", "snooze", "--hours", "2").out
    assert "again" in run("judge", file, "gate", "wake").out
    assert "there is no event" in problem(run("judge", file, "nothing", "normal"))
    assert "there is no camera" in problem(run("judge", file, "yard", "snooze"))
    assert "gate: live since" in run("camera", file).out
    assert "is given a model" in problem(run("camera", file, "gate", "collecting"))
    assert run("camera", file, "gate", "shadow").out == "gate is shadow\n"
    with opened(folder) as store:
        assert store.lives()["gate"].life is Life.SHADOW
    tried = run("backtest", file, "--camera", "gate", "--budget", "60/hour", "--json", folder / "back.json")
    assert tried.status == 0, tried
    assert len(json.loads((folder / "back.json").read_text())["events"]) >= 1
    quiet = run("backtest", file, "--camera", "gate", "--budget", "1/week")
    assert "events in 0.0" in quiet.out
    assert "neither a file of settings" in problem(run("events", folder / "none.txt"))
    examined = run("doctor", file)
    assert examined.status == 0, examined
    assert "good: camera gate: 160x120" in examined.out
    assert "good: alert hook" in examined.out


def test_killed_in_the_middle_of_an_event_it_is_closed_and_told_once(
    tmp_path: Path, place: Path, gate: Path, receiver: Receiver
) -> None:
    file = settings(tmp_path, place, gate, receiver)
    with Watching(file, tmp_path / "log") as watching:
        until(lambda: bodies(receiver, "new"), 60.0, 0.002)
        children = watching.children()
        watching.process.kill()
        watching.process.wait()
    until(lambda: not any(map(alive, children)), 5.0)
    with opened(tmp_path) as store:
        (left,) = store.open_events()
    with Watching(file, tmp_path / "log") as watching:
        until(lambda: [body for body in bodies(receiver, "end") if left.id in json.dumps(body)], 60.0)
        watching.process.send_signal(signal.SIGTERM)
        assert watching.process.wait(15) == 0
    with opened(tmp_path) as store:
        row = store.event(left.id)
        assert row is not None
        assert not row.open
    for change in ("new", "end"):
        ids = [ident(post.headers, body) for post, body in told(receiver, left.id, change)]
        assert len(set(ids)) == 1, "told once, by its id"


def told(receiver: Receiver, event: str, change: str) -> list[tuple[Any, dict[str, Any]]]:
    pairs = [(post, json.loads(post.body)) for post in receiver.posts]
    return [(post, body) for post, body in pairs if event in json.dumps(body) and body.get("change") == change]


def ident(headers: Any, body: dict[str, Any]) -> str:
    return str(body.get("message") or {name.lower(): value for name, value in headers.items()}.get("amiss-id", body))


def test_a_dead_camera_does_not_disturb_another(tmp_path: Path, place: Path, gate: Path, receiver: Receiver) -> None:
    clip = str(place / "testing" / "wild0.mp4")
    cameras = {
        "gate": {"source": clip, "model": str(gate), "repeat": True},
        "dead": {"source": "rtsp://me:geheim77@127.0.0.1:9/live", "model": str(gate), "connect": 1.0},
    }
    file = settings(tmp_path, place, gate, receiver, cameras)
    file.chmod(0o600)
    with Watching(file, tmp_path / "log") as watching:
        until(lambda: bodies(receiver, "new"), 60.0)
        until(lambda: b"127.0.0.1:9" in watching.log.read_bytes(), 20.0)
        watching.process.send_signal(signal.SIGTERM)
        assert watching.process.wait(15) == 0
    with opened(tmp_path) as store:
        assert [incident.kind for incident in store.incidents("dead")] == ["gap"]
        assert store.events("dead") == []
        assert store.events("gate")
        assert Change.NEW in {body.get("change") for body in bodies(receiver, "new")}
    everything = [watching.log.read_bytes(), *(post.body for post in receiver.posts)]
    everything += [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(b"geheim77" in content for content in everything)


def test_what_cannot_be_watched_is_said_in_one_line(tmp_path: Path, run: Run, gate: Path) -> None:
    assert "cannot be read" in problem(run("watch", tmp_path / "none.yaml"))
    assert "there is no model" in problem(run("watch", "clip.mp4", "--model", tmp_path / "no", "--data", tmp_path))
    assert "is no source" in problem(run("watch", "ftp://host/x", "--model", gate, "--data", tmp_path / "d"))
    assert "by those who read the same file" in problem(run("watch", "clip.mp4", "--model", gate, "--shard", "a"))
    (tmp_path / "w.yaml").write_text("cameras: {gate: {source: a.mp4}}")
    assert "leave --model, --budget and --data out" in problem(run("watch", tmp_path / "w.yaml", "--data", tmp_path))
