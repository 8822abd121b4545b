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

__all__ = [
    "BestF1",
    "Clips",
    "Curve",
    "average_precision",
    "best_f1",
    "detection_level",
    "equal_error_rate",
    "frame_auc",
    "macro_auc",
    "macro_auc_padded",
    "micro_auc",
    "nearest_equal_error_rate",
    "pixel_auc",
    "pr_auc_trapezoid",
    "precision_recall",
    "roc",
    "score_gap",
]
