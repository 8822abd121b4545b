"""Hysteresis over any curve and any clock."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.scoring.events import Hysteresis, Span, find_spans

UNHURRIED = settings(deadline=None, max_examples=150)
GAP = 1.0
STEPS = st.sampled_from([0.04, 0.04, 0.1, 0.5, 1.0, 3.0, -2.0])


@st.composite
def curves(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(st.integers(1, 40))
    scores = draw(st.lists(st.integers(0, 8), min_size=size, max_size=size))
    steps = draw(st.lists(STEPS, min_size=size, max_size=size))
    return np.array(scores, float), np.cumsum(steps)


@st.composite
def finders(draw: st.DrawFn) -> dict[str, float]:
    level = draw(st.integers(1, 8))
    return {
        "open_at": level,
        "close_at": level * draw(st.sampled_from([0.25, 0.6, 1.0])),
        "merge": draw(st.sampled_from([0.0, 0.1, 0.6, 2.0])),
        "min_seconds": draw(st.sampled_from([0.0, 0.1, 0.7])),
        "gap": GAP,
    }


def covered(spans: list[Span]) -> set[int]:
    return {frame for span in spans for frame in range(span.first, span.last + 1)}


@UNHURRIED
@given(curves(), finders())
def test_frame_by_frame_finds_what_a_whole_curve_finds(curve: tuple[np.ndarray, np.ndarray], how: dict) -> None:
    finder, found = Hysteresis(**how), []
    for frame, (score, seconds) in enumerate(zip(*curve, strict=True)):
        pending = finder.pending
        if (span := finder.update(frame, float(seconds), float(score))) is not None:
            assert span == pending
            found.append(span)
    if (span := finder.finish()) is not None:
        found.append(span)
    assert found == find_spans(*curve, Hysteresis(**how))


@UNHURRIED
@given(curves(), finders())
def test_spans_are_apart_reach_the_level_and_cross_no_gap(curve: tuple[np.ndarray, np.ndarray], how: dict) -> None:
    scores, seconds = curve
    spans = find_spans(scores, seconds, Hysteresis(**how))
    for span in spans:
        assert span.first <= span.peak <= span.last
        assert span.height == scores[span.peak] == scores[span.first : span.last + 1].max() >= how["open_at"]
        assert (span.start, span.top, span.end) == tuple(seconds[[span.first, span.peak, span.last]])
        steps = np.diff(seconds[span.first : span.last + 1])
        assert ((steps >= 0) & (steps <= GAP)).all()
    for before, after in pairwise(spans):
        assert before.last < after.first
        steps = np.diff(seconds[before.last : after.first + 1])
        jumped = ((steps < 0) | (steps > GAP)).any()
        assert jumped or after.start - before.end > how["merge"]


@UNHURRIED
@given(curves(), finders())
def test_every_frame_at_the_level_is_in_a_span(curve: tuple[np.ndarray, np.ndarray], how: dict) -> None:
    spans = find_spans(*curve, Hysteresis(**how | {"min_seconds": 0.0}))
    assert set(np.flatnonzero(curve[0] >= how["open_at"])) <= covered(spans)


@UNHURRIED
@given(curves(), finders(), st.integers(0, 4))
def test_a_lower_level_never_covers_less(curve: tuple[np.ndarray, np.ndarray], how: dict, lower: int) -> None:
    share = how["close_at"] / how["open_at"]
    level = max(how["open_at"] - lower, 0.5)
    low = find_spans(*curve, Hysteresis(**how | {"open_at": level, "close_at": level * share}))
    assert covered(find_spans(*curve, Hysteresis(**how))) <= covered(low)
