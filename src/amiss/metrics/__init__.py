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
