"""RBDC and TBDC against a twin that goes through regions one by one, by the words of the criteria."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.metrics import region_curve
from amiss.types import RegionScores, Track

UNHURRIED = settings(deadline=None, max_examples=80)
CLIPS = ("a", "b")
FRAMES = 6


@st.composite
def boxes(draw):
    x, y = draw(st.integers(0, 12)), draw(st.integers(0, 12))
    return [x, y, x + draw(st.integers(0, 8)), y + draw(st.integers(0, 8))]


@st.composite
def tracks(draw):
    frames = sorted(draw(st.sets(st.integers(0, FRAMES - 1), min_size=1)))
    return Track(frame=frames, seconds=np.array(frames) / 10, xyxy=[draw(boxes()) for _ in frames])


@st.composite
def regions(draw):
    count = draw(st.integers(0, 8))
    frame = [draw(st.integers(0, FRAMES - 1)) for _ in range(count)]
    box = np.array([draw(boxes()) for _ in range(count)], float).reshape(-1, 4)
    score = [draw(st.integers(0, 5)) / 2 for _ in range(count)]
    return RegionScores(frame=frame, seconds=np.array(frame) / 10, box=box, score=score)


@st.composite
def videos(draw):
    truth = {name: draw(st.lists(tracks(), max_size=2)) for name in CLIPS}
    truth["a"] = [*truth["a"], draw(tracks())]
    return truth, {name: draw(regions()) for name in CLIPS}


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return Fraction(int(shared), int(sum(areas) - shared))


def one_by_one(truth, found, frames):
    """Areas under the shares of regions and tracks, from a list of points."""
    true = [
        (name, number, int(frame), box)
        for name, own in truth.items()
        for number, track in enumerate(own)
        for frame, box in zip(track.frame, track.xyxy.tolist(), strict=True)
    ]
    given = [
        (float(score), name, int(frame), box)
        for name, table in found.items()
        for frame, box, score in zip(table.frame, table.box.tolist(), table.score, strict=True)
    ]
    seen, false, points = set(), 0, [(0.0, 0.0, 0.0)]
    sizes = {(name, number): len(track) for name, own in truth.items() for number, track in enumerate(own)}
    for _, name, frame, box in sorted(given, key=lambda row: -row[0]):
        on = [
            row
            for row, (clip, _, at, other) in enumerate(true)
            if (clip, at) == (name, frame) and overlap(box, other) >= Fraction(1, 10)
        ]
        seen |= set(on)
        false += not on
        counts = {key: sum((true[row][0], true[row][1]) == key for row in seen) for key in sizes}
        tracks_found = sum(Fraction(counts[key], size) >= Fraction(1, 10) for key, size in sizes.items())
        points.append((false / frames, len(seen) / len(true), tracks_found / len(sizes)))
    points = [point for point in points if point[0] <= 1]
    points.append((1.0, *points[-1][1:]))
    rate, *shares = zip(*points, strict=True)
    return [sum((b - a) * (y + z) / 2 for a, b, y, z in zip(rate, rate[1:], s, s[1:], strict=False)) for s in shares]


@UNHURRIED
@given(videos())
def test_areas_are_those_of_going_through_regions_one_by_one(pair):
    curve = region_curve(*pair, frames=4)
    assert [curve.rbdc, curve.tbdc] == pytest.approx(one_by_one(*pair, 4))


@UNHURRIED
@given(videos())
def test_curves_rise_from_nothing_to_one_false_region_a_frame(pair):
    curve = region_curve(*pair, frames=4)
    assert curve.rate[0] == 0
    assert curve.rate[-1] == 1
    assert curve.regions[0] == curve.tracks[0] == 0
    for values in (curve.rate, curve.regions, curve.tracks):
        assert (np.diff(values) >= 0).all()


@UNHURRIED
@given(videos(), st.floats(0.1, 10))
def test_only_the_order_of_scores_counts(pair, factor):
    truth, found = pair
    scaled = {
        name: RegionScores(frame=t.frame, seconds=t.seconds, box=t.box, score=t.score * factor - 3)
        for name, t in found.items()
    }
    assert region_curve(truth, scaled, 4).rbdc == region_curve(truth, found, 4).rbdc
