"""What happens to a watcher when things around it fail, and how long it takes until all is well again.

    amiss world --out WORLD --places plaza,platform --normal 6 --abnormal 8 --seconds 12
    python benchmarks/watch_faults.py --root WORLD --json faults.json

Real processes: `amiss watch` on files played as if live, SQLite, an HTTP receiver, a broker and a database server where
they are installed (mosquitto, PostgreSQL), a small disk where one may be mounted, a clock that Python reads
wrongly. Faults of cameras themselves (servers that die, freeze, stutter, damage their packets, change their size)
are in `tests/e2e/test_live_faults.py`, which tells its times with `-o log_cli=true -o log_cli_level=INFO`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from watching import AMISS, SECONDS, Database, Receiver, Watch, free_port, wait_until

CONSOLE = Console(highlight=False)
JUMPING = """
import time
from pathlib import Path
real, offset = time.time, Path(__file__).with_name("offset")
time.time = lambda: real() + float(offset.read_text() or 0)
"""
"""A module that Python imports at its start: the clock is as far off as a file says."""
RATE = 5


def camera(video: Path, model: Path) -> dict[str, Any]:
    """A file played over and over."""
    return {"source": str(video), "model": str(model), "rate": RATE, "repeat": True, "cooldown": 0}


def decoder_killed(watch: Watch) -> tuple[str, float]:
    """A camera's decoding process is killed."""
    children = Path(f"/proc/{watch.pid}/task/{watch.pid}/children").read_text().split()
    decoders = [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    for child in decoders:
        os.kill(child, signal.SIGKILL)
    begin = time.monotonic()
    time.sleep(0.5)  # what had come before is scored
    before = watch.arrived()
    seconds = wait_until(lambda: watch.arrived() > before, SECONDS, begin)
    return "started anew; the time in between is an incident", seconds


def database_locked(watch: Watch, receiver: Receiver) -> tuple[str, float]:
    """Another program holds the database for 20 seconds."""
    told = len(receiver.new())
    with sqlite3.connect(watch.data / "amiss.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        before = watch.arrived()
        time.sleep(20)
        scored = watch.arrived() - before
        other.execute("ROLLBACK")
    seconds = wait_until(lambda: len(receiver.new()) > told, SECONDS)
    return f"{scored} frames were scored meanwhile; events waited and were told afterwards", seconds


def killed_over_and_over(watch: Watch, receiver: Receiver, times: int) -> tuple[str, float]:
    """The watcher itself is killed while it tells of something, at a different moment each time."""
    longest = 0.0
    for number in range(times):
        told = len(receiver.messages)
        wait_until(lambda told=told: len(receiver.messages) > told, SECONDS)  # type: ignore[misc]
        time.sleep(0.21 * number)
        watch.kill()
        begin = time.monotonic()
        watch.start()
        longest = max(longest, time.monotonic() - begin)
    time.sleep(5)
    watch.kill(signal.SIGTERM)
    told, kept = receiver.new(), [event for event in watch.events() if event["alarm"]]
    by_message = [message["id"] for message in receiver.messages]
    lost = {event["id"] for event in kept} - set(told)
    still_open = [event["id"] for event in kept if event["open"]]
    text = (
        f"{times} kills, {len(kept)} alarms: {len(lost)} not told, {len(told) - len(set(told))} told twice as new, "
        f"{len(still_open)} left open, {len(by_message) - len(set(by_message))} messages came twice (with the same id)"
    )
    return text, longest


def swapped(watch: Watch) -> tuple[str, float]:
    """Two cameras are exchanged while the watcher is down."""
    time.sleep(15)  # the view is learned in the first ten seconds
    watch.kill(signal.SIGTERM)
    given = yaml.safe_load(watch.config.read_text())
    one, other = given["cameras"].values()
    one["source"], other["source"] = other["source"], one["source"]
    watch.config.write_text(yaml.safe_dump(given))
    watch.start_unscored()
    seconds = wait_until(lambda: watch.states().count("frozen") == 2, SECONDS)
    return "both are frozen: the view has moved", seconds


def disk_full(
    folder: Path, cameras: dict[str, dict[str, Any]], receiver: Receiver, alerts: list[Any]
) -> tuple[str, float]:
    """The disk of the data is full for 15 seconds."""
    place = folder / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=True, capture_output=True)  # noqa: S603, S607
    watch = Watch(folder, cameras, data=place / "data", alerts=alerts, media={"free": 0, "before": 1, "after": 1})
    try:
        watch.start()
        filler = place / "filler"
        with suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        before, told = watch.arrived(), len(receiver.new())
        time.sleep(15)
        scored = watch.arrived() - before
        filler.unlink()
        seconds = wait_until(lambda: len(receiver.new()) > told, SECONDS)
        watch.kill(signal.SIGTERM)
        return f"{scored} frames were scored meanwhile; events waited and were told afterwards", seconds
    finally:
        watch.kill()
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)  # noqa: S603, S607


