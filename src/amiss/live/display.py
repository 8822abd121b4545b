"""What a camera leaves on the disk to be shown: its newest picture, its examples of normal, what it is set to."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

from amiss.engine import Model
from amiss.errors import StorageError
from amiss.live.nouns import Arrival
from amiss.live.recorder import write_snapshot
from amiss.live.settings import CameraSettings
from amiss.storage import whole_file, whole_folder

__all__ = ["Display", "read_told"]

LOG = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two pictures."""
WIDTH = 640
"""Widest picture in pixels."""
KEPT = 3
"""Models whose examples are kept, as events of theirs are still looked at."""


def read_told(home: Path) -> dict[str, Any]:
    """What `settings.json` in the folder of a camera says; nothing where it has not scored yet, or it is damaged."""
    try:
        told = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


class Display:
    """Writes `now.jpg`, `settings.json` and `examples/FINGERPRINT/` into the folder of a camera.

    What cannot be written is logged and left out: nothing depends on it.

    Args:
        home: Folder of the camera.
        settings: Of the camera.
    """

    def __init__(self, home: Path, settings: CameraSettings) -> None:
        self._home, self._settings = home, settings
        self._last = -float("inf")

    def show(self, arrival: Arrival) -> None:
        """Write the newest picture, about once a second."""
        if 0 <= arrival.clock - self._last < EVERY:
            return
        self._last = arrival.clock
        try:
            with whole_file(self._home / "now.jpg") as partial:
                write_snapshot(partial, arrival.frame.image, WIDTH)
        except StorageError as error:
            LOG.warning("the picture of a camera cannot be written: %s", error)

    def take_up(self, model: Model) -> None:
        """Write what belongs to the model that scores from now on."""
        try:
            self._examples(model)
            with whole_file(self._home / "settings.json") as partial:
                partial.write_text(json.dumps(self._told(model), indent=1), encoding="utf-8")
        except StorageError as error:
            LOG.warning("what a camera shows cannot be written: %s", error)

    def _examples(self, model: Model) -> None:
        folder = self._home / "examples" / model.fingerprint()
        if not folder.is_dir():
            with whole_folder(folder) as partial:
                for name, picture in model.examples.items():
                    (partial / name).write_bytes(picture)
        others = [one for one in folder.parent.iterdir() if one != folder and not one.name.startswith(".")]
        for old in sorted(others, key=lambda one: one.stat().st_mtime)[: -(KEPT - 1)]:
            shutil.rmtree(old, ignore_errors=True)

    def _told(self, model: Model) -> dict[str, Any]:
        settings, calibration = self._settings, model.calibrations["causal"]
        return {
            "method": model.method.id,
            "fingerprint": model.fingerprint(),
            "model": str(settings.model) if settings.model else None,
            "learned": dict(model.learned),
            "budget": model.config.scoring.budget,
            "level": calibration.level,
            "level_low": calibration.low,
            "level_high": calibration.high,
            "release": calibration.level * model.config.scoring.release,
            "held_back_hours": calibration.hours,
            "extrapolated": calibration.extrapolated,
            "zone": settings.schedule.zone,
            "schedule": settings.schedule.model_dump(mode="json"),
            "rate": settings.rate,
            "zones": {name: zone.model_dump(mode="json") for name, zone in settings.zones.items()},
        }
