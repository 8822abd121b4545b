"""Is everything in place for watching? Each thing is tried as the watcher would use it."""

from __future__ import annotations

import shutil
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from multiprocessing.connection import wait

from amiss.errors import AmissError
from amiss.live.address import Address
from amiss.live.feed.camera import Camera
from amiss.live.notify.make import make_channel
from amiss.live.nouns import Arrival
from amiss.live.school import School
from amiss.live.settings import AlertSettings, CameraSettings, WatchSettings
from amiss.live.watch import store_of

__all__ = ["Finding", "Level", "examine"]

GIGABYTE = 1e9
PORTS = {"mqtt": 1883, "mqtts": 8883, "http": 80, "https": 443}
PATIENCE = 5.0


class Level(StrEnum):
    """How a thing is."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        level: How it is.
        what: The thing.
        text: What was found, and what to do where it is not good.
    """

    level: Level
    what: str
    text: str


def examine(settings: WatchSettings) -> Iterator[Finding]:
    """Look at everything that watching with these settings needs; takes as long as the slowest camera to answer.

    Args:
        settings: As the watcher is given them.
    """
    yield _tried("store", lambda: _store(settings))
    if settings.shard.name or settings.store:
        yield _tried("shards", lambda: _shards(settings))
    yield _disk(settings)
    for name, camera in settings.cameras.items():
        yield _tried(f"camera {name}", partial(_camera, name, camera))
        yield _tried(f"model of {name}", partial(_model, name, camera, settings))
    for alert in settings.alerts:
        yield _tried(f"alert {alert.name}", partial(_alert, alert, list(settings.cameras)))
    if settings.metrics.port:
        yield _tried("metrics", partial(_port, settings.metrics.host, settings.metrics.port))


def _tried(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except AmissError as error:
        return Finding(Level.BAD, what, str(error))


def _store(settings: WatchSettings) -> Finding:
    store = store_of(settings)
    try:
        store.verify()
        place = str(Address.parse(settings.store.get_secret_value())) if settings.store else str(settings.data)
        waiting = sum(store.waiting().values())
        return Finding(Level.GOOD, "store", f"{place}: {len(store.lives())} cameras, {waiting} messages wait")
    finally:
        store.close()


def _shards(settings: WatchSettings) -> Finding:
    """Who shares the cameras, and whether each is watched."""
    store = store_of(settings)
    try:
        if settings.shard.name:
            store.check_shared()
        shards, holders = store.shards(), store.holders()
    finally:
        store.close()
    if not shards:
        return Finding(Level.GOOD, "shards", "no process shares the cameras just now")
    count = Counter(holders.values())
    text = ", ".join(f"{shard.name} has {count[shard.name]}" for shard in shards)
    if missing := [name for name in settings.cameras if name not in holders]:
        return Finding(Level.DOUBTFUL, "shards", f"{text}; nobody has {', '.join(missing)}: look at their logs")
    return Finding(Level.GOOD, "shards", f"{text} of {len(settings.cameras)} cameras")


def _disk(settings: WatchSettings) -> Finding:
    try:
        free = shutil.disk_usage(settings.data).free / GIGABYTE
    except OSError as error:
        return Finding(Level.BAD, "disk", f"{settings.data} cannot be looked at ({error.strerror}); make the folder")
    if free < settings.media.free:
        return Finding(
            Level.DOUBTFUL, "disk", f"{free:.1f} GB are free, and below {settings.media.free:g} clips are deleted"
        )
    return Finding(Level.GOOD, "disk", f"{free:.1f} GB are free")


def _camera(name: str, settings: CameraSettings) -> Finding:
    """Connect, and wait for some frames."""
    with Camera(name, settings, 1.0) as camera:
        until = time.monotonic() + settings.connect + PATIENCE
        frames: list[Arrival] = []
        while time.monotonic() < until and len(frames) < 25:
            wait(list(camera.ready), 0.1) if camera.ready else time.sleep(0.1)
            frames += camera.take()
            if frames and time.monotonic() - frames[0].clock > PATIENCE:
                break
        error = camera.numbers.error
    what = f"camera {name}"
    if not frames:
        return Finding(Level.BAD, what, f"{error or 'no frame came'}; is the address right, and the camera on?")
    seconds = frames[-1].frame.seconds - frames[0].frame.seconds
    rate = f", {(len(frames) - 1) / seconds:.1f} frames a second" if seconds > 0 else ""
    width, height = frames[0].frame.size
    return Finding(Level.GOOD, what, f"{width}x{height}{rate}")


def _model(name: str, settings: CameraSettings, watch: WatchSettings) -> Finding:
    what = f"model of {name}"
    school = School(settings, watch.data / "cameras" / name)
    model = school.model()
    if model is None:
        hours = settings.learning.collect
        source = school.config.perception.boxes.source
        text = f"none yet: it is learned after {hours:g} hours of footage, with boxes from {source}"
        return Finding(Level.GOOD, what, text)
    calibration = model.calibrations["causal"]
    text = f"{model.method.id}, learned from {float(model.learned['seconds']) / 3600:.2g} hours"
    if calibration.extrapolated:
        more = 1 / calibration.budget
        text += f"; its budget is extrapolated from {calibration.hours:.2g} hours held back, {more:.2g} would tell"
        return Finding(Level.DOUBTFUL, what, text)
    return Finding(Level.GOOD, what, text)


def _alert(settings: AlertSettings, cameras: list[str]) -> Finding:
    """Whether the address fits the kind, and whether somebody answers there."""
    make_channel(settings, cameras)
    what = f"alert {settings.name}"
    address = Address.parse(settings.address.get_secret_value())
    host, port = address.parts.hostname, address.parts.port or PORTS.get(address.scheme)
    if settings.kind == "apprise" or not host or not port:
        return Finding(Level.GOOD, what, "its address can be read; nothing was sent")
    try:
        socket.create_connection((host, port), PATIENCE).close()
    except OSError as error:
        return Finding(Level.BAD, what, f"{address} does not answer ({error}); is it on, and the address right?")
    return Finding(Level.GOOD, what, f"{address} answers; nothing was sent")


def _port(host: str, port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding(
                Level.BAD, "metrics", f"{host}:{port} cannot be used ({error.strerror}); choose another port"
            )
    return Finding(Level.GOOD, "metrics", f"{host}:{port} is free")
