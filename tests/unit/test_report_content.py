"""How the report says numbers, thins curves and picks moments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_making import SUMMARY, Moving, clip, curve

from amiss.report import ClipReport, plots
from amiss.report.content import clock, rarity, region_levels, rows_of_frames
from amiss.types import FrameScores, RegionScores


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0:00.0"), (7.44, "0:07.4"), (59.96, "1:00.0"), (727.4, "12:07.4"), (3599.97, "1:00:00"), (11527, "3:12:07")],
)
def test_clock(seconds, words):
    assert clock(seconds) == words


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (-1, "1 in 1"),
        (0, "1 in 1"),
        (1, "1 in 10"),
        (3.4, "1 in 2,500"),
        (5.17, "1 in 150,000"),
        (7.0, "1 in 10,000,000"),
    ],
)
def test_rarity(level, words):
    assert rarity(level) == words


def test_rarity_has_an_end():
    assert rarity(40.0) == "rarer than 1 in 10,000,000"


def scores(frame, seconds, values):
    return FrameScores(frame, seconds, values, values, values)


def test_rows_of_frames_also_where_some_are_missing():
    frames = scores([3, 5, 9], [0.0, 1, 2], [0.0, 0, 0])
    np.testing.assert_array_equal(rows_of_frames(frames, np.array([9, 4, 3, 0, 12])), [2, -1, 0, -1, -1])
    np.testing.assert_array_equal(rows_of_frames(frames[:0], np.array([1, 2])), [-1, -1])


def test_region_levels_follow_the_calibration_and_never_exceed_the_frame():
    footage = Moving(count=3)
    frames = FrameScores([0, 1, 2], [0, 0.1, 0.2], [0, 0, 0], [10.0, 30.0, 20.0], [1.0, 3.0, 2.0])
    boxes = np.zeros((5, 4))
    table = RegionScores([1, 1, 0, 1, 7], [0.1, 0.1, 0, 0.1, 1], boxes, score=[15.0, 99.0, 99.0, -5.0, 30.0])
    levels = region_levels(ClipReport("a", frames, table, (), footage))
    np.testing.assert_allclose(levels, [1.5, 3.0, 1.0, 1.0, 0.0])


@settings(deadline=None)
@given(st.lists(st.floats(0, 9), min_size=2, max_size=400), st.integers(4, 60))
def test_thinning_keeps_order_ends_and_extremes(values, limit):
    curve_values, seconds = np.array(values), np.arange(len(values)) / 25
    thin_seconds, thin_values = plots.thinned(seconds, curve_values, limit)
    assert len(thin_values) <= limit + 2
    assert (np.diff(thin_seconds) > 0).all()
    assert (thin_seconds[0], thin_seconds[-1]) == (seconds[0], seconds[-1])
    assert (thin_values.max(), thin_values.min()) == (curve_values.max(), curve_values.min())
    np.testing.assert_array_equal(curve_values[(thin_seconds * 25).round().astype(int)], thin_values)


def test_the_figure_holds_curve_levels_events_and_band():
    figure = plots.score_curve(clip(), SUMMARY, 1000)
    assert figure["data"][0]["x"] == pytest.approx(np.arange(20) / 10)
    assert max(figure["data"][0]["y"]) == 4.0
    shapes = figure["layout"]["shapes"]
    assert [(s["y0"], s["y1"]) for s in shapes if s["type"] == "line"] == [(3.0, 3.0), (2.0, 2.0)]
    spans = [(s["x0"], s["x1"]) for s in shapes if s.get("fillcolor") == "var(--span)"]
    bands = [(s["y0"], s["y1"]) for s in shapes if s.get("fillcolor") == "var(--band)"]
    assert (spans, bands) == ([(0.5, 1.1)], [(0.0, 1.0)])
    assert figure["layout"]["yaxis"]["range"][1] > 4.0


def test_the_curve_breaks_in_a_pause():
    footage = Moving(count=4, times=[0.0, 0.1, 5.0, 5.1])
    figure = plots.score_curve(clip(footage=footage, high=(), events=()), SUMMARY, 1000)
    assert figure["data"][0]["y"] == [0.5, 0.5, None, 0.5, 0.5]


def ticks(factor):
    frames = curve(Moving(), [3])
    high = FrameScores(frames.frame, frames.seconds, frames.raw, frames.smoothed, frames.calibrated * factor)
    return plots.score_curve(clip(frames=high), SUMMARY, 100)["layout"]["yaxis"]["ticktext"]


def test_ticks_say_shares_and_stay_few():
    assert ticks(1) == ["all", "1 in 10", "1 in 100", "1 in 1,000", "1 in 10k"]
    assert ticks(2.5) == ticks(50) == ["all", "1 in 100", "1 in 10k", "1 in 1M"]  # beyond, all is extrapolated


def test_a_sparkline_keeps_the_peak():
    report = clip(high=[7], events=())
    points = [tuple(map(float, point.split(","))) for point in plots.sparkline(report, 4.0, 10, 40).split()]
    assert min(points, key=lambda point: point[1]) == (3.0, 0.0)
    assert max(point[1] for point in points) == 35.0
    assert len(points) == 10
