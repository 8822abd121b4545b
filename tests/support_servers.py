"""Real receivers for tests: an MQTT broker, an HTTP server; and outboxes in memory."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from amiss.errors import DeliveryError, StorageError
from amiss.live.notify.base import subject_of
from amiss.live.nouns import Change, Message
from amiss.live.settings import AlertSettings

USER, PASSWORD = "watcher", "p4ss/w0rd@x"
QUOTED = "p4ss%2Fw0rd%40x"


def until(condition: Callable[[], object], seconds: float = 8.0, step: float = 0.01) -> None:
    """Wait for something, and fail if it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(step)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine that signs itself, and its key."""
    program = shutil.which("openssl")
    if not program:
        pytest.skip("no certificate can be made; apt-get install openssl")
    files = folder / "cert.pem", folder / "key.pem"
    made = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2", "-nodes"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    places = ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run([program, "req", "-x509", *curve, *made, *places], check=True, capture_output=True)  # noqa: S603
    return files


def event(number: int = 1, change: Change = Change.NEW, channel: str = "c", **more: Any) -> Message:
    """A message on an event of the camera `gate`."""
    body = {
        "id": f"event{number}",
        "camera": "gate",
        "start": 1_770_000_000.25,
        "peak": 1_770_000_001.0,
        "end": 1_770_000_002.5,
        "severity": 3.4,
        "reasons": ["faster than 99.9 % of 41,000 tracks here"],
        "zones": ["drive"],
        "tube": {"at": [1.0] * 1000},
        "likeness": {"vector": [0.5] * 100},
    }
    files = {name: more.pop(name) for name in ("snapshot", "clip", "attempts") if name in more}
    return Message(f"event{number}-{change}", channel, change, "gate", body | more, **files)


def incident(kind: str, end: float | None = None, number: int = 1, channel: str = "c") -> Message:
    """A message on something wrong with the camera `gate`."""
    body = {"camera": "gate", "kind": kind, "start": 1_770_000_000.0, "end": end, "detail": "No frames for 5 s."}
    return Message(f"{kind}-{number}", channel, None, "gate", body)


class MemoryOutbox:
    """An outbox that keeps its promises, in memory; it can be made to fail.

    Attributes:
        broken: Names of the calls that fail just now.
        retry: Seconds after which a message that failed is due again.
    """

    def __init__(self, *messages: Message, retry: float = 0.0) -> None:
        self.waiting = list(messages)
        self.done: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.broken: set[str] = set()
        self.retry = retry
        self._not_before: dict[str, float] = {}
        self._lock = threading.Lock()

    def put(self, *messages: Message) -> None:
        with self._lock:
            self.waiting.extend(messages)

    def due(self, channel: str, now: float, limit: int) -> list[Message]:
        self._check("due")
        with self._lock:
            held: set[str] = set()
            found = []
            for message in self.waiting:
                if message.channel != channel:
                    continue
                subject = subject_of(message)
                if self._not_before.get(message.id, 0.0) > now:
                    held.add(subject)
                elif subject not in held:
                    found.append(message)
                    held.add(subject)
            return found[:limit]

    def delivered_all(self, messages: Sequence[Message], now: float) -> None:  # noqa: ARG002
        self._check("delivered")
        gone = {(message.id, message.channel) for message in messages}
        with self._lock:
            self.waiting = [other for other in self.waiting if (other.id, other.channel) not in gone]
            self.done.extend(message.id for message in messages)

    def failed(self, message: Message, now: float, why: str) -> None:
        self._check("failed")
        with self._lock:
            self.failures.append((message.id, why))
            self._not_before[message.id] = now + self.retry
            self.waiting = [
                replace(other, attempts=other.attempts + 1) if other.id == message.id else other
                for other in self.waiting
            ]

    def _check(self, call: str) -> None:
        if call in self.broken:
            raise StorageError("the database is locked; it is tried again")


class MemoryChannel:
    """A receiver in this process.

    Attributes:
        trouble: What sending does instead, as long as it is there.
    """

    def __init__(self, name: str = "c") -> None:
        self.name = name
        self.got: list[str] = []
        self.trouble: Callable[[Message], None] | None = None
        self.started = self.closed = False

    def start(self) -> None:
        self.started = True

    def send(self, message: Message) -> None:
        if self.trouble:
            self.trouble(message)
        self.got.append(message.id)

    def close(self) -> None:
        self.closed = True


class BatchChannel(MemoryChannel):
    """One that takes many at once; `most` of them are tried."""

    most = 100

    def __init__(self, name: str = "c") -> None:
        super().__init__(name)
        self.batches: list[list[str]] = []

    def send_many(self, messages: Sequence[Message]) -> list[DeliveryError | None]:
        tried = messages[: self.most]
        self.batches.append([message.id for message in tried])
        return [self._outcome(message) for message in tried]

    def _outcome(self, message: Message) -> DeliveryError | None:
        try:
            self.send(message)
        except DeliveryError as error:
            return error
        return None


def refuse(_: Message) -> None:
    raise DeliveryError("nobody is there")


@dataclass
class Post:
    """What an HTTP server was sent."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that answers as it is told.

    Attributes:
        answers: Status and headers of the next answers; then 204.
        slow: Seconds before an answer.
        trickle: Seconds between two bytes of a head that never ends; 0 for a proper answer.
        certificate: Files of a certificate and its key; with them it speaks TLS.
    """

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    slow: float = 0.0
    trickle: float = 0.0
    certificate: tuple[Path, Path] | None = None

    def __enter__(self) -> Receiver:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.posts.append(Post(self.path, dict(self.headers.items()), body))
                time.sleep(receiver.slow)
                with suppress(OSError):
                    self._answer()

            def _answer(self) -> None:
                while receiver.trickle:
                    self.wfile.write(b"H")
                    time.sleep(receiver.trickle)
                status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class Broker:
    """A mosquitto of the test's own, with a user and a password, on a port that stays the same over restarts.

    Args:
        folder: An empty one, for its files.
        denied: A topic that nobody may publish to.
        certificate: Files of a certificate and its key; with them it speaks TLS.
    """

    def __init__(self, folder: Path, denied: str = "", certificate: tuple[Path, Path] | None = None) -> None:
        self.port = free_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        program, hasher = (shutil.which(name, path="/usr/sbin:/usr/bin") for name in ("mosquitto", "mosquitto_passwd"))
        if not program or not hasher:
            pytest.skip("there is no MQTT broker; apt-get install mosquitto")
        self.program = program
        passwords = folder / "passwords"
        passwords.write_text(f"{USER}:{PASSWORD}\n")
        subprocess.run([hasher, "-U", str(passwords)], check=True, capture_output=True)  # noqa: S603
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}", "user root"]
        if denied:
            (folder / "acl").write_text(f"user {USER}\ntopic readwrite #\ntopic deny {denied}\n")
            lines.append(f"acl_file {folder / 'acl'}")
        if certificate:
            lines += [f"certfile {certificate[0]}", f"keyfile {certificate[1]}"]
        for file in folder.iterdir():
            file.chmod(0o600)
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    @property
    def address(self) -> str:
        return f"mqtt://{USER}:{QUOTED}@127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [self.program, "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        until(self._answers)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        except OSError:
            return False
        return True


class Listener:
    """Somebody else at the broker, who hears everything."""

    def __init__(self, broker: Broker) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self._ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(USER, PASSWORD)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", broker.port)

    def _hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload), message.retain))

    def on(self, topic: str) -> list[bytes]:
        """All that was published on a topic."""
        return [payload for where, payload, _ in self.heard if where == topic]

    def last(self, topic: str) -> bytes | None:
        return found[-1] if (found := self.on(topic)) else None

    def __enter__(self) -> Listener:
        self.client.loop_start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def alert(kind: str, address: str, **more: Any) -> AlertSettings:
    return AlertSettings.build({"name": "c", "kind": kind, "address": address} | more)
