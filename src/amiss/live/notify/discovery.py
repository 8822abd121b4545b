"""Topics of a camera, and how Home Assistant is told of them (MQTT device discovery)."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

from amiss import __version__

__all__ = ["CameraTopics", "config_topic", "device", "object_id"]


class CameraTopics:
    """The topics of one camera.

    Args:
        prefix: First part of all topics.
        camera: Name of the camera.
    """

    def __init__(self, prefix: str, camera: str) -> None:
        below = f"{prefix}/{camera}"
        self.events, self.incidents = f"{below}/events", f"{below}/incidents"
        self.state, self.problem = f"{below}/state", f"{below}/problem"
        self.last, self.snapshot = f"{below}/last", f"{below}/snapshot"
        self.availability = f"{below}/availability"


def object_id(prefix: str, camera: str) -> str:
    """A name of a camera in letters, digits, - and _, unlike that of any other camera and prefix."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", f"{prefix}_{camera}")
    if plain == f"{prefix}_{camera}":
        return plain
    return f"{plain}_{blake2b(f'{prefix}/{camera}'.encode(), digest_size=4).hexdigest()}"


def config_topic(discovery: str, prefix: str, camera: str) -> str:
    """Where Home Assistant looks for a camera."""
    return f"{discovery}/device/{object_id(prefix, camera)}/config"


def device(prefix: str, camera: str) -> dict[str, Any]:
    """What Home Assistant is told: a camera is a device, with an entity for each thing that is known about it.

    All are unavailable while amiss does not run. The event and what was said of the last one are unavailable while no
    pictures come, too; that something is wrong with the camera is shown then.
    """
    topics, own = CameraTopics(prefix, camera), object_id(prefix, camera)
    running = {"topic": f"{prefix}/status"}
    entities = _entities(topics, running)
    return {
        "device": {"identifiers": [own], "name": camera, "manufacturer": "amiss", "sw_version": __version__},
        "origin": {"name": "amiss", "sw_version": __version__},
        "availability": [running, {"topic": topics.availability}],
        "availability_mode": "all",
        "qos": 1,
        "components": {f"{own}_{name}": {"unique_id": f"{own}_{name}"} | entity for name, entity in entities.items()},
    }


def _entities(topics: CameraTopics, running: dict[str, str]) -> dict[str, dict[str, Any]]:
    switch = {"platform": "binary_sensor", "payload_on": "ON", "payload_off": "OFF"}
    last = {"platform": "sensor", "state_topic": topics.last}
    return {
        "event": switch | {"name": "Event", "device_class": "motion", "state_topic": topics.state},
        "problem": switch
        | {"name": "View", "device_class": "problem", "state_topic": topics.problem, "entity_category": "diagnostic"}
        | {"availability": [running]},
        "severity": last
        | {"name": "Severity", "icon": "mdi:chart-bell-curve", "value_template": "{{ value_json.severity }}"}
        | {"json_attributes_topic": topics.last},
        "reason": last | {"name": "Reason", "icon": "mdi:text", "value_template": "{{ value_json.reason }}"},
        "snapshot": {"platform": "image", "name": "Snapshot", "image_topic": topics.snapshot}
        | {"content_type": "image/jpeg"},
    }
