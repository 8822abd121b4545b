"""Cameras for tests: an RTSP server as a process of its own, an HTTP server, and videos whose pictures are numbered."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from amiss.live.feed.camera import Camera
from amiss.live.nouns import Arrival, Incident, IncidentKind
from amiss.live.settings import CameraSettings
from amiss.types import Image

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")
BITS = 12
WIDTH, HEIGHT = 192, 96
GAP = 1.0
PROGRAMS = (
    "apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-ugly"
)


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """`(height, width, 3)` uint8: columns that are bright where a bit of the number is set, the lowest on the left."""
    bits = number >> np.arange(BITS) & 1
    row = np.full(width, 128, np.uint8)
    row[: width // BITS * BITS] = np.repeat(np.where(bits, 220, 40), width // BITS)
    return np.tile(row[None, :, None], (height, 1, 3))


def number_of(image: Image) -> int:
    """The number in a picture; one that is torn or smeared fails the test."""
    block = image.shape[1] // BITS
    columns = [image[:, block * bit + block // 4 : block * (bit + 1) - block // 4].astype(int) for bit in range(BITS)]
    for column in columns:
        assert column.max() - column.min() < 60, "parts of several pictures"
    return sum(1 << bit for bit, column in enumerate(columns) if column.mean() > 128)


def write_numbered(
    path: Path, count: int, rate: int = 10, sizes: Sequence[tuple[int, int]] = ((WIDTH, HEIGHT),), **options: str
) -> Path:
    """A video of numbered pictures."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"crf": "12", "g": str(rate), "bf": "0", **options})
        stream.width, stream.height, stream.pix_fmt = *sizes[0], "yuv420p"
        for number in range(count):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number, *sizes[0]), format="rgb24")))
        out.mux(stream.encode())
    return path


@cache
def _has_server() -> bool:
    code = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer as S;"
        "Gst.init(None); assert all(map(Gst.ElementFactory.find, ('x264enc', 'rtph264pay', 'appsrc', 'breakmydata')))"
    )
    try:
        return subprocess.run([PYTHON, "-c", code], capture_output=True, timeout=30).returncode == 0  # noqa: S603
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RtspServer:
    """Serves numbered pictures; it can be killed and started again at the same port."""

    def __init__(self, **options: Any) -> None:
        if not _has_server():
            pytest.skip(f"there is no GStreamer RTSP server here; run {PROGRAMS}")
        self.port = free_port()
        self._options = [part for key, value in options.items() for part in (f"--{key}", _text(value))]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def start(self, **changes: Any) -> None:
        """Come up, and wait until it listens."""
        extra = [part for key, value in changes.items() for part in (f"--{key}", _text(value))]
        command = [PYTHON, str(SCRIPT), "--port", str(self.port), *self._options, *extra]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline()) == self.port

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@contextmanager
def http_server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """An HTTP server that answers every GET with `answer`; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings_of(source: object, **changes: Any) -> CameraSettings:
    """Of a camera that loses patience soon."""
    return CameraSettings(source=str(source), **{"silence": 1.5, "connect": 2.0, "queue": 64, **changes})


class Viewer:
    """Does what the parent process does with some cameras, and keeps all that comes.

    Attributes:
        arrivals: By camera.
        incidents: By camera.
    """

    def __init__(self, *cameras: Camera) -> None:
        self.cameras = cameras
        self.arrivals: dict[str, list[Arrival]] = {camera.name: [] for camera in cameras}
        self.incidents: dict[str, list[Incident]] = {camera.name: [] for camera in cameras}
        self.longest = 0.0

    def __enter__(self) -> Viewer:
        for camera in self.cameras:
            camera.start()
        return self

    def __exit__(self, *_: object) -> None:
        for camera in self.cameras:
            camera.stop()

    def look(self, until: Callable[[], object], within: float = 20.0) -> float:
        """Go on until something is so; gives the seconds that it took."""
        start = time.monotonic()
        while not until():
            assert time.monotonic() - start < within, [camera.numbers for camera in self.cameras]
            wait([ready for camera in self.cameras for ready in camera.ready], 0.05)
            begun = time.monotonic()
            for camera in self.cameras:
                self.arrivals[camera.name] += camera.take()
                self.incidents[camera.name] += camera.incidents()
                camera.watch()
            self.longest = max(self.longest, time.monotonic() - begun)
        return time.monotonic() - start

    def look_for(self, seconds: float) -> None:
        """Go on for a while."""
        end = time.monotonic() + seconds
        self.look(lambda: time.monotonic() >= end, seconds + 5)

    def frames(self, count: int, name: str = "gate") -> Callable[[], bool]:
        """Whether so many frames more have come, from now on."""
        target = len(self.arrivals[name]) + count
        return lambda: len(self.arrivals[name]) >= target

    def gaps(self, name: str = "gate") -> list[Incident]:
        return [incident for incident in self.incidents[name] if incident.kind is IncidentKind.GAP]


def watching(source: object, **changes: Any) -> Viewer:
    """A viewer of one camera named gate."""
    return Viewer(Camera("gate", settings_of(source, **changes), GAP))


def check_order(arrivals: Sequence[Arrival]) -> None:
    """Indices without holes, and times that only grow."""
    assert [arrival.frame.index for arrival in arrivals] == list(range(len(arrivals)))
    assert (np.diff([arrival.frame.seconds for arrival in arrivals]) > 0).all()
    assert (np.diff([arrival.clock for arrival in arrivals]) >= 0).all()


def child_of(camera: Camera) -> int:
    """Process id of its decoder."""
    assert camera._child is not None
    pid = camera._child._process.pid
    assert pid is not None
    return pid


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def shared_memory() -> list[str]:
    """Names of shared memory; other programs have theirs."""
    return sorted(name for name in os.listdir("/dev/shm") if name.startswith(("psm_", "pym-", "sem.mp", "amiss")))  # noqa: PTH208, S108


def freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def go_on(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)
