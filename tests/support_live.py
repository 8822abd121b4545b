"""Cameras, events and stores in memory, for tests of the live side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import support_footage as footage
from amiss.config import Config
from amiss.engine import Pending
from amiss.live.alarms import Note
from amiss.live.collect import Collector
from amiss.live.life import Course
from amiss.live.nouns import Arrival, EventRow, Incident
from amiss.live.recorder import Clip
from amiss.live.settings import CameraSettings, LearningSettings
from amiss.live.sight import Gathering
from amiss.live.store import Curve
from amiss.types import Event, Frame, Image, Tube

SIZE = (160, 120)
AT = 1_770_000_000.0
"""When the first frame came, unless told otherwise."""


def camera(**settings: Any) -> CameraSettings:
    return CameraSettings.build({"source": "nowhere.mp4"} | settings)


def arrival(seconds: float, index: int = 0, image: Image | None = None, at: float = AT, name: str = "gate") -> Arrival:
    """A frame that came so many seconds after the first."""
    picture = footage.ground() if image is None else image
    return Arrival(name, Frame(picture, index, seconds), at + seconds, seconds)


def arrivals(images: Sequence[Image], rate: float = footage.RATE, first: int = 0, at: float = AT) -> list[Arrival]:
    """Frames at a steady pace."""
    return [arrival((first + number) / rate, first + number, image, at) for number, image in enumerate(images)]


def event(start: float, end: float, severity: float = 4.0, **changes: Any) -> Event:
    """An event of one box that stands in the middle of the lower left quarter."""
    box = changes.pop("box", (20, 60, 40, 100))
    rows = max(round((end - start) * 10), 1) if changes.get("count") is None else changes["count"]
    changes.pop("count", None)
    seconds = np.linspace(start, end, rows)
    boxes = np.tile(np.array(box, np.float32), (rows, 1))
    tube = Tube(np.arange(rows), seconds, boxes, np.full(rows, 7), np.linspace(1, severity, rows))
    plain: dict[str, Any] = {"id": "x", "camera": "gate", "peak": end, "parts": {"velocity": severity, "size": 0.5}}
    given = plain | {"reasons": ("faster than all",), "examples": ("0001.jpg",)} | changes
    return Event(start=start, end=end, severity=severity, tube=tube, **given)


def pending(start: float, end: float, severity: float = 4.0, **changes: Any) -> Pending:
    return Pending(event(start, end, severity, **changes), None)


def painted(colour: tuple[int, int, int], box: tuple[int, int, int, int] = (20, 60, 40, 100), seed: int = 0) -> Image:
    """The ground with something of this look on it."""
    picture = footage.ground().copy()
    x1, y1, x2, y2 = box
    noise = np.random.default_rng(seed).integers(0, 255, (y2 - y1, x2 - x1, 3))
    picture[y1:y2, x1:x2] = (noise + np.array(colour)) // 2
    return picture


class MemoryJournal:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.incidents: list[Incident] = []
        self.clips: list[Clip] = []
        self.curves: list[Curve] = []
        self.courses: list[Course] = []
        self.left: list[EventRow] = []
        self.bad: list[tuple[float, float]] = []

    def note(self, note: Note, _: Arrival) -> None:
        self.notes.append(note)

    def incident(self, incident: Incident) -> None:
        self.incidents.append(incident)

    def clip(self, clip: Clip) -> None:
        self.clips.append(clip)

    def curve(self, curve: Curve) -> None:
        self.curves.append(curve)

    def course(self, _: str, course: Course) -> None:
        self.courses.append(course)

    def close_left(self, row: EventRow) -> None:
        self.left.append(row)

    def close_incidents(self, camera: str, at: float) -> None:
        pass

    def spoiled(self, _: str) -> list[tuple[float, float]]:
        return self.bad

    @property
    def changes(self) -> list[str]:
        """What was told, in a word each."""
        return [str(note.change) for note in self.notes if note.told]

    @property
    def lives(self) -> list[str]:
        """The states of life that were kept, each once."""
        found = [str(course.life) for course in self.courses]
        return [life for number, life in enumerate(found) if number == 0 or found[number - 1] != life]


def keep_blocks(folder: Path, config: Config, clips: Sequence[Sequence[Image]]) -> None:
    """Each clip as a block of what a camera saw, seen by itself."""
    for number, images in enumerate(clips):
        keep = Collector(folder, LearningSettings(), "UTC", config.footage.gap)
        sight = Gathering("attributes", config)
        for come in arrivals(images, at=AT + 1000 * number):
            keep.add(come, sight.see(come.frame)[0])
        keep.close()
