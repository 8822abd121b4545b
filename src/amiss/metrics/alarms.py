"""What a user feels: how many events are noticed, how soon, and how often there is a false alarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from amiss.errors import MetricError
from amiss.types import FloatArray, Image

__all__ = ["Alarms", "alarms", "true_events"]

MERGE = 1.0
"""Seconds: abnormal stretches that are closer are one event."""


@dataclass(frozen=True)
class Alarms:
    """Alarms against true events.

    Attributes:
        true_events: Number of true events.
        found: Number of them that an alarm overlaps.
        false: Number of alarms that overlap none.
        delays: `(found,)` seconds from the start of a true event to that of the first alarm on it, at least 0.
        hours: Of footage.
    """

    true_events: int
    found: int
    false: int
    delays: tuple[float, ...]
    hours: float

    @property
    def recall(self) -> float | None:
        """The share of true events that are found; None without any."""
        return self.found / self.true_events if self.true_events else None

    @property
    def false_per_hour(self) -> float:
        """False alarms for each hour of footage."""
        return self.false / self.hours

    @property
    def delay(self) -> float | None:
        """Mean seconds until an event that is found raises an alarm; None if none is found."""
        return float(np.mean(self.delays)) if self.delays else None


def alarms(
    labels: Mapping[str, Image],
    seconds: Mapping[str, FloatArray],
    spans: Mapping[str, FloatArray],
    merge: float = MERGE,
) -> Alarms:
    """Hold alarms against true events.

    Args:
        labels: `(T,)` of each clip, 1 = abnormal.
        seconds: `(T,)` of its frames, increasing.
        spans: `(K, 2)` start and end of the alarms of a clip, seconds; a clip that is missing has none.
        merge: Seconds up to which two abnormal stretches are one event.

    Raises:
        MetricError: There is no footage, or labels and times of a clip are not equally many.
    """
    hours = sum(_length(seconds[name], name, len(truth)) for name, truth in labels.items()) / 3600
    if not hours:
        raise MetricError("there is no footage, so there is no rate of false alarms")
    events, false, delays = 0, 0, []
    for name, truth in labels.items():
        true = true_events(truth, seconds[name], merge)
        raised = np.asarray(spans.get(name, np.zeros((0, 2))), np.float64).reshape(-1, 2)
        both = (raised[None, :, 0] <= true[:, None, 1]) & (true[:, None, 0] <= raised[None, :, 1])
        events += len(true)
        false += int((~both.any(0)).sum())
        first = np.where(both, raised[None, :, 0], np.inf).min(1, initial=np.inf) - true[:, 0]
        delays += np.maximum(first[both.any(1)], 0).tolist()
    return Alarms(events, len(delays), false, tuple(delays), hours)


def true_events(labels: Image, seconds: FloatArray, merge: float = MERGE) -> FloatArray:
    """`(M, 2)` seconds of the first and last frame of each true event.

    Args:
        labels: `(T,)`, 1 = abnormal.
        seconds: `(T,)` of the frames.
        merge: Seconds up to which two abnormal stretches are one event.
    """
    abnormal = np.flatnonzero(labels)
    if not len(abnormal):
        return np.zeros((0, 2))
    times = np.asarray(seconds, np.float64)[abnormal]
    apart = (np.diff(abnormal) > 1) & (np.diff(times) > merge)
    return np.column_stack([times[np.append(True, apart)], times[np.append(apart, True)]])


def _length(seconds: FloatArray, name: str, labels: int) -> float:
    """Seconds that a clip lasts, the last frame as long as the others are on average."""
    if len(seconds) != labels:
        raise MetricError(f"clip {name} has {len(seconds)} times and {labels} labels; score it whole")
    return float(seconds[-1] - seconds[0]) * labels / (labels - 1) if labels > 1 else 0.0
