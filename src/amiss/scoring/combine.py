"""From the regions of a frame to the frame, and along tracks."""

from __future__ import annotations

import dataclasses

import numpy as np

from amiss.types import NO_TRACK, FloatArray, RegionScores

__all__ = ["hold", "persist", "worst_region"]


def hold(regions: RegionScores, frames: int, seconds: FloatArray, gap: float) -> RegionScores:
    """Regions that stand for so many frames, each until the next may come; none reaches across a jump in time.

    Args:
        regions: A row a region, frames not decreasing.
        frames: How many, the region's own included; 1 changes nothing.
        seconds: `(T,)` of all frames.
        gap: Longer steps, and steps back, are jumps.
    """
    if frames == 1:
        return regions
    steps = np.diff(np.asarray(seconds, np.float64), prepend=seconds[:1])
    stretch = np.cumsum(~((steps >= 0) & (steps <= gap)))
    held = []
    for lag in range(frames):
        later = regions.frame + lag
        there = later < len(stretch)
        there[there] = stretch[later[there]] == stretch[regions.frame[there]]
        held.append(dataclasses.replace(regions[there], frame=later[there], seconds=seconds[later[there]]))
    whole = RegionScores.merge(held)
    return whole[np.argsort(whole.frame, kind="stable")]


def persist(regions: RegionScores, frames: int, floor: float) -> RegionScores:
    """Regions whose score is the mean over their track's last few frames, unseen ones counting as normal.

    A box that flickers up for a single frame is weak evidence; an object that stays odd keeps its whole score.

    Args:
        regions: A row a region, frames not decreasing; a track has at most one region a frame.
        frames: Over how many frames, the present one included; 1 changes nothing.
        floor: The score of a frame in which the track is not seen.
    """
    span = int(regions.frame.max(initial=0)) + frames + 1
    tracked = regions.track != NO_TRACK
    place = regions.track * span + regions.frame
    order = np.flatnonzero(tracked)[np.argsort(place[tracked])]
    known, scores = place[order], np.asarray(regions.score, np.float64)
    total = scores.copy()
    for lag in range(1, frames):
        row = np.searchsorted(known, place - lag).clip(max=max(len(known) - 1, 0))
        same = tracked & (regions.frame >= lag)
        if len(known):
            same &= known[row] == place - lag
            total += np.where(same, scores[order[row]], floor)
        else:
            total += floor
    return dataclasses.replace(regions, score=total / frames)


def worst_region(regions: RegionScores, length: int, floor: float) -> FloatArray:
    """`(length,)` float64: the highest score of each frame's regions.

    Args:
        regions: Scored regions, frames below `length`.
        length: Number of frames.
        floor: What a frame without any region gets: the lowest score of a normal region, so that an empty scene is as
            normal as can be, and never NaN.
    """
    curve = np.full(length, floor, np.float64)
    np.maximum.at(curve, regions.frame, np.asarray(regions.score, np.float64))
    return curve
