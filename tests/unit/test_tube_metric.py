"""How well tubes lie on the true ones, against counting by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from amiss import metrics
from amiss.errors import MetricError

NONE = [np.nan] * 4
SQUARE = [0, 0, 10, 10]
HALF = [0, 0, 10, 5]
APART = [50, 50, 60, 60]


@pytest.mark.parametrize(
    ("truth", "predicted", "detected", "value"),
    [
        ([SQUARE, SQUARE], [SQUARE, SQUARE], [True, True], 1.0),
        ([SQUARE, SQUARE], [SQUARE, HALF], [True, True], 0.75),
        ([SQUARE, SQUARE], [SQUARE, APART], [True, True], 0.5),
        ([SQUARE, SQUARE], [SQUARE, NONE], [True, True], 0.5),
        ([SQUARE, NONE, NONE], [NONE, HALF, NONE], [True, True, True], 0.0),
        ([SQUARE, NONE, NONE, SQUARE], [HALF, SQUARE, NONE, NONE], [True, True, True, False], 0.25),
        ([SQUARE, SQUARE], [HALF, APART], [True, False], 0.5),
        ([SQUARE, SQUARE], [SQUARE, SQUARE], [False, False], 0.0),
        ([NONE], [NONE], [True], 0.0),
    ],
)
def test_s_loc_is_the_mean_overlap_of_the_frames_that_count(
    truth: list[list[float]], predicted: list[list[float]], detected: list[bool], value: float
) -> None:
    assert metrics.overlap_along(truth, predicted, detected) == pytest.approx(value)


def test_it_is_as_by_looking_at_every_frame() -> None:
    random = np.random.default_rng(4)
    near = random.uniform(0, 20, (2, 50, 2))
    tubes = np.concatenate([near, near + random.uniform(5, 20, (2, 50, 2))], axis=2)
    tubes[random.random((2, 50)) < 0.3] = np.nan
    detected = random.random(50) < 0.8
    overlaps = []
    for truth, predicted, seen in zip(*tubes, detected, strict=True):
        if seen and not (np.isnan(truth).all() and np.isnan(predicted).all()):
            width, height = np.minimum(truth, predicted)[2:] - np.maximum(truth, predicted)[:2]
            shared = width * height if width > 0 and height > 0 else 0.0
            areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (truth, predicted)]
            overlaps.append(shared / (sum(areas) - shared) if shared else 0.0)
    assert len(overlaps) < detected.sum()
    assert metrics.overlap_along(*tubes, detected) == pytest.approx(np.mean(overlaps))


@pytest.mark.parametrize(
    ("truth", "predicted", "detected", "words"),
    [
        (np.zeros((0, 4)), np.zeros((0, 4)), np.zeros(0, bool), "0 true"),
        ([SQUARE], [SQUARE, SQUARE], [True], "1 true and 2 predicted"),
        ([SQUARE], [SQUARE], [True, False], "one of each per frame"),
        ([SQUARE], [SQUARE], [0.5], "as booleans"),
        ([SQUARE], [SQUARE], [[True]], "one of each per frame"),
        (SQUARE, [SQUARE], [True], "true tube has the shape"),
        ([SQUARE], [[0, 0, 1]], [True], "predicted tube has the shape"),
        ([[0, 0, np.nan, 1]], [SQUARE], [True], "true tube is not finite"),
        ([SQUARE], [[0, 0, np.inf, 1]], [True], "predicted tube is not finite"),
        ([SQUARE], [[10, 0, 0, 10]], [True], "far corner"),
    ],
)
def test_tubes_that_no_overlap_is_defined_for_are_refused(
    truth: list[list[float]], predicted: list[list[float]], detected: list[bool], words: str
) -> None:
    with pytest.raises(MetricError, match=words):
        metrics.overlap_along(truth, predicted, detected)


def test_video_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    assert metrics.video_auc([1, 0, 1, 0], [0.9, 0.1, 0.4, 0.4]) == pytest.approx(3.5 / 4)
    assert metrics.video_auc(np.array([True, False]), [0.1, 0.9]) == 0


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        ([], [], "one at least"),
        ([0, 0], [0.1, 0.2], "all 2 videos are normal"),
        ([1, 1], [0.1, 0.2], "all 2 videos are abnormal"),
        ([1, 0], [0.1], "2 videos and scores of 1"),
        ([1, 0], [0.1, np.nan], "1 scores of videos are not finite"),
        ([1, 2], [0.1, 0.3], "0 \\(normal\\) or 1"),
        ([[1, 0]], [[0.1, 0.3]], "one per video"),
    ],
)
def test_videos_that_have_no_auc_are_refused(labels: list[int], scores: list[float], words: str) -> None:
    with pytest.raises(MetricError, match=words):
        metrics.video_auc(labels, scores)


def test_overlaps_are_averaged_and_counted_above_a_level_not_at_it() -> None:
    values = [0.0, 0.1, 0.2, 0.3]
    assert metrics.mean_overlap(values) == pytest.approx(0.15)
    assert [metrics.found_at(values, epsilon) for epsilon in (0.0, 0.1, 0.15, 0.3)] == [0.75, 0.5, 0.5, 0.0]


def test_a_false_alarm_is_a_normal_video_above_the_threshold() -> None:
    scores = [0.1, 0.2, 0.21, 0.9]
    assert metrics.false_alarm_rate(scores) == 0.5
    assert metrics.false_alarm_rate(scores, threshold=0.5) == 0.25
    assert metrics.false_alarm_rate(scores, threshold=0.9) == 0


@pytest.mark.parametrize("metric", [metrics.mean_overlap, lambda values: metrics.found_at(values, 0.1)])
@pytest.mark.parametrize(
    ("values", "words"),
    [([], "one at least"), ([np.nan], "not finite"), ([0.5, 1.5], "0 to 1"), ([-0.1], "0 to 1"), (0.5, "one per")],
)
def test_what_is_no_overlap_is_refused(metric: Callable[..., float], values: list[float], words: str) -> None:
    with pytest.raises(MetricError, match=words):
        metric(values)


@pytest.mark.parametrize(("scores", "words"), [([], "one at least"), ([0.1, np.inf], "1 scores of videos")])
def test_what_is_no_score_is_refused(scores: list[float], words: str) -> None:
    with pytest.raises(MetricError, match=words):
        metrics.false_alarm_rate(scores)
