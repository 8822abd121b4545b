"""The nouns of live cameras.

Times called `at`, `start`, `peak` and `end` are seconds since 1970 (UTC); `seconds` are those of a stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from amiss.types import Frame

__all__ = ["Arrival", "Change", "EventRow", "Incident", "IncidentKind", "Message", "Verdict"]


@dataclass(frozen=True, eq=False)
class Arrival:
    """A frame of a camera that came to be scored.

    Attributes:
        camera: Name of the camera.
        frame: The picture; its index counts the frames that arrived, its seconds are the stream's. After a new
            connection seconds jump by more than the model's `footage.gap`, so that no window reaches across.
        at: When the decoder had it, by the wall clock.
        clock: The same by the monotonic clock of this machine, to measure how long things take.
    """

    camera: str
    frame: Frame
    at: float
    clock: float


class IncidentKind(StrEnum):
    """What can be wrong with a camera."""

    GAP = "gap"
    """No frames came."""
    MOVED = "moved"
    BLOCKED = "blocked"
    BLURRED = "blurred"
    FROZEN = "frozen"
    SWITCHED = "switched"
    RESIZED = "resized"
    """Its pictures have another size."""
    FAILED = "failed"
    """Its frames cannot be scored."""


@dataclass(frozen=True)
class Incident:
    """Something was wrong with a camera itself: no event of what it sees, and never part of a window.

    Attributes:
        camera: Name.
        kind: What.
        start: Since when.
        end: Until when; None while it lasts.
        detail: A sentence, without secrets.
    """

    camera: str
    kind: IncidentKind
    start: float
    end: float | None
    detail: str


class Change(StrEnum):
    """What happens to an event."""

    NEW = "new"
    UPDATE = "update"
    END = "end"


class Verdict(StrEnum):
    """What a person said of an event."""

    NONE = "none"
    NORMAL = "normal"
    RIGHT = "right"


@dataclass(frozen=True)
class EventRow:
    """An event of a live camera, as it is kept.

    Attributes:
        id: Stable: of camera, model and the time of its first frame. It is the same after a restart.
        camera: Name of the camera.
        start: When it rose.
        peak: When its score was highest.
        end: When it fell, or its last frame so far.
        open: Whether it may still grow.
        alarm: Whether somebody is told: false in shadow, outside the schedule, while snoozed, in a quiet zone, or
            suppressed.
        quiet: Why nobody is told, in a word; empty for an alarm.
        severity: -log10 of the share of normal footage that scores as high.
        level: The level it had to reach.
        model: Fingerprint of the model.
        parts: The parts of its worst score.
        reasons: Why, in sentences.
        examples: Names of the nearest normal examples of the model.
        tube: Its boxes: lists `at`, `xyxy` (pixels), `track`, `score`.
        size: Width and height of the picture in pixels.
        zones: Names of the zones that it was in.
        likeness: What it is compared with others by: place and a vector, see `amiss.live.feedback`.
        repeats: How many further events joined it within the cooldown.
        verdict: What a person said.
        suppressed: Id of the feedback that keeps it quiet, or None.
        snapshot: Picture of its worst moment, relative to the folder of media; None until it is whole.
        clip: Video of it with what came before, likewise.
    """

    id: str
    camera: str
    start: float
    peak: float
    end: float
    open: bool
    alarm: bool
    severity: float
    level: float
    model: str
    quiet: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    tube: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    zones: tuple[str, ...] = ()
    likeness: Mapping[str, Any] = field(default_factory=dict)
    repeats: int = 0
    verdict: Verdict = Verdict.NONE
    suppressed: int | None = None
    snapshot: str | None = None
    clip: str | None = None


@dataclass(frozen=True)
class Message:
    """What one receiver of alerts is told; kept until it was delivered.

    Attributes:
        id: Stable over restarts and attempts, so that a receiver can tell what it has seen: event, change and number.
        channel: Name of the receiver.
        change: What happened; None for an incident of the camera itself.
        camera: Name of the camera.
        body: Plain numbers, texts and lists: the event, or the incident.
        snapshot: File of its picture, if there is one.
        clip: File of its video, likewise.
        attempts: How often it was tried.
    """

    id: str
    channel: str
    change: Change | None
    camera: str
    body: Mapping[str, Any]
    snapshot: Path | None = None
    clip: Path | None = None
    attempts: int = 0
