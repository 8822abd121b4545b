"""The overlap of tubes: in 0 to 1, even, 1 only where they are the same, blind beyond the frames that count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss import metrics
from amiss.perception.overlap import iou_matrix, iou_rows

UNHURRIED = settings(deadline=None, max_examples=60)
BOX = st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 6)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
NONE = (np.nan,) * 4
Pair = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Two tubes with boxes that are missing or the same now and then, and the frames that have detections."""
    count = draw(st.integers(1, 8))
    boxes = st.one_of(BOX, st.just(NONE))
    truth = draw(st.lists(boxes, min_size=count, max_size=count))
    predicted = [draw(st.one_of(st.just(box), boxes)) for box in truth]
    detected = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return np.array(truth, float), np.array(predicted, float), np.array(detected)


def counted(pair: Pair) -> np.ndarray:
    truth, predicted, detected = pair
    return detected & ~(np.isnan(truth).all(1) & np.isnan(predicted).all(1))


@UNHURRIED
@given(pairs())
def test_it_lies_in_0_to_1_and_is_the_same_both_ways(pair: Pair) -> None:
    truth, predicted, detected = pair
    value = metrics.overlap_along(truth, predicted, detected)
    assert 0 <= value <= 1
    assert value == metrics.overlap_along(predicted, truth, detected)


@UNHURRIED
@given(pairs())
def test_it_is_1_where_and_only_where_the_boxes_are_the_same(pair: Pair) -> None:
    truth, predicted, detected = pair
    rows = counted(pair)
    same = bool(rows.any()) and np.array_equal(truth[rows], predicted[rows])
    assert (metrics.overlap_along(truth, predicted, detected) == 1) is same
    assert metrics.overlap_along(truth, truth, detected) == (detected & ~np.isnan(truth).all(1)).any()


@UNHURRIED
@given(pairs(), pairs())
def test_what_is_in_other_frames_does_not_matter(pair: Pair, other: Pair) -> None:
    truth, predicted, detected = pair
    value = metrics.overlap_along(*pair)
    unseen = ~detected[:, None]
    moved = np.where(unseen, predicted + 3, predicted)
    assert metrics.overlap_along(np.where(unseen, np.nan, truth), moved, detected) == value
    longer = [np.concatenate([one, two]) for one, two in zip(pair, other, strict=True)]
    longer[2][len(detected) :] = False
    assert metrics.overlap_along(*longer) == value


@UNHURRIED
@given(pairs())
def test_the_mean_of_frames_is_the_mean_of_the_parts_weighted_by_their_frames(pair: Pair) -> None:
    cut = len(pair[2]) // 2 or len(pair[2])
    parts = [tuple(column[rows] for column in pair) for rows in (slice(cut), slice(cut, None))]
    sums = [metrics.overlap_along(*part) * counted(part).sum() for part in parts if len(part[2])]
    assert metrics.overlap_along(*pair) * counted(pair).sum() == pytest.approx(sum(sums))


@UNHURRIED
@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0, 1))
def test_shares_fall_as_the_level_rises_and_bound_the_mean(values: list[float], epsilon: float) -> None:
    share = metrics.found_at(values, epsilon)
    assert share >= metrics.found_at(values, min(1.0, epsilon + 0.1))
    assert epsilon * share <= metrics.mean_overlap(values) + 1e-9
    assert metrics.false_alarm_rate(values, epsilon) == share


@UNHURRIED
@given(st.lists(st.tuples(*[st.floats(0, 50, width=32)] * 4), min_size=1, max_size=6))
def test_rows_have_the_overlap_that_the_matrix_has_on_its_diagonal(corners: list[tuple[float, ...]]) -> None:
    x, y, width, height = np.array(corners).T
    a = np.stack([x, y, x + width, y + height], axis=1)
    b = a[::-1]
    assert np.array_equal(iou_rows(a, b), np.diag(iou_matrix(a, b)))
