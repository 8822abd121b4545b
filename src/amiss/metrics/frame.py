"""Frame-level metrics: how well one score a frame tells abnormal frames from normal ones.

Labels are 0 (normal) or 1 (abnormal), scores are higher where it is more abnormal. Every function takes one clip or
many: plain arrays, `amiss.types.FrameScores` (then its `smoothed` curve counts), or a sequence or a mapping of those,
a clip each. Several clips are concatenated ("micro") unless the function's name says otherwise; a score therefore
means the same in every clip, and nothing is ever rescaled per clip.

The field's two averages differ, so both are given: *micro* is one ROC over all frames of all clips, *macro* the mean
of the clips' own AUCs. A clip that is all normal or all abnormal has no AUC; see `macro_auc` and `macro_auc_padded`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics

from amiss.errors import MetricError
from amiss.types import BoolArray, FloatArray, FrameScores

__all__ = [
    "BestF1",
    "Clips",
    "Curve",
    "average_precision",
    "best_f1",
    "equal_error_rate",
    "frame_auc",
    "macro_auc",
    "macro_auc_padded",
    "micro_auc",
    "nearest_equal_error_rate",
    "pr_auc_trapezoid",
    "precision_recall",
    "roc",
    "score_gap",
]

Curve: TypeAlias = ArrayLike | FrameScores
"""One clip: `(T,)` labels or scores."""

Clips: TypeAlias = Curve | Sequence[Curve] | Mapping[str, Curve]
"""One clip, or several in order or by name."""


class BestF1(NamedTuple):
    """The best F1 over all thresholds; a frame is called abnormal where its score is at or above `threshold`."""

    f1: float
    threshold: float
    precision: float
    recall: float


def frame_auc(labels: Clips, scores: Clips) -> float:
    """Area under the ROC over all frames (micro where there are several clips).

    Equals the probability that a random abnormal frame scores above a random normal one, ties counting one half.

    Args:
        labels: `(T,)` with 1 where a frame is abnormal; one clip or several.
        scores: `(T,)`, as many clips of the same lengths.

    Raises:
        MetricError: Lengths or names differ, there is only one class, or a score is not finite.
    """
    truth, values = _pair(labels, scores)
    return float(metrics.roc_auc_score(truth, values))


def micro_auc(labels: Clips, scores: Clips) -> float:
    """The AUC of all clips' frames concatenated: `frame_auc`, by the name that the field gives it beside macro.

    Raises:
        MetricError: As in `frame_auc`.
    """
    return frame_auc(labels, scores)


def macro_auc(labels: Clips, scores: Clips) -> float:
    """Mean of the clips' AUCs; clips that are all normal or all abnormal have none and are left out.

    Raises:
        MetricError: As in `frame_auc`, or no clip has both classes.
    """
    both = [clip for clip in _clips(labels, scores) if clip[0].any() and not clip[0].all()]
    if not both:
        raise MetricError("no clip has both normal and abnormal frames, so there is no macro AUC; use micro_auc")
    return float(np.mean([metrics.roc_auc_score(*clip) for clip in both]))


def macro_auc_padded(labels: Clips, scores: Clips) -> float:
    """Mean of the clips' AUCs after adding two frames to each: the variant behind most published macro numbers.

    Each clip gains a frame labelled 0 with the lowest score of the clip and one labelled 1 with its highest, so that
    every clip has an AUC and none is left out. Published evaluations scale each clip to 0..1 and add a 0 scored 0 and
    a 1 scored 1; an AUC does not change under a rising map, so the value here is the same without the scaling. (A
    clip whose scores are all equal cannot be scaled; here its padding ties with it and its AUC is 0.5.)

    Raises:
        MetricError: Lengths or names differ, a clip is empty, or a score is not finite.
    """
    return float(np.mean([metrics.roc_auc_score(*_padded(*clip)) for clip in _clips(labels, scores)]))


def roc(labels: Clips, scores: Clips) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The ROC's corners: false-positive rate, true-positive rate, thresholds.

    Points on a straight line between two others are left out, which changes no area. The first threshold is
    infinite: nothing is called abnormal. `(K,)` float64 each, rates rising from 0 to 1.

    Raises:
        MetricError: As in `frame_auc`.
    """
    fpr, tpr, thresholds = metrics.roc_curve(*_pair(labels, scores))
    return fpr, tpr, thresholds


def equal_error_rate(labels: Clips, scores: Clips) -> float:
    """The error where the false-positive rate equals the miss rate (1 - TPR), linearly interpolated on the ROC.

    Raises:
        MetricError: As in `frame_auc`.
    """
    fpr, tpr, _ = roc(labels, scores)
    lead = 1.0 - tpr - fpr  # falls from 1 to -1 without rising: the crossing is the EER
    after = int(np.argmax(lead <= 0))
    share = lead[after - 1] / (lead[after - 1] - lead[after])
    return float(fpr[after - 1] + share * (fpr[after] - fpr[after - 1]))


def nearest_equal_error_rate(labels: Clips, scores: Clips) -> float:
    """The EER as many scripts print it: mean of both error rates at the ROC corner where they differ least.

    It can be off by half a step of the ROC; `equal_error_rate` cannot. Given to compare with numbers made that way.

    Raises:
        MetricError: As in `frame_auc`.
    """
    fpr, tpr, _ = roc(labels, scores)
    nearest = int(np.argmin(np.abs(1.0 - tpr - fpr)))
    return float((fpr[nearest] + 1.0 - tpr[nearest]) / 2)


