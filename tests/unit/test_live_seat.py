"""One camera in the watcher: its life, its view, its faults."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import amiss
import support_footage as footage
from amiss.live import seat as module
from amiss.live.life import RULE, Course, Word
from amiss.live.nouns import Arrival, Change, EventRow, IncidentKind
from amiss.live.seat import Habits, Seat
from amiss.live.settings import MediaSettings
from amiss.live.store import CameraLife, Life
from amiss.pipeline import Pipeline
from amiss.types import Image
from support_live import AT, MemoryJournal, arrival, camera
from support_servers import until

CHEAP = {"perception.boxes.source": "motion", "method.parts": ["speed", "size", "place"], "scoring.budget": "60/hour"}
TINY = {"collect": 20 / 3600, "shadow": 8 / 3600, "block": 0.1, "every": 0, "settings": CHEAP}


@pytest.fixture(scope="module")
def gate(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is quick to use."""
    sets = [*footage.SETTINGS, "method.parts=[speed,size,place]", "perception.boxes.source=motion"]
    folder = tmp_path_factory.mktemp("gate") / "gate.amiss"
    amiss.learn(place / "training", settings=[*sets, "perception.scenes.memory=2"]).save(folder)
    return folder


class Watched:
    """A seat, what it told, and frames for it.

    Attributes:
        journal: What it told.
        number: Frames that came so far.
    """

    def __init__(self, home: Path, course: Course | None = None, **settings: Any) -> None:
        home.mkdir(exist_ok=True)
        self.journal = MemoryJournal()
        self.known: list[Any] = []
        self.open: Sequence[EventRow] = ()
        self.last: Sequence[EventRow] = ()
        self.number = 0
        media = MediaSettings(before=1.0, after=0.5)
        habits = Habits(media, lambda _: self.known, lambda _: self.open, lambda _: self.last)
        self.make = lambda: Seat("gate", camera(**settings), home, self.journal, habits, course)  # type: ignore[arg-type]
        self.seat = self.make()

    def show(self, images: Sequence[Image], later: float = 0.0) -> None:
        """Frames at ten a second, the first after a pause."""
        self.late = getattr(self, "late", 0.0) + later
        for image in images:
            self.one(image)

    def one(self, image: Image) -> None:
        come = arrival(self.number / 10 + self.late, self.number, image)
        come = Arrival(come.camera, come.frame, come.at, time.monotonic())
        self.number += 1
        shaped = self.seat.prepare(come)
        if shaped:
            self.seat.step(shaped)

    def tick(self, kept: CameraLife | None = None) -> None:
        self.seat.tick(AT + self.number / 10, kept)

    def say(self, life: Life, at: float = 1.0) -> None:
        """A person's word, as the store gives it."""
        course = self.seat.course
        record = CameraLife("gate", course.life, course.since, course.why, course.by, course.detail)
        word = Word(life, "ann", AT + at)
        self.tick(CameraLife("gate", life, AT + at, "set by ann", "ann", word.detail(record)))


def calm(seed: int = 0) -> list[Image]:
    return footage.pictures(seed)


def wild(seed: int = 100) -> list[Image]:
    return footage.pictures(seed, wild=True)


