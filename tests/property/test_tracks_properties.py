"""Tracks: ids are unique, gaps end them, and two cameras do not mix."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.config import TracksConfig
from amiss.perception.tracks import Tracker, iou_matrix
from amiss.types import NO_TRACK, Boxes
from support import frame_of

UNHURRIED = settings(deadline=None, max_examples=40)
GAP = 1.0
Scene = list[tuple[float, Boxes]]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """A few movers that come and go, with steps and jumps in time."""
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    start, speed = generator.uniform(0, 80, (4, 2)), generator.uniform(-4, 4, (4, 2))
    seconds, scene = 0.0, []
    for step in range(draw(st.integers(1, 15))):
        seconds += draw(st.sampled_from([0.04, 0.04, 0.04, 0.5, 2.0]))
        corner = (start + step * speed)[generator.uniform(size=4) < 0.8]
        confidence = generator.choice([0.4, 0.9], len(corner))
        scene.append((seconds, Boxes(np.concatenate([corner, corner + np.array([10, 20])], 1), confidence)))
    return scene


def run(tracker: Tracker, scene: Scene) -> list[list[int]]:
    return [tracker.update(frame_of(s, i), boxes).track.tolist() for i, (s, boxes) in enumerate(scene)]


@UNHURRIED
@given(scenes(), scenes())
def test_two_cameras_interleaved_give_what_each_gives_alone(left: Scene, right: Scene) -> None:
    trackers, found = (Tracker(TracksConfig(confirm=1), GAP), Tracker(TracksConfig(confirm=1), GAP)), ([], [])
    for index in range(max(len(left), len(right))):
        for tracker, scene, tracks in zip(trackers, (left, right), found, strict=True):
            if index < len(scene):
                seconds, boxes = scene[index]
                tracks.append(tracker.update(frame_of(seconds, index), boxes).track.tolist())
    assert list(found) == [run(Tracker(TracksConfig(confirm=1), GAP), scene) for scene in (left, right)]


@UNHURRIED
@given(scenes())
def test_an_id_is_given_once_a_frame_and_never_again_after_a_gap(scene: Scene) -> None:
    tracks = [
        [i for i in found if i != NO_TRACK] for found in run(Tracker(TracksConfig(confirm=1, lost=9), GAP), scene)
    ]
    ended: set[int] = set()
    for index, found in enumerate(tracks):
        assert len(set(found)) == len(found)
        if index and scene[index][0] - scene[index - 1][0] > GAP:
            ended |= {i for earlier in tracks[:index] for i in earlier}
        assert not ended & set(found)
    born = sorted({i for found in tracks for i in found})
    assert born == list(range(len(born)))


@UNHURRIED
@given(scenes())
def test_every_confident_box_has_a_track_and_reset_begins_anew(scene: Scene) -> None:
    tracker = Tracker(TracksConfig(confirm=1), GAP)
    first = run(tracker, scene)
    for (_, boxes), tracks in zip(scene, first, strict=True):
        assert all(track != NO_TRACK for track, sure in zip(tracks, boxes.confidence >= 0.5, strict=True) if sure)
    tracker.reset()
    assert run(tracker, scene) == first


@UNHURRIED
@given(scenes())
def test_overlap_is_even_and_at_most_one(scene: Scene) -> None:
    boxes = Boxes.merge([boxes for _, boxes in scene]).xyxy
    overlap = iou_matrix(boxes, boxes)
    assert np.array_equal(overlap, overlap.T)
    assert np.allclose(np.diag(overlap), 1)
    assert ((overlap >= 0) & (overlap <= 1 + 1e-12)).all()
