"""Tails, filters, persistence along tracks and budgets against what they must keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amiss.config import ScoringConfig
from amiss.scoring.calibrate import Calibration, calibrate, make_finder
from amiss.scoring.combine import centre, persist, worst_region
from amiss.scoring.events import find_spans
from amiss.scoring.smooth import CausalFilter, Smoothing
from amiss.scoring.tail import Tail
from amiss.types import NO_TRACK
from support import region_table

UNHURRIED = settings(deadline=None, max_examples=60)
VALUES = st.lists(st.one_of(st.integers(-3, 9).map(float), st.floats(-3, 9)), min_size=2, max_size=120)
FILTERS = st.sampled_from(["none", "gaussian:0.5", "gaussian:3", "median:1", "median:5"])


@UNHURRIED
@given(VALUES, st.lists(st.floats(-9, 99), min_size=2, max_size=20))
def test_rarity_never_falls_and_is_never_negative(normal: list[float], asked: list[float]) -> None:
    rarity = Tail.fit(np.array(normal)).rarity(np.sort(asked))
    assert (np.diff(rarity) >= -1e-12).all()
    assert (rarity >= 0).all()
    assert np.isfinite(rarity).all()


@UNHURRIED
@given(VALUES, st.floats(0, 6), st.floats(0, 6))
def test_the_value_at_a_rarity_never_falls(normal: list[float], a: float, b: float) -> None:
    tail = Tail.fit(np.array(normal))
    assert tail.value_at(min(a, b)) <= tail.value_at(max(a, b)) + 1e-9


@UNHURRIED
@given(VALUES, st.data())
def test_value_at_is_the_inverse_of_rarity(normal: list[float], data: st.DataObject) -> None:
    tail = Tail.fit(np.array(normal))
    assume(tail.pareto.scale > 1e-3)
    value = data.draw(st.one_of(st.sampled_from(normal), st.floats(tail.threshold + 0.01, tail.threshold + 20)))
    rarity = float(tail.rarity(np.array([value]))[0])
    if value <= tail.threshold and rarity >= -np.log10(tail.share) - 1e-9:
        assert tail.value_at(rarity) == pytest.approx(tail.threshold, abs=1e-5)  # the body ends there
    else:
        assert tail.value_at(rarity) == pytest.approx(value, abs=1e-5)


@UNHURRIED
@given(VALUES, FILTERS, st.integers(0, 100))
def test_a_causal_filter_is_the_same_value_by_value_and_blind_to_the_future(
    values: list[float], text: str, cut: int
) -> None:
    smoothing = Smoothing.parse(text)
    whole, running = smoothing.causal(np.array(values)), CausalFilter(smoothing)
    assert [running.update(value) for value in values] == whole.tolist()
    assert smoothing.causal(np.array(values[:cut])).tolist() == whole[:cut].tolist()


@UNHURRIED
@given(VALUES, FILTERS)
def test_filters_stay_within_what_they_see(values: list[float], text: str) -> None:
    smoothing = Smoothing.parse(text)
    for smooth in (smoothing.centred(np.array(values)), smoothing.causal(np.array(values))):
        assert len(smooth) == len(values)
        assert smooth.min() >= min(values) - 1e-9
        assert smooth.max() <= max(values) + 1e-9


@st.composite
def tracked(draw: st.DrawFn) -> list[tuple[int, int, float]]:
    """Frame, track and score of regions; a track has at most one a frame, and may miss some."""
    rows = []
    for frame in sorted(draw(st.lists(st.integers(0, 12), max_size=10, unique=True))):
        tracks = draw(st.lists(st.sampled_from([0, 1, 2, 70_000]), max_size=4, unique=True))
        loose = [NO_TRACK] * draw(st.integers(0, 2))
        rows += [(frame, track, float(draw(st.integers(-2, 9)))) for track in draw(st.permutations(tracks + loose))]
    return rows


@UNHURRIED
@given(tracked(), st.integers(1, 5), st.integers(-3, 1))
def test_persistence_is_the_mean_over_the_tracks_last_frames(
    rows: list[tuple[int, int, float]], frames: int, floor: int
) -> None:
    known = {(frame, track): score for frame, track, score in rows if track != NO_TRACK}
    expected = [
        (score + sum(known.get((frame - lag, track), floor) for lag in range(1, frames))) / frames
        if track != NO_TRACK
        else score
        for frame, track, score in rows
    ]
    table = region_table(*([row[i] for row in rows] for i in (0, 2, 1)))
    assert persist(table, frames, float(floor)).score.tolist() == pytest.approx(expected)


@UNHURRIED
@given(tracked(), st.integers(0, 5))
def test_centred_scores_are_the_mean_over_the_frames_around_in_which_the_track_is_seen(
    rows: list[tuple[int, int, float]], frames: int
) -> None:
    def around(frame: int, track: int) -> float:
        return float(np.mean([score for at, one, score in rows if one == track and abs(at - frame) <= frames]))

    expected = [score if track == NO_TRACK else around(frame, track) for frame, track, score in rows]
    table = region_table(*([row[i] for row in rows] for i in (0, 2, 1)))
    assert centre(table, frames).score.tolist() == pytest.approx(expected)


@UNHURRIED
@given(tracked(), st.integers(-3, 1))
def test_a_curve_is_the_worst_of_each_frame(rows: list[tuple[int, int, float]], floor: int) -> None:
    table = region_table(*([row[i] for row in rows] for i in (0, 2, 1)))
    expected = [max([floor, *(score for frame, _, score in rows if frame == at)]) for at in range(13)]
    assert worst_region(table, 13, float(floor)).tolist() == expected


@st.composite
def normal_footage(draw: st.DrawFn) -> list[tuple[np.ndarray, np.ndarray]]:
    """A few clips of some minutes, quiet or busy, at two frames a second."""
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    clips = []
    for _ in range(draw(st.integers(1, 3))):
        values = generator.normal(size=draw(st.integers(50, 600)))
        quiet = draw(st.sampled_from([0.0, 0.8, 0.97]))
        values = np.where(generator.uniform(size=len(values)) < quiet, 0.0, np.abs(values))
        clips.append((Smoothing.parse(draw(FILTERS)).centred(values), np.arange(len(values)) / 2))
    return clips


def level_of(clips: list[tuple[np.ndarray, np.ndarray]], budget: float) -> tuple[Calibration, ScoringConfig]:
    config = ScoringConfig(budget=f"{budget:.3f}/hour", merge=1.0)
    return calibrate(clips, 0.0, config, 1.0), config


@settings(UNHURRIED, max_examples=30)
@given(normal_footage(), st.sampled_from([0.05, 2.0, 20.0, 100.0, 400.0]))
def test_the_merged_events_of_normal_footage_keep_the_budget(
    clips: list[tuple[np.ndarray, np.ndarray]], budget: float
) -> None:
    found, config = level_of(clips, budget)
    finder = make_finder(found.level, config, 1.0)
    events = sum(len(find_spans(found.tail.rarity(curve), clock, finder)) for curve, clock in clips)
    assert events == found.seen <= found.hours * budget
    assert found.low <= found.level <= found.high


@settings(UNHURRIED, max_examples=30)
@given(normal_footage(), st.floats(0.05, 400), st.floats(0.05, 400))
def test_a_lower_budget_never_gives_a_lower_level(
    clips: list[tuple[np.ndarray, np.ndarray]], a: float, b: float
) -> None:
    strict, generous = (level_of(clips, budget)[0].level for budget in sorted((a, b)))
    assert strict >= generous
