"""From scored regions and true tracks to the numbers of regions and tracks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from amiss import metrics
from amiss.datasets import Dataset
from amiss.engine.scores import read_curves, read_floors, read_regions
from amiss.types import FloatArray, FrameScores, RegionScores, Track

__all__ = ["evaluate_regions", "gain_of", "region_numbers", "smoothed_regions"]

T = TypeVar("T", Track, RegionScores)


def evaluate_regions(folder: Path, dataset: Dataset, skipped: int = 0) -> dict[str, dict[str, float]]:
    """RBDC and TBDC of a folder of scores, over the clips whose true tracks are known.

    Args:
        folder: Of scores.
        dataset: With the tracks.
        skipped: So many frames at the beginning of each clip are left out.

    Returns:
        `rbdc` and `tbdc` → `raw` and `smoothed` → value, or nothing where no abnormal track is known.

    Raises:
        ScoresError: Scores are missing, damaged or do not fit.
        DatasetError: Tracks are damaged.
    """
    curves, floors, regions = read_curves(folder), read_floors(folder), read_regions(folder)
    kinds: dict[str, Callable[[str], RegionScores]] = {
        "raw": regions,
        "smoothed": lambda name: smoothed_regions(regions(name), curves[name], floors[name]),
    }
    lengths = {name: len(curve) for name, curve in curves.items()}
    return region_numbers(dataset, lengths, kinds, skipped)


def region_numbers(
    dataset: Dataset, lengths: Mapping[str, int], kinds: Mapping[str, Callable[[str], RegionScores]], skipped: int = 0
) -> dict[str, dict[str, float]]:
    """RBDC and TBDC of regions, by kind.

    Args:
        dataset: With the tracks.
        lengths: The frames of each clip that counts, in the order in which equal scores are taken.
        kinds: The regions of a clip by its name, of each kind.
        skipped: So many frames at the beginning of each clip are left out.
    """
    clips = {clip.name: clip for clip in dataset.testing()}
    known = {name: dataset.tracks(clips[name]) for name in lengths}
    truth = {name: [_later(track, skipped) for track in tracks] for name, tracks in known.items() if tracks is not None}
    if not any(len(track) for tracks in truth.values() for track in tracks):
        return {}
    frames = sum(max(lengths[name] - skipped, 0) for name in truth)
    curves = {
        kind: metrics.region_curve(truth, {name: _later(of(name), skipped) for name in truth}, frames)
        for kind, of in kinds.items()
    }
    return {
        "rbdc": {kind: curve.rbdc for kind, curve in curves.items()},
        "tbdc": {kind: curve.tbdc for kind, curve in curves.items()},
    }


def _later(table: T, skipped: int) -> T:
    """The rows of a table from a frame on."""
    return table[table.frame >= skipped] if skipped else table


def smoothed_regions(regions: RegionScores, curve: FrameScores, floor: float) -> RegionScores:
    """Regions whose scores move as the score of their frame does when it is smoothed.

    Args:
        regions: Of a clip.
        curve: Its curve.
        floor: Score of a frame without any region.
    """
    gain = gain_of(curve, floor)[np.searchsorted(curve.frame, regions.frame)]
    return replace(regions, score=floor + (regions.score - floor) * gain, maps={}, parts={})


def gain_of(curve: FrameScores, floor: float) -> FloatArray:
    """`(T,)` how much farther above the floor a frame is when it is smoothed; 0 where it is not above it."""
    gain = np.zeros(len(curve))
    np.divide(curve.smoothed - floor, curve.raw - floor, out=gain, where=curve.raw > floor)
    return gain
