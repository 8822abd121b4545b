"""Pixel-level AUC: whether the right place was found, by the criterion that UCSD Ped2 came with.

At a threshold, a frame with abnormal pixels counts as found if at least 40 % of them score at or above it, and a frame
without any is a false positive if a single pixel does. Each frame has one number, then, that says everything: the
highest threshold at which it counts. The area under the ROC of these numbers is exact; no list of thresholds is tried,
and nothing but a number a frame is kept.

The criterion has two known faults. What is marked beside the true pixels of an abnormal frame costs nothing, so a
detector that marks whole frames has its frame-level AUC; and a box is never worse than its outline. Region-based
criteria mend both. A frame is abnormal here if its mask is not empty, whatever frame labels say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import zip_longest

import numpy as np

from amiss.errors import MetricError
from amiss.metrics.frame import frame_auc
from amiss.types import BoolArray, FloatArray

__all__ = ["detection_level", "pixel_auc"]

SHARE = Fraction(2, 5)
"""Share of the true pixels that must be found."""


def detection_level(mask: BoolArray, scores: FloatArray) -> float:
    """The highest threshold at which a frame counts as detected, rightly or wrongly.

    Args:
        mask: `(H, W)` bool, the pixels that are abnormal.
        scores: `(H, W)` of each pixel.

    Returns:
        Of a frame with abnormal pixels the score that 40 % of them, rounded up, reach; of any other its highest score.

    Raises:
        MetricError: The shapes differ, there is no pixel, or a score is not finite.
    """
    mask, scores = np.asarray(mask), np.asarray(scores)
    if mask.ndim != 2 or mask.shape != scores.shape or not mask.size:
        raise MetricError(f"a mask has the shape {mask.shape} and its scores {scores.shape}; give both (height, width)")
    if not np.isfinite(scores).all():
        raise MetricError(f"{int((~np.isfinite(scores)).sum())} scores of pixels are not finite")
    true = scores[mask.astype(np.bool_, copy=False)]
    if not len(true):
        return float(scores.max())
    rank = len(true) - math.ceil(SHARE * len(true))  # from the lowest, so that as many as needed are not below
    return float(np.partition(true, rank)[rank])


def pixel_auc(masks: Iterable[BoolArray], scores: Iterable[FloatArray]) -> float:
    """Area under the pixel-level ROC over all frames; reads one frame at a time.

    Args:
        masks: `(H, W)` bool of each frame, the pixels that are abnormal.
        scores: `(H, W)` of each frame.

    Raises:
        MetricError: There are not as many masks as scores, shapes differ, a score is not finite, or frames are all
            normal or all abnormal.
    """
    labels, levels = [], []
    for mask, pixels in zip_longest(masks, scores):
        if mask is None or pixels is None:
            raise MetricError("there are not as many frames of masks as of scores; give one of each per frame")
        levels.append(detection_level(mask, pixels))
        labels.append(bool(np.any(mask)))
    if not labels:
        raise MetricError("there is no frame to evaluate")
    return frame_auc(np.array(labels), np.array(levels))
