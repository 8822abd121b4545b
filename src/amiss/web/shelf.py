"""What the watcher lays beside the store for each camera: its picture, settings, examples, what it has learned."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from amiss.errors import StorageError
from amiss.footage.names import safe_name
from amiss.live.collect import Learned, learned, read_blocks
from amiss.live.display import read_told
from amiss.live.settings import ScheduleSettings
from amiss.live.store import Curve

__all__ = ["CameraFacts", "Shelf"]

EXAMPLE = re.compile(r"[\w-]{1,64}\.jpg")


@dataclass(frozen=True)
class CameraFacts:
    """What is known of a camera's settings.

    Attributes:
        budget: Alarm budget, such as `2/day`; empty if not known.
        level: The level of events; None without a model.
        sure: With 90 % confidence the level that the budget needs lies between these; None if not known.
        held_back: Hours of normal footage that the level rests on; None if not known.
        zone: Name of its time zone.
        schedule: When it raises alarms.
        rate: Most frames a second; None for all.
        zones: Named parts of its view.
        model: Folder of its model, if there is one.
        fingerprint: Of its model; empty without one.
    """

    budget: str = ""
    level: float | None = None
    sure: tuple[float, float] | None = None
    held_back: float | None = None
    zone: str = "UTC"
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    rate: float | None = None
    zones: tuple[str, ...] = ()
    model: Path | None = None
    fingerprint: str = ""


class Shelf:
    """The folders of cameras. A camera whose name is no name of a folder has none.

    Args:
        root: Where they are.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._learned: dict[str, tuple[tuple[str, ...], str, Learned]] = {}
        self._lock = threading.Lock()

    def home(self, camera: str) -> Path | None:
        """The folder of a camera, if its name can be one."""
        return self._root / camera if camera and safe_name(camera) == camera else None

    def knows(self, camera: str) -> bool:
        """Whether a camera has a folder."""
        home = self.home(camera)
        return home is not None and home.is_dir()

    def names(self) -> list[str]:
        """Names of the cameras that have folders."""
        if not self._root.is_dir():
            return []
        with os.scandir(self._root) as found:  # it knows what a folder is without asking for each
            return [entry.name for entry in found if safe_name(entry.name) == entry.name and entry.is_dir()]

    def facts(self, camera: str) -> CameraFacts:
        """Settings of a camera, as far as they can be read."""
        home = self.home(camera)
        if home is None:
            return CameraFacts()
        facts = _facts(read_told(home))
        learned = sorted((home / "models").glob("*.amiss"))
        return replace(facts, model=learned[-1]) if facts.model is None and learned else facts

    def now(self, camera: str) -> Path | None:
        """The picture of a camera as it is now, if there is one."""
        home = self.home(camera)
        path = home / "now.jpg" if home else None
        return path if path and path.is_file() else None

    def seen_at(self, camera: str) -> float | None:
        """When that picture was written, in seconds since 1970."""
        path = self.now(camera)
        try:
            return path.stat().st_mtime if path else None
        except OSError:
            return None

    def examples(self, camera: str, fingerprint: str) -> list[str]:
        """Names of the normal examples of a model of a camera."""
        folder = self._examples(camera, fingerprint)
        if folder is None or not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if EXAMPLE.fullmatch(path.name))

    def example(self, camera: str, fingerprint: str, name: str) -> Path | None:
        """The picture of one of them, if it is there."""
        folder = self._examples(camera, fingerprint)
        path = folder / name if folder and EXAMPLE.fullmatch(name) else None
        return path if path and path.is_file() else None

    def _examples(self, camera: str, fingerprint: str) -> Path | None:
        home = self.home(camera)
        return home / "examples" / fingerprint if home and re.fullmatch(r"\w{1,64}", fingerprint) else None

    def curve(self, curve: Curve) -> Path | None:
        """The file of a curve: by its name in the folder of its camera, wherever the data was when it was written."""
        home = self.home(curve.camera)
        return home / "curves" / Path(curve.path).name if home else None

    def learned(self, camera: str) -> Learned | None:
        """What is kept of what a camera saw; None where nothing is. It is read anew when there is more."""
        home = self.home(camera)
        folder = home / "windows" if home else None
        if folder is None or not folder.is_dir():
            return None
        names = tuple(sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")))
        zone = self.facts(camera).zone
        with self._lock:
            kept = self._learned.get(camera)
            if kept is None or kept[:2] != (names, zone):
                kept = (names, zone, _learned(folder, zone))
                self._learned[camera] = kept
        return kept[2] if kept[2].blocks else None


def _learned(folder: Path, zone: str) -> Learned:
    try:
        return learned(read_blocks(folder), zone)
    except (OSError, ValueError, KeyError, StorageError):  # a block that is dropped while it is read
        return learned([], zone)


def _facts(found: Mapping[str, Any]) -> CameraFacts:
    """Settings from what was read, of which anything may be missing or odd."""
    schedule = _schedule(found.get("schedule"), found.get("zone"))
    model, zones = found.get("model"), found.get("zones")
    low, high = _number(found, "level_low"), _number(found, "level_high")
    return CameraFacts(
        budget=str(found.get("budget") or ""),
        level=_number(found, "level"),
        sure=None if low is None or high is None else (low, high),
        held_back=_number(found, "held_back_hours"),
        zone=schedule.zone,
        schedule=schedule,
        rate=_number(found, "rate"),
        zones=tuple(str(name) for name in zones) if isinstance(zones, list | dict) else (),
        model=Path(model) if isinstance(model, str) and model else None,
        fingerprint=str(found.get("fingerprint") or ""),
    )


def _number(found: Mapping[str, Any], name: str) -> float | None:
    value = found.get(name)
    return float(value) if isinstance(value, int | float) else None


def _schedule(given: Any, zone: Any) -> ScheduleSettings:
    """The schedule, or its time zone alone."""
    if isinstance(given, dict):
        try:
            return ScheduleSettings.model_validate(given)
        except ValueError:
            return ScheduleSettings()
    name = given if isinstance(given, str) else zone
    try:
        return ScheduleSettings(zone=str(ZoneInfo(str(name)).key))
    except (ValueError, OSError, KeyError):
        return ScheduleSettings()
