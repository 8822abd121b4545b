"""From scores and labels to numbers. Nothing here reaches back into a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from amiss import metrics
from amiss.datasets import Dataset
from amiss.engine.pixels import evaluate_pixels
from amiss.engine.scores import read_curves, read_note
from amiss.engine.videos import evaluate_videos
from amiss.errors import ScoresError
from amiss.methods import METHODS
from amiss.types import FloatArray, FrameScores, Image

__all__ = ["METRICS", "evaluate", "evaluate_folder", "labels_of"]

METRICS: Mapping[str, Callable[[Mapping[str, Image], Mapping[str, FloatArray]], float]] = {
    "auc_micro": metrics.micro_auc,
    "auc_macro": metrics.macro_auc,
    "auc_macro_padded": metrics.macro_auc_padded,
    "eer": metrics.equal_error_rate,
    "ap": metrics.average_precision,
    "score_gap": metrics.score_gap,
}

WEAK = [name for name in METHODS if METHODS[name].weak]
"""Methods that are measured by videos and tubes as well."""


def labels_of(dataset: Dataset, names: list[str]) -> dict[str, Image]:
    """The labels of some test clips.

    Raises:
        ScoresError: The dataset has no such clip.
        DatasetError: Labels are missing or damaged.
    """
    clips = {clip.name: clip for clip in dataset.testing()}
    if unknown := sorted(set(names) - clips.keys()):
        raise ScoresError(f"{dataset.root} has no test clip {unknown[0]!r}; it has {', '.join(sorted(clips)[:8])}, …")
    return {name: dataset.labels(clips[name]) for name in names}


def evaluate(labels: Mapping[str, Image], curves: Mapping[str, FrameScores]) -> dict[str, dict[str, float]]:
    """All frame metrics of raw and of smoothed scores.

    Args:
        labels: `(T,)` of each clip, 1 = abnormal.
        curves: Of the same clips and lengths.

    Returns:
        Metric → `raw` and `smoothed` → value.

    Raises:
        ScoresError: A clip has not as many scores as labels.
        MetricError: There is only one class.
    """
    for name, truth in labels.items():
        if len(truth) != len(curves[name]):
            raise ScoresError(f"clip {name} has {len(curves[name])} scores and {len(truth)} labels; score it whole")
    kinds: dict[str, dict[str, FloatArray]] = {
        kind: {name: getattr(curves[name], kind) for name in labels} for kind in ("raw", "smoothed")
    }
    return {
        metric: {kind: compute(labels, values) for kind, values in kinds.items()} for metric, compute in METRICS.items()
    }


def evaluate_folder(folder: Path, dataset: Dataset) -> dict[str, Any]:
    """The metrics of a folder of scores, with what they were computed on.

    Raises:
        ScoresError: Scores are missing, damaged or do not fit.
        DatasetError: Labels are missing or damaged.
    """
    curves = read_curves(folder)
    labels = labels_of(dataset, list(curves))
    pixels, masked = evaluate_pixels(folder, dataset)
    videos = evaluate_videos(folder, dataset) if read_note(folder, "method") in WEAK else {}
    left_out = [clip.name for clip in dataset.testing() if clip.name not in curves]
    return {
        "dataset": dataset.id,
        "clips": list(curves),
        "clips_without_scores": left_out,
        "clips_with_masks": masked,
        "frames": sum(len(curve) for curve in curves.values()),
        "note": dataset.note(),
        "metrics": evaluate(labels, curves) | pixels | videos,
    }
