"""Tracks follow objects, live on unseen for a while, and end at gaps."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.config import TracksConfig
from amiss.perception.overlap import iou_matrix
from amiss.perception.tracks import Tracker
from amiss.types import NO_TRACK, Boxes
from support import box_table, frame_of


def follow(tracker: Tracker, steps: list[tuple[float, Boxes]]) -> list[list[int]]:
    return [tracker.update(frame_of(seconds, i), boxes).track.tolist() for i, (seconds, boxes) in enumerate(steps)]


def at(x: float, y: float = 10, confidence: float = 1.0) -> Boxes:
    return box_table([x, y, x + 10, y + 20], confidence=[confidence])


def test_overlap_is_intersection_over_union() -> None:
    overlap = iou_matrix(np.array([[0, 0, 10, 10]]), np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]]))
    assert overlap == pytest.approx(np.array([[1, 1 / 3, 0]]))
    assert iou_matrix(np.zeros((2, 4)), np.zeros((1, 4))).tolist() == [[0], [0]]
    assert iou_matrix(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)


def test_an_object_keeps_its_id() -> None:
    steps = [(i / 25, at(2 * i)) for i in range(40)]
    assert follow(Tracker(TracksConfig(confirm=1), 1.0), steps) == [[0]] * 40


def test_ids_do_not_depend_on_the_order_of_boxes() -> None:
    def pair(i: int) -> Boxes:
        both = Boxes.merge([at(2 * i), at(100 - 2 * i, y=60)])
        return both[::-1] if i % 2 else both

    assert follow(Tracker(TracksConfig(confirm=1), 1.0), [(i / 25, pair(i)) for i in range(10)]) == [[0, 1], [1, 0]] * 5


def test_two_that_cross_keep_their_ids_by_their_speed() -> None:
    steps = [(i / 25, Boxes.merge([at(3 * i), at(90 - 3 * i, y=18)])) for i in range(30)]
    assert follow(Tracker(TracksConfig(confirm=1), 1.0), steps) == [[0, 1]] * 30


@pytest.mark.parametrize(("missing", "after"), [(10, [0]), (20, [1])])
def test_a_track_lives_on_unseen_as_long_as_set(missing: int, after: list[int]) -> None:
    steps = [(i / 25, at(i) if i < 15 or i >= 15 + missing else Boxes.empty()) for i in range(16 + missing)]
    assert follow(Tracker(TracksConfig(confirm=1, lost=0.6, appearance="none"), 5.0), steps)[-1] == after


@pytest.mark.parametrize("jump", [1.5, -0.2])
def test_a_jump_in_time_ends_all_tracks(jump: float) -> None:
    steps = [(0.5, at(0)), (0.54, at(0)), (0.54 + jump, at(0))]
    assert follow(Tracker(TracksConfig(confirm=1, lost=9), 1.0), steps) == [[0], [0], [1]]


def test_only_confident_boxes_start_tracks_but_others_continue_them() -> None:
    steps = [(0.0, at(0, confidence=0.4)), (0.04, at(0)), (0.08, at(0, confidence=0.4))]
    assert follow(Tracker(TracksConfig(confirm=1, high=0.5), 1.0), steps) == [[NO_TRACK], [0], [0]]


def test_confident_boxes_are_matched_first() -> None:
    tracker = Tracker(TracksConfig(confirm=1, high=0.5), 1.0)
    tracker.update(frame_of(0.0), at(0))
    both = Boxes.merge([at(0, confidence=0.4), at(2)])
    assert tracker.update(frame_of(0.04), both).track.tolist() == [NO_TRACK, 0]


def test_what_overlaps_too_little_is_another() -> None:
    steps = [(0.0, at(0)), (0.04, at(8))]
    assert follow(Tracker(TracksConfig(confirm=1, iou=0.2), 1.0), steps) == [[0], [1]]
    assert follow(Tracker(TracksConfig(confirm=1, iou=0.05), 1.0), steps) == [[0], [0]]
    assert follow(Tracker(TracksConfig(confirm=1, iou=0), 1.0), [(0.0, at(0)), (0.04, at(50))]) == [[0], [1]]


def test_reset_starts_counting_anew() -> None:
    tracker = Tracker(TracksConfig(confirm=1), 1.0)
    for _ in range(2):
        assert follow(tracker, [(0.0, at(0)), (0.04, at(40))]) == [[0], [1]]
        tracker.reset()


def test_other_columns_stay() -> None:
    boxes = Boxes([[0, 0, 9, 9]], [0.75], [2])
    tracked = Tracker(TracksConfig(confirm=1), 1.0).update(frame_of(), boxes)
    assert (tracked.confidence.tolist(), tracked.label.tolist()) == ([0.75], [2])


def test_a_track_counts_from_its_second_box_but_at_once_where_footage_begins() -> None:
    far = Boxes.merge([at(0), at(60)])
    steps = [(0.0, at(0)), (0.04, far), (0.08, far), (5.0, far)]
    assert follow(Tracker(TracksConfig(confirm=2), 1.0), steps) == [[0], [0, NO_TRACK], [0, 1], [2, 3]]
    assert follow(Tracker(TracksConfig(confirm=3), 1.0), steps) == [[0], [0, NO_TRACK], [0, NO_TRACK], [2, 3]]
