"""One camera in the watcher: its model, its events, its life."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from amiss.engine import Model, Update
from amiss.errors import StorageError
from amiss.live.alarms import AlarmDesk, Known, Note
from amiss.live.collect import Collector
from amiss.live.curves import CurveWriter
from amiss.live.display import Display
from amiss.live.faults import Faults
from amiss.live.journal import Journal
from amiss.live.life import RULE, Course, Word, by_hand, next_course
from amiss.live.likeness import map_of
from amiss.live.nouns import Arrival, EventRow, Incident, IncidentKind
from amiss.live.recorder import Clip, Recorder
from amiss.live.school import School
from amiss.live.settings import CameraSettings, MediaSettings
from amiss.live.sight import Gathering, Scoring
from amiss.live.store.records import CameraLife, Curve, Life
from amiss.live.view import View
from amiss.perception.scenes import Flag
from amiss.pipeline import Pipeline
from amiss.types import Event

__all__ = ["Habits", "Seat"]

LOG = logging.getLogger(__name__)

SAVE = 60.0
"""Seconds after which a camera's life is written down though it has not changed."""


@dataclass(frozen=True)
class Habits:
    """What is the same for all cameras.

    Attributes:
        media: How clips are cut.
        known: Gives what people have called normal at a camera.
        begin: What ended without its end being kept, at a camera: events that the program left open.
        last: The newest alarms of a camera that have ended, the oldest first.
    """

    media: MediaSettings
    known: Callable[[str], Sequence[Known]]
    begin: Callable[[str], Sequence[EventRow]]
    last: Callable[[str], Sequence[EventRow]]


