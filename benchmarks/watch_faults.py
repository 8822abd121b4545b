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
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

CONSOLE = Console(highlight=False)
AMISS = [sys.executable, "-c", "from amiss.cli import main; main()"]
JUMPING = """
import time
from pathlib import Path
real, offset = time.time, Path(__file__).with_name("offset")
time.time = lambda: real() + float(offset.read_text() or 0)
"""
"""A module that Python imports at its start: the clock is as far off as a file says."""
POSTGRES = Path("/usr/lib/postgresql")
RATE = 5
SECONDS = 60.0
"""Within which all must be well again."""


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Receiver:
    """An HTTP receiver that notes the ids of all messages."""

    port: int = field(default_factory=free_port)
    messages: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve."""
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()

    def new(self) -> list[str]:
        """Events that were told as new, by id, in order."""
        return [message["event"]["id"] for message in self.messages if message.get("change") == "new"]


class Watch:
    """`amiss watch` as a process of its own."""

    def __init__(self, folder: Path, cameras: dict[str, dict[str, Any]], **more: Any) -> None:
        self.port = free_port()
        self.folder, self.data = folder, more.pop("data", folder / "data")
        self.config = folder / "watch.yaml"
        given = {"data": str(self.data), "cameras": cameras, "metrics": {"port": self.port}, **more}
        self.config.write_text(yaml.safe_dump(given))
        self.config.chmod(0o600)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Start, and wait until frames are scored."""
        self.start_unscored(**environment)
        self.wait_for_frames(SECONDS)

    def start_unscored(self, **environment: str) -> None:
        """Start, and do not wait."""
        log = (self.folder / "watch.log").open("ab")
        self._process = subprocess.Popen(  # noqa: S603  # our own command
            [*AMISS, "watch", str(self.config)], stdout=log, stderr=log, env={**os.environ, **environment}
        )

    def arrived(self) -> int:
        """Frames that were scored since it was started; -1 where it does not answer."""
        with suppress(OSError):
            page = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=2).read().decode()
            lines = [line for line in page.splitlines() if line.startswith("amiss_score_seconds_count")]
            return int(sum(float(line.split()[-1]) for line in lines))
        return -1

    def wait_for_frames(self, within: float) -> float:
        """Seconds until further frames are scored."""
        before, begin = max(self.arrived(), 0), time.monotonic()
        return wait_until(lambda: self.arrived() > before, within, begin)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it, and wait for its end."""
        if self._process:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    @property
    def pid(self) -> int:
        """Of the process."""
        if self._process is None:
            raise RuntimeError("it is not running")
        return self._process.pid

    def events(self) -> list[dict[str, Any]]:
        """All events in the store."""
        target = self.folder / "events.json"
        subprocess.run([*AMISS, "events", str(self.config), "--json", str(target)], check=True, capture_output=True)  # noqa: S603
        found: list[dict[str, Any]] = json.loads(target.read_text())
        return found

    def states(self) -> str:
        """Where cameras are in their lives."""
        run = subprocess.run([*AMISS, "camera", str(self.config)], check=True, capture_output=True)  # noqa: S603
        return run.stdout.decode()


def wait_until(so: Callable[[], object], within: float, begin: float | None = None) -> float:
    """Seconds until something is so.

    Raises:
        TimeoutError: It was not in time.
    """
    begin = time.monotonic() if begin is None else begin
    while not so():
        if time.monotonic() - begin > within:
            raise TimeoutError(f"not within {within:g} s")
        time.sleep(0.05)
    return time.monotonic() - begin


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
    programs = max(POSTGRES.iterdir()) / "bin"
    place, port = folder / "postgres", free_port()
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    place.mkdir()
    for one in (folder, folder.parent):  # the server's own user must get through
        one.chmod(0o711)
    if user:
        shutil.chown(place, "postgres")

    def call(*command: str) -> None:
        subprocess.run([*user, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603

    data = str(place / "data")
    call(str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "amiss")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={place}"
    go = [str(programs / "pg_ctl"), "-D", data, "-o", options, "-w", "-l", f"{place}/log", "start"]
    call(*go)
    call(str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "amiss", "amiss")
    watch = Watch(folder, cameras, alerts=alerts, store=f"postgresql+psycopg://amiss@127.0.0.1:{port}/amiss")
    try:
        watch.start()
        call(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        before, told = watch.arrived(), len(receiver.new())
        time.sleep(10)
        scored = watch.arrived() - before
        call(*go)
        seconds = wait_until(lambda: len(receiver.new()) > told, SECONDS)
        return f"{scored} frames were scored meanwhile; events waited and were told afterwards", seconds
    finally:
        watch.kill()
        with suppress(subprocess.CalledProcessError):
            call(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop")


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
    if POSTGRES.is_dir():
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