def test_all_is_ready_before_the_first_frame(gate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready: list[Pipeline] = []
    monkeypatch.setattr(Pipeline, "warm", lambda self: ready.append(self))
    watched = Watched(tmp_path / "gate", model=gate)
    assert ready == [watched.seat.pipeline]
    watched.seat.close()


def test_an_event_is_told_with_its_clip(gate: Path, tmp_path: Path) -> None:
    watched = Watched(tmp_path / "gate", model=gate)
    assert watched.seat.course.life is Life.LIVE
    watched.show([*wild(), *calm(1)])
    changes = watched.journal.changes
    assert changes[0] == Change.NEW
    assert changes[-1] == Change.END
    rows = [note.row for note in watched.journal.notes]
    first = rows[0]
    assert watched.seat.model is not None
    assert first.model == watched.seat.model.fingerprint()
    clip = watched.journal.clips[0]
    assert clip.event == first.id
    assert clip.shots[0].at == pytest.approx(max(first.start - 1.0, AT), abs=0.11)
    watched.seat.close()
    assert sum(curve.frames for curve in watched.journal.curves) == 120


def test_from_collecting_to_shadow_to_live(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "gate", learning=TINY)
    assert watched.seat.course.life is Life.COLLECTING
    assert watched.seat.model is None
    for seed in range(5):
        watched.show(calm(seed))
    assert watched.journal.notes == []
    watched.tick()
    assert watched.seat._school.busy
    until(lambda: (watched.tick(), watched.seat.model)[1], 60.0)
    watched.show(calm(7)[:5])
    assert watched.seat.course.life is Life.SHADOW
    watched.show(wild())
    assert watched.journal.notes
    assert watched.journal.changes == [], "nobody is told in the shadow"
    assert {note.row.quiet for note in watched.journal.notes} == {"shadow"}
    watched.show(calm(3))
    assert watched.seat.course.life is Life.LIVE
    assert watched.journal.lives == ["collecting", "shadow", "live"]
    watched.show(wild(101))
    watched.seat.close()
    assert Change.NEW in watched.journal.changes
    again = Watched(tmp_path / "gate", replace(watched.seat.course), learning=TINY)
    assert again.seat.course.life is Life.LIVE
    assert again.seat.model is not None


def test_a_view_that_moved_freezes_and_thaws(gate: Path, tmp_path: Path) -> None:
    watched = Watched(tmp_path / "gate", model=gate)
    watched.show(calm())
    watched.tick()
    assert (tmp_path / "gate" / "view.safetensors").is_file()
    moved = [np.asarray(np.roll(image, 40, axis=1)) for image in calm(1)]
    watched.show(moved)
    assert watched.seat.course.life is Life.FROZEN
    assert watched.seat.course.why == "the view has moved"
    (incident,) = watched.journal.incidents
    assert (incident.kind, incident.end) == (IncidentKind.MOVED, None)
    scored = len(watched.journal.notes)
    watched.show([np.asarray(np.roll(image, 40, axis=1)) for image in wild()])
    assert len(watched.journal.notes) == scored, "what it sees now is none of its own"
    watched.show(calm(2))
    assert watched.seat.course.life is Life.LIVE
    assert watched.journal.incidents[-1].end is not None
    later = Watched(tmp_path / "gate", model=gate)
    later.show(moved[:40])
    assert later.seat.course.life is Life.FROZEN, "the view is known after a restart"


def test_a_damaged_view_is_learned_anew(gate: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "view.safetensors").write_bytes(b"no view")
    watched = Watched(tmp_path / "gate", model=gate)
    assert "cannot be read" in caplog.text
    watched.show(calm())
    watched.tick()
    assert len((tmp_path / "gate" / "view.safetensors").read_bytes()) > 100


def test_another_size_of_the_same_shape_is_fitted_and_another_shape_is_another_view(gate: Path, tmp_path: Path) -> None:
    watched = Watched(tmp_path / "gate", model=gate)
    watched.show(calm())
    watched.tick()
    larger = [np.asarray(cv2.resize(image, (320, 240)), np.uint8) for image in wild()]
    watched.show(larger, later=5.0)
    assert watched.seat.course.life is Life.LIVE
    assert watched.journal.notes[0].row.size == (footage.WIDTH, footage.HEIGHT)
    watched.show([image[:60] for image in calm()[:3]], later=5.0)
    assert watched.seat.course.life is Life.FROZEN
    watched.show(calm(1)[:5], later=5.0)
    assert watched.seat.course.life is Life.LIVE
    small = Watched(tmp_path / "gate", model=gate)
    small.show(larger)
    assert small.journal.notes[0].row.size == (footage.WIDTH, footage.HEIGHT), "also where the program begins with it"


def test_what_a_person_says_is_done_once_and_kept(gate: Path, tmp_path: Path) -> None:
    watched = Watched(tmp_path / "gate", model=gate)
    watched.show(calm()[:20])
    watched.say(Life.FROZEN)
    assert (watched.seat.course.life, watched.seat.course.by) == (Life.FROZEN, "ann")
    told = len(watched.journal.notes)
    watched.show(wild())
    assert len(watched.journal.notes) == told
    saved = len(watched.journal.courses)
    watched.say(Life.FROZEN)
    assert len(watched.journal.courses) == saved, "the same word"
    watched.say(Life.LIVE, 2.0)
    assert watched.seat.course.life is Life.LIVE
    watched.say(Life.COLLECTING, 3.0)
    assert watched.seat.course.life is Life.LIVE, "it was given a model"
    assert watched.seat.course.heard == AT + 3.0


def test_who_has_it_collect_anew_begins_from_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "gate", learning=TINY)
    for seed in range(4):
        watched.show(calm(seed))
    watched.say(Life.LIVE)
    assert (watched.seat.course.life, watched.seat.course.by) == (Life.COLLECTING, RULE), "it has no model"
    assert len(list((tmp_path / "gate" / "windows").glob("2*"))) >= 2
    watched.say(Life.COLLECTING, 2.0)
    assert list((tmp_path / "gate" / "windows").glob("2*")) == []
    assert not watched.seat._school.busy
    watched.seat.close()


