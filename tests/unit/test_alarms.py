"""Alarms against true events, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.errors import MetricError
from amiss.metrics import alarms, true_events

RATE = 10


def labels(length: int, *spans: tuple[int, int]) -> np.ndarray:
    row = np.zeros(length, np.uint8)
    for first, last in spans:
        row[first : last + 1] = 1
    return row


def clock(length: int) -> np.ndarray:
    return np.arange(length) / RATE


def test_stretches_that_are_close_are_one_event() -> None:
    truth = labels(100, (10, 19), (25, 29), (60, 60))
    assert true_events(truth, clock(100)).tolist() == [[1.0, 2.9], [6.0, 6.0]]
    assert true_events(truth, clock(100), merge=0.1).tolist() == [[1.0, 1.9], [2.5, 2.9], [6.0, 6.0]]
    assert true_events(labels(5), clock(5)).shape == (0, 2)


def test_recall_false_alarms_and_delay() -> None:
    truth = {"a": labels(100, (20, 39), (70, 89)), "b": labels(50)}
    spans = {"a": np.array([[2.5, 3.0], [3.5, 4.5], [9.5, 9.9]]), "b": np.array([[1.0, 2.0]])}
    found = alarms(truth, {name: clock(len(row)) for name, row in truth.items()}, spans)
    assert (found.true_events, found.found, found.false) == (2, 1, 2)
    assert found.recall == 0.5
    assert found.delay == pytest.approx(0.5)  # the first alarm on it, not the second
    assert found.hours == pytest.approx(15 / 3600)
    assert found.false_per_hour == pytest.approx(2 / (15 / 3600))


def test_an_alarm_before_an_event_has_no_delay_and_one_on_two_finds_both() -> None:
    truth = {"a": labels(100, (20, 29), (60, 69))}
    found = alarms(truth, {"a": clock(100)}, {"a": np.array([[1.0, 6.5]])})
    assert found.delays == (0.0, 0.0)
    assert found.false == 0


def test_nothing_to_find_and_nothing_found() -> None:
    quiet = alarms({"a": labels(30)}, {"a": clock(30)}, {})
    assert (quiet.recall, quiet.delay, quiet.false_per_hour) == (None, None, 0)
    missed = alarms({"a": labels(30, (3, 9))}, {"a": clock(30)}, {})
    assert (missed.recall, missed.delay) == (0, None)


def test_bad_input_is_told() -> None:
    with pytest.raises(MetricError, match="clip a has 9 times and 10 labels"):
        alarms({"a": labels(10)}, {"a": clock(9)}, {})
    with pytest.raises(MetricError, match="no footage"):
        alarms({}, {}, {})
