"""Events to an MQTT broker, and by it to Home Assistant."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from amiss.errors import ConfigError, DeliveryError
from amiss.live.notify.base import Outcome, Standing, picture_of
from amiss.live.notify.discovery import CameraTopics, config_topic, device
from amiss.live.notify.document import as_json, document
from amiss.live.notify.link import Link, Publication
from amiss.live.notify.wording import rarity, reasons_of
from amiss.live.nouns import Change, IncidentKind, Message
from amiss.live.settings import AlertSettings

__all__ = ["MqttChannel"]

log = logging.getLogger(__name__)

BLIND = (IncidentKind.GAP, IncidentKind.FAILED)
"""While one of these lasts nothing is known of what the camera sees."""
LONGEST_STATE = 255
"""Characters that Home Assistant takes for a state."""
BURST = 65_536
"""Bytes after which acknowledgements are waited for before more is handed over: all of them must come in time."""
ENDED = 256
"""Events whose end is remembered, so that a message that comes late does not open them again."""


class MqttChannel:
    """Publishes, below `<topic>/<camera>`, `events`, `incidents` and, retained, what the state of the camera is.

    Args:
        settings: Address, topics, and whether all changes are told as events; the state follows them in any case.
        cameras: Names of the cameras that it is told of.

    Raises:
        ConfigError: The address or a topic cannot be used.
    """

    def __init__(self, settings: AlertSettings, cameras: Sequence[str]) -> None:
        self.name = settings.name
        self._prefix = _topic(settings.topic, "topic")
        self._updates = settings.updates
        self._discovery = _topic(settings.discovery, "discovery") if settings.discovery else ""
        self._cameras = tuple(cameras)
        self._open: dict[str, set[str]] = defaultdict(set)
        self._ended: deque[str] = deque(maxlen=ENDED)
        self._wrong: dict[str, set[str]] = defaultdict(set)
        self._leaving = False
        heard = {f"{self._prefix}/status": self._told_of_us}
        if self._discovery:
            heard[f"{self._discovery}/status"] = self._born
        self._link = Link(settings.address.get_secret_value(), self._status("offline"), heard)

    def stand(self, standing: Standing) -> None:
        """Begin with what goes on already, of the cameras that it is told of."""
        for camera in self._cameras:
            self._open[camera].update(standing.events.get(camera, ()))
            self._wrong[camera].update(standing.incidents.get(camera, ()))

    def start(self) -> None:
        """Begin to connect; once connected, cameras are announced and their states are published."""
        for camera in self._cameras:
            if self._discovery:
                about = as_json(device(self._prefix, camera))
                topic = config_topic(self._discovery, self._prefix, camera)
                self._link.retain(Publication(topic, about, retain=True))
            self._link.retain(*self._states(camera))
        self._link.retain(self._status("online"))
        self._link.start()

    def send(self, message: Message) -> None:
        """Publish a message, and what changes with it.

        Raises:
            DeliveryError: The broker has not acknowledged all of it.
        """
        self._link.publish(*self._publications(message))

    def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        """Publish messages before the first is acknowledged, as many as are no burden to a slow line."""
        groups: list[list[Publication]] = []
        broken: Outcome = None
        for message in messages:
            try:
                groups.append(self._publications(message))
            except OSError as error:
                broken = DeliveryError(f"its picture cannot be read ({error.strerror})", pause=1.0, alone=True)
                break
            if sum(len(item.payload) for group in groups for item in group) > BURST:
                break
        outcomes: list[Outcome] = [*self._link.publish_groups(groups)] if groups else []
        return [*outcomes, broken] if broken else outcomes

    def _publications(self, message: Message) -> list[Publication]:
        """All that a message comes to.

        Raises:
            OSError: Its picture cannot be read.
        """
        return self._incident(message) if message.change is None else self._event(message)

    def close(self) -> None:
        """Say that amiss is offline, and disconnect."""
        self._leaving = True
        self._link.close(self._status("offline"))

    def _born(self, payload: bytes) -> None:
        """Home Assistant has started: it is told of everything again."""
        if payload == b"online":
            log.info("Home Assistant has started; cameras are announced again")
            self._link.repeat()

    def _told_of_us(self, payload: bytes) -> None:
        """The will of an earlier connection, or of a shard that is gone, may come after all was said to be well."""
        if payload == b"offline" and not self._leaving:
            log.info("the broker says amiss were offline, which it is not; it is told again")
            self._link.repeat()

    def _event(self, message: Message) -> list[Publication]:
        """The picture comes first, so that it is there for whoever reacts to the event."""
        topics = CameraTopics(self._prefix, message.camera)
        self._follow(message)
        told = []
        if picture := picture_of(message):
            told.append(Publication(topics.snapshot, picture.read_bytes(), retain=True))
        told.append(Publication(topics.last, as_json(_last(message)), retain=True))
        if self._updates or message.change is Change.NEW:
            told.append(Publication(topics.events, as_json(document(message))))
        return told + self._states(message.camera)

    def _follow(self, message: Message) -> None:
        """Which events are open; a message that was delayed until after the end opens nothing."""
        event = str(message.body.get("id", message.id))
        if message.change is Change.END:
            self._open[message.camera].discard(event)
            self._ended.append(event)
        elif event not in self._ended:
            self._open[message.camera].add(event)

    def _incident(self, message: Message) -> list[Publication]:
        kind = str(message.body.get("kind", ""))
        wrong = self._wrong[message.camera]
        if message.body.get("end") is None:
            wrong.add(kind)
        else:
            wrong.discard(kind)
        topic = CameraTopics(self._prefix, message.camera).incidents
        return [Publication(topic, as_json(document(message))), *self._states(message.camera)]

    def _states(self, camera: str) -> list[Publication]:
        topics = CameraTopics(self._prefix, camera)
        wrong = self._wrong[camera]
        return [
            Publication(topics.availability, b"offline" if wrong.intersection(BLIND) else b"online", retain=True),
            Publication(topics.problem, b"ON" if wrong else b"OFF", retain=True),
            Publication(topics.state, b"ON" if self._open[camera] else b"OFF", retain=True),
        ]

    def _status(self, word: str) -> Publication:
        return Publication(f"{self._prefix}/status", word.encode(), retain=True)


def _last(message: Message) -> dict[str, Any]:
    """What Home Assistant shows of the last event."""
    values = document(message)
    event = values["event"]
    severity = event.get("severity")
    return {
        "severity": severity,
        "rarity": rarity(severity) if severity is not None else None,
        "reason": reasons_of(message)[:LONGEST_STATE],
        "event": event.get("id"),
        "time": values.get("time"),
        "zones": event.get("zones", []),
    }


def _topic(text: str, key: str) -> str:
    topic = text.strip("/")
    if not topic or topic.startswith("$") or any(sign in topic for sign in "+#\0"):
        raise ConfigError(f"{key} cannot be {text!r}; give MQTT topics a first part such as amiss, without + and #")
    return topic
