"""Tubes from boxes: of one object each (unary), or of all objects that touch one another (multivariate).

Boxes of neighbouring frames that overlap by more than λ can be linked. A unary tube starts at the surest box that is
left of a class and takes the best box of the next frame, and of that the best of the next, until there is none; then it
does the same towards the past. A multivariate tube knows no classes: it starts at the surest box that is left with all
that touch it, or touch one that does, and takes all of the next frame that touch any of these, and so on, both ways. A
box belongs to one tube at most: those of tubes that are too short are used up like the others.

What overlaps what is found once for all boxes, a bounded number of pairs at a time; the walk from box to box then only
follows links. In a multivariate tube the unit is not the box but the cluster, all boxes of a frame that hang together:
a tube takes clusters whole, so that what is left of a frame is always whole clusters, and they can be found beforehand.

Source: algorithms 1 and 2 and equation 11 in the appendix of the paper behind `weak-tubes`. What it leaves open: of
equally sure boxes, and of equally good links, the first row counts; an object that is missing in a frame ends its tube;
boxes that a multivariate tube reaches in the next frame bring along all that hang together with them there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from amiss.errors import ConfigError, ShapeError
from amiss.perception.overlap import iou_rows
from amiss.types import FloatArray, IntArray

__all__ = ["Linking", "multivariate_tubes", "unary_tubes", "union_boxes"]

PAIRS = 1 << 15
"""Pairs of boxes that are compared at a time: a few megabytes, which the processor keeps at hand."""
FREE = -1
"""Owner of a box or cluster that no tube has taken."""


@dataclass(frozen=True)
class Linking:
    """When boxes are linked, and which tubes are long enough to keep.

    Attributes:
        overlap: λ, the intersection over union that a link must exceed, from 0 to below 1.
        weight: η, what the overlap weighs in a linking score beside the confidences of both boxes.
        unary: ζ₁, frames that a unary tube has at least.
        multivariate: ζ₂, frames that a multivariate tube has at least; 0: there are none.

    Raises:
        ConfigError: A value is out of its range.
    """

    overlap: float = 0.1
    weight: float = 2.0
    unary: int = 100
    multivariate: int = 50

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < 1:
            raise ConfigError(f"boxes are linked from an overlap of 0 to below 1, not {self.overlap}")
        if not 0 <= self.weight < np.inf:
            raise ConfigError(f"the weight of the overlap is finite and not negative, not {self.weight}")
        if self.unary < 1 or self.multivariate < 0:
            raise ConfigError(f"a tube has at least 1 frame, not {min(self.unary, self.multivariate)}")


@dataclass(frozen=True, eq=False)
class _Scene:
    """Boxes, checked, in an order in which those of a moment are together.

    Attributes:
        frame: `(N,)` int64.
        xyxy: `(N, 4)` float64 pixels.
        confidence: `(N,)` float64.
        moment: `(N,)` int64, not decreasing: equal in a frame, one more in the very next frame, otherwise further.
    """

    frame: IntArray
    xyxy: FloatArray
    confidence: FloatArray
    moment: IntArray


@dataclass(frozen=True, eq=False)
class _Links:
    """Where one can go from each place: `target[first[i]:first[i + 1]]` from place i, the best first."""

    first: Sequence[int]
    target: Sequence[int]

    def of(self, place: int) -> Sequence[int]:
        """The places that can be reached from one."""
        return self.target[self.first[place] : self.first[place + 1]]


_Step: TypeAlias = Callable[[list[int], _Links, list[int]], list[int]]
"""From the places of a tube in one frame to those in a neighbouring one, given who owns what."""


def unary_tubes(
    frame: IntArray, xyxy: FloatArray, confidence: FloatArray, label: IntArray, linking: Linking
) -> list[IntArray]:
    """Algorithm 1: tubes of one object each, linked within their class by the best linking score.

    The score of a link (equation 11) is S(i) + S(j) + η IoU(i, j) where IoU(i, j) > λ; other boxes are not linked.

    Args:
        frame: `(N,)` whole numbers of frames, not decreasing; some may be missing.
        xyxy: `(N, 4)` pixels. A box without area is linked to nothing.
        confidence: `(N,)` S, how sure the detector is of each box.
        label: `(N,)` whole numbers, the class of each box.
        linking: λ, η and ζ₁.

    Returns:
        The rows of each tube, `(M,)` int64, one a frame in order of frames without a gap. Tubes are in the order in
        which they were started: class by class from the lowest, the surest box first.

    Raises:
        ShapeError: Columns differ in length, frames decrease, or a box is inside out or not finite.
    """
    kinds = np.asarray(label)
    scene = _scene(frame, xyxy, confidence, kinds)
    order = np.argsort(kinds, kind="stable")
    by_class = _Scene(scene.frame[order], scene.xyxy[order], scene.confidence[order], _moments(scene, kinds, order))
    one, other, overlap = _touching(by_class, *_next_frame(by_class), linking.overlap)
    score = by_class.confidence[one] + by_class.confidence[other] + linking.weight * overlap
    best = np.argsort(-score, kind="stable")
    one, other = one[best], other[best]
    links = _links(one, other, len(order)), _links(other, one, len(order))
    starts = np.lexsort((-by_class.confidence, kinds[order]))
    owner = _walk(starts, links, _best, len(order))
    return [order[rows] for rows in _long_enough(owner, by_class.frame, linking.unary)]


def multivariate_tubes(frame: IntArray, xyxy: FloatArray, confidence: FloatArray, linking: Linking) -> list[IntArray]:
    """Algorithm 2: tubes of all objects that touch one another, whatever they are.

    Two boxes touch where IoU > λ. All of a frame that hang together by touching are one cluster.

    Args:
        frame: `(N,)` whole numbers of frames, not decreasing; some may be missing.
        xyxy: `(N, 4)` pixels. A box without area touches nothing.
        confidence: `(N,)` S, how sure the detector is of each box.
        linking: λ and ζ₂.

    Returns:
        The rows of each tube, `(M,)` int64, one or more a frame in order of frames without a gap; `union_boxes` gives
        its box in each. Tubes are in the order in which they were started, the surest box first.

    Raises:
        ShapeError: Columns differ in length, frames decrease, or a box is inside out or not finite.
    """
    scene = _scene(frame, xyxy, confidence, np.zeros(np.shape(frame), np.int64))
    if not linking.multivariate:
        return []
    cluster = _clusters(scene, linking.overlap)
    size = int(cluster.max(initial=FREE)) + 1
    one, other, _ = _touching(scene, *_next_frame(scene), linking.overlap)
    keys = np.sort(cluster[one] * size + cluster[other])
    one, other = np.divmod(keys[np.diff(keys, prepend=-1) > 0], size)
    links = _links(one, other, size), _links(other, one, size)
    starts = cluster[np.argsort(-scene.confidence, kind="stable")]
    owner = _walk(starts, links, _all, size)
    return _long_enough(owner[cluster], scene.frame, linking.multivariate)


def union_boxes(frame: IntArray, xyxy: FloatArray, rows: IntArray) -> tuple[IntArray, FloatArray]:
    """The box around all members of a tube in each of its frames: M of algorithm 2.

    Args:
        frame: `(N,)` numbers of frames.
        xyxy: `(N, 4)` pixels.
        rows: `(K,)` the rows that belong to the tube, in order of frames.

    Returns:
        The tube's frames `(M,)` int64, increasing, and its boxes `(M, 4)` of the dtype of `xyxy`.

    Raises:
        ShapeError: The frames of the rows decrease.
    """
    rows = np.asarray(rows, np.int64)
    frames, boxes = np.asarray(frame)[rows].astype(np.int64), np.asarray(xyxy)[rows]
    if (np.diff(frames) < 0).any():
        raise ShapeError("the frames of a tube decrease; give its rows in order of frames")
    if not len(rows):
        return frames, boxes.reshape(0, 4)
    first = np.flatnonzero(np.diff(frames, prepend=frames[0] - 1))
    near, far = np.minimum.reduceat(boxes[:, :2], first), np.maximum.reduceat(boxes[:, 2:], first)
    return frames[first], np.concatenate([near, far], axis=1)


def _scene(frame: IntArray, xyxy: FloatArray, confidence: FloatArray, label: IntArray) -> _Scene:
    """What was given, checked."""
    frames, boxes, sure = np.asarray(frame), np.asarray(xyxy, np.float64), np.asarray(confidence, np.float64)
    shapes = frames.shape, boxes.shape, sure.shape, label.shape
    count = frames.size
    if shapes != ((count,), (count, 4), (count,), (count,)):
        raise ShapeError(f"boxes have N frames, (N, 4) places, N confidences and N labels, not {shapes}")
    if count and (frames.dtype.kind not in "iu" or label.dtype.kind not in "iu"):
        raise ShapeError(f"frames and labels are whole numbers, not {frames.dtype} and {label.dtype}")
    frames = frames.astype(np.int64)
    if (np.diff(frames) < 0).any():
        raise ShapeError("the frames of boxes decrease; give the boxes in order of frames")
    if not (np.isfinite(boxes).all() and np.isfinite(sure).all()):
        raise ShapeError("a box or its confidence is not finite")
    if (boxes[:, 2:] < boxes[:, :2]).any():
        raise ShapeError("a box has its far corner before its near one")
    return _Scene(frames, boxes, sure, _numbered(np.diff(frames, prepend=frames[:1])))


def _moments(scene: _Scene, label: IntArray, order: IntArray) -> IntArray:
    """Moments of boxes in order of their class: each class is a stretch of time of its own."""
    frame, label = scene.frame[order], label[order]
    same = np.diff(label, prepend=label[:1]) == 0
    return _numbered(np.where(same, np.diff(frame, prepend=frame[:1]), 2))


def _numbered(steps: IntArray) -> IntArray:
    """Moments of boxes that are so many frames after the box before: any number from 2 on is a gap like another."""
    return np.asarray(np.minimum(steps, 2).cumsum())


def _next_frame(scene: _Scene) -> tuple[IntArray, IntArray]:
    """The rows from and to which the boxes of the very next frame are, for each box."""
    after = scene.moment + 1
    return np.searchsorted(scene.moment, after, "left"), np.searchsorted(scene.moment, after, "right")


def _touching(scene: _Scene, first: IntArray, last: IntArray, overlap: float) -> tuple[IntArray, IntArray, FloatArray]:
    """Pairs of boxes that overlap by more than `overlap`: the rows of both, `(P,)` int64, and by how much, `(P,)`.

    Args:
        scene: N boxes.
        first: `(N,)` the first row that each box is compared with.
        last: `(N,)` the row after the last.
        overlap: λ.
    """
    found: list[tuple[IntArray, IntArray, FloatArray]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for one, other in _pairs(first, last - first):
        shared = iou_rows(scene.xyxy.take(one, 0), scene.xyxy.take(other, 0))
        kept = shared > overlap
        found.append((one[kept], other[kept], shared[kept]))
    ones, others, overlaps = zip(*found, strict=True)
    return np.concatenate(ones), np.concatenate(others), np.concatenate(overlaps)


def _pairs(first: IntArray, count: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Each row i with `count[i]` rows from `first[i]`, in order, some `PAIRS` at a time."""
    before = np.concatenate([[0], count.cumsum()])
    cuts = np.searchsorted(before, np.arange(0, before[-1], PAIRS)).tolist()
    for start, stop in pairwise([*cuts, len(count)]):
        one = np.repeat(np.arange(start, stop), count[start:stop])
        within = np.arange(before[start], before[stop]) - before[one]
        yield one, first[one] + within


