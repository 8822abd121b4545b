"""From scores of tubes and the truth about videos to numbers of whole videos: which, where and when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss import metrics
from amiss.datasets import Clip, Dataset
from amiss.engine.scores import read_curves, read_regions
from amiss.types import NO_TRACK, FloatArray, IntArray, RegionScores, Tube

__all__ = ["Video", "evaluate_videos", "stretches_of", "video_of"]

SURE = 0.2
"""Score from which a normal video counts as a false alarm."""
OVERLAPS = (0.1, 0.2, 0.3)


@dataclass(frozen=True)
class Video:
    """What a method says of a video, against the truth.

    Attributes:
        abnormal: Whether something abnormal happens.
        score: Of its best tube.
        overlap: S_loc of this tube; None where nobody says where the abnormal is, or nothing is.
        chance: Mean S_loc of all that could have been chosen, likewise.
        best: The highest S_loc that could have been chosen, likewise.
    """

    abnormal: bool
    score: float
    overlap: float | None = None
    chance: float | None = None
    best: float | None = None


def evaluate_videos(folder: Path, dataset: Dataset) -> dict[str, dict[str, float]]:
    """VAUC, the share of false alarms, and how well the best tube of each abnormal video lies where it should.

    Returns:
        Metric → `raw` → value: `vauc` and `far@0.2` where there are videos of both labels; where the data set says
        where the abnormal is, `miou`, `iou@ε`, and what a tube drawn at random and the best one would have,
        `miou_random` and `miou_upper`.

    Raises:
        ScoresError: Scores are missing or damaged.
        DatasetError: Labels are missing or damaged.
    """
    curves, regions = read_curves(folder), read_regions(folder)
    clips = [clip for clip in dataset.testing() if clip.name in curves]
    videos = [_judged(dataset, clip, regions(clip.name), len(curves[clip.name])) for clip in clips]
    return {name: {"raw": value} for name, value in _numbers(videos).items()}


def _judged(dataset: Dataset, clip: Clip, regions: RegionScores, frames: int) -> Video:
    abnormal = bool(dataset.labels(clip).any())
    return video_of(regions, dataset.event(clip) if abnormal else None, frames, abnormal=abnormal)


def _numbers(videos: list[Video]) -> dict[str, float]:
    labels = np.array([video.abnormal for video in videos])
    scores = np.array([video.score for video in videos])
    found: dict[str, float] = {}
    if 0 < labels.sum() < len(labels):
        found["vauc"] = metrics.video_auc(labels, scores)
        found["far@0.2"] = metrics.false_alarm_rate(scores[~labels], SURE)
    placed = [video for video in videos if video.overlap is not None]
    if placed:
        overlaps = np.array([video.overlap for video in placed], np.float64)
        found["miou"] = metrics.mean_overlap(overlaps)
        found |= {f"iou@{least}": metrics.found_at(overlaps, least) for least in OVERLAPS}
        found["miou_random"] = float(np.mean([video.chance for video in placed]))
        found["miou_upper"] = float(np.mean([video.best for video in placed]))
    return found


def video_of(regions: RegionScores, event: Tube | None, frames: int, *, abnormal: bool) -> Video:
    """What is said of a video.

    All frames count as ones in which a detector has found something: to leave out those where it has not can only
    raise the overlap.

    Args:
        regions: Of all its frames; the best stretch of a tube is what is chosen.
        event: The true boxes; several of a frame count as the one around them.
        frames: Of the video.
        abnormal: Its label.
    """
    stretches = stretches_of(regions)
    scores = [float(regions.score[rows[0]]) for rows in stretches]
    if not stretches:
        return Video(abnormal, float(regions.score.max(initial=0.0)), *((0.0,) * 3 if event is not None else ()))
    top = int(np.argmax(scores))
    if event is None:
        return Video(abnormal, scores[top])
    truth = _boxes(event.frame, event.xyxy, frames)
    seen = np.ones(frames, np.bool_)
    overlaps = [
        metrics.overlap_along(truth, _boxes(regions.frame[rows], regions.box[rows], frames), seen) for rows in stretches
    ]
    return Video(abnormal, scores[top], overlaps[top], float(np.mean(overlaps)), max(overlaps))


def stretches_of(regions: RegionScores) -> list[IntArray]:
    """The rows of each part of a tube: those of one track, frame after frame, that have one score."""
    rows = np.flatnonzero(regions.track != NO_TRACK)
    rows = rows[np.lexsort((regions.frame[rows], regions.track[rows]))]
    changes = (np.diff(regions.track[rows]) != 0) | (np.diff(regions.score[rows]) != 0)
    return [part for part in np.split(rows, np.flatnonzero(changes) + 1) if len(part)]


def _boxes(frame: IntArray, xyxy: FloatArray, frames: int) -> FloatArray:
    """`(T, 4)` the box around those of each frame, NaN where there is none."""
    near, far = np.full((frames, 2), np.inf), np.full((frames, 2), -np.inf)
    np.minimum.at(near, frame, xyxy[:, :2])
    np.maximum.at(far, frame, xyxy[:, 2:])
    boxes = np.hstack([near, far])
    boxes[~np.isfinite(boxes).all(1)] = np.nan
    return boxes