def precision_recall(labels: Clips, scores: Clips) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The precision-recall curve: precision `(K + 1,)`, recall `(K + 1,)` falling to 0, thresholds `(K,)` rising.

    The last point is precision 1 at recall 0 and has no threshold.

    Raises:
        MetricError: As in `frame_auc`.
    """
    precision, recall, thresholds = metrics.precision_recall_curve(*_pair(labels, scores))
    return precision, recall, thresholds


def average_precision(labels: Clips, scores: Clips) -> float:
    """Average precision: the sum over thresholds of precision times the gain in recall (steps, no interpolation).

    Raises:
        MetricError: As in `frame_auc`.
    """
    return float(metrics.average_precision_score(*_pair(labels, scores)))


def pr_auc_trapezoid(labels: Clips, scores: Clips) -> float:
    """Area under the precision-recall curve by trapezoids, which XD-Violence papers print as "AP".

    Straight lines between points of that curve are too kind (or unkind) to it; `average_precision` is the sound one.

    Raises:
        MetricError: As in `frame_auc`.
    """
    precision, recall, _ = precision_recall(labels, scores)
    return float(metrics.auc(recall, precision))


def best_f1(labels: Clips, scores: Clips) -> BestF1:
    """The highest F1 over all thresholds, with the threshold (the lowest of several) and its precision and recall.

    The threshold is chosen with the labels: it describes scores and must never be used to set an alarm.

    Raises:
        MetricError: As in `frame_auc`.
    """
    precision, recall, thresholds = precision_recall(labels, scores)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    best = int(np.argmax(f1))  # never the point without a threshold, whose recall and F1 are 0
    return BestF1(float(f1[best]), float(thresholds[best]), float(precision[best]), float(recall[best]))


def score_gap(labels: Clips, scores: Clips) -> float:
    """Mean score of abnormal frames minus that of normal ones, after scaling all frames together to 0..1.

    One scale serves all clips; it is 0 where every score is the same.

    Raises:
        MetricError: As in `frame_auc`.
    """
    truth, values = _pair(labels, scores)
    span = values.max() - values.min()
    return float((values[truth].mean() - values[~truth].mean()) / span) if span > 0 else 0.0


def _pair(labels: Clips, scores: Clips) -> tuple[BoolArray, FloatArray]:
    """All clips concatenated; both classes are there."""
    clips = _clips(labels, scores)
    truth = np.concatenate([clip[0] for clip in clips])
    values = np.concatenate([clip[1] for clip in clips])
    if truth.all() or not truth.any():
        only = "abnormal" if truth.all() else "normal"
        raise MetricError(f"all {len(truth)} frames are {only}; the metric needs frames of both classes")
    return truth, values


def _padded(truth: BoolArray, values: FloatArray) -> tuple[BoolArray, FloatArray]:
    """The clip with a normal frame at its lowest score and an abnormal one at its highest."""
    return np.r_[False, truth, True], np.r_[values.min(), values, values.max()]


def _clips(labels: Clips, scores: Clips) -> list[tuple[BoolArray, FloatArray]]:
    """Labels and scores of each clip, checked."""
    if isinstance(labels, Mapping) != isinstance(scores, Mapping):
        raise MetricError("labels and scores must both be mappings of clips by name, or neither")
    if isinstance(labels, Mapping) and isinstance(scores, Mapping):
        return [_clip(name, labels[name], scores[name]) for name in _same_names(labels, scores)]
    truths, values = _listed(labels), _listed(scores)
    if len(truths) != len(values):
        raise MetricError(f"there are labels for {len(truths)} clips and scores for {len(values)}; give as many")
    if not truths:
        raise MetricError("there are no clips to evaluate")
    return [_clip(str(number), *clip) for number, clip in enumerate(zip(truths, values, strict=True))]


def _same_names(labels: Mapping[str, Curve], scores: Mapping[str, Curve]) -> Iterable[str]:
    """The names of the clips, which labels and scores must share."""
    odd = sorted(set(labels) ^ set(scores))
    if odd or not labels:
        shown = ", ".join(map(repr, odd[:5])) or "none"
        raise MetricError(f"labels and scores must name the same clips; only one of them has: {shown}")
    return labels


def _listed(curves: Clips) -> list[Curve]:
    """A sequence of clips as it is; one clip as a sequence of one."""
    if isinstance(curves, (list, tuple)) and all(isinstance(c, FrameScores) or np.ndim(c) > 0 for c in curves):
        return list(curves)
    return [cast("Curve", curves)]


def _clip(name: str, labels: Curve, scores: Curve) -> tuple[BoolArray, FloatArray]:
    """One clip's labels as booleans and its finite scores as float64."""
    truth = np.asarray(labels)
    values = np.asarray(scores.smoothed if isinstance(scores, FrameScores) else scores, np.float64)
    if truth.ndim != 1 or truth.shape != values.shape or not len(truth):
        raise MetricError(
            f"clip {name}: labels have the shape {truth.shape} and scores {values.shape}; give one of each per frame"
        )
    if not np.isin(truth, (0, 1)).all():
        raise MetricError(f"clip {name}: labels must be 0 (normal) or 1 (abnormal)")
    if not np.isfinite(values).all():
        raise MetricError(f"clip {name}: {int((~np.isfinite(values)).sum())} scores are not finite")
    return truth.astype(np.bool_), values
