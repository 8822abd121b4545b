"""Tube-level metrics: whether the right videos were found, and in them the right place at the right time.

A video has one score, that of its best tube, and one predicted tube, this one, as a box a frame. An abnormal video has
a true one.

Source: section 5.1 and equation 10 of the paper behind `weak-tubes`; the overlap is that of Yamaguchi et al.,
"Spatio-temporal person retrieval via natural language queries", ICCV 2017. All shares are of 1, where papers print
percentages.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from amiss.errors import MetricError
from amiss.metrics.frame import frame_auc
from amiss.perception.overlap import iou_rows
from amiss.types import FloatArray

__all__ = ["false_alarm_rate", "found_at", "mean_overlap", "overlap_along", "video_auc"]


def overlap_along(truth: ArrayLike, predicted: ArrayLike, detected: ArrayLike) -> float:
    """How well a predicted tube lies on the true one, S_loc (equation 10): Σ_{f∈Γ} IoU(truth_f, predicted_f) / |Γ|.

    Γ are the frames in which the detector has found any box, and in which either tube has one. Where only one of them
    has a box, the overlap is 0; frames without detections cost nothing. It is 1 where both tubes have the same boxes
    (with an area) all along Γ, and 0 where Γ is empty.

    Args:
        truth: `(T, 4)` pixels, the true box of each frame of the video; NaN in all four where there is none.
        predicted: `(T, 4)` pixels, the predicted one, in the same way.
        detected: `(T,)` bool, the frames in which the detector has boxes.

    Returns:
        0 to 1.

    Raises:
        MetricError: There is no frame, lengths differ, or a box is inside out, infinite or NaN in part.
    """
    boxes = _boxes("true", truth), _boxes("predicted", predicted)
    seen = np.asarray(detected)
    if seen.ndim != 1 or seen.dtype != np.bool_ or not len(boxes[0]) == len(boxes[1]) == len(seen) > 0:
        raise MetricError(
            f"there are {len(boxes[0])} true and {len(boxes[1])} predicted boxes and detections of {seen.shape} "
            f"{seen.dtype}; give one of each per frame, detections as booleans"
        )
    there = [~np.isnan(tube[:, 0]) for tube in boxes]
    counted, both = seen & (there[0] | there[1]), seen & there[0] & there[1]
    if not counted.any():
        return 0.0
    return float(iou_rows(boxes[0][both], boxes[1][both]).sum() / counted.sum())


def video_auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC over videos, VAUC: how often an abnormal video scores above a normal one, ties one half.

    Args:
        labels: `(V,)` with 1 where a video is abnormal, else 0.
        scores: `(V,)` the score of each video, that of its best tube.

    Raises:
        MetricError: There is no video or only one class, lengths differ, or a value is not finite or no label.
    """
    truth, values = _values("labels", labels), _values("scores", scores)
    if truth.shape != values.shape:
        raise MetricError(f"there are labels of {len(truth)} videos and scores of {len(values)}; give one of each")
    if not np.isin(truth, (0, 1)).all():
        raise MetricError("labels of videos must be 0 (normal) or 1 (abnormal)")
    if truth.all() or not truth.any():
        only = "abnormal" if truth.all() else "normal"
        raise MetricError(f"all {len(truth)} videos are {only}; the metric needs videos of both classes")
    return frame_auc(truth, values)


def mean_overlap(values: ArrayLike) -> float:
    """MIoU: the mean of S_loc over the abnormal test videos.

    Args:
        values: `(V,)` `overlap_along` of each; 0 of a video in which nothing was predicted.

    Raises:
        MetricError: There is no video, or a value is not within 0 to 1.
    """
    return float(_overlaps(values).mean())


def found_at(values: ArrayLike, epsilon: float) -> float:
    """IoU@ε: the share of abnormal test videos whose S_loc is larger than ε.

    Args:
        values: `(V,)` `overlap_along` of each; 0 of a video in which nothing was predicted.
        epsilon: The overlap that must be exceeded.

    Raises:
        MetricError: There is no video, or a value is not within 0 to 1.
    """
    return float((_overlaps(values) > epsilon).mean())


def false_alarm_rate(scores: ArrayLike, threshold: float = 0.2) -> float:
    """The share of normal test videos that are taken for abnormal ones: whose score exceeds the threshold.

    Args:
        scores: `(V,)` the score of each normal video, that of its best tube.
        threshold: The score that must be exceeded.

    Raises:
        MetricError: There is no video, or a score is not finite.
    """
    return float((_values("scores", scores) > threshold).mean())


def _boxes(name: str, tube: ArrayLike) -> FloatArray:
    """`(T, 4)` float64, checked; rows without a box are NaN."""
    boxes = np.asarray(tube, np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise MetricError(
            f"the {name} tube has the shape {boxes.shape}; give a box (T, 4) per frame, NaN where none is"
        )
    absent = np.asarray(np.isnan(boxes).all(1))
    if not np.isfinite(boxes[~absent]).all():
        raise MetricError(f"a box of the {name} tube is not finite; one that is not there is NaN in all four")
    if (boxes[:, 2:] < boxes[:, :2]).any():
        raise MetricError(f"a box of the {name} tube has its far corner before its near one")
    return boxes


def _values(name: str, values: ArrayLike) -> FloatArray:
    """`(V,)` float64 finite, at least one."""
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or not len(numbers):
        raise MetricError(f"the {name} of videos have the shape {numbers.shape}; give one per video, of one at least")
    if not np.isfinite(numbers).all():
        raise MetricError(f"{int((~np.isfinite(numbers)).sum())} {name} of videos are not finite")
    return numbers


def _overlaps(values: ArrayLike) -> FloatArray:
    """`(V,)` float64 in 0..1."""
    overlaps = _values("overlaps", values)
    if overlaps.min() < 0 or overlaps.max() > 1:
        raise MetricError(f"overlaps lie in 0 to 1, not {overlaps.min()} to {overlaps.max()}")
    return overlaps
