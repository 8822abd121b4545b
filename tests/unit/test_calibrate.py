"""From normal footage to a level that keeps the alarm budget."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from amiss.config import ScoringConfig
from amiss.errors import ConfigError, FootageError
from amiss.scoring.calibrate import Calibration, calibrate, make_finder, parse_budget
from amiss.scoring.events import find_spans
from amiss.types import FloatArray

GAP = 1.0
Curve = tuple[FloatArray, FloatArray]


def noise(seconds: float, seed: int = 0, rate: float = 5.0) -> Curve:
    """A curve that wanders as scores of a busy place do."""
    count = int(seconds * rate)
    values = np.random.default_rng(seed).normal(size=count + 10)
    return np.convolve(values, np.ones(10) / 10, "valid")[:count], np.arange(count) / rate


def with_bumps(number: int, seconds: float = 3600, rate: float = 5.0) -> Curve:
    """A quiet curve with so many bumps, each higher than the one before."""
    values, clock = np.zeros(int(seconds * rate)), np.arange(int(seconds * rate)) / rate
    for index in range(number):
        start = int((index + 0.5) * len(values) / number)
        values[start : start + 5] = 1 + index
    return values, clock


def events_at(calibration: Calibration, curve: Curve, config: ScoringConfig) -> int:
    finder = make_finder(calibration.level, config, GAP)
    return len(find_spans(calibration.tail.rarity(curve[0]), curve[1], finder))


@pytest.mark.parametrize(
    ("text", "hourly"), [("2/day", 1 / 12), ("1/hour", 1), ("0.5/week", 1 / 336), (" 3 / day ", 1 / 8)]
)
def test_budgets_are_read(text: str, hourly: float) -> None:
    assert parse_budget(text) == pytest.approx(hourly)


@pytest.mark.parametrize("text", ["", "2", "0/day", "-1/day", "2/month", "two/day", "2/day/camera"])
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"scoring\.budget does not take"):
        parse_budget(text)


def test_without_footage_there_is_nothing_to_calibrate() -> None:
    for curves in ([], [(np.zeros(1), np.zeros(1))]):
        with pytest.raises(FootageError):
            calibrate(curves, 0.0, ScoringConfig(), GAP)


@pytest.mark.parametrize("allowed", [1, 3, 7])
def test_the_level_lets_through_what_the_budget_allows(allowed: int) -> None:
    config = ScoringConfig(budget=f"{allowed}/hour")
    curve = with_bumps(8, 3601)
    found = calibrate([curve], 0.0, config, GAP)
    assert found.seen == events_at(found, curve, config) == allowed
    assert not found.extrapolated


def test_a_budget_beyond_the_footage_is_extrapolated_and_says_so() -> None:
    found = calibrate([with_bumps(8, 600)], 0.0, ScoringConfig(budget="1/week"), GAP)
    assert found.extrapolated
    assert found.seen == 0
    assert found.peaks == 8
    assert found.hours == pytest.approx(1 / 6, rel=1e-3)
    assert found.low <= found.level <= found.high
    assert found.level > calibrate([with_bumps(8, 600)], 0.0, ScoringConfig(budget="3/hour"), GAP).level


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_an_empty_scene_raises_no_alarm(share: float) -> None:
    values, clock = with_bumps(4, 1200)
    values[: int(share * len(values))] += np.abs(np.sin(np.arange(int(share * len(values))))) / 5
    found = calibrate([(values, clock)], 0.0, ScoringConfig(budget="60/hour"), GAP)
    assert found.tail.rarity(np.zeros(1)) < found.level * ScoringConfig().release
    assert found.peaks >= 4


def test_a_place_without_any_event_can_be_calibrated() -> None:
    for budget in ("60/hour", "2/day"):
        found = calibrate([(np.zeros(900), np.arange(900) / 5)], 0.0, ScoringConfig(budget=budget), GAP)
        assert found.tail.rarity(np.zeros(1)) < found.level
        assert (found.peaks, found.seen) == (0, 0)


def test_a_busy_place_does_not_melt_into_one_alarm_without_end() -> None:
    curve = noise(3600, rate=25.0)
    found = calibrate([curve], 0.0, ScoringConfig(budget="3/hour"), GAP)
    assert (found.tail.rarity(curve[0]) >= found.level).mean() < 0.01


def test_more_peaks_make_the_level_surer() -> None:
    config = ScoringConfig(budget="1/week")
    short = calibrate([noise(300)], 0.0, config, GAP)
    long = calibrate([noise(30_000)], 0.0, config, GAP)
    assert long.high - long.low < short.high - short.low


def test_a_calibration_survives_json() -> None:
    curve = noise(900)
    found = calibrate([curve], -0.5, ScoringConfig(), GAP)
    again = Calibration.from_json(json.loads(json.dumps(found.to_json())))
    assert again.to_json() == found.to_json()
    assert np.array_equal(again.tail.rarity(curve[0] * 3), found.tail.rarity(curve[0] * 3))
    assert again.floor == -0.5
    with pytest.raises(KeyError):
        Calibration.from_json({key: value for key, value in found.to_json().items() if key != "tail"})


def test_events_close_at_their_share_of_the_level() -> None:
    finder = make_finder(2.0, ScoringConfig(release=0.5, min_seconds=0), GAP)
    assert [s.last for s in find_spans(np.array([2.0, 1.0, 0.9]), np.arange(3) / 5, finder)] == [1]


def test_the_interval_of_a_level_that_is_counted_is_counted_too() -> None:
    """At the right level an hour that is allowed ten events has 5 to 15 of them nine times in ten."""
    config = ScoringConfig(budget="10/hour", merge=1.0)
    curve = with_bumps(40)
    found = calibrate([curve], 0.0, config, GAP)
    events = [events_at(replace(found, level=level), curve, config) for level in (found.low, found.level, found.high)]
    assert events == [15, 9, 5]  # the hour lacks the step of its last frame


def test_hours_without_pictures_are_no_footage() -> None:
    """The budget is of what was seen: five minutes, fifty in which nothing was, and five more."""
    values, seconds = with_bumps(24, 600)
    jump = seconds.copy()
    jump[len(jump) // 2 :] += 3000
    config = ScoringConfig(budget="60/hour")
    whole, broken = (calibrate([(values, clock)], 0.0, config, GAP) for clock in (seconds, jump))
    assert broken.hours == pytest.approx(whole.hours, rel=1e-3)
    assert broken.level == pytest.approx(whole.level)
