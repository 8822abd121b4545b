"""The numbers of the field, exactly defined."""

from amiss.datasets.regions import mask_boxes
from amiss.metrics.alarms import Alarms, alarms, true_events
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
from amiss.metrics.rbdc import RegionCurve, region_curve
from amiss.metrics.region import RegionLevels, recall_at, region_levels
from amiss.metrics.tube import false_alarm_rate, found_at, mean_overlap, overlap_along, video_auc

__all__ = [
    "Alarms",
    "BestF1",
    "Clips",
    "Curve",
    "RegionCurve",
    "RegionLevels",
    "alarms",
    "average_precision",
    "best_f1",
    "detection_level",
    "equal_error_rate",
    "false_alarm_rate",
    "found_at",
    "frame_auc",
    "macro_auc",
    "macro_auc_padded",
    "mask_boxes",
    "mean_overlap",
    "micro_auc",
    "nearest_equal_error_rate",
    "overlap_along",
    "pixel_auc",
    "pr_auc_trapezoid",
    "precision_recall",
    "recall_at",
    "region_curve",
    "region_levels",
    "roc",
    "score_gap",
    "true_events",
    "video_auc",
]
