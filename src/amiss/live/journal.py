"""What happens at cameras, on its way to the store, to media and to those who are told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from amiss.errors import AmissError, BusyError
from amiss.live.alarms import Known, Note
from amiss.live.health import ChannelNumbers, Health
from amiss.live.keeper import Keeper
from amiss.live.life import Course
from amiss.live.nouns import Arrival, Change, EventRow, Incident, Message, Verdict
from amiss.live.recorder import Clip, write_clip, write_snapshot
from amiss.live.settings import MediaSettings
from amiss.live.store import CameraLife, Curve, FeedbackKind, Lease, Media, MediaKind, Store
from amiss.types import Image

__all__ = ["Journal", "Seen"]

LOG = logging.getLogger(__name__)

WEEKS = 8 * 7 * 86_400.0
"""Seconds back to which events are asked for that are no example of normal."""
DAY = 86_400.0
MOST = 10_000
"""Events that are asked for at once."""
CUTTING = 20.0
"""Most seconds, after the last picture of a video, for which it is waited for before an event's end is told."""
CROWD = 64
"""Things that wait to be kept from which on pictures and videos are left out: a store that is away for hours must not
cost the memory that what is kept later waits in."""
COUNT, LONG = 30.0, 300.0
"""Seconds between two counts of alarms, and between two looks at all of the last weeks."""


@dataclass(frozen=True)
class Seen:
    """What the store said when it was last asked.

    Attributes:
        known: What people have called normal, by camera.
        spoiled: Stretches of time with alarms that nobody called normal, by camera.
        lives: Where cameras are in their lives, and who put them there.
        alarms: How many alarms there were in the last 24 hours, by camera.
    """

    known: Mapping[str, Sequence[Known]] = field(default_factory=dict)
    spoiled: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    lives: Mapping[str, CameraLife] = field(default_factory=dict)
    alarms: Mapping[str, int] = field(default_factory=dict)


