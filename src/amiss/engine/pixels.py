"""From scores and masks to pixel-level numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss import metrics
from amiss.datasets import Clip, Dataset
from amiss.engine.regions import gain_of
from amiss.engine.scores import read_curves, read_floors, read_regions
from amiss.errors import DatasetError, ScoresError
from amiss.footage import FeatureFile
from amiss.footage.absent import AbsentFootage
from amiss.scoring.localise import pixel_scores
from amiss.types import BoolArray, FloatArray, FrameScores, RegionScores

__all__ = ["Levels", "evaluate_pixels", "levels_of"]


@dataclass(frozen=True, eq=False)
class Levels:
    """The thresholds at which the frames of a clip count as detected.

    Attributes:
        abnormal: `(T,)` whether a frame has abnormal pixels.
        raw: `(T,)` float64, of raw scores.
        smoothed: `(T,)` float64, of smoothed ones.
    """

    abnormal: BoolArray
    raw: FloatArray
    smoothed: FloatArray


def evaluate_pixels(folder: Path, dataset: Dataset, skipped: int = 0) -> tuple[dict[str, dict[str, float]], list[str]]:
    """The pixel-level AUC of a folder of scores, over the clips that have masks.

    Args:
        folder: Of scores.
        dataset: With the masks.
        skipped: So many frames at the beginning of each clip are left out.

    Returns:
        `pixel_auc` → `raw` and `smoothed` → value, or nothing where no clip has masks or the frames are all normal or
        all abnormal; and the names of the clips that have masks.

    Raises:
        ScoresError: Scores are missing, damaged or do not fit.
        DatasetError: Masks are damaged or do not fit.
    """
    found = dict(_clips(folder, dataset))
    abnormal = {name: levels.abnormal[skipped:] for name, levels in found.items()}
    both = len({bool(value) for truth in abnormal.values() for value in truth}) == 2
    kinds = {
        kind: {name: getattr(levels, kind)[skipped:] for name, levels in found.items()} for kind in ("raw", "smoothed")
    }
    auc = {kind: metrics.frame_auc(abnormal, values) for kind, values in kinds.items()} if both else {}
    return {"pixel_auc": auc} if auc else {}, list(found)


def _clips(folder: Path, dataset: Dataset) -> Iterator[tuple[str, Levels]]:
    """The levels of every clip that has scores and masks; the masks of one clip are in memory at a time."""
    curves, floors, regions = read_curves(folder), read_floors(folder), read_regions(folder)
    for clip in dataset.testing():
        seen = clip.name in curves and not isinstance(clip.footage, FeatureFile | AbsentFootage)
        masks = dataset.masks(clip) if seen else None
        if masks is not None:
            _check(clip, masks, curves[clip.name])
            yield clip.name, levels_of(masks, regions(clip.name), curves[clip.name], floors[clip.name])


def _check(clip: Clip, masks: BoolArray, curve: FrameScores) -> None:
    if len(masks) != len(curve):
        raise ScoresError(f"clip {clip.name} has {len(curve)} scores and {len(masks)} masks; score it whole")
    size = next(iter(clip.footage)).size
    if masks.shape[1:] != size[::-1]:
        raise DatasetError(
            f"the masks of clip {clip.name} are {masks.shape[2]}x{masks.shape[1]} pixels, and {clip.footage.path} has "
            f"{size[0]}x{size[1]}; give masks of the footage's size"
        )


def levels_of(masks: BoolArray, regions: RegionScores, curve: FrameScores, floor: float) -> Levels:
    """The thresholds at which the frames of a clip count as detected, frame by frame.

    Smoothing is of the frames' scores, so the smoothed score of a pixel is its raw one, moved towards the floor or away
    from it as the score of its frame was: what was the highest pixel of the frame has the frame's smoothed score. A
    frame without a region above the floor stays there as a whole.

    Args:
        masks: `(T, H, W)`.
        regions: Regions of the clip, frames not decreasing.
        curve: Its curve, T frames.
        floor: Score of pixels outside all boxes.
    """
    size = masks.shape[2], masks.shape[1]
    rows = np.searchsorted(regions.frame, np.arange(len(masks) + 1))
    raw = np.array(
        [
            metrics.detection_level(mask, pixel_scores(regions[first:last], size, floor))
            for mask, first, last in zip(masks, rows, rows[1:], strict=False)
        ]
    )
    return Levels(np.asarray(masks.any(axis=(1, 2))), raw, floor + (raw - floor) * gain_of(curve, floor))
