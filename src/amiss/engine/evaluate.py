"""From scores and labels to numbers. Nothing here reaches back into a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from amiss import metrics
from amiss.datasets import Dataset
from amiss.engine.pixels import evaluate_pixels
from amiss.engine.plain import read_frame_scores, read_region_scores
from amiss.engine.protocols import curve_of, highest, plain_under, under_protocol
from amiss.engine.regions import evaluate_regions, region_numbers
from amiss.engine.scores import read_note, read_spans
from amiss.engine.videos import evaluate_videos
from amiss.errors import ScoresError
from amiss.methods import METHODS
from amiss.scoring.smooth import Smoothing
from amiss.types import FloatArray, FrameScores, Image

__all__ = ["METRICS", "evaluate", "evaluate_alarms", "evaluate_folder", "evaluate_plain", "labels_of"]

METRICS: Mapping[str, Callable[[Mapping[str, Image], Mapping[str, FloatArray]], float]] = {
    "auc_micro": metrics.micro_auc,
    "auc_macro": metrics.macro_auc,
    "auc_macro_padded": metrics.macro_auc_padded,
    "eer": metrics.equal_error_rate,
    "ap": metrics.average_precision,
    "f1": lambda labels, scores: metrics.best_f1(labels, scores).f1,
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
        Metric → `raw` and `smoothed` → value; no macro AUC where every clip is of one class.

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
    mixed = any(0 < truth.sum() < len(truth) for truth in labels.values())
    return {
        metric: {kind: compute(labels, values) for kind, values in kinds.items()}
        for metric, compute in METRICS.items()
        if mixed or metric != "auc_macro"
    }


def evaluate_folder(folder: Path, dataset: Dataset, protocol: str = "standard") -> dict[str, Any]:
    """The metrics of a folder of scores, with what they were computed on.

    Args:
        folder: Of scores.
        dataset: With the labels.
        protocol: Of `PROTOCOLS`; those besides `standard` give metrics of frames alone.

    Raises:
        ScoresError: Scores are missing, damaged or do not fit.
        DatasetError: Labels are missing or damaged.
        MetricError: The protocol is unknown.
    """
    curves = under_protocol(protocol, folder)
    labels = labels_of(dataset, list(curves))
    found = evaluate(labels, curves)
    masked: list[str] = []
    if protocol == "standard":
        pixels, masked = evaluate_pixels(folder, dataset)
        videos = evaluate_videos(folder, dataset) if read_note(folder, "method") in WEAK else {}
        found |= pixels | evaluate_regions(folder, dataset) | videos | evaluate_alarms(folder, labels, curves)
    return _result(dataset, curves, protocol, read_note(folder, "smoothing"), masked) | {"metrics": found}


def evaluate_alarms(
    folder: Path, labels: Mapping[str, Image], curves: Mapping[str, FrameScores]
) -> dict[str, dict[str, float]]:
    """Recall of events, false alarms an hour and seconds until an alarm, of the events in a folder of scores.

    Args:
        folder: Of scores.
        labels: `(T,)` of each clip, 1 = abnormal.
        curves: Of the same clips and lengths, for the times of frames.

    Returns:
        Metric → `smoothed`, as events are made of smoothed scores → value; those that there is nothing for are absent.
    """
    spans = read_spans(folder)
    seconds = {name: curve.seconds for name, curve in curves.items()}
    found = metrics.alarms(labels, seconds, {name: spans[name] for name in labels if name in spans})
    numbers = {
        "event_recall": found.recall,
        "false_alarms_per_hour": found.false_per_hour,
        "event_delay_seconds": found.delay,
    }
    return {name: {"smoothed": value} for name, value in numbers.items() if value is not None}


def evaluate_plain(
    dataset: Dataset,
    *,
    frame_scores: Path | None = None,
    region_scores: Path | None = None,
    smoothing: str,
    protocol: str = "standard",
) -> dict[str, Any]:
    """The metrics of scores of another program, from plain files.

    A frame without scores of its own has that of its highest region; without one, the lowest of all.

    Args:
        dataset: With the labels; its pictures need not be there.
        frame_scores: As `read_frame_scores` takes them.
        region_scores: As `read_region_scores` takes them.
        smoothing: The filter that smoothed numbers are of.
        protocol: `standard` or `legacy`, which gives metrics of frames alone.

    Raises:
        ScoresError: Files are missing, damaged or do not fit, or none is given.
        DatasetError: Labels are missing or damaged.
        MetricError: There is no such protocol for plain scores.
    """
    if frame_scores is None and region_scores is None:
        raise ScoresError("there are no scores to evaluate; give --scores, --frame-scores or --region-scores")
    clips = {clip.name: clip for clip in dataset.testing()}
    labels = labels_of(dataset, list(clips))
    regions = read_region_scores(region_scores, dataset) if region_scores else {}
    rows = read_frame_scores(frame_scores, dataset) if frame_scores else highest(regions, labels)
    curves = {name: curve_of(row, clips[name].footage.rate, Smoothing.parse(smoothing)) for name, row in rows.items()}
    found = evaluate(labels, plain_under(protocol, curves))
    if regions and protocol == "standard":
        lengths = {name: len(labels[name]) for name in regions}
        found |= region_numbers(dataset, lengths, {"raw": regions.__getitem__})
    return _result(dataset, curves, protocol, smoothing, []) | {"metrics": found}


def _result(
    dataset: Dataset, curves: Mapping[str, FrameScores], protocol: str, smoothing: str | None, masked: list[str]
) -> dict[str, Any]:
    """What metrics were computed on."""
    return {
        "dataset": dataset.id,
        "clips": list(curves),
        "clips_without_scores": [clip.name for clip in dataset.testing() if clip.name not in curves],
        "clips_with_masks": masked,
        "tracks_from": "rbdc_tbdc_tracks" if dataset.lists_tracks else "masks",
        "frames": sum(len(curve) for curve in curves.values()),
        "note": dataset.note(),
        "protocol": protocol,
        "smoothing": smoothing,
    }
