"""From scores of held-back normal footage to tail probabilities and to the level that keeps an alarm budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import poisson

from amiss.config import ScoringConfig
from amiss.errors import ConfigError, FootageError, ModelError
from amiss.scoring.events import Hysteresis, find_spans
from amiss.scoring.others import Others
from amiss.scoring.tail import Pareto, Tail, fit_pareto
from amiss.types import FloatArray

__all__ = ["Calibration", "calibrate", "make_finder", "parse_budget"]

HOURS = {"hour": 1.0, "day": 24.0, "week": 168.0}
BASE_SHARE = 0.1
RESAMPLES = 200


def parse_budget(text: str) -> float:
    """Alarms an hour of `NUMBER/hour`, `NUMBER/day` or `NUMBER/week`.

    Raises:
        ConfigError: It is none of these, or not above zero.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*/\s*(hour|day|week)\s*", text)
    if not match or float(match[1]) <= 0:
        raise ConfigError(f"scoring.budget does not take {text!r}; give a number above 0 per hour, day or week: 2/day")
    return float(match[1]) / HOURS[match[2]]


@dataclass(frozen=True, eq=False)
class Calibration:
    """What held-back normal footage says about scores.

    Attributes:
        tail: Tail probabilities of the smoothed frame scores.
        floor: Lowest score of a normal region, for frames without any.
        level: Rarity (-log10 of the tail probability) at which an event opens.
        low: With 90 % confidence the level that the budget needs lies between `low` …
        high: … and `high`, by how many events there may by chance have been, or by resampling the normal events.
        hours: Hours of held-back normal footage.
        peaks: How many separate normal peaks the level rests on.
        seen: How many normal events at this level the held-back footage itself had.
        budget: Alarms an hour asked for.
        held: Of each held-back clip the rarities `(T,)` and the seconds `(T,)`; another budget is set by them.
    """

    tail: Tail
    floor: float
    level: float
    low: float
    high: float
    hours: float
    peaks: int
    seen: int
    budget: float
    held: Sequence[tuple[FloatArray, FloatArray]] = field(default=(), repr=False)

    def with_budget(self, config: ScoringConfig, gap: float) -> Calibration:
        """The same tail with the level of another budget, or of other rules of what is one event.

        Args:
            config: Budget and hysteresis.
            gap: Seconds that end an event.

        Raises:
            ConfigError: The budget cannot be read.
            ModelError: The held-back curves were not kept.
        """
        if not self.held:
            raise ModelError("the model is of an older version that keeps no curves to set a budget by; learn it anew")
        return _with_level(self.tail, self.floor, self.held, config, gap)

    @property
    def extrapolated(self) -> bool:
        """Whether the budget asks for rarer events than the held-back footage could show."""
        return self.hours * self.budget < 1

    def to_json(self) -> dict[str, Any]:
        """As plain numbers and lists."""
        plain = {name: getattr(self, name) for name in ("floor", "level", "low", "high", "hours", "peaks", "seen")}
        tail = {"quantiles": self.tail.quantiles.tolist(), "threshold": self.tail.threshold, "share": self.tail.share}
        pareto = {"shape": self.tail.pareto.shape, "scale": self.tail.pareto.scale}
        return plain | {"budget": self.budget, "tail": tail | pareto}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Calibration:
        """Take back what `to_json` gave.

        Raises:
            KeyError: Something is missing.
        """
        given = dict(values)
        tail = given.pop("tail")
        pareto = Pareto(tail["shape"], tail["scale"])
        return cls(Tail(np.array(tail["quantiles"], np.float64), tail["threshold"], tail["share"], pareto), **given)


def make_finder(level: float, config: ScoringConfig, gap: float) -> Hysteresis:
    """The hysteresis over the calibrated curve that all events are found with."""
    return Hysteresis(level, level * config.release, config.merge, config.min_seconds, gap)


def calibrate(
    curves: Sequence[tuple[FloatArray, FloatArray]],
    floor: float,
    config: ScoringConfig,
    gap: float,
    others: Others | None = None,
) -> Calibration:
    """Learn tail probabilities and the event level from normal footage that the method has not learned from.

    The level is the lowest whose merged events on this footage stay in the budget. Where the budget allows less than
    one event in so little footage, the heights of its separate peaks are continued by a generalised Pareto
    distribution (peaks over threshold).

    Args:
        curves: Of each clip the smoothed frame scores `(T,)` and the seconds `(T,)`.
        floor: Lowest score of a normal region.
        config: Budget and hysteresis.
        gap: Seconds that end an event.
        others: What other cameras say of the tail.

    Raises:
        ConfigError: The budget cannot be read.
        FootageError: There is no held-back footage.
    """
    parse_budget(config.budget)
    curves = [(values, seconds) for values, seconds in curves if len(values) > 1]
    if not curves:
        raise FootageError("there is no normal footage to hold back for calibration; give more than a few frames")
    values = np.concatenate([values for values, _ in curves])
    tail = Tail.fit(others.mixed(values) if others else values)
    rarity = [(tail.rarity(values), np.asarray(seconds, np.float64)) for values, seconds in curves]
    return _with_level(tail, floor, rarity, config, gap)


