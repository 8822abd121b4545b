"""The watcher: all cameras of a machine, from their frames to those who are told."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Self

from amiss.errors import AmissError, ConfigError, StorageError
from amiss.live.alarms import RECENT
from amiss.live.desk import CameraHouse, Desk, PostHouse
from amiss.live.feed.camera import Camera, State
from amiss.live.health import CameraNumbers, Health
from amiss.live.journal import Journal
from amiss.live.keeper import Keeper
from amiss.live.life import Course
from amiss.live.moves import House, Moves
from amiss.live.notify.base import Standing
from amiss.live.notify.make import make_channel
from amiss.live.nouns import Arrival, EventRow
from amiss.live.post import Post
from amiss.live.rounds import Rounds
from amiss.live.seat import Habits, Seat
from amiss.live.settings import AlertSettings, WatchSettings
from amiss.live.store import Lease, LeaseKind, Media, Store
from amiss.live.store.store import PATIENCE
from amiss.live.tenancy import Tenancy
from amiss.live.threads import one_thread_each
from amiss.live.watchdog import Watchdog
from amiss.scoring.calibrate import parse_budget
from amiss.storage import storage_errors

__all__ = ["Watcher", "store_of"]

LOG = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at what is not a frame."""
REFRESH = 2.0
"""Seconds between two questions to the store about what people said and did."""
SWEEP = 600.0
"""Seconds between two looks at how full the disk is."""
KEPT = 90 * 86_400.0
"""Seconds for which curves are kept, and messages, also those that a receiver never took."""
SHOWING = ("webhook", "apprise")
"""Kinds of receivers that are given an event's video with its end; by MQTT a state follows, which must not wait."""
IDLE = 0.2
MANY = 10_000
"""Incidents that may last at once."""
POLL, POLL_SHARED = 5.0, 0.5
"""Seconds between two looks at the outbox for what this process did not put there itself: no others, or other shards.
"""
SILENT = 60.0
"""Seconds without a sign of life after which systemd is no longer told that all is well."""


def store_of(settings: WatchSettings, patience: float = PATIENCE) -> Store:
    """Open the store that some settings name; it is made where there is none.

    Args:
        settings: Which.
        patience: Seconds that other processes, and a server that starts anew, are waited for.

    Raises:
        StorageError: It cannot be opened.
    """
    with storage_errors(settings.data):
        settings.data.mkdir(parents=True, exist_ok=True)
    place = settings.store.get_secret_value() if settings.store else settings.data / "amiss.sqlite"
    return Store.open(place, settings.data / "media", patience=patience)


