"""What frame metrics take, and what they refuse."""

import numpy as np
import pytest

from amiss import metrics
from amiss.errors import MetricError
from amiss.types import FrameScores

LABELS, SCORES = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])


def frame_scores(smoothed):
    size = len(smoothed)
    return FrameScores(np.arange(size), np.arange(size) / 25, np.zeros(size), smoothed, np.zeros(size))


def test_known_value():
    assert metrics.frame_auc(LABELS, SCORES) == 0.75
    assert metrics.equal_error_rate(LABELS, SCORES) == 0.5
    assert metrics.score_gap(LABELS, SCORES) == pytest.approx((0.575 - 0.25) / 0.7)


def test_a_frame_scores_counts_by_its_smoothed_curve():
    assert metrics.frame_auc(LABELS, frame_scores(SCORES)) == 0.75
    assert metrics.micro_auc({"a": LABELS}, {"a": frame_scores(SCORES)}) == 0.75
    assert metrics.micro_auc([LABELS, LABELS], [frame_scores(SCORES), SCORES]) == 0.75


def test_lists_of_numbers_are_one_clip():
    assert metrics.frame_auc(LABELS.tolist(), SCORES.tolist()) == 0.75
    assert metrics.frame_auc(LABELS.astype(bool), SCORES.astype(np.float32)) == 0.75


def test_macro_leaves_out_clips_of_one_class_and_the_padded_variant_keeps_them():
    labels = {"both": LABELS, "normal": np.zeros(2), "abnormal": np.ones(2)}
    scores = {"abnormal": np.array([1.0, 2.0]), "both": SCORES, "normal": np.array([1.0, 2.0])}
    assert metrics.macro_auc(labels, scores) == 0.75
    # in "both", 8 of 9 pairs are in the right order; in the others 2 of 3, and one ties
    assert metrics.macro_auc_padded(labels, scores) == pytest.approx(np.mean([8 / 9, 5 / 6, 5 / 6]))


def test_micro_and_macro_differ_when_clips_have_different_levels():
    labels, scores = [LABELS, LABELS], [np.array([0, 1, 2, 3.0]), np.array([10, 11, 12, 13.0])]
    assert metrics.macro_auc(labels, scores) == 1
    assert metrics.micro_auc(labels, scores) == 0.75


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        (np.zeros(4), SCORES, "all 4 frames are normal"),
        (np.ones(4), SCORES, "all 4 frames are abnormal"),
        (LABELS, SCORES[:3], r"shape \(4,\) and scores \(3,\)"),
        (LABELS[:, None], SCORES[:, None], "one of each per frame"),
        (LABELS, np.array([0, np.nan, 1, np.inf]), "2 scores are not finite"),
        (np.array([0, 1, 2, 0]), SCORES, "0 .normal. or 1"),
        ([LABELS], [SCORES, SCORES], "labels for 1 clips and scores for 2"),
        ([], [], "no clips"),
        ({"a": LABELS}, {"b": SCORES}, "'a', 'b'"),
        ({}, {}, "the same clips"),
        ({"a": LABELS}, SCORES, "both be mappings"),
        ({"a": LABELS, "gate": LABELS}, {"a": SCORES, "gate": SCORES[1:]}, "clip gate"),
    ],
)
def test_what_cannot_be_measured_is_named(labels, scores, words):
    with pytest.raises(MetricError, match=words):
        metrics.frame_auc(labels, scores)


def test_macro_needs_one_clip_of_both_classes():
    with pytest.raises(MetricError, match="no macro AUC"):
        metrics.macro_auc([np.zeros(3), np.ones(3)], [np.arange(3.0), np.arange(3.0)])


def test_padding_needs_a_frame():
    with pytest.raises(MetricError, match="one of each per frame"):
        metrics.macro_auc_padded([LABELS, []], [SCORES, []])
