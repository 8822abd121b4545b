"""Numbers of health, as a page for Prometheus."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from amiss import __version__
from amiss.errors import ConfigError
from amiss.live.settings import MetricsSettings

__all__ = ["CameraNumbers", "ChannelNumbers", "Health", "ShardNumbers"]

log = logging.getLogger(__name__)

LATENCIES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""Seconds up to which latencies are counted."""
RECENT = 10.0
"""Seconds over which frames a second are counted."""
FASTEST = 2000
"""Frames of these seconds that are remembered at most."""


@dataclass(frozen=True)
class CameraNumbers:
    """What a camera has come to since it was started.

    Attributes:
        state: Of the connection, such as running or connecting.
        life: Collecting, shadow, live or frozen.
        decoded: Frames that came and could be read.
        arrived: Frames that were handed to the scorer.
        dropped: Frames that had to make room for newer ones.
        corrupt: Packets and frames that could not be read.
        reconnects: Connections after the first.
        queue: Frames that wait.
        alarms: Alarms of the last 24 hours.
        budget: Alarms in 24 hours that it may raise.
    """

    state: str
    life: str
    decoded: int = 0
    arrived: int = 0
    dropped: int = 0
    corrupt: int = 0
    reconnects: int = 0
    queue: int = 0
    alarms: int = 0
    budget: float = 0.0


@dataclass(frozen=True)
class ShardNumbers:
    """How this process stands among those that share the cameras.

    Attributes:
        shard: Its name.
        held: How many cameras it has.
        share: How many are its share.
        shards: How many processes share them, it included.
        left: Seconds for which it has them without a further word of the database.
    """

    shard: str
    held: int
    share: int
    shards: int
    left: float


@dataclass(frozen=True)
class ChannelNumbers:
    """What waits for a receiver of alerts.

    Attributes:
        waiting: Messages in the outbox.
        oldest: Seconds for which the oldest of them has waited; 0 for none.
    """

    waiting: int
    oldest: float


COUNTERS = (
    ("decoded", "amiss_frames_decoded", "Frames that came and could be read."),
    ("arrived", "amiss_frames_arrived", "Frames that were handed to the scorer."),
    ("dropped", "amiss_frames_dropped", "Frames that had to make room for newer ones."),
    ("corrupt", "amiss_frames_corrupt", "Packets and frames that could not be read."),
    ("reconnects", "amiss_camera_reconnects", "Connections to the camera after the first."),
)
GAUGES = (
    ("queue", "amiss_queue_frames", "Frames that wait to be scored."),
    ("alarms", "amiss_alarms_day", "Alarms of the last 24 hours."),
    ("budget", "amiss_alarm_budget_day", "Alarms that the camera may raise in 24 hours."),
)
SHARDS = (
    ("held", "amiss_shard_cameras", "Cameras that this shard has."),
    ("share", "amiss_shard_share", "Cameras that are its share."),
    ("shards", "amiss_shards", "Shards that live, this one included."),
    ("left", "amiss_shard_lease_seconds", "Seconds for which it has its cameras without a word of the database."),
)
WORDS = (
    ("state", "amiss_camera_state", "1 for the state of the connection that the camera is in."),
    ("life", "amiss_camera_life", "1 for the stage of its life that the camera is in."),
)


