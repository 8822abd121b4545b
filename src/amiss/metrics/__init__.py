"""The numbers of the field, exactly defined."""

from amiss.metrics.frame import (
    BestF1,
    Clips,
    Curve,
    average_precision,
    best_f1,
    equal_error_rate,
    frame_auc,
    macro_auc,
    macro_auc_padded,
    micro_auc,
    nearest_equal_error_rate,
    pr_auc_trapezoid,
    precision_recall,
    roc,
    score_gap,
)
from amiss.metrics.pixel import detection_level, pixel_auc
from amiss.metrics.region import RegionLevels, mask_boxes, recall_at, region_levels

__all__ = [
    "BestF1",
    "Clips",
    "Curve",
    "RegionLevels",
    "average_precision",
    "best_f1",
    "detection_level",
    "equal_error_rate",
    "frame_auc",
    "macro_auc",
    "macro_auc_padded",
    "mask_boxes",
    "micro_auc",
    "nearest_equal_error_rate",
    "pixel_auc",
    "pr_auc_trapezoid",
    "precision_recall",
    "recall_at",
    "region_levels",
    "roc",
    "score_gap",
]