def _clusters(scene: _Scene, overlap: float) -> IntArray:
    """`(N,)` int64 number of the cluster of each box, from 0."""
    count = len(scene.frame)
    if not count:
        return np.zeros(0, np.int64)
    ends = np.searchsorted(scene.moment, scene.moment, "right")
    one, other, _ = _touching(scene, np.arange(1, count + 1), ends, overlap)
    graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _links(source: IntArray, target: IntArray, size: int) -> _Links:
    """Links from `source` to `target` `(P,)`, from each of `size` places in the order in which they are given."""
    count = len(source)
    keys = np.sort(source * count + np.arange(count))  # the sort of single numbers is several times as fast as others
    first = np.searchsorted(keys, np.arange(size + 1) * count)
    return _Links(first.tolist(), target[keys % count].tolist())


def _walk(starts: IntArray, links: tuple[_Links, _Links], step: _Step, size: int) -> IntArray:
    """`(size,)` int64 which tube each place belongs to, numbered in order of their starts.

    Args:
        starts: Places in the order in which they are tried.
        links: Towards the future, and towards the past.
        step: Takes the places of the next frame out of those that are left.
        size: How many places there are.
    """
    owner = [FREE] * size
    for number, start in enumerate(starts.tolist()):
        if owner[start] != FREE:
            continue
        owner[start] = number
        for way in links:
            places = [start]
            while places := step(places, way, owner):
                for place in places:
                    owner[place] = number
    return np.array(owner, np.int64)


def _best(places: list[int], links: _Links, owner: list[int]) -> list[int]:
    """The best place that is left to go to from a single one."""
    for target in links.of(places[0]):
        if owner[target] == FREE:
            return [target]
    return []


def _all(places: list[int], links: _Links, owner: list[int]) -> list[int]:
    """All places that are left to go to from any of several."""
    return list({target for place in places for target in links.of(place) if owner[target] == FREE})


def _long_enough(owner: IntArray, frame: IntArray, least: int) -> list[IntArray]:
    """The rows of each tube, in order, of those that have at least so many frames; no tube has a gap.

    Args:
        owner: `(N,)` tube of each box.
        frame: `(N,)`, not decreasing among the boxes of a tube.
        least: ζ.
    """
    order = np.argsort(owner, kind="stable")
    cuts = np.flatnonzero(np.diff(owner[order])) + 1
    tubes = np.split(order, cuts) if len(order) else []
    return [rows for rows in tubes if frame[rows[-1]] - frame[rows[0]] + 1 >= least]
