"""What events are compared with each other by: where they were, what they looked like, and what was odd about them.

With it repeats of the same thing become one event, and what a person called normal is known when it comes again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from amiss.perception.features import crop
from amiss.types import Event, FloatArray, Image, RegionScores, Windows

__all__ = ["alike", "closeness", "likeness_of", "map_of"]

LENGTH = 48
"""Numbers of a look: a fixed random projection keeps the angles between long vectors (Johnson and Lindenstrauss)."""
PLACES = 12
"""Boxes of an event that are kept to compare places by."""
SIDE = 12
LOOK = 0.6
"""Cosine from which two looks are alike; unrelated ones lie around 0 once their common mean is taken off."""
NEAR = 0.75
"""Places are near each other up to so many times the mean of their larger sides."""
SIZES = 2.0
"""Things whose heights differ by more than this factor are not alike."""


def likeness_of(event: Event, size: tuple[int, int], image: Image, windows: Windows | None) -> dict[str, Any]:
    """What an event is compared by, as plain numbers, texts and lists.

    Args:
        event: So far.
        size: Width and height of the picture.
        image: The picture of its worst moment, or near it.
        windows: The windows of its worst frame; with a `feature` the look is that, else a small picture.
    """
    boxes = np.asarray(event.tube.xyxy, np.float64)
    if not len(boxes):
        return {"part": _part(event.parts), "places": [], "look": [], "by": "nothing"}
    worst = int(event.tube.score.argmax())
    rows = np.unique(np.linspace(0, len(boxes) - 1, PLACES).astype(int))
    places = boxes[rows] / np.array([*size, *size])
    by, look = _look(boxes[worst], image, windows)
    return {"part": _part(event.parts), "places": np.round(places, 4).tolist(), "look": look.tolist(), "by": by}


def _part(parts: Mapping[str, float]) -> str:
    """The part of the score that stands out most."""
    return max(parts, key=lambda name: parts[name]) if parts else ""


def _look(box: FloatArray, image: Image, windows: Windows | None) -> tuple[str, FloatArray]:
    """How it looks, as a unit vector, and what that was made of."""
    if windows is not None and len(windows) and "feature" in windows.data:
        row = int(np.abs(windows.box - box).sum(1).argmin())
        return "feature", _projected(np.asarray(windows.data["feature"][row], np.float64))
    picture = crop(image, box, SIDE).astype(np.float64)
    return "picture", _projected(picture.ravel())


def _projected(values: FloatArray) -> FloatArray:
    directions = np.random.default_rng(len(values)).standard_normal((len(values), LENGTH))
    centred = values - values.mean()
    projected = centred @ directions
    return np.asarray(np.round(projected / max(float(np.linalg.norm(projected)), 1e-9), 4))


def map_of(region: RegionScores, offset: float) -> dict[str, Any] | None:
    """Where in its box a region is amiss, as plain numbers: the map that rises highest; None where there is none.

    Args:
        region: One row, or none.
        offset: What its time counts from, in seconds since 1970.

    Returns:
        `part`, `at` (seconds since 1970), `box` (x1, y1, x2, y2 in pixels) and `values`, rows from the top of the box.
    """
    if not len(region) or not region.maps:
        return None
    part = max(region.maps, key=lambda name: float(region.maps[name][0].max()))
    values = np.round(np.asarray(region.maps[part][0], np.float64), 3).tolist()
    box = np.round(np.asarray(region.box[0], np.float64), 1).tolist()
    return {"part": part, "at": round(offset + float(region.seconds[0]), 3), "box": box, "values": values}


def alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two events are of the same kind of thing at the same place: odd in the same part, near, and of one look.

    Args:
        one: What `likeness_of` gave.
        other: Of another event.
    """
    return closeness(one, other) is not None


def closeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    """How much two alike events look like each other, up to 1; None where they are not alike.

    Args:
        one: What `likeness_of` gave.
        other: Of another event.
    """
    if one["part"] != other["part"] or one["by"] != other["by"]:
        return None
    if not one["places"]:
        return 1.0  # nothing was seen in either
    plain = not any(one["look"]) and not any(other["look"])  # of one colour, both
    look = 1.0 if plain else float(np.dot(one["look"], other["look"]))
    near = look >= LOOK and _near(np.array(one["places"]), np.array(other["places"]))
    return look if near else None


def _near(ours: FloatArray, theirs: FloatArray) -> bool:
    """Whether any place of the one is near any of the other, and of a size like it; `(N, 4)` shares of the picture."""
    centres = (ours[:, None, :2] + ours[:, None, 2:] - theirs[None, :, :2] - theirs[None, :, 2:]) / 2  # N, M, 2
    sizes = [places[:, 2:] - places[:, :2] for places in (ours, theirs)]
    reach = NEAR * (sizes[0][:, None] + sizes[1][None]).max(axis=2) / 2  # N, M
    heights = sizes[0][:, None, 1] / np.maximum(sizes[1][None, :, 1], 1e-9)
    fits = (np.abs(centres).max(axis=2) <= reach) & (heights <= SIZES) & (heights >= 1 / SIZES)
    return bool(fits.any())
