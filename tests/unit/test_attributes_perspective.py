"""How tall things usually are where they stand, whatever else is in the boxes."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.methods.attributes.perspective import Perspective

SLOPE, HORIZON = 0.4, 50.0


def people(number: int, seed: int = 0, noise: float = 0.05) -> np.ndarray:
    """Boxes `(number, 4)` on a ground plane: as tall as 0.4 of their depth below the horizon, and half as wide."""
    generator = np.random.default_rng(seed)
    foot = generator.uniform(100, 400, number)
    height = SLOPE * (foot - HORIZON) * generator.normal(1, noise, number)
    left = generator.uniform(0, 500, number)
    return np.column_stack([left, foot - height, left + height / 2, foot])


def standing(*feet: float) -> np.ndarray:
    """Boxes of no matter whose lower edges are there."""
    return np.array([[0, foot - 1, 1, foot] for foot in feet], float)


def uncut(boxes: np.ndarray) -> np.ndarray:
    return np.zeros((len(boxes), 2), bool)


def fitted(boxes: np.ndarray, cut: np.ndarray | None = None) -> Perspective:
    perspective = Perspective()
    perspective.fit(boxes, uncut(boxes) if cut is None else cut)
    return perspective


def assert_true_line(perspective: Perspective, within: float) -> None:
    feet = np.array([130.0, 200, 300, 370])
    assert perspective.height_at(standing(*feet)) == pytest.approx(SLOPE * (feet - HORIZON), rel=within)


def test_a_ground_plane_is_found() -> None:
    perspective = fitted(people(600, noise=0.02))
    assert_true_line(perspective, 0.03)
    assert perspective.width == pytest.approx(0.5, rel=0.03)


def test_outliers_do_not_bend_it() -> None:
    boxes = people(600)
    tall, flat = np.arange(0, 600, 10), np.arange(5, 600, 10)
    boxes[tall, 1] = boxes[tall, 3] - 300
    boxes[flat, 1] = boxes[flat, 3] - 2
    assert_true_line(fitted(boxes), 0.05)


def test_groups_seen_as_one_do_not_bend_it() -> None:
    """Far groups are merged into boxes of twice the height and three times the width."""
    boxes = people(600)
    far = np.flatnonzero(boxes[:, 3] < 180)[::4]
    height, width = boxes[far, 3] - boxes[far, 1], boxes[far, 2] - boxes[far, 0]
    boxes[far, 1] -= height
    boxes[far, 2] += 2 * width
    perspective = fitted(boxes)
    assert_true_line(perspective, 0.06)
    assert perspective.width == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("edge", [0, 1])
def test_boxes_that_the_picture_cuts_are_left_out(edge: int) -> None:
    whole, part = people(300), people(900, seed=1)
    part[:, 1] = part[:, 3] - 5
    boxes = np.concatenate([whole, part])
    cut = uncut(boxes)
    cut[300:, edge] = True
    assert_true_line(fitted(boxes, cut), 0.05)
    assert np.array_equal(fitted(boxes, cut).height_at(boxes), fitted(whole).height_at(boxes))


def test_where_nearly_all_are_cut_they_are_taken_as_they_are() -> None:
    boxes = people(100)
    cut = uncut(boxes)
    cut[7:] = True
    assert np.array_equal(fitted(boxes, cut).height_at(boxes), fitted(boxes).height_at(boxes))


def test_equal_heights_are_no_perspective() -> None:
    """As a camera from straight above sees it."""
    boxes = people(200)
    boxes[:, 1], boxes[:, 2] = boxes[:, 3] - 40, boxes[:, 0] + 10
    perspective = fitted(boxes)
    assert perspective.height_at(standing(0, 100, 400, 9000)) == pytest.approx(40)
    assert perspective.width == pytest.approx(0.25)


def test_things_that_all_stand_at_one_depth_have_their_median_height() -> None:
    boxes = people(200)
    boxes[:, 3] = 300
    boxes[:, 1] = 300 - np.linspace(30, 50, 200)
    height = fitted(boxes).height_at(standing(100, 300, 500))
    assert np.ptp(height) == 0
    assert 30 < height[0] < 50


@pytest.mark.parametrize("number", [1, 2, 7, 8, 16, 23])
def test_very_few_boxes_have_their_median_height(number: int) -> None:
    boxes = people(number, noise=0)
    height = boxes[:, 3] - boxes[:, 1]
    found = fitted(boxes).height_at(standing(0, 250, 500))
    assert np.ptp(found) == 0
    assert height.min() - 1e-9 <= found[0] <= height.max() + 1e-9


def test_heights_are_never_outside_what_was_seen() -> None:
    boxes = people(600)
    seen = boxes[:, 3] - boxes[:, 1]
    far, near = fitted(boxes).height_at(standing(-5000, 5000))
    assert seen.min() <= far < 40
    assert 100 < near <= seen.max()


def test_boxes_without_a_height_count_as_one_pixel() -> None:
    boxes = people(50)
    boxes[:, 1] = boxes[:, 3]
    assert fitted(boxes).height_at(boxes) == pytest.approx(1)


def test_no_box_has_no_height() -> None:
    assert fitted(people(50)).height_at(np.zeros((0, 4))).shape == (0,)


def test_state_gives_the_same_perspective() -> None:
    first, again, probe = fitted(people(300)), Perspective(), people(40, seed=3)
    before = again.height_at(probe)
    again.restore(first.state())
    assert np.array_equal(again.height_at(probe), first.height_at(probe))
    assert again.width == first.width
    assert not np.array_equal(before, first.height_at(probe))
