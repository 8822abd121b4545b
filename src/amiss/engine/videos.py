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
        all: S_loc of all that could have been chosen, likewise.
    """

    abnormal: bool
    score: float
    overlap: float | None = None
    all: tuple[float, ...] = ()


def evaluate_videos(folder: Path, dataset: Dataset) -> dict[str, dict[str, float]]:
    """VAUC, the share of false alarms, and how well the best tube of each abnormal video lies where it should.

    Returns:
        Metric → `raw` → value: `vauc` where there are videos of both labels, and `far@0.2` where there are normal ones;
        where there are tubes, and the data set says where the abnormal is, `miou`, `iou@ε`, and what a part of a tube
        drawn at random and the best one would have, `miou_random`, `miou_upper` and likewise.

    Raises:
        ScoresError: Scores are missing or damaged.
        DatasetError: Labels are missing or damaged.
    """
    curves, regions = read_curves(folder), read_regions(folder)
    clips = [clip for clip in dataset.testing() if clip.name in curves]
    videos = [_judged(dataset, clip, regions(clip.name)) for clip in clips]
    return {name: {"raw": value} for name, value in _numbers(videos).items()}


def _judged(dataset: Dataset, clip: Clip, regions: RegionScores) -> Video:
    abnormal = bool(dataset.labels(clip).any())
    return video_of(regions, dataset.event(clip) if abnormal else None, abnormal=abnormal)


def _numbers(videos: list[Video]) -> dict[str, float]:
    labels = np.array([video.abnormal for video in videos])
    scores = np.array([video.score for video in videos])
    found: dict[str, float] = {}
    if 0 < labels.sum() < len(labels):
        found["vauc"] = metrics.video_auc(labels, scores)
    if not labels.all():
        found[f"far@{SURE}"] = metrics.false_alarm_rate(scores[~labels], SURE)
    placed = [video for video in videos if video.overlap is not None]
    if not any(video.all for video in placed):
        return found  # where there are no tubes, none is in the right place or not
    own = np.array([video.overlap for video in placed], np.float64)
    best = np.array([max(video.all, default=0.0) for video in placed])
    found |= {"miou": metrics.mean_overlap(own), "miou_upper": metrics.mean_overlap(best)}
    found["miou_random"] = float(np.mean([np.mean(video.all or (0.0,)) for video in placed]))
    for least in OVERLAPS:
        found |= {f"iou@{least}": metrics.found_at(own, least), f"iou@{least}_upper": metrics.found_at(best, least)}
        chances = [np.mean([overlap > least for overlap in video.all or (0.0,)]) for video in placed]
        found[f"iou@{least}_random"] = float(np.mean(chances))
    return found


def video_of(regions: RegionScores, event: Tube | None, *, abnormal: bool) -> Video:
    """What is said of a video.

    All frames count as ones in which a detector has found something: to leave out those where it has not can only
    raise the overlap.

    Args:
        regions: Of all its frames; the best stretch of a tube is what is chosen.
        event: The true boxes; several of a frame count as the one around them.
        abnormal: Its label.
    """
    stretches = stretches_of(regions)
    scores = [float(regions.score[rows[0]]) for rows in stretches]
    if not stretches:
        return Video(abnormal, float(regions.score.max(initial=0.0)), 0.0 if event is not None else None)
    top = int(np.argmax(scores))
    if event is None:
        return Video(abnormal, scores[top])
    overlaps = tuple(_overlap(event, regions.frame[rows], regions.box[rows]) for rows in stretches)
    return Video(abnormal, scores[top], overlaps[top], overlaps)


def _overlap(event: Tube, frame: IntArray, box: FloatArray) -> float:
    """S_loc of boxes `(M, 4)`, over the frames in which they or the true ones are."""
    frames = np.union1d(event.frame, frame)
    true, own = _boxes(frames, event.frame, event.xyxy), _boxes(frames, frame, box)
    return metrics.overlap_along(true, own, np.ones(len(frames), np.bool_))


def stretches_of(regions: RegionScores) -> list[IntArray]:
    """The rows of each part of a tube: those of one track, frame after frame, that have one score."""
    rows = np.flatnonzero(regions.track != NO_TRACK)
    rows = rows[np.lexsort((regions.frame[rows], regions.track[rows]))]
    changes = (np.diff(regions.track[rows]) != 0) | (np.diff(regions.score[rows]) != 0)
    return [part for part in np.split(rows, np.flatnonzero(changes) + 1) if len(part)]


def _boxes(frames: IntArray, frame: IntArray, xyxy: FloatArray) -> FloatArray:
    """`(T, 4)` the box around those of each of the frames `(T,)`, NaN where there is none."""
    near, far = np.full((len(frames), 2), np.inf), np.full((len(frames), 2), -np.inf)
    place = np.searchsorted(frames, frame)
    np.minimum.at(near, place, xyxy[:, :2])
    np.maximum.at(far, place, xyxy[:, 2:])
    boxes = np.hstack([near, far])
    boxes[~np.isfinite(boxes).all(1)] = np.nan
    return boxes