class Seat:
    """What the watcher does with the frames of one camera.

    Args:
        name: Name of the camera.
        settings: Its settings.
        home: Folder of what it keeps.
        journal: Keeps and tells what happens.
        habits: What is the same for all cameras.
        course: Where it was in its life when the program ended; None for a new camera.

    Raises:
        AmissError: Its model cannot be used.
    """

    def __init__(
        self,
        name: str,
        settings: CameraSettings,
        home: Path,
        journal: Journal,
        habits: Habits,
        course: Course | None = None,
    ) -> None:
        self.name, self._settings, self._home = name, settings, home
        self._journal, self._habits = journal, habits
        self._school = School(settings, home)
        self._view = View(self._school.config.perception.scenes, home / "view.safetensors")
        self._recorder = Recorder(habits.media)
        zone = settings.schedule.zone
        self._collector = Collector(home / "windows", settings.learning, zone, self.gap)
        self._curves = CurveWriter(home / "curves", self._keep_curve)
        self._flags: dict[Flag, float] = {}
        self._shown: dict[str, Any] = {}
        self._display = Display(home, settings)
        self._last: Arrival | None = None
        self._saved = 0.0
        self._faults = Faults()
        self._desk: AlarmDesk | None = None
        journal.close_incidents(name, time.time())
        left = self._close_left()
        model = self._school.model(_asked_since(course))
        if model and (size := model.learned.get("picture")):
            self._view.expect((size[0], size[1]))
        self.course = course or Course(Life.LIVE if model else Life.COLLECTING, time.time(), "it is new")
        if model is None and self.course.life not in (Life.COLLECTING, Life.FROZEN):
            self.course = Course(Life.COLLECTING, time.time(), "its model is gone", heard=self.course.heard)
        self._sight = self._look_with(model, [*habits.last(name), *left])
        self.pipeline.warm()
        self._keep_course()

    @property
    def pipeline(self) -> Pipeline:
        """What it sees with, so that networks can look at several cameras at once."""
        return self._sight.pipeline

    @property
    def model(self) -> Model | None:
        """What it scores with."""
        return self._sight.model if isinstance(self._sight, Scoring) else None

    @property
    def gap(self) -> float:
        """A jump in time of more seconds than this ends tracks, windows and events."""
        return self._school.config.footage.gap

    @property
    def awake(self) -> bool:
        """Whether frames are scored, or collected from."""
        return self.course.life is not Life.FROZEN

    def prepare(self, arrival: Arrival) -> Arrival | None:
        """Look at the view itself; gives the frame as it is to be scored, or None if it is not.

        Must be called for each frame, and then `step` with what it gives.
        """
        arrival = replace(arrival, frame=self.pipeline.shown(arrival.frame))  # nor do clips show what is private
        shaped, flags = self._view.look(arrival)
        self._display.show(arrival)
        self._note_flags(flags, arrival.at)
        self._pass_time(arrival)
        self._clip(self._recorder.add(arrival))
        if self._faults.due:
            self._sight = self._look_with(self.model, self._desk.alarms if self._desk else [])
            self._faults.broken = False
        return shaped if self.awake and not self._faults.broken else None

    def step(self, arrival: Arrival) -> Update | None:
        """Score a frame, keep what comes of it, and collect its windows.

        Raises:
            StorageError: Windows or curve cannot be written; the scores are taken care of.
        """
        windows, update = self._sight.see(arrival.frame)
        if update is not None and isinstance(self._sight, Scoring) and self._desk:
            self._follow(self._sight, self._desk, arrival, update)
            self._curves.add(arrival.at, update.calibrated)
        if self._school.learns:
            self._collector.add(arrival, windows)
        self._be_well(arrival)
        return update

    def _follow(self, sight: Scoring, desk: AlarmDesk, arrival: Arrival, update: Update) -> None:
        if update.event:
            self._end(desk, arrival, update.event)
        if (span := sight.span) and desk.wants(span, arrival.at) and (pending := sight.pending()):
            before = desk.row
            if note := desk.follow(arrival, pending, self._quiet):
                offset = arrival.at - arrival.frame.seconds
                start, new = offset + pending.event.start, before is None or before.id != note.row.id
                shown = map_of(pending.region, offset) if pending.region is not None else None
                self._note(note, arrival, start, new=new, shown=shown)

    def _end(self, desk: AlarmDesk, arrival: Arrival, event: Event) -> None:
        offset = arrival.at - arrival.frame.seconds
        before = desk.row
        for note in desk.end(arrival, event, self._quiet):
            self._note(note, arrival, offset + event.start, new=before is None or before.id != note.row.id)
            before = note.row
        self._recorder.end(offset + event.end)
        self._curves.flush()  # whoever looks at the event wants to see its curve

    def _note(
        self, note: Note, arrival: Arrival, start: float, *, new: bool, shown: Mapping[str, Any] | None = None
    ) -> None:
        """Keep what happened to an event; with a new one a clip begins, unless it has one from an earlier run."""
        if new:
            begun = self._recorder.begin(note.row.id, start) if note.row.clip is None else None
            self._shown = {} if begun is None else {"clip_start": round(begun, 3)}
        if shown:
            self._shown["map"] = shown
        row = replace(note.row, tube={**note.row.tube, **self._shown})
        self._journal.note(replace(note, row=row), arrival)

    @property
    def _quiet(self) -> str:
        return "" if self.course.life is Life.LIVE else str(self.course.life)

    def _note_flags(self, flags: frozenset[Flag], at: float) -> None:
        """Incidents of the view that begin or end."""
        for kind in flags - self._flags.keys():
            self._flags[kind] = at
            self._incident(IncidentKind(kind.value), at, None, f"the view: {kind.value}")
        for kind in self._flags.keys() - flags:
            self._incident(IncidentKind(kind.value), self._flags.pop(kind), at, f"the view: {kind.value}")

    def _incident(self, kind: IncidentKind, start: float, end: float | None, detail: str) -> None:
        self._journal.incident(Incident(self.name, kind, start, None if end is None else max(start, end), detail))

    def _pass_time(self, arrival: Arrival) -> None:
        """Count the time that frames cover, and go on in life."""
        step = arrival.frame.seconds - self._last.frame.seconds if self._last else 0.0
        self._last = arrival
        if self.awake and 0 < step <= self.gap:
            self.course = replace(self.course, seen=self.course.seen + step / 3600)
        ready = self.model is not None
        rules, told = self._settings.learning, self._school.collected if ready else 0.0
        course = next_course(self.course, rules, arrival.at, self._flags, collected=told, ready=ready)
        if course is not self.course:
            self._change(course)

    def _change(self, course: Course) -> None:
        """Another state: what goes on ends with the old one."""
        LOG.info("camera %s is %s: %s", self.name, course.life, course.why)
        if course.life is Life.FROZEN or course.life is Life.COLLECTING:
            self.settle()
        self.course = course
        self._keep_course()

    def _obey(self, word: Word, now: float) -> None:
        """A person said where it is to be."""
        before, ready = self.course.life, self.model is not None
        if word.life is Life.COLLECTING and not self._school.learns:
            LOG.warning("camera %s was given a model and collects nothing; it stays %s", self.name, before)
            self.course = replace(self.course, heard=word.at)
            self._keep_course()
            return
        self._change(by_hand(self.course, word, now, ready=ready))
        if word.life is Life.COLLECTING:
            self._begin_anew()
        if word.life is Life.COLLECTING or (before is Life.FROZEN and word.life is not Life.FROZEN):
            self._view.reset()  # it is as it should be from now on

    def _begin_anew(self) -> None:
        """Forget what was kept to learn from: it may be of another view."""
        self._school.forget()
        try:
            self._collector.forget()
        except StorageError as error:
            LOG.warning("camera %s: %s", self.name, error)
        self._sight, self._desk = self._school.gathering(), None

    def settle(self) -> None:
        """End the event that goes on, and write what was not written yet."""
        self._end_event()
        for work in (self._curves.flush, self._collector.close):
            try:
                work()
            except StorageError as error:
                LOG.warning("camera %s: %s", self.name, error)

    def _end_event(self) -> None:
        """End the event that goes on, as it was if no more can be found out about it."""
        if not isinstance(self._sight, Scoring) or not self._desk or not self._last:
            return
        try:
            if event := self._sight.finish():
                self._end(self._desk, self._last, event)
        except Exception:  # what cannot be explained must still end
            LOG.exception("camera %s: an event is ended as it was", self.name)
        for note in self._desk.give_up():
            self._journal.note(note, self._last)
            self._recorder.end(note.row.end)

    def tick(self, now: float, kept: CameraLife | None) -> None:
        """What is done every second or so: a person's word, learning, what is written down now and then.

        Args:
            now: Seconds since 1970.
            kept: What the store says of the camera, with what a person said last.
        """
        if kept and (word := Word.kept(kept)) and word.at > self.course.heard:
            self._obey(word, now)
        self._view.keep()
        self._miss_frames()
        spoiled = partial(self._journal.spoiled, self.name)
        if learned := self._school.tick(now, self.course, spoiled, going_on=self._going_on):
            self._take_up(learned)
        if now - self._saved >= SAVE:
            self._keep_course()

    def _miss_frames(self) -> None:
        """Where no frames come any more, end what goes on: who was told that it began is not left waiting."""
        if self._last is None:
            return
        late = time.monotonic() - self._last.clock
        if late > self._settings.silence + self.gap:
            self._end_event()
            self._clip(self._recorder.due(self._last.at + late))

    @property
    def _going_on(self) -> bool:
        return isinstance(self._sight, Scoring) and self._sight.span is not None

    def _take_up(self, model: Model) -> None:
        """Score with this model from now on."""
        self.settle()
        self._sight = self._look_with(model, self._desk.alarms if self._desk else [])

    def _look_with(self, model: Model | None, alarms: Sequence[EventRow]) -> Scoring | Gathering:
        """What its frames go through, and who is told of what comes of it."""
        if model is None:
            self._desk = None
            return self._school.gathering()
        scoring = Scoring(model, self.name)
        self._display.take_up(model)
        known = partial(self._habits.known, self.name)
        self._desk = AlarmDesk(self.name, self._settings, model.fingerprint(), scoring.level, known, alarms)
        return scoring

    def _close_left(self) -> Sequence[EventRow]:
        """End what the program left open when it ended; it is told now if it was not told before."""
        left = self._habits.begin(self.name)
        for row in left:
            self._journal.close_left(row)
        return left

    def _clip(self, clips: Sequence[Clip]) -> None:
        for clip in clips:
            self._journal.clip(clip)

    def _keep_curve(self, path: Path, start: float, end: float, frames: int) -> None:
        self._journal.curve(Curve(self.name, start, end, str(path), frames))

    def _keep_course(self) -> None:
        self._saved = time.time()
        self._journal.course(self.name, self.course)

    def start_anew(self, why: str, at: float) -> None:
        """After a fault: forget what was seen, and say so; frames are looked at again after a while.

        Args:
            why: A sentence, without secrets.
            at: Seconds since 1970.
        """
        self._end_event()
        if self._faults.add(why, at):
            self._incident(IncidentKind.FAILED, at, None, why)

    def _be_well(self, arrival: Arrival) -> None:
        """A frame was scored: after some time of that a fault is over."""
        if (since := self._faults.well(arrival.at)) is not None:
            self._incident(IncidentKind.FAILED, since, self._faults.last, self._faults.why)

    def close(self) -> None:
        """End: nothing is lost that was seen."""
        self.settle()
        self._clip(self._recorder.finish())
        self._school.close()
        self._keep_course()


def _asked_since(course: Course | None) -> float:
    """When a person had a camera collect anew: what was learned before does not count. 0 where nobody did."""
    return course.since if course and course.life is Life.COLLECTING and course.by != RULE else 0.0
