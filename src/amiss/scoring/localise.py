"""From scored regions to pixels: how abnormal each is, and which of them are what is amiss.

A region's maps say where within its box it is amiss. They are joined into one of relative values: each map is smoothed,
divided by its own peak (values below 0 count as 0) and weighted by its part's share in the score; their sum is divided
by its peak once more. No label and no other region takes part. Where the joined map is at least half its peak, as wide
as a peak's width is usually measured, the pixel is what is amiss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label

from amiss.types import BoolArray, Event, FloatArray, RegionScores

__all__ = ["event_masks", "event_regions", "outlines", "pixel_scores", "relative_map"]

HALF = 0.5
"""Share of the peak from which on a pixel keeps the whole score of its region."""
BLUR = 1 / 16
"""Standard deviation of the smoothing of a map, in sides of the map."""
FINE = 96
"""Side of the grid on which outlines are drawn."""
SPECK = 0.1
"""Share of the largest patch below which a patch is a speck."""

Slices = tuple[slice, slice]


def relative_map(maps: Mapping[str, FloatArray], parts: Mapping[str, float]) -> FloatArray | None:
    """One region's maps as one, relative to its peak.

    Args:
        maps: `(S, S)` by part.
        parts: The parts of its score; those at or below 0 have no weight, unless all have none.

    Returns:
        `(S, S)` float64 in 0..1 that reaches 1, or None where no map says anything.
    """
    known = {name: _scaled(np.maximum(np.asarray(values, np.float64), 0)) for name, values in maps.items()}
    weight = {name: max(parts.get(name, 0.0), 0.0) for name, values in known.items() if values is not None}
    if not any(weight.values()):
        weight = dict.fromkeys(weight, 1.0)
    sides = {values.shape for values in known.values() if values is not None}
    side = max((shape[0] for shape in sides), default=0)
    total = np.zeros((side, side))
    for name, values in known.items():
        if values is not None:
            total += weight[name] * _sampled(values, (0.0, 0.0, side, side), _whole(side))
    return _peaked(total)


def _scaled(values: FloatArray) -> FloatArray | None:
    """A map of values from 0, smoothed and divided by its peak; None where all is 0."""
    return _peaked(gaussian_filter(values, BLUR * len(values), mode="nearest"))


def _peaked(values: FloatArray) -> FloatArray | None:
    peak = float(values.max(initial=0.0))
    return values / peak if peak > 0 else None


def _whole(side: int) -> Slices:
    return slice(0, side), slice(0, side)


def pixel_scores(regions: RegionScores, size: tuple[int, int], floor: float) -> FloatArray:
    """How abnormal each pixel of a frame is.

    A pixel belongs to a box if its centre does, and has the highest score that a box gives to it. A region without maps
    gives its score to its whole box. With maps, pixels at half the peak of the relative map or above get the score, and
    the others fall in a straight line to the floor where the map is 0: a score of `floor + (score - floor) * min(1, map
    / half)`. A box's highest pixel thus has the region's score, with maps and without.

    Args:
        regions: The regions of one frame.
        size: Width and height of the picture in pixels.
        floor: Score of pixels outside all boxes; no pixel has less.

    Returns:
        `(H, W)` float32.
    """
    picture = np.full((size[1], size[0]), floor, np.float32)
    for row in range(len(regions)):
        place = _pixels(regions.box[row], size)
        relative = _relative_of(regions, row)
        share = 1.0 if relative is None else _share(relative, regions.box[row], place)
        inside = picture[place]
        np.maximum(inside, floor + (float(regions.score[row]) - floor) * share, out=inside, casting="same_kind")
    return picture


def _relative_of(regions: RegionScores, row: int) -> FloatArray | None:
    maps = {name: values[row] for name, values in regions.maps.items()}
    return relative_map(maps, {name: float(values[row]) for name, values in regions.parts.items()}) if maps else None


def _share(relative: FloatArray, box: FloatArray, place: Slices) -> FloatArray:
    """`(h, w)` how much of the score each pixel of a box keeps, the highest all of it."""
    sampled = _sampled(relative, box, place)
    peak = float(sampled.max(initial=0.0))
    return np.minimum(1.0, sampled / (HALF * peak)) if peak > 0 else np.ones_like(sampled)


def _pixels(box: FloatArray, size: tuple[int, int]) -> Slices:
    """Rows and columns of the pixels whose centres lie in a box."""
    first = np.ceil(np.maximum(box[:2] - 0.5, 0)).astype(int)
    last = np.maximum(np.ceil(np.minimum(box[2:] - 0.5, size)).astype(int), first)
    return slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))


def _sampled(values: FloatArray, box: FloatArray | tuple[float, ...], place: Slices) -> FloatArray:
    """`(h, w)` a map that is spread over a box, at the centres of some pixels, bilinear."""
    x1, y1, x2, y2 = (float(value) for value in box)
    down = _weights(np.arange(place[0].start, place[0].stop) + 0.5, y1, y2, len(values))
    across = _weights(np.arange(place[1].start, place[1].stop) + 0.5, x1, x2, len(values))
    return np.asarray(down @ values @ across.T)


def _weights(centres: FloatArray, first: float, last: float, side: int) -> FloatArray:
    """`(n, side)` how much of each cell a pixel takes; beyond the outermost centres the cells go on as they are."""
    at = np.clip((centres - first) / max(last - first, 1e-9) * side - 0.5, 0, side - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(side))))


def outlines(regions: RegionScores, row: int) -> list[FloatArray]:
    """The outlines of what is amiss within a region's box, holes left out; none where the region has no map.

    Specks, patches below a tenth of the largest one's area, are dropped.

    Args:
        regions: The table.
        row: The region.

    Returns:
        A polygon each, `(K, 2)` float32 x, y in pixels of the picture.
    """
    relative = _relative_of(regions, row)
    if relative is None:
        return []
    x1, y1, x2, y2 = (float(value) for value in regions.box[row])
    patches = np.pad(_patches(_sampled(relative, (0.0, 0.0, FINE, FINE), _whole(FINE))), 1)
    found, _ = cv2.findContours(patches.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    scale, corner = np.array([x2 - x1, y2 - y1]) / FINE, np.array([x1, y1])
    # One off for the border, half one on to the centres of cells.
    return [np.asarray((line[:, 0] - 0.5) * scale + corner, np.float32) for line in found]


def _patches(relative: FloatArray) -> BoolArray:
    """Where a relative map is at least half its peak, without specks."""
    numbers: NDArray[np.int32]
    numbers, _ = label(relative >= HALF * relative.max())
    areas = np.bincount(numbers.ravel())
    areas[0] = 0
    kept = areas >= SPECK * areas.max()
    kept[0] = False
    return np.asarray(kept[numbers])


def event_regions(event: Event, regions: RegionScores) -> RegionScores:
    """The rows of an event's clip that make up its tube."""
    known = set(zip(event.tube.frame.tolist(), map(tuple, event.tube.xyxy.tolist()), strict=True))
    near = np.flatnonzero(np.isin(regions.frame, event.tube.frame))
    rows = [row for row in near if (int(regions.frame[row]), tuple(regions.box[row].tolist())) in known]
    return regions[np.array(rows, np.int64)]


def event_masks(event: Event, regions: RegionScores, size: tuple[int, int]) -> Iterator[tuple[int, BoolArray]]:
    """What is amiss in each frame of an event; boxes of regions without maps count whole.

    Args:
        event: The event.
        regions: The regions of its clip.
        size: Width and height of the picture in pixels.

    Yields:
        Number of the frame, and `(H, W)` bool, one frame after the other.
    """
    own = event_regions(event, regions)
    for frame in np.unique(own.frame):
        mask = np.zeros((size[1], size[0]), np.bool_)
        here = own[own.frame == frame]
        for row in range(len(here)):
            place = _pixels(here.box[row], size)
            relative = _relative_of(here, row)
            mask[place] |= True if relative is None else _patches_in(relative, here.box[row], place)
        yield int(frame), mask


def _patches_in(relative: FloatArray, box: FloatArray, place: Slices) -> BoolArray:
    sampled = _sampled(relative, box, place)
    return _patches(sampled) if sampled.any() else np.zeros(sampled.shape, np.bool_)
