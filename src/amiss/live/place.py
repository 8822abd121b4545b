"""Where and when a camera may raise alarms: zones of the view, and hours of the week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from amiss.live.settings import WEEK, HoursSettings, ScheduleSettings, ZoneSettings
from amiss.types import FloatArray

__all__ = ["alarming", "in_hours", "zones_of"]


def zones_of(zones: Mapping[str, ZoneSettings], boxes: FloatArray, size: tuple[int, int]) -> tuple[str, ...]:
    """Names of the zones that boxes stand in, with the middle of their lower edge.

    Args:
        zones: By name.
        boxes: `(N, 4)` pixels.
        size: Width and height of the picture.
    """
    feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1) / np.array(size)
    return tuple(name for name, zone in zones.items() if any(_inside(zone, foot) for foot in feet.clip(0, 1)))


def _inside(zone: ZoneSettings, point: FloatArray) -> bool:
    corners = np.array(zone.polygon, np.float32)
    return cv2.pointPolygonTest(corners, (float(point[0]), float(point[1])), measureDist=False) >= 0


def alarming(zones: Mapping[str, ZoneSettings], names: tuple[str, ...]) -> bool:
    """Whether something that stood in these zones may raise an alarm.

    One zone that may is enough. Outside of all zones it may only where no zone is for alarms: whoever draws one means
    that it is there, and whoever draws only quiet ones means that it is everywhere else.
    """
    if names:
        return any(zones[name].alarm for name in names)
    return not any(zone.alarm for zone in zones.values())


def in_hours(schedule: ScheduleSettings, at: float) -> bool:
    """Whether alarms are raised at a time, in seconds since 1970."""
    if not schedule.hours:
        return True
    now = datetime.fromtimestamp(at, ZoneInfo(schedule.zone))
    return any(_within(hours, now) for hours in schedule.hours)


def _within(hours: HoursSettings, now: datetime) -> bool:
    today, yesterday = WEEK[now.weekday()], WEEK[(now - timedelta(days=1)).weekday()]
    clock = now.time()
    if hours.start < hours.end:
        return today in hours.days and hours.start <= clock < hours.end
    return (today in hours.days and clock >= hours.start) or (yesterday in hours.days and clock < hours.end)
