"""The file that `amiss watch` is given: cameras, where things are kept, who is told."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator

from amiss.config import Polygon
from amiss.config.base import Settings
from amiss.config.load import read_yaml
from amiss.errors import ConfigError
from amiss.footage.names import safe_name
from amiss.live.address import Address, shown

__all__ = [
    "AlertSettings",
    "CameraSettings",
    "HoursSettings",
    "LearningSettings",
    "MediaSettings",
    "MetricsSettings",
    "ScheduleSettings",
    "ShardSettings",
    "WatchSettings",
    "ZoneSettings",
    "read_watch",
]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECRET = frozenset({"source", "address", "secret", "store"})
"""Keys whose values no message may repeat."""
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class HoursSettings(Settings):
    """Some hours of some days; an end before the start is on the day after."""

    days: tuple[Day, ...] = Field(WEEK, min_length=1, description="Days of the week on which it starts.")
    start: time = Field(time(0, 0), description="Local time.")
    end: time = Field(time(0, 0), description="Local time; the same as the start is a whole day.")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _clock(cls, given: Any) -> Any:
        """A time as YAML gives it: 22:00 without quotes is a number of minutes to it, 22:00:30 one of seconds."""
        if given in ("24:00", 1440):
            return time(0, 0)
        if not isinstance(given, int) or isinstance(given, bool):
            return given
        seconds = given if given >= 3600 else 60 * given
        if not 60 <= given < 86_400 or seconds >= 86_400:
            raise ValueError("a time is written as HH:MM")
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60)


class ScheduleSettings(Settings):
    """When a camera may raise alarms; at other times it scores and keeps events without telling anybody."""

    zone: str = Field("UTC", description="Time zone, such as Europe/Berlin.")
    hours: tuple[HoursSettings, ...] = Field((), description="When alarms are raised; always where nothing is given.")

    @field_validator("zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no time zone {name!r}") from None
        return name


class ZoneSettings(Settings):
    """A named part of the view."""

    polygon: Polygon = Field(..., description="Corners x, y as shares of the picture, 0..1.")
    alarm: bool = Field(default=True, description="Whether what stands in it may raise an alarm.")


class LearningSettings(Settings):
    """How a camera that comes without a model gets one from what it sees."""

    method: str = Field("attributes", description="Id of the method.")
    settings: dict[str, Any] = Field({}, description="Settings of `amiss learn`, keys with dots.")
    collect: float = Field(24.0, gt=0, description="Hours of footage that are collected before anything is learned.")
    shadow: float = Field(24.0, ge=0, description="Hours that it then scores without raising alarms.")
    block: float = Field(10.0, gt=0, description="Minutes of footage that are kept or dropped as one.")
    blocks: int = Field(300, ge=4, description="Most blocks kept; of more, a sample of all hours of the week.")
    every: float = Field(24.0, ge=0, description="Hours after which it learns anew from what is kept; 0 never.")


class CameraSettings(Settings):
    """One camera."""

    hidden: ClassVar[frozenset[str]] = SECRET

    source: SecretStr = Field(..., description="rtsp://, rtsps://, http://, https://, or a file to play as if live.")
    transport: Literal["tcp", "udp"] = Field("tcp", description="How RTSP brings its packets.")
    model: Path | None = Field(None, description="Model folder; without one the camera learns from what it sees.")
    learning: LearningSettings = Field(LearningSettings(), description="Learning from what it sees.")
    rate: float | None = Field(None, gt=0, description="Most frames a second that are looked at; by default all.")
    repeat: bool = Field(default=False, description="Play a file again when it ends, for trials.")
    budget: str | None = Field(None, description="Alarm budget, such as 2/day; by default the model's own.")
    privacy: tuple[Polygon, ...] = Field((), description="Polygons blacked out before anything sees them.")
    zones: dict[str, ZoneSettings] = Field({}, description="Named parts of the view.")
    schedule: ScheduleSettings = Field(ScheduleSettings(), description="When alarms are raised.")
    cooldown: float = Field(60.0, ge=0, description="Seconds after an alarm in which alike events join it.")
    connect: float = Field(10.0, gt=0, description="Seconds in which a camera must answer.")
    silence: float = Field(5.0, gt=0, description="Seconds without a frame after which the connection is made anew.")
    retry: float = Field(30.0, gt=0, description="Most seconds between two attempts to connect; the first are sooner.")
    queue: int = Field(
        16,
        ge=2,
        description="Frames that may wait until the scorer takes them, all at once; then the oldest are dropped.",
    )


class MediaSettings(Settings):
    """Clips and pictures of events."""

    before: float = Field(5.0, ge=0, description="Seconds of a clip before its event.")
    after: float = Field(3.0, ge=0, description="Seconds of a clip after its event.")
    longest: float = Field(120.0, gt=0, description="Longest clip in seconds.")
    rate: float = Field(10.0, gt=0, description="Most frames a second of a clip.")
    width: int = Field(960, ge=64, description="Widest picture of a clip in pixels.")
    days: float = Field(30.0, gt=0, description="Clips and pictures older than so many days are deleted.")
    free: float = Field(2.0, ge=0, description="Below so many free GB on the disk the oldest are deleted.")


class AlertSettings(Settings):
    """Somebody who is told of events."""

    hidden: ClassVar[frozenset[str]] = SECRET

    name: str = Field(..., min_length=1, description="Its name, each another one.")
    kind: Literal["mqtt", "webhook", "apprise"] = Field(..., description="How.")
    address: SecretStr = Field(..., description="mqtt://user:password@host:port, https://…, or an address of apprise.")
    cameras: tuple[str, ...] = Field((), description="Only of these cameras; of all where nothing is given.")
    secret: SecretStr | None = Field(None, description="Key with which a webhook's body is signed (HMAC-SHA256).")
    updates: bool = Field(default=True, description="Whether it is told that an event goes on and that it ended.")
    topic: str = Field("amiss", description="MQTT: first part of all topics.")
    discovery: str = Field("homeassistant", description="MQTT: prefix of Home Assistant's discovery; empty for none.")


class MetricsSettings(Settings):
    """The page of numbers for Prometheus."""

    port: int | None = Field(None, ge=0, le=65535, description="Port; without one there is no such page.")
    host: str = Field("127.0.0.1", description="Address it listens at; beyond this machine only if told.")


class ShardSettings(Settings):
    """This process as one of several, on any number of machines, that share the cameras of one file and one store."""

    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Name of this process, of each another one (--shard); without one it watches all cameras itself.",
    )
    lease: float = Field(8.0, ge=1, description="Seconds without a sign of life after which others take its cameras.")
    renew: float = Field(2.0, gt=0, description="Seconds between two signs of life.")

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if 3 * self.renew > self.lease:
            raise ValueError(f"renew can be a third of lease at most, here {self.lease / 3:.2g}: one sign may be lost")
        return self


class WatchSettings(Settings):
    """All that `amiss watch` is told."""

    hidden: ClassVar[frozenset[str]] = SECRET

    data: Path = Field(Path("amiss-data"), description="Folder of the store, of media and of what cameras learned.")
    store: SecretStr | None = Field(None, description="postgresql+psycopg://…; else SQLite in `data`.")
    cameras: dict[str, CameraSettings] = Field(..., min_length=1, description="By name.")
    alerts: tuple[AlertSettings, ...] = Field((), description="Who is told.")
    media: MediaSettings = Field(MediaSettings(), description="Clips and pictures.")
    metrics: MetricsSettings = Field(MetricsSettings(), description="Numbers for Prometheus.")
    shard: ShardSettings = Field(ShardSettings(), description="Sharing the cameras with other processes.")

    @field_validator("cameras")
    @classmethod
    def _plain(cls, cameras: dict[str, CameraSettings]) -> dict[str, CameraSettings]:
        for name in cameras:
            if safe_name(name) != name:
                raise ValueError(
                    f"a camera's name has letters, digits, - and _ only, not {name!r}; {safe_name(name)!r} would do"
                )
        return cameras

    @field_validator("alerts")
    @classmethod
    def _apart(cls, alerts: tuple[AlertSettings, ...]) -> tuple[AlertSettings, ...]:
        names = [alert.name for alert in alerts]
        if len(set(names)) < len(names):
            raise ValueError("two alerts have the same name")
        return alerts

    @model_validator(mode="after")
    def _known(self) -> Self:
        for alert in self.alerts:
            if unknown := sorted(set(alert.cameras) - set(self.cameras)):
                raise ValueError(
                    f"the alert {alert.name} is for a camera {unknown[0]!r}, and there are {', '.join(self.cameras)}"
                )
        return self


def read_watch(file: Path, environment: Mapping[str, str] = os.environ, shard: str | None = None) -> WatchSettings:
    """The settings of a file; `${NAME}` in its texts is the environment's, so that passwords can stay out of it.

    Paths are taken from the file's own folder.

    Args:
        file: YAML.
        environment: Variables.
        shard: Name of this process, in the place of the one in the file.

    Raises:
        ConfigError: It cannot be read, others may read it while it holds a password, a variable is missing, or a
            value does not fit.
    """
    values = read_yaml(file, "configuration")
    _check_closed(file, values)
    filled = _filled(values, environment)
    if shard is not None and isinstance(filled.get("shard", {}), dict):
        filled["shard"] = {**filled.get("shard", {}), "name": shard}
    try:
        settings = WatchSettings.build(filled)
    except ConfigError as error:
        raise ConfigError(shown(str(error), *_addresses(filled))) from None
    home = file.absolute().parent
    cameras = {name: _at_home(camera, home) for name, camera in settings.cameras.items()}
    return settings.model_copy(update={"data": home / settings.data, "cameras": cameras})


def _at_home(camera: CameraSettings, home: Path) -> CameraSettings:
    """The same with its paths taken from a folder."""
    source = camera.source.get_secret_value()
    address = Address.parse(source)
    changed: dict[str, Any] = {"model": home / camera.model} if camera.model else {}
    if not address.scheme and str(address) == source:
        changed["source"] = SecretStr(str(home / source))
    return camera.model_copy(update=changed)


def _addresses(value: Any) -> list[Address]:
    """All texts in some settings as addresses, of which none may be shown whole."""
    if isinstance(value, dict):
        return [address for item in value.values() for address in _addresses(item)]
    if isinstance(value, list):
        return [address for item in value for address in _addresses(item)]
    return [Address.parse(value)] if isinstance(value, str) else []


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    """The same value with variables in its texts filled in."""
    if isinstance(value, dict):
        return {key: _filled(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environment) for item in value]
    return VARIABLE.sub(lambda found: _variable(found[1], environment), value) if isinstance(value, str) else value


def _variable(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise ConfigError(f"the configuration asks for the variable {name}, which is not set; set it and start again")
    return environment[name]


def _check_closed(file: Path, values: Mapping[str, Any]) -> None:
    """Whether a file with passwords in it is its owner's alone."""
    if os.name == "posix" and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and _holds_password(values):
        raise ConfigError(
            f"{file} holds a password and others may read it; run chmod 600 {file}, or write ${{NAME}} for a variable"
        )


def _holds_password(value: Any) -> bool:
    if isinstance(value, dict):
        own = [value.get("secret"), value.get("address") if value.get("kind") == "apprise" else None]
        return any(map(_stands, own)) or any(map(_holds_password, value.values()))
    if isinstance(value, list):
        return any(map(_holds_password, value))
    return isinstance(value, str) and _has_password(value)


def _has_password(text: str) -> bool:
    """Whether a text is an address with something in it that lets somebody in."""
    address = Address.parse(text)
    return any(map(_stands, (address.password, *address.keys)))


def _stands(value: Any) -> bool:
    """Whether a secret stands in the file itself, and does not come from a variable."""
    return value is not None and not (isinstance(value, str) and VARIABLE.search(value))