class Health:
    """Counts, and serves what it counted. All methods may be called from any thread.

    Args:
        settings: Where the page is served; nowhere without a port.
        data: A folder on the disk whose free space is told.
        clock: Seconds that never jump.
    """

    def __init__(self, settings: MetricsSettings, data: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._registry = CollectorRegistry()
        self._numbers = _Numbers(data, clock)
        self._registry.register(self._numbers)
        self._scored = self._histogram("amiss_score_seconds", "From a frame's arrival to its score.")
        self._alarmed = self._histogram("amiss_alarm_seconds", "From the arrival of an event's frame to its alarm.")
        self._events = Counter(
            "amiss_events",
            "Events that began, by whether they are alarms.",
            ["camera", "alarm"],
            registry=self._registry,
        )
        self._errors = Counter("amiss_errors", "What failed and was tried again.", ["part"], registry=self._registry)
        self._server: tuple[WSGIServer, threading.Thread] | None = None

    def frame(self, camera: str, seconds: float) -> None:
        """A frame was scored so many seconds after it arrived."""
        self._scored.labels(camera).observe(seconds)
        self._numbers.scored(camera)

    def alarm(self, camera: str, seconds: float) -> None:
        """An alarm was raised so many seconds after the frame arrived that it is due to."""
        self._alarmed.labels(camera).observe(seconds)

    def event(self, camera: str, *, alarm: bool) -> None:
        """An event began; without `alarm` nobody is told of it."""
        self._events.labels(camera, "yes" if alarm else "no").inc()

    def camera(self, name: str, numbers: CameraNumbers) -> None:
        """The numbers of a camera by now; they stand until there are newer ones."""
        self._numbers.cameras[name] = numbers

    def forget(self, camera: str) -> None:
        """A camera is watched by another process from now on."""
        self._numbers.cameras.pop(camera, None)
        self._numbers.forget(camera)

    def shard(self, numbers: ShardNumbers) -> None:
        """How this process stands among those that share the cameras."""
        self._numbers.shard = numbers

    def channel(self, name: str, numbers: ChannelNumbers) -> None:
        """The numbers of a receiver of alerts, likewise."""
        self._numbers.channels[name] = numbers

    def error(self, part: str) -> None:
        """Something failed and is tried again.

        Args:
            part: What, such as `database`.
        """
        self._errors.labels(part).inc()

    @property
    def port(self) -> int | None:
        """Where the page is served; None while it is not."""
        return int(self._server[0].server_port) if self._server else None

    def start(self) -> None:
        """Serve the page, if the settings ask for it.

        Raises:
            ConfigError: The port is taken, or the address is not one of this machine.
        """
        if self._settings.port is None:
            return
        try:
            self._server = start_http_server(self._settings.port, self._settings.host, self._registry)
        except OSError as error:
            where = f"{self._settings.host}:{self._settings.port}"
            raise ConfigError(f"metrics cannot be served at {where} ({error.strerror}); choose another port") from None
        log.info("metrics are at http://%s:%d/metrics", self._settings.host, self.port)

    def close(self) -> None:
        """Serve it no more."""
        if self._server:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
            self._server = None

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, ["camera"], registry=self._registry, buckets=LATENCIES)


class _Numbers(Collector):
    """What is read off when the page is asked for."""

    def __init__(self, data: Path, clock: Callable[[], float]) -> None:
        self.cameras: dict[str, CameraNumbers] = {}
        self.channels: dict[str, ChannelNumbers] = {}
        self.shard: ShardNumbers | None = None
        self._data, self._clock = data, clock
        self._times: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=FASTEST))
        self._lock = threading.Lock()

    def scored(self, camera: str) -> None:
        with self._lock:
            self._times[camera].append(self._clock())

    def forget(self, camera: str) -> None:
        with self._lock:
            self._times.pop(camera, None)

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("amiss_build", "Version of amiss.", value={"version": __version__})
        yield from self._of_cameras(dict(self.cameras))
        yield self._rates()
        yield from self._of_channels(dict(self.channels))
        if self.shard:
            yield from _of_shard(self.shard)
        yield from self._disk()

    def _of_cameras(self, cameras: dict[str, CameraNumbers]) -> Iterator[Metric]:
        for field, name, text in COUNTERS:
            counter = CounterMetricFamily(name, text, labels=["camera"])
            for camera, numbers in cameras.items():
                counter.add_metric([camera], getattr(numbers, field))
            yield counter
        for field, name, text in GAUGES:
            gauge = GaugeMetricFamily(name, text, labels=["camera"])
            for camera, numbers in cameras.items():
                gauge.add_metric([camera], getattr(numbers, field))
            yield gauge
        for field, name, text in WORDS:
            gauge = GaugeMetricFamily(name, text, labels=["camera", field])
            for camera, numbers in cameras.items():
                gauge.add_metric([camera, getattr(numbers, field)], 1)
            yield gauge

    def _rates(self) -> Metric:
        gauge = GaugeMetricFamily("amiss_frames_per_second", "Frames scored a second, lately.", labels=["camera"])
        since = self._clock() - RECENT
        with self._lock:
            for camera, times in self._times.items():
                gauge.add_metric([camera], sum(at > since for at in times) / RECENT)
        return gauge

    def _of_channels(self, channels: dict[str, ChannelNumbers]) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("amiss_outbox_messages", "Messages that wait for a receiver.", labels=["channel"])
        oldest = GaugeMetricFamily(
            "amiss_outbox_oldest_seconds", "How long the oldest of them has waited.", labels=["channel"]
        )
        for name, numbers in channels.items():
            waiting.add_metric([name], numbers.waiting)
            oldest.add_metric([name], numbers.oldest)
        yield from (waiting, oldest)

    def _disk(self) -> Iterator[Metric]:
        try:
            free = shutil.disk_usage(self._data).free
        except OSError as error:
            log.debug("the free space at %s cannot be read: %s", self._data, error.strerror)
            return
        yield GaugeMetricFamily("amiss_disk_free_bytes", "Free space where data are kept.", value=free)


def _of_shard(numbers: ShardNumbers) -> Iterator[Metric]:
    for field, name, text in SHARDS:
        gauge = GaugeMetricFamily(name, text, labels=["shard"])
        gauge.add_metric([numbers.shard], getattr(numbers, field))
        yield gauge