def test_a_fault_ends_the_event_and_it_goes_on_a_while_later(
    gate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path / "gate", model=gate)
    watched.show(wild()[:38])
    assert set(watched.journal.changes) == {Change.NEW, Change.UPDATE}, "an event goes on"
    monkeypatch.setattr(module.Scoring, "finish", broken)
    for _ in range(3):  # one fault after the other
        watched.seat.start_anew("a frame cannot be scored (ValueError)", AT + watched.number / 10)
    assert watched.journal.changes[-1] == Change.END
    monkeypatch.undo()
    (incident,) = watched.journal.incidents
    assert (incident.kind, incident.end, incident.detail) == (
        IncidentKind.FAILED,
        None,
        "a frame cannot be scored (ValueError)",
    )
    before = watched.seat.pipeline
    watched.show(calm()[:3])
    assert watched.seat.pipeline is before, "it is left alone for a while"
    watched.seat._faults.until = 0.0
    watched.show([*calm(1), *wild(), *calm(2)])
    assert watched.seat.pipeline is not before
    watched.seat.settle()
    assert watched.journal.changes[-1] == Change.END
    assert watched.journal.incidents[-1].end == incident.start
    assert len(watched.journal.incidents) == 2


def broken(*_: Any) -> None:
    raise ValueError("broken")


def test_an_event_ends_where_frames_stop(gate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path / "gate", model=gate)
    watched.show(wild()[:38])
    watched.tick()
    told = len(watched.journal.changes)
    assert Change.END not in watched.journal.changes
    now = time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + 6.5)
    watched.tick()
    assert watched.journal.changes[told:] == [Change.END]
    assert [clip.event for clip in watched.journal.clips] == [watched.journal.notes[0].row.id]
    watched.tick()
    assert len(watched.journal.changes) == told + 1
    monkeypatch.undo()
    watched.show(wild(101), later=600.0)
    assert watched.journal.changes[told + 1] == Change.NEW


def test_what_was_left_open_is_closed_and_joined(gate: Path, tmp_path: Path) -> None:
    first = Watched(tmp_path / "gate", model=gate)
    first.show(wild()[:38])
    row = first.journal.notes[0].row
    again = Watched(tmp_path / "gate", model=gate, cooldown=3600)
    again.open = (replace(row, open=True),)
    again.seat = again.make()
    assert [left.id for left in again.journal.left] == [row.id]
    again.number = 60
    again.show([*wild(), *calm(1)])
    assert again.journal.notes[0].row.id == row.id
    assert again.journal.notes[0].row.repeats == 1
    ended = Watched(tmp_path / "gate", model=gate, cooldown=3600)
    ended.last = (replace(row, open=False, clip="gate/clip.mp4"),)
    ended.seat = ended.make()
    ended.number = 60
    ended.show([*wild(), *calm(1)])
    assert ended.journal.notes[0].row.id == row.id
    assert row.id not in [clip.event for clip in ended.journal.clips], "it has a clip"


def test_masks_of_the_model_are_burnt_into_what_is_shown(gate: Path, tmp_path: Path) -> None:
    model = amiss.load(gate)
    masks = model.config.perception.masks.model_copy(update={"privacy": (((0, 0), (1, 0), (1, 0.4), (0, 0.4)),)})
    perception = model.config.perception.model_copy(update={"masks": masks})
    replace(model, config=model.config.model_copy(update={"perception": perception})).save(tmp_path / "masked.amiss")
    watched = Watched(tmp_path / "gate", model=tmp_path / "masked.amiss")
    watched.show(wild())
    watched.seat.close()
    shots = [shot for clip in watched.journal.clips for shot in clip.shots]
    assert shots
    for shot in shots:
        picture = cv2.imdecode(np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture[:40].max() < 20
        assert picture[60:].mean() > 40


def test_a_model_that_is_gone_is_learned_anew(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "gate", Course(Life.LIVE, AT, ""), learning=TINY)
    assert (watched.seat.course.life, watched.seat.course.why) == (Life.COLLECTING, "its model is gone")