def _with_level(
    tail: Tail, floor: float, rarity: Sequence[tuple[FloatArray, FloatArray]], config: ScoringConfig, gap: float
) -> Calibration:
    """The level that keeps the budget, and all that is told about it."""
    budget = parse_budget(config.budget)
    hours = sum(map(partial(covered, gap=gap), (seconds for _, seconds in rarity))) / 3600
    count = _counter(rarity, config, gap)
    peaks = _peaks(rarity, config, gap)
    level = _level(peaks, hours, budget, count)
    low, high = _interval(peaks, hours * budget, level, count)
    return Calibration(tail, floor, level, low, high, hours, len(peaks), count(level), budget, rarity)


def covered(seconds: FloatArray, gap: float) -> float:
    """Seconds that the times `(T,)` of frames cover, without steps back and jumps of more than `gap` seconds."""
    steps = np.diff(seconds)
    return float(steps[(steps >= 0) & (steps <= gap)].sum())


def _counter(
    rarity: Sequence[tuple[FloatArray, FloatArray]], config: ScoringConfig, gap: float
) -> Callable[[float], int]:
    """How many merged events the normal footage has at a level."""
    return lambda level: sum(len(find_spans(c, s, make_finder(level, config, gap))) for c, s in rarity)


def _peaks(rarity: Sequence[tuple[FloatArray, FloatArray]], config: ScoringConfig, gap: float) -> FloatArray:
    """Rarities at the separate peaks above one in ten."""
    base = -np.log10(BASE_SHARE)
    finder = Hysteresis(base, base, config.merge, 0.0, gap)
    return np.array([span.height for curve, seconds in rarity for span in find_spans(curve, seconds, finder)])


def _level(peaks: FloatArray, hours: float, budget: float, count: Callable[[float], int]) -> float:
    """The lowest level that keeps the budget: counted where the footage can tell, extrapolated beyond.

    Found by bisection: from above, so that a level so low that all events melt into one is not taken for a quiet one.
    """
    allowed = hours * budget
    if allowed < 1:
        return max(_extrapolated(peaks, allowed), float(np.nextafter(peaks.max(initial=0.0), np.inf)))
    return _counted(peaks, allowed, count)


def _counted(peaks: FloatArray, allowed: float, count: Callable[[float], int]) -> float:
    """The lowest level at which the footage has no more than so many events."""
    levels = np.nextafter(np.sort(np.append(peaks, -np.log10(BASE_SHARE))), np.inf)
    low, high = -1, len(levels) - 1  # above the highest peak there is nothing
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if count(float(levels[middle])) <= allowed else (middle, high)
    return float(levels[high])


def _extrapolated(peaks: FloatArray, allowed: float) -> float:
    """The level that `allowed` of the peaks would exceed in as much footage."""
    base = -np.log10(BASE_SHARE)
    if not len(peaks):
        return float(base - np.log10(min(allowed, 1.0)))
    return float(base + fit_pareto(peaks - base).excess_at(min(float(np.log(allowed / len(peaks))), 0.0)))


def _interval(peaks: FloatArray, allowed: float, level: float, count: Callable[[float], int]) -> tuple[float, float]:
    """90 % interval of the level, from how the number of events at it varies, as a Poisson count does.

    Where that number may well be none, and where less than one is allowed, peaks are drawn anew and extrapolated.
    """
    if not len(peaks):
        return level, level
    generator = np.random.default_rng(0)
    numbers = np.maximum(generator.poisson(len(peaks), RESAMPLES), 1)
    drawn = [_extrapolated(generator.choice(peaks, number), allowed) for number in numbers]
    low, high = np.quantile(drawn, [0.05, 0.95])
    if allowed >= 1:
        fewest, most = poisson.ppf([0.05, 0.95], allowed)
        low = _counted(peaks, most, count)
        high = max(high, _counted(peaks, fewest, count)) if fewest < 1 else _counted(peaks, fewest, count)
    return float(min(low, level)), float(max(high, level))
