"""What another alarm budget would have raised in what a camera has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amiss.engine import Model
from amiss.live.place import in_hours
from amiss.live.settings import ScheduleSettings
from amiss.scoring.calibrate import make_finder
from amiss.scoring.events import Span, find_spans
from amiss.types import FloatArray

__all__ = ["Backtest", "backtest"]


@dataclass(frozen=True)
class Backtest:
    """What a setting would have raised.

    Attributes:
        budget: Alarms an hour.
        level: The level of events that keeps it on the normal footage which was held back.
        hours: Hours that were looked at, gaps left out.
        spans: The events, with times in seconds since 1970; their frames are numbers within what was looked at.
    """

    budget: float
    level: float
    hours: float
    spans: tuple[Span, ...]


def backtest(model: Model, at: FloatArray, calibrated: FloatArray, schedule: ScheduleSettings) -> Backtest:
    """Find the events that a model would have raised at its budget.

    Events are found as they are live: by the same hysteresis, merged alike, without those that lie wholly outside the
    schedule. Zones, feedback, and that repeats join, are left out: of the curve nobody can tell where something was.

    Args:
        model: With the budget to try, see `Model.with_settings`.
        at: `(T,)` seconds since 1970 of the frames, ascending.
        calibrated: `(T,)` their calibrated scores.
        schedule: When alarms are raised.
    """
    calibration, config = model.calibrations["causal"], model.config
    spans = find_spans(calibrated, at, make_finder(calibration.level, config.scoring, config.footage.gap))
    steps = np.diff(at)
    hours = float(steps[(steps > 0) & (steps <= config.footage.gap)].sum()) / 3600
    raised = tuple(span for span in spans if _ever(schedule, span))
    return Backtest(calibration.budget, calibration.level, hours, raised)


def _ever(schedule: ScheduleSettings, span: Span) -> bool:
    """Whether an event was ever within the hours of alarms, to the minute."""
    return any(in_hours(schedule, at) for at in [*np.arange(span.start, span.end, 60.0).tolist(), span.end])
