"""From the events of a stream to what is kept and told of them, for one camera."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from amiss.engine import Pending
from amiss.live.likeness import alike, closeness, likeness_of
from amiss.live.nouns import Arrival, Change, EventRow
from amiss.live.place import alarming, in_hours, zones_of
from amiss.live.settings import CameraSettings
from amiss.scoring.events import Span
from amiss.types import Event, FloatArray, IntArray, Tube

__all__ = ["AlarmDesk", "Known", "Note"]

BOXES = 400
"""Boxes of an event that are kept, evenly spread over it."""
WORSE = 0.5
"""An event is told of anew when its severity has risen by so much."""
EVERY = 30.0
"""Seconds after which an event that goes on is told of anew."""
SHOWN = ("map", "clip_start")
"""What else may be in the tube of a row: a map of its worst region, when its clip begins."""
LOOK = 2.0
"""Seconds between two looks at an event that goes on: whether it became worse, or somebody is now to be told."""
RECENT = 8
"""Alarms that a further event may repeat."""


@dataclass(frozen=True)
class Known:
    """What a person has said that holds now.

    Attributes:
        id: Of the feedback.
        likeness: Of the event that it was said of; None silences everything.
        right: Whether it was said that the event was right to be raised, and not that it is normal.
    """

    id: int
    likeness: Mapping[str, Any] | None
    right: bool = False


@dataclass(frozen=True, eq=False)
class Note:
    """Something to keep, and perhaps to tell.

    Attributes:
        row: The event as it is now.
        change: What happened to it.
        told: Whether receivers of alarms are told.
        picture: Whether a picture of it is due: it is kept or told of for the first time, or has become worse.
    """

    row: EventRow
    change: Change
    told: bool
    picture: bool = False


class AlarmDesk:
    """Follows the events of one camera: gives them ids that last, decides who is told, and joins repeats.

    Args:
        camera: Name of the camera.
        settings: Its zones, schedule and cooldown.
        model: Fingerprint of its model.
        level: The level of events.
        known: Gives what people have said that holds now.
        before: Alarms before the first, as of an earlier run, the oldest first.
    """

    def __init__(
        self,
        camera: str,
        settings: CameraSettings,
        model: str,
        level: float,
        known: Callable[[], Sequence[Known]] = tuple,
        before: Sequence[EventRow] = (),
    ) -> None:
        self._camera, self._settings, self._model, self._level, self._known = camera, settings, model, level, known
        self._row: EventRow | None = None
        self._span = -1.0
        self._offset = 0.0
        self._told = self._looked = 0.0
        self._severity = 0.0
        self._alarms = [row for row in before if row.alarm][-RECENT:]
        self._base: EventRow | None = None

    @property
    def row(self) -> EventRow | None:
        """The event that goes on."""
        return self._row

    @property
    def alarms(self) -> Sequence[EventRow]:
        """The last alarms that have ended, the oldest first."""
        return tuple(self._alarms)

    def wants(self, span: Span, at: float) -> bool:
        """Whether there may be something to keep or tell of the event that goes on, which takes time to find out.

        Args:
            span: When it was so far.
            at: When the last frame came, in seconds since 1970.
        """
        row = self._row
        if row is None or self._span != span.start:
            return True
        if self._looked <= at < self._looked + LOOK:
            return False
        return not row.alarm or span.height >= self._severity + WORSE or not self._told <= at < self._told + EVERY

    def follow(self, arrival: Arrival, pending: Pending, quiet: str) -> Note | None:
        """Take in that an event goes on; gives a note where there is something to keep or tell.

        Args:
            arrival: The frame that came last.
            pending: The event so far.
            quiet: Why the camera raises no alarms now, in a word; empty where it does.
        """
        self._looked = arrival.at
        if self._row is None or self._span != pending.event.start:
            return self._open(arrival, pending, quiet)
        row = self._grown(self._row, pending.event)
        why, by = self._why_quiet(row, arrival.at, quiet)
        if not row.alarm and not why:
            row = replace(row, alarm=True, quiet="", suppressed=None, likeness=self._likeness(arrival, pending))
            return self._keep(row, Change.NEW, arrival, picture=True)
        if not row.alarm:
            row = replace(row, quiet=why, suppressed=by)
        worse = row.severity >= self._severity + WORSE
        if worse or not self._told <= arrival.at < self._told + EVERY:
            likeness = self._likeness(arrival, pending) if worse else row.likeness
            row = replace(row, likeness=likeness)
            return self._keep(row, Change.UPDATE, arrival, picture=worse, told=row.alarm and not why)
        self._row = row
        return None

    def end(self, arrival: Arrival, event: Event, quiet: str) -> list[Note]:
        """Take in that an event has ended; one that was too short to be sure of before opens with it.

        Whoever was told of it is also told that it ended, whatever was said meanwhile.

        Args:
            arrival: The frame that came last.
            event: The whole of it.
            quiet: As in `follow`.
        """
        opened = []
        if self._row is None or self._span != event.start:
            opened = [self._open(arrival, Pending(event, None), quiet)]
        return [*opened, self._close(self._grown(self._row or opened[0].row, event))]

    def give_up(self) -> list[Note]:
        """End the event that goes on as it was when it was last looked at: no more can be found out about it."""
        return [self._close(self._row)] if self._row else []

    def _close(self, row: EventRow) -> Note:
        row = replace(row, open=False)
        others = [alarm for alarm in self._alarms if alarm.id != row.id]
        self._alarms = [*others, row][-RECENT:] if row.alarm else self._alarms
        self._row, self._base = None, None
        return Note(row, Change.END, row.alarm)

    def _open(self, arrival: Arrival, pending: Pending, quiet: str) -> Note:
        event = pending.event
        self._span, self._offset = event.start, arrival.at - arrival.frame.seconds
        start = event.start + self._offset
        likeness = self._likeness(arrival, pending)
        self._base = None
        row = self._new(start, likeness, arrival.frame.size)
        row = self._grown(row, event)
        why, by = self._why_quiet(row, arrival.at, quiet)
        if not why and (before := self._joined(start, likeness)):
            self._base = before
            row = replace(before, open=True, repeats=before.repeats + 1)
            return self._keep(self._grown(row, event), Change.UPDATE, arrival)
        row = replace(row, alarm=not why, quiet=why, suppressed=by)
        return self._keep(row, Change.NEW, arrival, picture=True)

    def _new(self, start: float, likeness: Mapping[str, Any], size: tuple[int, int]) -> EventRow:
        """An event of which nothing is known but when it rose, and what it is compared by."""
        return EventRow(
            id=hashlib.blake2b(f"{self._camera}|{self._model}|{start:.3f}".encode(), digest_size=8).hexdigest(),
            camera=self._camera,
            start=start,
            peak=start,
            end=start,
            open=True,
            alarm=True,
            severity=0.0,
            level=self._level,
            model=self._model,
            size=size,
            likeness=likeness,
        )

    def _likeness(self, arrival: Arrival, pending: Pending) -> Mapping[str, Any]:
        return likeness_of(pending.event, arrival.frame.size, arrival.frame.image, pending.windows)

    def _joined(self, start: float, likeness: Mapping[str, Any]) -> EventRow | None:
        """The newest alarm that this repeats, if one has just been."""
        late = [row for row in self._alarms if 0 <= start - row.end <= self._settings.cooldown]
        return next((row for row in reversed(late) if row.likeness and alike(row.likeness, likeness)), None)

    def _grown(self, row: EventRow, event: Event) -> EventRow:
        """The row with all that is known of the event by now; of a repeat, the worse of the two speaks."""
        base = self._base
        tube = _tube(event.tube, self._offset, base.tube if base else None)
        zones = zones_of(self._settings.zones, np.asarray(event.tube.xyxy), row.size)
        grown = replace(row, end=event.end + self._offset, tube=tube, zones=_union(row.zones, zones))
        if base and base.severity >= event.severity:
            return grown
        return replace(
            grown,
            peak=event.peak + self._offset,
            severity=event.severity,
            parts=dict(event.parts),
            reasons=event.reasons,
            examples=event.examples,
        )

    def _keep(
        self, row: EventRow, change: Change, arrival: Arrival, *, picture: bool = False, told: bool | None = None
    ) -> Note:
        self._row, self._told, self._severity = row, arrival.at, row.severity
        return Note(row, change, row.alarm if told is None else told, picture)

    def _why_quiet(self, row: EventRow, at: float, quiet: str) -> tuple[str, int | None]:
        """Why nobody is told of an event, in a word, and by which feedback; empty where somebody is."""
        if quiet:
            return quiet, None
        if not in_hours(self._settings.schedule, at):
            return "schedule", None
        if not alarming(self._settings.zones, row.zones):
            return "zone", None
        said = self._known()
        if snoozed := [one.id for one in said if one.likeness is None]:
            return "snoozed", snoozed[0]
        nearest = max(reversed(said), key=lambda one: _closeness(one, row), default=None)  # of equals the newest
        if nearest is None or nearest.right or _closeness(nearest, row) < 0:
            return "", None
        return "feedback", nearest.id


def _closeness(known: Known, row: EventRow) -> float:
    """How like an event is to what was said of another; below 0 where it is not."""
    near = closeness(known.likeness, row.likeness) if known.likeness else None
    return -1.0 if near is None else near


def _tube(tube: Tube, offset: float, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The boxes of an event as plain lists, after those of what it repeats; many are thinned, but not the worst."""
    found: dict[str, FloatArray] = {
        "at": np.round(tube.seconds + offset, 3),
        "xyxy": np.round(np.asarray(tube.xyxy, np.float64), 1),
        "track": np.asarray(tube.track, np.float64),
        "score": np.round(tube.score, 4),
    }
    if before and len(before["at"]):
        found = {name: np.concatenate([np.asarray(before[name], np.float64), found[name]]) for name in found}
    some = _spread(np.asarray(found["score"]))
    plain = {name: values[some].tolist() for name, values in found.items()}
    plain["track"] = [int(track) for track in plain["track"]]
    return plain | {name: before[name] for name in SHOWN if before and name in before}


def _spread(scores: FloatArray) -> IntArray:
    """Numbers of at most `BOXES` rows, evenly spread, the first, the worst and the last among them."""
    if len(scores) <= BOXES:
        return np.arange(len(scores))
    even = np.linspace(0, len(scores) - 1, BOXES - 1).astype(int)
    return np.unique([*even, int(scores.argmax())])


def _union(some: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*some, *others]))
