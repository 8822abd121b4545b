"""Frame metrics against brute-force twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss import metrics

UNHURRIED = settings(deadline=None, max_examples=60)
FINITE = st.integers(-8, 8).map(lambda n: n / 4)


@st.composite
def clips(draw, smallest=2):
    """Labels with both classes and scores with many ties."""
    size = draw(st.integers(smallest, 40))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size).filter(lambda x: 0 < sum(x) < len(x)))
    return np.array(labels), np.array(draw(st.lists(FINITE, min_size=size, max_size=size)))


def pair_auc(labels, scores):
    """Share of pairs (abnormal, normal) in the right order, ties half."""
    difference = scores[labels == 1][:, None] - scores[labels == 0][None]
    return ((difference > 0) + 0.5 * (difference == 0)).mean()


def rates(labels, scores, threshold):
    called = scores >= threshold
    return called[labels == 0].mean(), called[labels == 1].mean()


@UNHURRIED
@given(clips())
def test_auc_is_the_probability_of_the_right_order(clip):
    assert metrics.frame_auc(*clip) == pytest.approx(pair_auc(*clip))


@UNHURRIED
@given(clips())
def test_auc_and_errors_do_not_change_under_a_rising_map(clip):
    labels, scores = clip
    for metric in (metrics.frame_auc, metrics.equal_error_rate, metrics.average_precision, metrics.macro_auc_padded):
        assert metric(labels, np.exp(scores) * 7 - 3) == pytest.approx(metric(labels, scores))


@UNHURRIED
@given(clips())
def test_turning_scores_round_turns_auc_and_eer_round(clip):
    labels, scores = clip
    assert metrics.frame_auc(labels, -scores) == pytest.approx(1 - metrics.frame_auc(labels, scores))
    assert metrics.equal_error_rate(labels, -scores) == pytest.approx(1 - metrics.equal_error_rate(labels, scores))


@UNHURRIED
@given(clips())
def test_eer_lies_between_the_errors_around_the_crossing(clip):
    labels, scores = clip
    eer = metrics.equal_error_rate(labels, scores)
    points = [(0.0, 0.0)] + [rates(labels, scores, t) for t in np.unique(scores)[::-1]]
    before = max(fpr for fpr, tpr in points if fpr <= 1 - tpr)
    after = min(fpr for fpr, tpr in points if fpr >= 1 - tpr)
    assert before - 1e-12 <= eer <= after + 1e-12


@UNHURRIED
@given(clips())
def test_the_nearest_eer_is_the_mean_error_of_a_point_of_the_roc(clip):
    labels, scores = clip
    points = [(0.0, 0.0)] + [rates(labels, scores, t) for t in scores]
    errors = np.array([(fpr + 1 - tpr) / 2 for fpr, tpr in points])
    assert np.abs(errors - metrics.nearest_equal_error_rate(labels, scores)).min() < 1e-12


@UNHURRIED
@given(clips())
def test_the_roc_holds_the_rates_at_its_thresholds(clip):
    fpr, tpr, thresholds = metrics.roc(*clip)
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    for row in range(1, len(thresholds)):
        assert (fpr[row], tpr[row]) == pytest.approx(rates(*clip, thresholds[row]))


@UNHURRIED
@given(clips())
def test_best_f1_is_the_best_of_all_thresholds(clip):
    labels, scores = clip

    def f1(threshold):
        called = scores >= threshold
        return 2 * (called & (labels == 1)).sum() / (called.sum() + labels.sum())

    best = metrics.best_f1(labels, scores)
    assert best.f1 == pytest.approx(max(f1(t) for t in scores))
    assert f1(best.threshold) == pytest.approx(best.f1)


@UNHURRIED
@given(clips())
def test_average_precision_by_steps(clip):
    labels, scores = clip
    area = recall = 0.0
    for threshold in np.unique(scores)[::-1]:
        called = scores >= threshold
        hits = (called & (labels == 1)).sum()
        area += hits / called.sum() * (hits / labels.sum() - recall)
        recall = hits / labels.sum()
    assert metrics.average_precision(labels, scores) == pytest.approx(area)


@UNHURRIED
@given(clips())
def test_one_clip_has_the_same_micro_and_macro(clip):
    labels, scores = {"a": clip[0]}, {"a": clip[1]}
    assert metrics.macro_auc(labels, scores) == pytest.approx(metrics.micro_auc(labels, scores))


@UNHURRIED
@given(st.lists(clips(), min_size=1, max_size=4))
def test_several_clips(drawn):
    labels, scores = [clip[0] for clip in drawn], [clip[1] for clip in drawn]
    together = metrics.frame_auc(np.concatenate(labels), np.concatenate(scores))
    assert metrics.micro_auc(labels, scores) == pytest.approx(together)
    assert metrics.macro_auc(labels, scores) == pytest.approx(np.mean([pair_auc(*clip) for clip in drawn]))


@UNHURRIED
@given(clips())
def test_padding_is_that_of_a_clip_scaled_to_0_and_1(clip):
    labels, scores = clip
    if np.ptp(scores) == 0:
        assert metrics.macro_auc_padded(labels, scores) == 0.5
        return
    scaled = (scores - scores.min()) / np.ptp(scores)
    padded = pair_auc(np.r_[0, labels, 1], np.r_[0, scaled, 1])
    assert metrics.macro_auc_padded(labels, scores) == pytest.approx(padded)


@UNHURRIED
@given(clips())
def test_score_gap_lies_within_one_and_follows_the_sign(clip):
    labels, scores = clip
    gap = metrics.score_gap(labels, scores)
    assert -1 <= gap <= 1
    assert metrics.score_gap(labels, scores * 5 + 2) == pytest.approx(gap)
    assert metrics.score_gap(1 - labels, scores) == pytest.approx(-gap)
