"""One camera in the watcher: its model, its events, its life."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from amiss.engine import Model, Update
from amiss.errors import AmissError, StorageError
from amiss.live.alarms import AlarmDesk, Known
from amiss.live.collect import Collector
from amiss.live.curves import CurveWriter
from amiss.live.journal import Journal
from amiss.live.life import RULE, Course, by_hand, next_course
from amiss.live.nouns import Arrival, EventRow, Incident, IncidentKind
from amiss.live.recorder import Recorder
from amiss.live.school import School
from amiss.live.settings import CameraSettings, MediaSettings
from amiss.live.sight import Gathering, Scoring, fitted
from amiss.live.store.records import CameraLife, Curve, Life
from amiss.perception.scenes import Flag, ViewHealth
from amiss.pipeline import Pipeline
from amiss.storage import whole_file
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
    """

    media: MediaSettings
    known: Callable[[str], Sequence[Known]]
    begin: Callable[[str], Sequence[EventRow]]


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
        self._view = ViewHealth(self._school.config.perception.scenes)
        self._view_kept = _restore(self._view, home / "view.safetensors")
        self._recorder = Recorder(habits.media)
        self._collector = Collector(home / "windows", settings.learning, settings.schedule.zone)
        self._curves = CurveWriter(home / "curves", self._keep_curve)
        model = self._school.model()
        first = Course(Life.LIVE if model else Life.COLLECTING, time.time(), "it is new")
        self.course = course or first
        if model is None and self.course.life is not Life.COLLECTING:
            self.course = Course(Life.COLLECTING, time.time(), "its model is gone")
        self._flags: dict[Flag, float] = {}
        self._size: tuple[int, int] | None = None
        self._last: Arrival | None = None
        self._saved = 0.0
        self._sight: Scoring | Gathering = self._school.gathering()
        self._desk: AlarmDesk | None = None
        if model:
            self._take_up(model, self._close_left())
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
        self._size = self._size or arrival.frame.size
        shaped = fitted(arrival, self._size)
        flags = dict.fromkeys([Flag.MOVED], arrival.at) if shaped is None else {}
        if shaped is not None:
            flags = {flag.kind: flag.start for flag in self._view.update(shaped.frame)}
        self._note_flags(flags, arrival.at)
        self._pass_time(arrival)
        self._clip(arrival)
        return shaped if self.awake else None

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
        return update

    def _follow(self, sight: Scoring, desk: AlarmDesk, arrival: Arrival, update: Update) -> None:
        if update.event:
            self._end(desk, arrival, update.event)
        if (span := sight.span) and desk.wants(span, arrival.at) and (pending := sight.pending()):
            before = desk.row
            if note := desk.follow(arrival, pending, self._quiet):
                if before is None or before.id != note.row.id:
                    self._recorder.begin(note.row.id)
                self._journal.note(note, arrival)

    def _end(self, desk: AlarmDesk, arrival: Arrival, event: Event) -> None:
        before = desk.row
        for note in desk.end(arrival, event, self._quiet):
            if before is None or before.id != note.row.id:
                self._recorder.begin(note.row.id)
                before = note.row
            self._journal.note(note, arrival)
        self._recorder.end(arrival.at)

    @property
    def _quiet(self) -> str:
        return "" if self.course.life is Life.LIVE else str(self.course.life)

    def _note_flags(self, flags: dict[Flag, float], at: float) -> None:
        """Incidents of the view that begin or end."""
        for kind in flags.keys() - self._flags.keys():
            self._flags[kind] = at
            self._journal.incident(Incident(self.name, IncidentKind(kind.value), at, None, f"the view: {kind.value}"))
        for kind in self._flags.keys() - flags.keys():
            start = self._flags.pop(kind)
            self._journal.incident(Incident(self.name, IncidentKind(kind.value), start, at, f"the view: {kind.value}"))

    def _pass_time(self, arrival: Arrival) -> None:
        """Count the time that frames cover, and go on in life."""
        step = arrival.frame.seconds - self._last.frame.seconds if self._last else 0.0
        self._last = arrival
        if 0 < step <= self._school.config.footage.gap:
            self.course = replace(self.course, seen=self.course.seen + step / 3600)
        ready = self.model is not None
        told = self._school.collected if ready else 0.0
        rules = self._settings.learning
        course = next_course(self.course, rules, arrival.at, self._flags, collected=told, ready=ready)
        if course is not self.course:
            self._change(course)

    def _change(self, course: Course) -> None:
        """Another state: what goes on ends with the old one."""
        LOG.info("camera %s is %s: %s", self.name, course.life, course.why)
        if course.life is Life.FROZEN or course.life is Life.COLLECTING:
            self.settle()
        if course.life is Life.COLLECTING:
            self._sight, self._desk = self._school.gathering(), None
        if course.by != RULE and course.life is not Life.FROZEN:
            self._view.reset()
            self._view_kept = False
        self.course = course
        self._keep_course()

    def settle(self) -> None:
        """End the event that goes on, and write what was not written yet."""
        if isinstance(self._sight, Scoring) and self._desk and self._last and (event := self._sight.finish()):
            self._end(self._desk, self._last, event)
        for work in (self._curves.flush, self._collector.close):
            try:
                work()
            except StorageError as error:
                LOG.warning("camera %s: %s", self.name, error)

    def tick(self, now: float, kept: CameraLife | None) -> None:
        """What is done every second or so: a person's word, learning, what is written down now and then.

        Args:
            now: Seconds since 1970.
            kept: What the store says of the camera; it counts where a person said it after the camera's last change.
        """
        if kept and kept.by != RULE and kept.since > self.course.since and kept.life is not self.course.life:
            self._change(by_hand(self.course, kept.life, kept.by, now))
        if not self._view_kept and (state := self._view.state()):
            self._view_kept = True
            _save(state, self._home / "view.safetensors")
        spoiled = self._journal.spoiled(self.name)
        if learned := self._school.tick(now, self.course, spoiled, going_on=self._going_on):
            self._take_up(learned, [])
        if now - self._saved >= SAVE:
            self._keep_course()

    @property
    def _going_on(self) -> bool:
        return isinstance(self._sight, Scoring) and self._sight.span is not None

    def _take_up(self, model: Model, left: Sequence[EventRow]) -> None:
        """Score with this model from now on."""
        self.settle()
        scoring = Scoring(model, self.name)
        self._sight = scoring
        known = partial(self._habits.known, self.name)
        before = left[-1] if left else None
        self._desk = AlarmDesk(self.name, self._settings, model.fingerprint(), scoring.level, known, before)

    def _close_left(self) -> Sequence[EventRow]:
        """End what the program left open when it ended; it is told now if it was not told before."""
        left = self._habits.begin(self.name)
        for row in left:
            self._journal.close_left(row)
        return [row for row in left if row.alarm]

    def _clip(self, arrival: Arrival) -> None:
        for clip in self._recorder.add(arrival):
            self._journal.clip(clip)

    def _keep_curve(self, path: Path, start: float, end: float, frames: int) -> None:
        self._journal.curve(Curve(self.name, start, end, str(path), frames))

    def _keep_course(self) -> None:
        self._saved = time.time()
        self._journal.course(self.name, self.course)

    def start_anew(self, why: str, at: float) -> None:
        """After a fault: forget what was seen, and say so."""
        self._journal.incident(Incident(self.name, IncidentKind.FAILED, at, at, why))
        if isinstance(self._sight, Scoring):
            self._take_up(self._sight.model, [])
        else:
            self._sight = self._school.gathering()

    def close(self) -> None:
        """End: nothing is lost that was seen."""
        self.settle()
        for clip in self._recorder.finish():
            self._journal.clip(clip)
        self._school.close()
        self._keep_course()


def _restore(view: ViewHealth, path: Path) -> bool:
    """Take up the view that was learned before, if there is one that can be read."""
    if not path.is_file():
        return False
    try:
        view.restore(load_file(path))
    except (OSError, ValueError, KeyError) as error:
        LOG.warning("the view %s cannot be read (%s); it is learned anew", path, error)
        return False
    return True


def _save(state: dict[str, np.ndarray], path: Path) -> None:
    try:
        with whole_file(path) as partial:
            save_file(state, partial)
    except AmissError as error:
        LOG.warning("the view cannot be kept: %s", error)
