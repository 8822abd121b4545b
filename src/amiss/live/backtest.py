"""What another alarm budget would have raised in what a camera has seen."""

from __future__ import annotations

from collections.abc import Sequence
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
        frames: How many frames were looked at.
    """

    budget: float
    level: float
    hours: float
    spans: tuple[Span, ...]
    frames: int


def backtest(
    model: Model, at: FloatArray, calibrated: FloatArray, schedule: ScheduleSettings, kept: Sequence[bool] | None = None
) -> Backtest:
    """Find the events that a model would have raised at its budget.

    Events are found as they are live: by the same hysteresis, merged alike, without those outside the schedule. The
    curve must have been made by the same model. Feedback is not applied: it was given because of what was raised.

    Args:
        model: With the budget to try, see `Model.with_settings`.
        at: `(T,)` seconds since 1970 of the frames, ascending.
        calibrated: `(T,)` their calibrated scores.
        schedule: When alarms are raised.
        kept: `(T,)` which frames to look at, all by default.
    """
    if kept is not None:
        at, calibrated = at[np.asarray(kept)], calibrated[np.asarray(kept)]
    calibration, config = model.calibrations["causal"], model.config
    spans = find_spans(calibrated, at, make_finder(calibration.level, config.scoring, config.footage.gap))
    steps = np.diff(at)
    hours = float(steps[(steps > 0) & (steps <= config.footage.gap)].sum()) / 3600
    raised = tuple(span for span in spans if in_hours(schedule, span.start))
    return Backtest(calibration.budget, calibration.level, hours, raised, len(at))