class Watcher:
    """Watches the cameras of a settings file until it is stopped: all of them, or as a shard those that are its share.

    Args:
        settings: Cameras, store, receivers.
        found: Told each frame that was scored and its calibrated score, by several threads.
        health: Counts in place of its own.

    Raises:
        AmissError: A model, the store or an alert cannot be used as it is given.
    """

    def __init__(
        self,
        settings: WatchSettings,
        found: Callable[[Arrival, float], None] = lambda *_: None,
        health: Health | None = None,
    ) -> None:
        self._settings = settings
        self.health = health or Health(settings.metrics, settings.data)
        names = list(settings.cameras)
        zones = {name: camera.schedule.zone for name, camera in settings.cameras.items()}
        makers = {alert.name: partial(make_channel, alert, names, zones) for alert in settings.alerts}
        self.store = store_of(settings)
        self.media = Media(self.store, settings.media, names)
        self._watchdog = Watchdog({"scoring": SILENT, "keeping": SILENT})
        self._keeper = Keeper(self.health.error, lambda: self._watchdog.alive("keeping"))
        self._cutter, self._sweeper = Keeper(self.health.error), Keeper(self.health.error)
        shared = settings.shard.name is not None
        self._post = Post(self.store, makers, POLL_SHARED if shared else POLL, self._standing)
        told = {name: [alert.name for alert in settings.alerts if _hears(alert, name)] for name in names}
        keepers = self._keeper, self._cutter
        self._leases: dict[str, Lease] = {}
        lease = self._leases.__getitem__ if shared else lambda _: None
        told_by = self._post.wake, self.health, settings.media
        patient = [alert.name for alert in settings.alerts if alert.kind in SHOWING]
        self.journal = Journal(self.store, self.media, keepers, told, *told_by, lease, patient)
        self._habits = Habits(settings.media, self.journal.known, self.store.open_events, self._last_alarms)
        self._desks: dict[str, Desk] = {} if shared else {name: self._desk(name) for name in names}
        self._tenancy = self._tenant() if shared else None
        self._moves = self._follower(self._tenancy) if self._tenancy else None
        self._rounds = Rounds(self._desks, self.health, found)
        self._calm = ExitStack()
        self._stop = threading.Event()
        self._ticked = self._asked = self._swept = -float("inf")

    def _desk(self, name: str) -> Desk:
        """A camera as its model, its folder and the store know it."""
        settings, home = self._settings.cameras[name], self._settings.data / "cameras" / name
        with storage_errors(home):
            home.mkdir(parents=True, exist_ok=True)
        life = self.store.life(name)
        seat = Seat(name, settings, home, self.journal, self._habits, Course.kept(life) if life else None)
        return Desk(Camera(name, settings, seat.gap), seat, deque())

    def _standing(self) -> Standing:
        """What goes on at all cameras, also those of other shards."""
        events: dict[str, list[str]] = defaultdict(list)
        incidents: dict[str, list[str]] = defaultdict(list)
        try:
            for row in self.store.open_events():
                events[row.camera] += [row.id] if row.alarm else []
            for incident in self.store.incidents(lasting=True, limit=MANY):
                incidents[incident.camera].append(str(incident.kind))
        except StorageError as error:
            LOG.warning("receivers are not told what goes on already: %s", error)
        return Standing(events, incidents)

    def _tenant(self) -> Tenancy:
        """This process among those that share the cameras."""
        settings = self._settings
        wanted = {LeaseKind.CAMERA: list(settings.cameras), LeaseKind.ALERT: [one.name for one in settings.alerts]}
        return Tenancy(store_of(settings, settings.shard.renew / 2), settings.shard, wanted)

    def _follower(self, tenancy: Tenancy) -> Moves:
        cameras = CameraHouse(self._desks, self._leases, self._desk, self.health.forget)
        houses: dict[LeaseKind, House] = {
            LeaseKind.CAMERA: cameras,
            LeaseKind.ALERT: PostHouse(self._post, self._keeper),
        }
        return Moves(tenancy, houses, self._keeper)

    def _last_alarms(self, camera: str) -> list[EventRow]:
        """The newest alarms that have ended, the oldest first."""
        rows = self.store.events(camera, alarm=True, limit=RECENT)
        return [row for row in reversed(rows) if not row.open]

    @property
    def seats(self) -> Mapping[str, Seat]:
        """The cameras' models, events and lives, by name."""
        return {name: desk.seat for name, desk in self._desks.items()}

    @property
    def cameras(self) -> Mapping[str, Camera]:
        """Where the frames come from, by name."""
        return {name: desk.camera for name, desk in self._desks.items()}

    def __enter__(self) -> Self:
        """Start everything.

        Raises:
            AmissError: The store is damaged, or shared with others otherwise, or the page of numbers cannot be served.
        """
        with ExitStack() as undo:
            undo.callback(self.store.close)
            if self._tenancy:
                undo.callback(self._tenancy.close)
            self._begin()
            undo.pop_all()
        return self

    def _begin(self) -> None:
        self.store.verify()
        if self._tenancy:
            self.media.look_after(self._settings.cameras)
        elif shards := self.store.shards():
            names = ", ".join(shard.name for shard in shards)
            raise ConfigError(f"the cameras of this store are shared by {names}; give this process a name by --shard")
        report = self.media.check()
        if any((report.partial, report.missing, report.deleted)):
            LOG.warning("media: %s", report)
        self.health.start()
        self._calm.enter_context(one_thread_each())
        if self._tenancy:
            self._tenancy.start()
        else:
            for alert in self._settings.alerts:
                self._post.take_up(alert.name)
        for thread in (self._keeper, self._cutter, self._sweeper):
            thread.start()
        for desk in self._desks.values():
            desk.camera.start()
        self._watchdog.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything; what was seen is kept first."""
        if self._moves:
            self._moves.close()
        for desk in self._desks.values():
            desk.camera.stop()
        self._rounds.close()
        for desk in self._desks.values():
            desk.seat.close()
        self._sweeper.close(0.0)
        for keeper in (self._keeper, self._cutter):
            if not keeper.close():
                LOG.error("%d things could not be kept before the end", keeper.waiting)
        self._post.close(last=self._tenancy is None)
        if self._tenancy:
            self._tenancy.close()
            self._tell_rest()
        self._watchdog.close()
        self.health.close()
        self.store.close()
        self._calm.close()

    def _tell_rest(self) -> None:
        """Of shards that all end, the last tells what was written after the one that told had gone."""
        try:
            if not self.store.shards():
                self._post.tell_rest()
        except AmissError as error:
            LOG.warning("what is still to be told waits for the next start: %s", error)

    def stop(self) -> None:
        """Have `run` end soon; it may be called from anywhere."""
        self._stop.set()

    def run(self, seconds: float | None = None) -> None:
        """Watch until `stop` is called, or all cameras have ended, as files do; a shard waits for others to come.

        Args:
            seconds: Most seconds; for ever by default.
        """
        until = time.monotonic() + seconds if seconds is not None else float("inf")
        while not self._stop.is_set() and time.monotonic() < until and self._go_on():
            pass

    def _go_on(self) -> bool:
        """One round; whether there is more to come."""
        if self._moves and self._moves.follow():
            self.media.look_after(self._desks)
        ready = [connection for desk in self._desks.values() for connection in desk.camera.ready]
        busy = any(desk.waiting for desk in self._desks.values())
        # asked before frames are taken: what a camera has left when it ends is taken in the next round
        running = self._moves is not None or any(
            desk.camera.numbers.state is not State.STOPPED for desk in self._desks.values()
        )
        if ready and not busy:
            wait(ready, IDLE)
        elif not busy:
            self._stop.wait(IDLE)
        for desk in self._desks.values():
            if not desk.waiting:  # what is not taken waits where the oldest gives way to the newest
                desk.waiting.extend(desk.camera.take())
            for incident in desk.camera.incidents():
                self.journal.incident(incident)
        self._rounds.do()
        self._tick()
        return running or any(desk.waiting for desk in self._desks.values())

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked < TICK:
            return
        self._ticked = now
        self._watchdog.alive("scoring")
        if now - self._asked >= REFRESH:
            self._asked = now
            self.journal.refresh(list(self._desks))
        if now - self._swept >= SWEEP:
            self._swept = now
            if not self._sweeper.waiting:  # beside what is kept: what waits for room on the disk must not wait for this
                self._sweeper.add("sweeping", self._sweep, must=False)
        seen = self.journal.seen
        for name, desk in self._desks.items():
            desk.camera.watch()
            try:
                desk.seat.tick(time.time(), seen.lives.get(name))
            except Exception:  # a fault at one camera must not touch the others
                LOG.exception("camera %s: what is done now and then failed", name)
                self.health.error("camera")
            self._tell(name, desk, seen.alarms.get(name, 0))
        if self._tenancy:
            self.health.shard(self._tenancy.numbers)

    def _tell(self, name: str, desk: Desk, alarms: int) -> None:
        """The numbers of a camera, for the page of numbers."""
        numbers, model = desk.camera.numbers, desk.seat.model
        budget = 24 * parse_budget(model.config.scoring.budget) if model else 0.0
        self.health.camera(
            name,
            CameraNumbers(
                state=str(numbers.state),
                life=str(desk.seat.course.life),
                decoded=numbers.decoded,
                arrived=numbers.arrived,
                dropped=numbers.dropped,
                corrupt=numbers.corrupt,
                reconnects=numbers.reconnects,
                queue=len(desk.waiting),
                alarms=alarms,
                budget=budget,
            ),
        )

    def _sweep(self) -> None:
        """Delete what is too old or too much."""
        before = time.time() - KEPT
        if names := self.media.sweep():
            LOG.info("deleted %d clips and pictures", len(names))
        for curve in self.store.drop_curves(before):
            Path(curve.path).unlink(missing_ok=True)
        self.store.drop_messages(before)


def _hears(alert: AlertSettings, camera: str) -> bool:
    return not alert.cameras or camera in alert.cameras
