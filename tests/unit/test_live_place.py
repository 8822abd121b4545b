"""Where and when a camera may raise alarms."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.live.place import alarming, in_hours, zones_of
from amiss.live.settings import WEEK, ScheduleSettings, ZoneSettings

LEFT = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
BELOW = [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]
SIZE = (200, 100)


def zones(**alarms: bool) -> dict[str, ZoneSettings]:
    shapes = {"left": LEFT, "below": BELOW}
    return {name: ZoneSettings.build({"polygon": shapes[name], "alarm": alarm}) for name, alarm in alarms.items()}


def box(x: float, y: float) -> np.ndarray:
    """One that stands at this place."""
    return np.array([[x - 5, y - 20, x + 5, y]])


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [(20, 40, ("left",)), (20, 80, ("left", "below")), (180, 80, ("below",)), (180, 40, ()), (180, 400, ("below",))],
)
def test_a_box_is_where_it_stands(x: float, y: float, inside: tuple[str, ...]) -> None:
    assert zones_of(zones(left=True, below=True), box(x, y), SIZE) == inside


def test_each_box_counts_and_none_is_nowhere() -> None:
    boxes = np.concatenate([box(180, 40), box(20, 40)])
    assert zones_of(zones(left=True, below=True), boxes, SIZE) == ("left",)
    assert zones_of(zones(left=True), np.zeros((0, 4)), SIZE) == ()


@pytest.mark.parametrize(
    ("given", "stood", "raised"),
    [
        ({}, (), True),
        ({"left": True}, (), False),
        ({"left": True}, ("left",), True),
        ({"left": False}, (), True),
        ({"left": False}, ("left",), False),
        ({"left": False, "below": True}, ("left", "below"), True),
        ({"left": False, "below": True}, ("left",), False),
    ],
)
def test_whether_a_zone_raises_alarms(given: dict[str, bool], stood: tuple[str, ...], raised: bool) -> None:
    assert alarming(zones(**given), stood) is raised


def schedule(*hours: dict[str, Any], zone: str = "Europe/Berlin") -> ScheduleSettings:
    return ScheduleSettings.build({"zone": zone, "hours": list(hours)})


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def test_without_hours_it_is_always() -> None:
    assert in_hours(schedule(), 0.0)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-01-09T21:59:59", False),  # a Friday
        ("2026-01-09T22:00:00", True),
        ("2026-01-10T05:59:59", True),
        ("2026-01-10T06:00:00", False),
        ("2026-01-10T23:00:00", False),
        ("2026-01-09T05:00:00", False),  # of the night that began on Thursday
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, inside: bool) -> None:
    night = schedule({"days": ["fri"], "start": "22:00", "end": "06:00"})
    assert in_hours(night, at(moment)) is inside


def test_a_whole_day_may_begin_at_any_hour() -> None:
    whole = schedule({"days": ["mon"]}, {"days": ["wed"], "start": "08:00", "end": "08:00"})
    assert in_hours(whole, at("2026-01-05T00:00:00"))
    assert in_hours(whole, at("2026-01-05T23:59:59"))
    assert not in_hours(whole, at("2026-01-06T00:00:00"))
    assert not in_hours(whole, at("2026-01-07T07:59:59"))
    assert in_hours(whole, at("2026-01-08T07:59:59"))
    assert not in_hours(whole, at("2026-01-08T08:00:00"))


def test_hours_are_those_of_the_clock_on_the_wall_when_it_is_put_forward_and_back() -> None:
    night = schedule({"start": "22:00", "end": "03:30"})
    assert in_hours(night, at("2026-03-29T01:59:59"))
    assert in_hours(night, at("2026-03-29T03:15:00"))  # a quarter of an hour later on that night
    assert not in_hours(night, at("2026-03-29T03:30:00"))
    early = schedule({"start": "02:00", "end": "02:30"})
    both = [at("2026-10-25T02:15:00", fold=fold) for fold in (0, 1)]
    assert both[1] - both[0] == 3600
    assert all(in_hours(early, moment) for moment in both)
    assert not in_hours(early, both[0] + 1800)


def test_the_zone_counts() -> None:
    morning = {"start": "06:00", "end": "07:00"}
    moment = at("2026-07-01T06:30:00", "Asia/Tokyo")
    assert in_hours(schedule(morning, zone="Asia/Tokyo"), moment)
    assert not in_hours(schedule(morning), moment)


@given(
    start=st.times(timezones=st.none()),
    end=st.times(timezones=st.none()),
    seconds=st.integers(1_700_000_000, 1_760_000_000),
)
def test_at_any_moment_it_is_either_within_some_hours_or_within_the_others(start: Any, end: Any, seconds: int) -> None:
    if start == end:
        return
    one = schedule({"days": list(WEEK), "start": start, "end": end})
    other = schedule({"days": list(WEEK), "start": end, "end": start})
    assert in_hours(one, seconds) is not in_hours(other, seconds)
