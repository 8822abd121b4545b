"""Recall of regions at a rate of false ones, against counting by hand and by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.errors import MetricError
from amiss.metrics import RegionLevels, mask_boxes, recall_at, region_levels

TRUTH = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float32)


def test_an_abnormal_region_has_the_highest_score_that_lies_on_it() -> None:
    boxes = np.array([[0, 0, 10, 9], [1, 1, 11, 11], [80, 80, 90, 90]], np.float32)
    levels = region_levels(TRUTH, boxes, np.array([2.0, 5.0, 9.0]))
    assert levels.found.tolist() == [5.0, -np.inf]
    assert levels.false.tolist() == [9.0]


@pytest.mark.parametrize(("width", "hit"), [(10.0, True), (100.0, True), (101.0, False)])
def test_a_tenth_of_the_union_is_enough(width: float, hit: bool) -> None:
    levels = region_levels(TRUTH[:1], np.array([[0, 0, width, 10]], np.float32), np.array([1.0]))
    assert bool(levels.found[0] == 1) is hit
    assert len(levels.false) == (0 if hit else 1)


def test_frames_without_abnormal_regions_have_false_ones_only() -> None:
    levels = region_levels(np.zeros((0, 4)), np.array([[0, 0, 5, 5]], np.float32), np.array([3.0]))
    assert len(levels.found) == 0
    assert levels.false.tolist() == [3.0]


def test_frames_without_any_region_find_nothing() -> None:
    levels = region_levels(TRUTH, np.zeros((0, 4)), np.zeros(0))
    assert levels.found.tolist() == [-np.inf, -np.inf]
    assert recall_at(levels, 1) == 0


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0, 2.0, 10.0])
def test_recall_is_the_best_of_all_levels_that_keep_the_rate(rate: float) -> None:
    random = np.random.default_rng(3)
    levels, frames = RegionLevels(random.normal(1, 1, 40), random.normal(0, 1, 60)), 20
    every = np.concatenate([levels.found, levels.false, [-np.inf]])
    kept = [(levels.found >= at).mean() for at in every if (levels.false >= at).sum() <= rate * frames]
    assert recall_at(levels, frames, rate) == max(kept, default=0)


def test_without_abnormal_regions_there_is_no_recall() -> None:
    with pytest.raises(MetricError, match="no abnormal region"):
        recall_at(RegionLevels(np.zeros(0), np.zeros(3)), 3)


def test_masks_give_the_boxes_of_their_patches() -> None:
    mask = np.zeros((8, 10), bool)
    mask[1:3, 2:5] = True
    mask[3, 5] = True
    mask[6:, 8:] = True
    assert sorted(mask_boxes(mask).tolist()) == [[2, 1, 6, 4], [8, 6, 10, 8]]
    assert mask_boxes(np.zeros((8, 10), bool)).shape == (0, 4)
