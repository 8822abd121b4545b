"""What a receiver of alerts is, and what keeps messages until they are delivered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from amiss.errors import DeliveryError
from amiss.live.nouns import Change, Message
from amiss.live.settings import AlertSettings

__all__ = [
    "BatchChannel",
    "Channel",
    "Outbox",
    "Outcome",
    "Standing",
    "StateChannel",
    "picture_of",
    "subject_of",
    "wants",
]

PATIENCE = 3
"""Attempts after which a message goes without picture and video, lest they are what its receiver refuses."""


Outcome = DeliveryError | None
"""Why a message was not delivered; None where its receiver has it."""


class Channel(Protocol):
    """A way to one receiver.

    Attributes:
        name: As in the settings, and in `Message.channel`.
    """

    @property
    def name(self) -> str:
        """Which messages are for it."""
        ...

    def start(self) -> None:
        """Get ready; returns at once, whether or not the receiver can be reached."""

    def send(self, message: Message) -> None:
        """Hand a message over; returning means that the receiver has acknowledged it.

        Raises:
            DeliveryError: It was not delivered, or nobody can tell.
        """

    def close(self) -> None:
        """Let go of the receiver; a `send` that still waits in another thread ends soon with an error."""


@runtime_checkable
class BatchChannel(Channel, Protocol):
    """A channel that hands over many messages before it waits for the first to be acknowledged."""

    def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        """Hand messages over in their order, and wait until the receiver has acknowledged them.

        Args:
            messages: At least one; no two on one subject.

        Returns:
            What became of the first of them, of at least one: the others were not tried.
        """


@dataclass(frozen=True)
class Standing:
    """What goes on when a receiver is taken up, which earlier messages told, maybe by another process.

    Attributes:
        events: Ids of alarms that are open, by camera.
        incidents: Kinds of what is wrong, by camera.
    """

    events: Mapping[str, Collection[str]] = field(default_factory=dict)
    incidents: Mapping[str, Collection[str]] = field(default_factory=dict)


@runtime_checkable
class StateChannel(Channel, Protocol):
    """A channel that shows states, and not only what changes."""

    def stand(self, standing: Standing) -> None:
        """Begin with what goes on already; called before `start`."""


class Outbox(Protocol):
    """Messages that wait; it outlives the process. Times are seconds since 1970.

    All raise `StorageError` when the store cannot be read or written just now.
    """

    def due(self, channel: str, now: float, limit: int) -> list[Message]:
        """The oldest messages of a channel that may be tried now, in the order in which they were put in.

        Messages on one subject (see `subject_of`) keep their order: of each only the first that waits is given, and
        while it waits for its next attempt, those after it are not due.
        """

    def delivered_all(self, messages: Sequence[Message], now: float) -> None:
        """Their receiver has them."""

    def failed(self, message: Message, now: float, why: str) -> None:
        """It was tried in vain; it is due again later."""


def wants(settings: AlertSettings, camera: str, change: Change | None) -> bool:
    """Whether a receiver is to be told, so that nothing need be kept for it otherwise.

    MQTT is always told that an event ended, since the state of a camera depends on it.

    Args:
        settings: The receiver's.
        camera: Name of the camera.
        change: What happens to an event; None for an incident.
    """
    if settings.cameras and camera not in settings.cameras:
        return False
    return settings.updates or settings.kind == "mqtt" or change in (None, Change.NEW)


def subject_of(message: Message) -> str:
    """What a message is about: the id of its event, or for an incident the camera and the kind."""
    if message.change is None:
        return f"{message.camera}/{message.body.get('kind')}"
    return str(message.body.get("id", message.id))


def picture_of(message: Message) -> Path | None:
    """The file of a message's picture, if it is still there and has not been tried too often."""
    file = message.snapshot
    return file if file is not None and message.attempts < PATIENCE and file.is_file() else None
