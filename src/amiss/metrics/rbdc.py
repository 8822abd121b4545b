"""RBDC and TBDC: how many abnormal regions and tracks are found as more and more false regions a frame are allowed.

Found regions are taken from the highest score down. One that overlaps abnormal regions of its frame enough finds those;
one that overlaps none is false; one on a region that was found before is neither. A track is found with a share of its
regions. Areas are under the shares of regions and of tracks over false regions a frame, from 0 to 1; where fewer false
ones are found, the last share stands up to 1.

Sources: Ramachandra and Jones, "Street Scene", WACV 2020 (the criteria); Georgescu et al., "A background-agnostic
framework with adversarial training for abnormal event detection in video", TPAMI 2021 (both at 0.1, boxes whose last
pixel is inside, and one found region at a time).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amiss.errors import MetricError
from amiss.types import BoolArray, FloatArray, IntArray, RegionScores, Track

__all__ = ["RegionCurve", "region_curve"]


@dataclass(frozen=True, eq=False)
class RegionCurve:
    """What is found over false regions a frame, from 0 to 1.

    Attributes:
        rate: `(K,)` float64 false regions a frame, not decreasing.
        regions: `(K,)` float64 share of abnormal regions that are found.
        tracks: `(K,)` float64 share of abnormal tracks that are found.
    """

    rate: FloatArray
    regions: FloatArray
    tracks: FloatArray

    @property
    def rbdc(self) -> float:
        """The region-based detection criterion, the area under `regions`."""
        return float(np.trapezoid(self.regions, self.rate))

    @property
    def tbdc(self) -> float:
        """The track-based detection criterion, the area under `tracks`."""
        return float(np.trapezoid(self.tracks, self.rate))


@dataclass(frozen=True, eq=False)
class _Truth:
    """The abnormal regions of a clip, by frame.

    Attributes:
        frame: `(M,)`, not decreasing.
        box: `(M, 4)`.
        track: `(M,)` numbers from 0.
    """

    frame: IntArray
    box: FloatArray
    track: IntArray


def region_curve(
    truth: Mapping[str, Sequence[Track]],
    found: Mapping[str, RegionScores],
    frames: int,
    *,
    overlap: float = 0.1,
    share: float = 0.1,
) -> RegionCurve:
    """The shares of abnormal regions and tracks that are found, over false regions a frame.

    Regions of one score are taken in the order in which they are given, as the published rules do: clip after clip. The
    order of clips moves the areas a little where many scores are equal.

    Args:
        truth: The abnormal tracks of each clip; none where all is normal.
        found: What was found in each clip, rows in any order; a clip that is missing has nothing.
        frames: How many frames all clips have.
        overlap: Intersection over union from which a region lies on another (beta).
        share: Of its regions, with which a track is found (alpha).

    Raises:
        MetricError: There is no abnormal region or no frame, a clip has no truth, or a box is upside down.
    """
    if frames < 1:
        raise MetricError("there are no frames, so there is no rate of false regions")
    _check(truth, found)
    tracks_of = {name: [track for track in tracks if len(track)] for name, tracks in truth.items()}
    truths = {name: _joined(tracks) for name, tracks in tracks_of.items()}
    lengths = np.array([len(track) for tracks in tracks_of.values() for track in tracks], np.int64)
    if not lengths.sum():
        raise MetricError("there is no abnormal region, so there is no criterion of regions")
    right, first = _hits(truths, found, overlap)
    track = _numbered(truths)
    taken = np.arange(len(right) + 1)
    rate = np.append(0, np.cumsum(~right)) / frames
    regions = np.searchsorted(np.sort(first), taken) / len(first)
    tracks = np.searchsorted(np.sort(_tracks_found(first, track, lengths, share)), taken) / len(lengths)
    inside = rate <= 1
    return RegionCurve(
        np.append(rate[inside], 1.0),
        np.append(regions[inside], regions[inside][-1]),
        np.append(tracks[inside], tracks[inside][-1]),
    )


def _check(truth: Mapping[str, Sequence[Track]], found: Mapping[str, RegionScores]) -> None:
    for name, regions in found.items():
        if name not in truth:
            raise MetricError(f"regions were found in clip {name}, of which nothing is known; leave it out")
        if (regions.box[:, 2:] < regions.box[:, :2]).any():
            raise MetricError(f"clip {name} has a box that is upside down; give x1 <= x2 and y1 <= y2")


def _joined(tracks: Sequence[Track]) -> _Truth:
    """The regions of tracks in order of their frames."""
    frame = np.concatenate([np.zeros(0, np.int64), *(track.frame for track in tracks)])
    box = np.concatenate([np.zeros((0, 4)), *(track.xyxy for track in tracks)])
    number = np.repeat(np.arange(len(tracks)), [len(track) for track in tracks])
    order = np.argsort(frame, kind="stable")
    return _Truth(frame[order], box[order].astype(np.float64), number[order])


def _numbered(truths: Mapping[str, _Truth]) -> IntArray:
    """The number of each region's track among those of all clips."""
    counts = [int(truth.track.max(initial=-1)) + 1 for truth in truths.values()]
    before = np.cumsum([0, *counts])
    return np.concatenate([truth.track + start for truth, start in zip(truths.values(), before, strict=False)])


def _hits(
    truths: Mapping[str, _Truth], found: Mapping[str, RegionScores], overlap: float
) -> tuple[BoolArray, IntArray]:
    """From the highest score down, `(N,)` which found regions are right; and `(M,)` which one finds each true region.

    A region that is never found has N.
    """
    scores = np.concatenate([np.zeros(0), *(regions.score for regions in found.values())])
    order = np.argsort(-scores, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    starts = dict(zip(truths, np.cumsum([0, *(len(truth.frame) for truth in truths.values())]).tolist(), strict=False))
    right = np.zeros(len(order), np.bool_)
    first = np.full(sum(len(truth.frame) for truth in truths.values()), len(order), np.int64)
    before = 0
    for name, regions in found.items():
        rows, on = _pairs(truths[name], regions, overlap)
        ranks = rank[before + rows]
        right[ranks] = True
        np.minimum.at(first, starts[name] + on, ranks)
        before += len(regions)
    return right, first


def _pairs(truth: _Truth, regions: RegionScores, overlap: float) -> tuple[IntArray, IntArray]:
    """Rows of found regions, and of the true ones of the same frame on which they lie."""
    begin, end = (np.searchsorted(truth.frame, regions.frame, side) for side in ("left", "right"))
    count = end - begin
    rows = np.repeat(np.arange(len(regions)), count)
    on = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    kept = _iou(regions.box[rows].astype(np.float64), truth.box[on]) >= overlap
    return rows[kept], on[kept]


def _iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of the boxes of each row, whose last pixels are inside."""
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0]) + 1
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1]) + 1
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = [(boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1) for boxes in (a, b)]
    return np.asarray(shared / (areas[0] + areas[1] - shared))


def _tracks_found(first: IntArray, track: IntArray, lengths: IntArray, share: float) -> IntArray:
    """`(T,)` the found region with which each track is found."""
    ordered = first[np.lexsort((first, track))]
    starts = np.cumsum(lengths) - lengths
    needed = np.array([np.searchsorted(np.arange(length + 1) / length, share) for length in lengths.tolist()])
    return np.asarray(ordered[starts + np.maximum(needed, 1) - 1])