class Journal:
    """Hands what happens to a thread that keeps it, one thing after the other.

    Args:
        store: Where things are kept.
        media: Where clips and pictures are.
        keepers: For what is kept in the store, and for clips, which take longer.
        channels: Names of those who are told, by camera.
        wake: Called when there is something to deliver.
        health: Counts.
        settings: How clips are cut.
        lease: Gives the lease under which a camera is watched, where cameras are shared: what comes later than the
            lease lasted is refused, also if the camera has come back meanwhile. Pictures and clips are not: only who
            saw an event has any, and it names them only where it was kept.
        patient: Names of those whose message on an end waits a while for the video.
    """

    def __init__(
        self,
        store: Store,
        media: Media,
        keepers: tuple[Keeper, Keeper],
        channels: Mapping[str, Sequence[str]],
        wake: Callable[[], None],
        health: Health,
        settings: MediaSettings,
        lease: Callable[[str], Lease | None] = lambda _: None,
        patient: Collection[str] = (),
    ) -> None:
        self._hold = dict.fromkeys(patient, settings.after + CUTTING)
        self._lease = lease
        self._store, self._media, self._channels, self._wake = store, media, channels, wake
        self._keeper, self._cutter = keepers
        self._health, self._settings = health, settings
        self._seen = Seen()
        self._asking = False
        self._looked = {"alarms": -float("inf"), "spoiled": -float("inf")}

    @property
    def seen(self) -> Seen:
        """What the store said when it was last asked, see `refresh`."""
        return self._seen

    @property
    def _crowded(self) -> bool:
        return self._keeper.waiting + self._cutter.waiting > CROWD

    def known(self, camera: str) -> Sequence[Known]:
        """What people have called normal at a camera."""
        return self._seen.known.get(camera, ())

    def spoiled(self, camera: str) -> Sequence[tuple[float, float]]:
        """Stretches of time, in seconds since 1970, that are no example of normal at a camera."""
        return self._seen.spoiled.get(camera, ())

    def note(self, note: Note, arrival: Arrival) -> None:
        """Keep what happened to an event, and tell of it; first its picture, so that it can be shown."""
        row, camera = note.row, note.row.camera
        if note.change is Change.NEW:
            self._health.event(camera, alarm=note.told)
        if not note.told:
            self._keep(row, Change.UPDATE if note.change is Change.NEW else note.change, ())
            if note.picture:
                self._picture(row.id, arrival.frame.image)
            return
        if note.picture:
            if note.change is Change.NEW:  # a picture is of an event that is kept
                self._keep(row, Change.UPDATE, ())
            self._picture(row.id, arrival.frame.image)
        self._keep(row, note.change, self._channels.get(camera, ()), self._hold)
        if note.change is Change.NEW:
            clock = arrival.clock
            self._keeper.add("latency", lambda: self._health.alarm(camera, time.monotonic() - clock))

    def _keep(
        self, row: EventRow, change: Change, channels: Sequence[str], hold: Mapping[str, float] | None = None
    ) -> None:
        lease = self._lease(row.camera)

        def work() -> None:
            self._store.put_event(row, change, channels, lease, hold)
            if channels:
                self._wake()

        self._keeper.add(f"keeping event {row.id}", work)

    def _picture(self, event: str, image: Image) -> None:
        if self._crowded:
            LOG.warning("event %s is kept without its picture: too much waits to be kept", event)
            return
        writer = partial(write_snapshot, image=image, width=self._settings.width)
        work = partial(self._media.write, event, MediaKind.SNAPSHOT, writer)
        self._keeper.add(f"the picture of event {event}", work_of(work), must=False)

    def close_left(self, row: EventRow) -> None:
        """End an event that was left open when the program ended, and tell whom it was not told to."""
        channels = self._channels.get(row.camera, ()) if row.alarm else ()
        if row.alarm:
            self._keep(row, Change.NEW, channels)
        self._keep(replace(row, open=False), Change.END, channels)

    def clip(self, clip: Clip) -> None:
        """Write the video of an event, beside all that is kept in the store."""
        if not clip.shots:
            return
        if self._crowded:
            LOG.warning("event %s is kept without its video: too much waits to be kept", clip.event)
            return
        writer = partial(write_clip, clip=clip, rate=self._settings.rate)

        def work() -> None:
            self._media.write(clip.event, MediaKind.CLIP, writer)
            self._wake()  # who waited for it

        self._keeper.add("clips", lambda: self._cutter.add(f"the clip of event {clip.event}", work, must=False))

    def incident(self, incident: Incident) -> None:
        """Keep what is wrong with a camera, and tell of it."""
        lease = self._lease(incident.camera)

        def work() -> None:
            self._store.put_incident(incident, self._channels.get(incident.camera, ()), lease)
            self._wake()

        self._keeper.add(f"an incident of camera {incident.camera}", work)

    def close_incidents(self, camera: str, at: float) -> None:
        """End what was wrong with a camera when the program ended; what still is comes anew."""
        lease = self._lease(camera)

        def work() -> None:
            for incident in self._store.incidents(camera, lasting=True):
                ended = replace(incident, end=max(at, incident.start))
                self._store.put_incident(ended, self._channels.get(camera, ()), lease)

        self._keeper.add(f"what was wrong with camera {camera}", work)

    def curve(self, curve: Curve) -> None:
        """Keep where a piece of a camera's curve is."""
        lease = self._lease(curve.camera)
        self._keeper.add(f"a curve of camera {curve.camera}", lambda: self._store.add_curve(curve, lease))

    def course(self, camera: str, course: Course) -> None:
        """Keep where a camera is in its life, unless a person has said something else that it has not heard yet."""
        lease = self._lease(camera)

        def work() -> None:
            said = course.life, course.why, course.by, course.detail
            self._store.set_life(camera, *said, lease, heard=course.heard)

        self._keeper.add(f"the life of camera {camera}", work)

    def refresh(self, cameras: Sequence[str]) -> None:
        """Ask the store, in its thread, what people said and did since it was last asked.

        Nothing happens where it was asked and has not answered yet, as while it is away.
        """
        if self._asking:
            return
        self._asking = True
        self._keeper.add("asking the store", lambda: self._refresh(cameras), must=False)

    def _refresh(self, cameras: Sequence[str]) -> None:
        try:
            self._ask(cameras, time.time())
        except BusyError:
            raise  # it is asked again
        except AmissError:
            self._asking = False
            raise
        self._asking = False

    def _ask(self, cameras: Sequence[str], now: float) -> None:
        known = {camera: _known(self._store, camera, now) for camera in cameras}
        self._seen = replace(self._seen, known=known, lives=self._store.lives())
        if self._is_due("alarms", COUNT):
            alarms = {camera: self._count(camera, now - DAY) for camera in cameras}
            self._seen = replace(self._seen, alarms=alarms)
        if self._is_due("spoiled", LONG):
            spoiled = {camera: self._spoiled(camera, now - WEEKS) for camera in cameras}
            self._seen = replace(self._seen, spoiled=spoiled)
        self._channel_numbers(now)

    def _is_due(self, what: str, seconds: float) -> bool:
        """Whether something that takes long is to be asked again."""
        now = time.monotonic()
        if now - self._looked[what] < seconds:
            return False
        self._looked[what] = now
        return True

    def _count(self, camera: str, since: float) -> int:
        return len(self._store.events(camera, since, alarm=True, limit=MOST))

    def _spoiled(self, camera: str, since: float) -> list[tuple[float, float]]:
        rows = self._store.events(camera, since, alarm=True, limit=MOST)
        return [(row.start, row.end) for row in rows if row.verdict is not Verdict.NORMAL]

    def _channel_numbers(self, now: float) -> None:
        """How many messages wait for whom, and for how long the oldest has."""
        waiting = self._store.waiting()
        for channel in {name for names in self._channels.values() for name in names} | waiting.keys():
            count = waiting.get(channel, 0)
            first = self._store.due(channel, float("inf"), 1) if count else []
            oldest = max((now - _when(message) for message in first), default=0.0)
            self._health.channel(channel, ChannelNumbers(count, max(oldest, 0.0)))


def _when(message: Message) -> float:
    """About when a message was written: at the end of what it tells of, as far as that had come."""
    return float(message.body.get("end") or message.body["start"])


def _done(_: object) -> None:
    """Makes of a call whose answer nobody needs one that gives none."""


def work_of(call: Callable[[], object]) -> Callable[[], None]:
    """A call whose answer nobody needs, as something to do."""
    return lambda: _done(call())


def _known(store: Store, camera: str, now: float) -> list[Known]:
    """What holds now of what people said."""
    return [
        Known(one.id, None if one.kind is FeedbackKind.SNOOZE else one.likeness, one.kind is FeedbackKind.RIGHT)
        for one in store.feedback(camera, now)
    ]
