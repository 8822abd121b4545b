"""What is true of a frame: boxes, joints, pixels, and what of it is abnormal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amiss.footage.world.actors import NORMAL
from amiss.footage.world.render import Drawn
from amiss.types import BoolArray, Boxes, FloatArray, Frame, IntArray, Poses, Tube

__all__ = ["OCCLUDED", "Scene", "incident_tubes", "look_at"]

OCCLUDED = 0.25
"""Confidence of a joint that lies in the picture but is hidden; 0 outside the picture, 1 where it is seen."""

_SMALLEST = 40 / (640 * 360)
"""Share of the picture that must be seen of a thing for it to count."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A frame and everything that is true of it.

    Attributes:
        frame: The frame.
        boxes: The visible extent of each object, with its track id and label; one row an object.
        poses: The bodies among the objects; `track` says whose.
        ids: `(H, W)` uint16, the track id that each pixel shows, 0 where there is none.
        abnormal: `(N,)` whether each object of `boxes` does something abnormal now.
        incident: `(N,)` the number of the incident it takes part in, -1 for none.
    """

    frame: Frame
    boxes: Boxes
    poses: Poses
    ids: NDArray[np.uint16]
    abnormal: BoolArray
    incident: IntArray

    @property
    def mask(self) -> BoolArray:
        """`(H, W)` the visible pixels of abnormal objects."""
        return self.mask_of(self.boxes.track[self.abnormal])

    def mask_of(self, tracks: IntArray) -> BoolArray:
        """`(H, W)` the visible pixels of the objects with these track ids."""
        mask = np.zeros(self.ids.shape, np.bool_)
        for track in tracks:
            mask |= self.ids == track
        return mask


def look_at(drawn: Drawn, index: int, seconds: float) -> Scene:
    """The truth of a drawn frame.

    Args:
        drawn: The frame.
        index: Its number.
        seconds: Its time.
    """
    height, width = drawn.ids.shape
    least = max(4.0, _SMALLEST * height * width)
    kept, boxes = [], []
    for row, actor in enumerate(drawn.actors):
        box = _visible(drawn.ids, drawn.extents[row], actor.ident, least)
        if box is not None:
            kept.append(row)
            boxes.append(box)
    actors = [drawn.actors[row] for row in kept]
    track = np.array([actor.ident for actor in actors], np.int64)
    incident = np.array([actor.incident for actor in actors], np.int64)
    table = Boxes(
        np.array(boxes, np.float32).reshape(-1, 4),
        label=np.array([actor.label for actor in actors], np.int16),
        track=track,
    )
    bodies = [row for row in kept if drawn.rows[row] >= 0]
    idents = np.array([drawn.actors[row].ident for row in bodies], np.int64)
    joints = _joints(drawn.joints[[drawn.rows[row] for row in bodies]], idents, drawn.ids)
    poses = Poses(joints, idents)
    return Scene(Frame(drawn.image, index, seconds), table, poses, drawn.ids, incident != NORMAL, incident)


def _visible(ids: NDArray[np.uint16], extent: FloatArray, ident: int, least: float) -> tuple[int, int, int, int] | None:
    """The tight box of an object's visible pixels; None where fewer than `least` are seen."""
    height, width = ids.shape
    x1, y1 = max(0, int(extent[0])), max(0, int(extent[1]))
    x2, y2 = min(width, int(extent[2]) + 1), min(height, int(extent[3]) + 1)
    if x1 >= x2 or y1 >= y2:
        return None
    own = ids[y1:y2, x1:x2] == ident
    columns, rows = own.any(axis=0), own.any(axis=1)
    if np.count_nonzero(own) < least:
        return None
    left, top = int(columns.argmax()), int(rows.argmax())
    right, bottom = len(columns) - int(columns[::-1].argmax()), len(rows) - int(rows[::-1].argmax())
    return x1 + left, y1 + top, x1 + right, y1 + bottom


def _joints(seen: FloatArray, idents: IntArray, ids: NDArray[np.uint16]) -> FloatArray:
    """`(P, 17, 3)` joints with their confidence, from joints with their depth."""
    height, width = ids.shape
    out = np.zeros((len(seen), 17, 3), np.float32)
    out[..., :2] = seen[..., :2]
    x, y = seen[..., 0], seen[..., 1]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    shown = np.zeros(inside.shape, np.bool_)
    for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        column = np.clip(x.astype(np.int64) + dx, 0, width - 1)
        row = np.clip(y.astype(np.int64) + dy, 0, height - 1)
        shown |= ids[row, column] == idents[:, None]
    out[..., 2] = np.where(inside, np.where(shown, 1.0, OCCLUDED), 0.0)
    return out


def incident_tubes(scenes: Iterable[Scene]) -> dict[int, Tube]:
    """The abnormal acts as volumes: by number of the incident, the boxes of all who take part, in time order."""
    parts: dict[int, list[Tube]] = {}
    for scene in scenes:
        for number in np.unique(scene.incident[scene.abnormal]):
            rows = scene.incident == number
            count = int(rows.sum())
            tube = Tube(
                np.full(count, scene.frame.index), np.full(count, scene.frame.seconds),
                scene.boxes.xyxy[rows], scene.boxes.track[rows],
            )  # fmt: skip
            parts.setdefault(int(number), []).append(tube)
    return {number: Tube.merge(tubes) for number, tubes in sorted(parts.items())}
