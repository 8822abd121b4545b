"""From the regions of a frame to the frame, and along tracks."""

from __future__ import annotations

import dataclasses

import numpy as np

from amiss.types import NO_TRACK, BoolArray, FloatArray, RegionScores

__all__ = ["centre", "hold", "persist", "worst_region"]


def hold(
    regions: RegionScores,
    frames: int,
    seconds: FloatArray,
    gap: float,
    reach: tuple[int, int] = (0, 0),
    *,
    margins: bool = False,
) -> RegionScores:
    """Regions that stand for so many frames, each until the next may come; none reaches across a jump in time.

    Where a track begins or ends, its first region may stand for frames before it, and its last for frames after it; the
    box goes on at the pace that it has there.

    Args:
        regions: A row a region, frames not decreasing; a track has at most one region a frame.
        frames: How many, the region's own included; 1 changes nothing.
        seconds: `(T,)` of all frames.
        gap: Longer steps, and steps back, are jumps.
        reach: Frames before a track's first region, and after its last.
        margins: Reach only the first and the last so many frames of footage without a jump, where no region can be; a
            track that begins or ends between them is in view where it has a region, and nowhere else.
    """
    before, after = reach
    if (frames == 1 and not before and not after) or not len(regions):
        return regions
    steps = np.diff(np.asarray(seconds, np.float64), prepend=seconds[:1])
    stretch = np.cumsum(~((steps >= 0) & (steps <= gap)))
    starts, stops = np.searchsorted(stretch, stretch, "left"), np.searchsorted(stretch, stretch, "right")
    first, last, pace = _runs(regions, frames)
    held = []
    for lag in range(-before, max(frames, after + 1)):
        later = regions.frame + lag
        there = (later >= 0) & (later < len(stretch))
        there &= first if lag < 0 else last if lag >= frames else np.True_
        there[there] = stretch[later[there]] == stretch[regions.frame[there]]
        if margins and not 0 <= lag < frames:
            at = later[there]
            there[there] = at < starts[at] + before if lag < 0 else at >= stops[at] - after
        moved = (lag if lag < 0 else max(lag - frames + 1, 0)) * pace[there]
        box = np.asarray(regions.box[there] + np.tile(moved, 2), np.float32)
        held.append(dataclasses.replace(regions[there], frame=later[there], seconds=seconds[later[there]], box=box))
    whole = RegionScores.merge(held)
    return whole[np.argsort(whole.frame, kind="stable")]


def _runs(regions: RegionScores, frames: int) -> tuple[BoolArray, BoolArray, FloatArray]:
    """Whether each region is the first and the last of its track without a break, and `(N, 2)` its pace in pixels.

    The pace is that of the middle of the box between the region and its neighbour, none for a region on its own or
    without a track.
    """
    order = np.lexsort((regions.frame, regions.track))
    follows = np.zeros(len(order) + 1, np.bool_)
    track, frame = regions.track[order], regions.frame[order]
    follows[1:-1] = (track[1:] == track[:-1]) & (np.diff(frame) <= frames) & (track[1:] != NO_TRACK)
    middle = (regions.box[order, :2] + regions.box[order, 2:]) / 2
    step = np.zeros((len(order) + 1, 2))
    step[1:-1] = np.diff(middle, axis=0) / np.maximum(np.diff(frame), 1)[:, None]
    step[~follows] = 0
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    ahead = np.where(follows[1:, None], step[1:], step[:-1])
    known = track != NO_TRACK
    return (~follows[:-1] & known)[back], (~follows[1:] & known)[back], ahead[back]


def persist(regions: RegionScores, frames: int, floor: float) -> RegionScores:
    """Regions whose score is the mean over their track's last few frames, unseen ones counting as normal.

    A box that flickers up for a single frame is weak evidence; an object that stays odd keeps its whole score, and so
    does a region without a track, of which nobody can say where it was before.

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
    return dataclasses.replace(regions, score=np.where(tracked, total / frames, scores))


def centre(regions: RegionScores, frames: int) -> RegionScores:
    """Regions whose score is the mean over their track from so many frames before to so many after.

    Frames in which the track is not seen do not count: where it enters the view, what it does next tells it.

    Args:
        regions: A row a region, frames not decreasing; a track has at most one region a frame.
        frames: How many to either side; 0 changes nothing.
    """
    if not frames:
        return regions
    span = int(regions.frame.max(initial=0)) + frames + 1
    place = regions.track * span + regions.frame
    tracked = np.flatnonzero(regions.track != NO_TRACK)
    order = tracked[np.argsort(place[tracked])]
    known, scores = place[order], np.asarray(regions.score, np.float64).copy()
    total = np.concatenate([[0.0], np.cumsum(scores[order])])
    first, after = np.searchsorted(known, known - frames), np.searchsorted(known, known + frames, side="right")
    scores[order] = (total[after] - total[first]) / (after - first)
    return dataclasses.replace(regions, score=scores)


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
