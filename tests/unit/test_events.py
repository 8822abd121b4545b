"""Hysteresis: when an event opens, closes, is merged, dropped and cut."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.scoring.events import Hysteresis, Span, find_spans


def spans(curve: list[float], times: list[float] | None = None, **changes: float) -> list[Span]:
    """Spans of a curve at one frame a second."""
    settings = {"open_at": 4.0, "close_at": 2.0, "merge": 0.0, "min_seconds": 0.0, "gap": 1.5} | changes
    seconds = np.arange(len(curve), dtype=float) if times is None else np.array(times)
    return find_spans(np.array(curve, float), seconds, Hysteresis(**settings))


def frames(found: list[Span]) -> list[tuple[int, int, int]]:
    return [(span.first, span.peak, span.last) for span in found]


def test_an_event_opens_high_and_closes_low() -> None:
    assert frames(spans([0, 3, 4, 3, 5, 2, 1, 3, 0])) == [(2, 4, 5)]


def test_it_says_when_and_how_high() -> None:
    assert spans([0, 4, 9, 3, 0]) == [Span(1, 2, 3, 1.0, 2.0, 3.0, 9.0)]


def test_of_equal_peaks_the_first_counts() -> None:
    assert frames(spans([5, 5, 4])) == [(0, 0, 2)]


def test_one_still_open_at_the_end_ends_there() -> None:
    assert frames(spans([0, 0, 4, 3])) == [(2, 2, 3)]


@pytest.mark.parametrize(("merge", "found"), [(2.9, [(0, 0, 0), (3, 3, 3)]), (3.0, [(0, 3, 3)])])
def test_close_events_are_one(merge: float, found: list[tuple[int, int, int]]) -> None:
    assert frames(spans([4, 0, 0, 5], merge=merge)) == found


def test_short_events_are_dropped_with_the_last_frames_own_duration() -> None:
    assert frames(spans([0, 4, 4, 0], min_seconds=2.0)) == [(1, 1, 2)]
    assert spans([0, 4, 4, 0], min_seconds=2.1) == []


def test_the_duration_of_the_last_frame_is_until_the_next_whatever_comes_later() -> None:
    times = [0, 0.1, 0.2, 0.3, 1.3, 1.4]
    assert spans([0, 4, 0, 0, 0, 0], times, min_seconds=0.5, merge=0.5) == []
    assert frames(spans([0, 0, 0, 4, 0, 0], times, min_seconds=0.5, merge=0.05)) == [(3, 3, 3)]


@pytest.mark.parametrize("jump", [2.0, -1.0])
def test_no_event_spans_a_jump_in_time(jump: float) -> None:
    times = [0, 1, 2, 2 + jump, 3 + jump]
    assert frames(spans([0, 4, 4, 4, 0], times, merge=9.0)) == [(1, 1, 2), (3, 3, 3)]


def test_a_closing_level_above_the_opening_one_is_lowered() -> None:
    assert frames(spans([4, 4, 3], close_at=9.0)) == [(0, 0, 1)]


def test_what_may_still_grow_is_pending() -> None:
    finder = Hysteresis(4, 2, 2, 0, 1.5)
    assert finder.update(0, 0.0, 5) is None
    assert finder.pending == Span(0, 0, 0, 0.0, 0.0, 0.0, 5)
    assert finder.update(1, 1.0, 0) is None
    assert finder.pending is not None
    assert [finder.update(2, 2.0, 0), finder.update(3, 3.0, 0)] == [None, Span(0, 0, 0, 0.0, 0.0, 0.0, 5)]
    assert finder.pending is None
    assert finder.finish() is None


def test_reset_forgets_what_was_open() -> None:
    finder = Hysteresis(4, 2, 2, 0, 1.5)
    finder.update(0, 0.0, 5)
    finder.reset()
    assert finder.pending is None
    assert finder.update(7, 100.0, 3) is None
    assert finder.finish() is None
