"""Looks keep tracks on their object, and find them again; bad input does no harm."""

from __future__ import annotations

import time

import numpy as np
import pytest

from amiss.config import TracksConfig
from amiss.perception.tracks import Tracker
from amiss.types import NO_TRACK, Boxes, Frame
from support import box_table

RED, BLUE = (200, 30, 30), (30, 30, 200)
Thing = tuple[float, tuple[int, int, int]]
"""Where something is, and its colour."""


def scene(seconds: float, *things: Thing, size: tuple[int, int] = (200, 100)) -> tuple[Frame, Boxes]:
    """Upright things of 20 by 40 pixels on grey, and their boxes."""
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    for x, colour in things:
        image[30:70, round(x) : round(x) + 20] = colour
    return Frame(image, 0, seconds), box_table(*([x, 30, x + 20, 70] for x, _ in things))


def ids(config: TracksConfig, steps: list[tuple[Frame, Boxes]], gap: float = 20.0) -> list[list[int]]:
    tracker = Tracker(config, gap)
    return [tracker.update(*step).track.tolist() for step in steps]


def histogram(**changes: float) -> TracksConfig:
    return TracksConfig(**{"appearance": "histogram", "lost": 0.5, "confirm": 1} | changes)


def test_who_comes_back_is_found_again_by_the_look() -> None:
    steps = [scene(0.0, (60, RED)), scene(0.1, (60, RED)), scene(3.0, (90, RED))]
    assert ids(histogram(), steps)[-1] == [0]
    assert ids(histogram(appearance="none"), steps)[-1] == [1]


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (scene(3.0, (90, BLUE)), "it looks unlike"),
        (scene(9.0, (90, RED)), "too long ago"),
        (scene(1.0, (900, RED), size=(1000, 100)), "too far"),
        ((scene(3.0, (90, RED))[0], box_table([90, 30, 100, 45])), "much smaller"),
    ],
)
def test_others_are_not_taken_for_who_was_lost(last: tuple[Frame, Boxes], why: str) -> None:
    assert ids(histogram(memory=5), [scene(0.0, (60, RED)), last])[-1] == [1], why


def test_who_left_by_the_edge_is_not_looked_for() -> None:
    assert ids(histogram(), [scene(0.0, (0, RED)), scene(3.0, (30, RED))])[-1] == [1]


def test_a_track_that_was_found_again_starts_from_where_it_is() -> None:
    steps = [scene(0.0, (60, RED)), scene(3.0, (100, RED)), scene(3.1, (100, RED)), scene(3.2, (100, RED))]
    assert ids(histogram(), steps) == [[0]] * 4


def test_where_two_compete_looks_decide() -> None:
    steps = [scene(0.0, (60, RED), (84, BLUE)), scene(0.1, (73, RED))]
    assert ids(histogram(), steps)[-1] == [0]
    assert ids(histogram(appearance="none"), steps)[-1] == [1]


def test_two_that_swapped_behind_each_other_are_told_apart_once_they_are_clear() -> None:
    steps = [scene(0.0, (60, RED), (100, BLUE)), scene(0.1, (60, RED), (100, BLUE)), scene(1.0, (100, RED), (60, BLUE))]
    assert ids(histogram(), steps)[-1] == [0, 1]
    assert ids(histogram(appearance="none", lost=2.0), steps)[-1] == [1, 0]


def test_another_in_the_same_place_is_another() -> None:
    assert ids(histogram(), [scene(0.0, (60, RED)), scene(0.6, (60, BLUE))])[-1] == [1]
    steps = [scene(0.0, (60, RED)), scene(0.5, (60, BLUE)), scene(0.6, (60, BLUE))]
    assert ids(histogram(), steps) == [[0], [1], [1]]


def test_the_look_of_a_track_follows_what_changes_little_by_little() -> None:
    steps = []
    for index in range(60):
        frame, boxes = scene(0.6 * index, (60, RED))
        frame.image[30 : 30 + 40 * (index // 10 + 1) // 6, 60:80] = BLUE
        steps.append((frame, boxes))
    assert ids(histogram(lost=1.0), steps) == [[0]] * 60
    assert ids(histogram(lost=1.0), [*steps[:5], (Frame(steps[-1][0].image, 5, 3.0), steps[5][1])])[-1] == [1]


def test_looks_do_not_leave_the_tracker() -> None:
    first, second = Tracker(histogram(), 20.0), Tracker(histogram(), 20.0)
    first.update(*scene(0.0, (60, RED)))
    second.update(*scene(0.0, (60, BLUE)))
    assert first.update(*scene(3.0, (60, BLUE))).track.tolist() == [1]
    assert second.update(*scene(3.0, (60, BLUE))).track.tolist() == [0]
    first.reset()
    assert first.update(*scene(4.0, (60, RED))).track.tolist() == [0]


@pytest.mark.parametrize("jump", [21.0, -0.5])
def test_looks_do_not_reach_over_a_gap(jump: float) -> None:
    steps = [scene(1.0, (60, RED)), scene(1.0 + jump, (60, RED))]
    assert ids(histogram(memory=99, lost=99), steps)[-1] == [1]


@pytest.mark.parametrize("appearance", ["none", "histogram"])
def test_boxes_without_area_and_empty_frames_do_no_harm(appearance: str) -> None:
    frame = scene(0.0)[0]
    flat = box_table([50, 50, 50, 50], [50, 50, 50, 80], [0, 0, 200, 0])
    tracker = Tracker(histogram(appearance=appearance), 1.0)
    for _ in range(3):
        assert NO_TRACK not in tracker.update(frame, flat).track
        assert len(tracker.update(frame, Boxes.empty())) == 0
    held = tracker.update(*scene(0.1, (60, RED)))
    assert tracker.update(*scene(0.2, (60, RED))).track.tolist() == held.track.tolist()


@pytest.mark.parametrize("appearance", ["none", "histogram"])
def test_three_hundred_boxes_take_a_moment(appearance: str) -> None:
    generator = np.random.default_rng(0)
    corner = generator.uniform(0, [580, 420], (300, 2))
    tracker, times = Tracker(histogram(appearance=appearance), 1.0), []
    image = generator.integers(0, 255, (480, 640, 3), np.uint8)
    for index in range(6):
        moved = corner + generator.normal(0, 1, corner.shape)
        boxes = Boxes(np.concatenate([moved, moved + np.array([20, 50])], 1))
        start = time.perf_counter()
        found = tracker.update(Frame(image, index, index / 10), boxes)
        times.append(time.perf_counter() - start)
        assert len(set(found.track.tolist())) == 300
    assert min(times) < 0.5
