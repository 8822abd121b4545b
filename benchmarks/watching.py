"""A watcher as a process of its own, and a receiver of its alerts, for benchmarks of what they do when things fail."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
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

AMISS = [sys.executable, "-c", "from amiss.cli import main; main()"]
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


class Database:
    """A PostgreSQL server of its own, as Debian brings it, with an empty database.

    Args:
        folder: Where its data go; the server's own user must get there.
    """

    PROGRAMS = Path("/usr/lib/postgresql")

    def __init__(self, folder: Path) -> None:
        self._programs, port = max(self.PROGRAMS.iterdir()) / "bin", free_port()
        self._user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        self._place = folder / "postgres"
        self._place.mkdir()
        for one in (folder, folder.parent):
            if not one.stat().st_mode & 0o001:
                one.chmod(one.stat().st_mode | 0o011)
        if self._user:
            shutil.chown(self._place, "postgres")
        self._options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._place}"
        self.address = f"postgresql+psycopg://amiss@127.0.0.1:{port}/amiss"
        self._call("initdb", "-D", self._data, "-A", "trust", "-U", "amiss")
        self.start()
        self._call("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "amiss", "amiss")

    @property
    def _data(self) -> str:
        return str(self._place / "data")

    def _call(self, program: str, *words: str) -> None:
        line = [*self._user, str(self._programs / program), *words]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  # our own

    def start(self) -> None:
        """Start it, or start it again."""
        self._call("pg_ctl", "-D", self._data, "-o", self._options, "-w", "-l", f"{self._place}/log", "start")

    def stop(self) -> None:
        """End it at once, as a crash does."""
        self._call("pg_ctl", "-D", self._data, "-m", "immediate", "stop")
