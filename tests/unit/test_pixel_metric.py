"""The pixel-level criterion, by hand."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from amiss import metrics
from amiss.errors import MetricError

MASK = np.array([[1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
NONE = np.zeros_like(MASK)


def scores(*row: float, elsewhere: float = 0.0) -> np.ndarray:
    return np.array([row, [elsewhere] * 5], np.float64)


def test_two_of_five_pixels_are_forty_percent() -> None:
    assert metrics.detection_level(MASK, scores(9, 7, 5, 3, 1)) == 7
    assert metrics.detection_level(np.pad(MASK[:, :4], ((0, 0), (0, 1))), scores(9, 7, 5, 3, 1)) == 7  # 1.6 of four
    assert metrics.detection_level(MASK & (np.arange(5) == 2), scores(9, 7, 5, 3, 1)) == 5


def test_what_is_marked_elsewhere_is_no_find_and_in_a_normal_frame_a_false_positive() -> None:
    assert metrics.detection_level(MASK, scores(1, 1, 1, 1, 1, elsewhere=9)) == 1
    assert metrics.detection_level(NONE, scores(1, 1, 1, 1, 1, elsewhere=9)) == 9


def test_the_wrong_place_is_not_found_though_the_frame_is() -> None:
    frames = [scores(0, 0, 0, 0, 0, elsewhere=9), scores(1, 1, 1, 1, 1)]
    masks = [MASK, NONE]
    assert metrics.pixel_auc(masks, frames) == 0
    assert metrics.frame_auc([1, 0], [frame.max() for frame in frames]) == 1
    assert metrics.pixel_auc(masks, [scores(2, 2, 0, 0, 0), scores(1, 1, 1, 1, 1)]) == 1
    assert metrics.pixel_auc(masks, [scores(2, 1, 0, 0, 0), scores(1, 1, 1, 1, 1)]) == 0.5


def test_frames_are_read_one_at_a_time() -> None:
    frames: list[weakref.ref[np.ndarray]] = []

    def stream(values: list[float]) -> Iterator[np.ndarray]:
        for value in values:
            frame = np.full(MASK.shape, value)
            frames.append(weakref.ref(frame))
            yield frame
            del frame
            assert sum(one() is not None for one in frames) <= 1

    assert metrics.pixel_auc(iter([MASK, NONE] * 4), stream([3.0, 1.0] * 4)) == 1
    assert len(frames) == 8


@pytest.mark.parametrize(
    ("masks", "frames", "message"),
    [
        ([], [], "no frame"),
        ([MASK, NONE], [scores(1, 2, 3, 4, 5)], "not as many frames"),
        ([MASK], [np.zeros((3, 5))], r"mask has the shape \(2, 5\) and its scores \(3, 5\)"),
        ([np.zeros((0, 5), bool)], [np.zeros((0, 5))], "give both"),
        ([MASK], [scores(1, 2, 3, 4, float("nan"))], "1 scores of pixels are not finite"),
        ([MASK], [scores(1, 2, 3, 4, 5)], "all 1 frames are abnormal"),
        ([NONE], [scores(1, 2, 3, 4, 5)], "all 1 frames are normal"),
    ],
)
def test_what_has_no_pixel_auc_is_told(masks: list, frames: list, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        metrics.pixel_auc(masks, frames)