def clock_jumps(watch: Watch, receiver: Receiver) -> tuple[str, float]:
    """The system's clock is set an hour ahead, then back."""
    offset = watch.folder / "offset"
    offset.write_text("0")
    (watch.folder / "sitecustomize.py").write_text(JUMPING)
    watch.start(PYTHONPATH=str(watch.folder))
    longest = 0.0
    for jump in ("3600", "0"):
        time.sleep(8)
        offset.write_text(jump)
        longest = max(longest, watch.wait_for_frames(SECONDS))
    told = len(receiver.new())
    wait_until(lambda: len(receiver.new()) > told, SECONDS)
    watch.kill(signal.SIGTERM)
    events = watch.events()
    odd = [event for event in events if not event["start"] <= event["peak"] <= event["end"]]
    long = [event for event in events if event["end"] - event["start"] > 1800]
    return (
        f"frames go on; of {len(events)} events {len(odd)} have times out of order, {len(long)} last too long",
        longest,
    )


def broker_restarted(folder: Path, cameras: dict[str, dict[str, Any]]) -> tuple[str, float]:
    """The MQTT broker is killed for 10 seconds."""
    import paho.mqtt.client as mqtt

    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    broker = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    seen: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: client.subscribe("amiss/+/events", 1)
    client.on_message = lambda _client, _data, message: seen.append(json.loads(message.payload)["id"])
    client.reconnect_delay_set(1, 1)
    time.sleep(1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    alerts = [{"name": "broker", "kind": "mqtt", "address": f"mqtt://127.0.0.1:{port}"}]
    watch = Watch(folder, cameras, alerts=alerts)
    try:
        watch.start()
        wait_until(lambda: seen, SECONDS)
        broker.kill()
        broker.wait()
        time.sleep(10)
        before = len(seen)
        broker = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        seconds = wait_until(lambda: len(seen) > before, SECONDS)
        time.sleep(3)
        watch.kill(signal.SIGTERM)
        time.sleep(1)
        told = {event["id"] for event in watch.events() if event["alarm"]}
        lost = told - {message.split(":")[0] for message in seen}
        return f"{len(told)} alarms, {len(lost)} of which nobody heard", seconds
    finally:
        watch.kill()
        client.loop_stop()
        broker.kill()
        broker.wait()


def postgres_restarted(
    folder: Path, cameras: dict[str, dict[str, Any]], receiver: Receiver, alerts: list[Any]
) -> tuple[str, float]:
    """The PostgreSQL server is stopped at once and is away for 10 seconds."""
    database = Database(folder)
    watch = Watch(folder, cameras, alerts=alerts, store=database.address)
    try:
        watch.start()
        database.stop()
        before, told = watch.arrived(), len(receiver.new())
        time.sleep(10)
        scored = watch.arrived() - before
        database.start()
        seconds = wait_until(lambda: len(receiver.new()) > told, SECONDS)
        return f"{scored} frames were scored meanwhile; events waited and were told afterwards", seconds
    finally:
        watch.kill()
        with suppress(subprocess.CalledProcessError):
            database.stop()


def faults(
    root: Path, model: Path, times: int
) -> Iterator[tuple[str, Callable[[Path, Receiver, list[Any]], tuple[str, float]]]]:
    """All faults that can be tried here, by name."""
    videos = sorted((root / "testing").glob("plaza_*.mp4"))[:2]
    others = sorted((root / "testing").glob("platform_*.mp4"))[:1]
    cameras = {f"plaza{number}": camera(video, model) for number, video in enumerate(videos)}

    def with_watch(
        what: Callable[[Watch, Receiver], tuple[str, float]], *, started: bool = True
    ) -> Callable[[Path, Receiver, list[Any]], tuple[str, float]]:
        def run(folder: Path, receiver: Receiver, alerts: list[Any]) -> tuple[str, float]:
            watch = Watch(folder, cameras, alerts=alerts)
            try:
                if started:
                    watch.start()
                return what(watch, receiver)
            finally:
                watch.kill()

        return run

    yield "a decoding process is killed", with_watch(lambda watch, _: decoder_killed(watch))
    yield "the database is locked for 20 s", with_watch(database_locked)
    yield "amiss is killed in the middle of events", with_watch(lambda w, r: killed_over_and_over(w, r, times))
    if others:
        pair = {"plaza": camera(videos[0], model), "platform": camera(others[0], model)}
        yield "two cameras are exchanged", lambda folder, _, alerts: _swap(folder, pair, alerts)
    yield "the clock jumps by an hour and back", with_watch(clock_jumps, started=False)
    if os.getuid() == 0:
        yield "the disk is full for 15 s", lambda folder, receiver, alerts: disk_full(folder, cameras, receiver, alerts)
    if shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").is_file():
        yield "the broker is away for 10 s", lambda folder, _, __: broker_restarted(folder, cameras)
    if Database.PROGRAMS.is_dir():
        yield (
            "PostgreSQL is away for 10 s",
            lambda f, receiver, alerts: postgres_restarted(f, cameras, receiver, alerts),
        )


def _swap(folder: Path, pair: dict[str, dict[str, Any]], alerts: list[Any]) -> tuple[str, float]:
    watch = Watch(folder, pair, alerts=alerts)
    try:
        watch.start()
        return swapped(watch)
    finally:
        watch.kill()


def main() -> None:
    """Read the command line, try all faults, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--only", default="", help="Only faults whose name holds this.")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="amiss-faults-") as place:
        model = Path(place) / "plaza.amiss"
        normal = [str(path) for path in sorted((given.root / "training").glob("plaza_*.mp4"))[:6]]
        learn = [*AMISS, "learn", *normal, "--model", str(model), "--budget", "2000/hour"]
        subprocess.run([*learn, "--set", "perception.boxes.source=motion"], check=True, capture_output=True)  # noqa: S603
        for number, (name, run) in enumerate(faults(given.root.resolve(), model, given.kills)):
            if given.only not in name:
                continue
            folder = Path(place) / str(number)
            folder.mkdir()
            receiver = Receiver()
            alerts = [{"name": "here", "kind": "webhook", "address": f"http://127.0.0.1:{receiver.port}/"}]
            with receiver.running():
                try:
                    text, seconds = run(folder, receiver, alerts)
                except (TimeoutError, subprocess.SubprocessError, OSError) as error:
                    log = folder / "watch.log"
                    told = log.read_text()[-600:] if log.is_file() else ""
                    text, seconds = f"FAILED: {error}; {told}", float("nan")
            found.append({"fault": name, "what": text, "seconds": round(seconds, 2)})
            CONSOLE.print(f"| {name} | {text} | {seconds:.1f} |")
            if given.json:
                given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
