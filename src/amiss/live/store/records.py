"""What the store keeps beside events and incidents.

Times called `at`, `since`, `start`, `end` and `until` are seconds since 1970 (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = [
    "CameraLife",
    "Curve",
    "Feedback",
    "FeedbackKind",
    "Holding",
    "Lease",
    "LeaseKind",
    "Life",
    "LifeChange",
    "LogEntry",
    "Round",
    "Shard",
]


class Life(StrEnum):
    """What a camera is doing."""

    COLLECTING = "collecting"
    """It gathers footage to learn from."""
    SHADOW = "shadow"
    """It scores, and nobody is told."""
    LIVE = "live"
    FROZEN = "frozen"
    """Its view is not the one it learned."""


@dataclass(frozen=True)
class CameraLife:
    """The state of a camera's life.

    Attributes:
        camera: Name.
        life: The state.
        since: Since when.
        why: A sentence, without secrets.
        by: Who said so: a person, or the rule that did.
        detail: Whatever else is kept of a camera: plain numbers, texts, lists and mappings.
    """

    camera: str
    life: Life
    since: float
    why: str
    by: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LifeChange:
    """One step of a camera's life.

    Attributes:
        camera: Name.
        before: The state before; None for the first.
        after: The state after.
        at: When.
        why: A sentence.
        by: Who said so.
    """

    camera: str
    before: Life | None
    after: Life
    at: float
    why: str
    by: str


class FeedbackKind(StrEnum):
    """What a person says of an event."""

    NORMAL = "normal"
    """This is normal here: alike events stay quiet."""
    RIGHT = "right"
    """This was right: alike events are kept."""
    SNOOZE = "snooze"
    """Not now."""


@dataclass(frozen=True)
class Feedback:
    """What a person said, and how long it holds.

    Attributes:
        camera: Name of the camera.
        kind: What was said.
        by: Who.
        at: When.
        event: Id of the event that it was said of, if any.
        likeness: What other events are compared with, see `EventRow.likeness`.
        until: When it expires; None for never.
        revoked: When it was taken back; None while it holds.
        id: Its number in the store; 0 until it is kept.
    """

    camera: str
    kind: FeedbackKind
    by: str
    at: float
    event: str | None = None
    likeness: Mapping[str, Any] = field(default_factory=dict)
    until: float | None = None
    revoked: float | None = None
    id: int = 0


@dataclass(frozen=True)
class Curve:
    """A file of scores over a stretch of time.

    Attributes:
        camera: Name of the camera.
        start: Time of its first frame.
        end: Time of its last.
        path: The file, by a name that no other curve has.
        frames: How many there are.
    """

    camera: str
    start: float
    end: float
    path: str
    frames: int


@dataclass(frozen=True)
class LogEntry:
    """Something that somebody did.

    Attributes:
        who: A person, or a part of the program.
        what: What was done.
        about: To what: a camera, an event.
        at: When.
    """

    who: str
    what: str
    about: str
    at: float


class LeaseKind(StrEnum):
    """What a shard can have for itself."""

    CAMERA = "camera"
    ALERT = "alert"
    """A receiver of alerts: one shard sends it all messages."""


@dataclass(frozen=True)
class Lease:
    """The right to watch a camera, or to send to a receiver.

    Attributes:
        kind: Of what.
        name: Of the camera or the receiver.
        token: Counts how often it was taken: whoever has a smaller one than the store has lost it.
    """

    kind: LeaseKind
    name: str
    token: int


@dataclass(frozen=True)
class Holding:
    """A lease as it stands in the store.

    Attributes:
        lease: What is held.
        shard: Who has it; None for nobody.
        left: Seconds until it is over; below 0 where that is past.
    """

    lease: Lease
    shard: str | None
    left: float


@dataclass(frozen=True)
class Shard:
    """A process that shares cameras with others.

    Attributes:
        name: Its name.
        run: Which of all processes of this name.
        left: Seconds for which it counts as living.
    """

    name: str
    run: str
    left: float


@dataclass(frozen=True)
class Round:
    """What a shard has after it renewed what it had.

    Attributes:
        leases: All that it has now.
        quota: How many of each kind are its share.
        shards: How many shards live, it included.
        next: Seconds until the next lease of another is over; infinite where none will be.
    """

    leases: tuple[Lease, ...]
    quota: Mapping[LeaseKind, int]
    shards: int
    next: float
