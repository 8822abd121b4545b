"""Where boxes come from: one interface, a registry, and what every source's boxes go through."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from amiss.config import BoxesConfig, PerceptionConfig
from amiss.datasets.files import archive_keys, find_key, own_split_first, read_array
from amiss.errors import DatasetError, FootageError, ShapeError
from amiss.perception.motion import MotionBoxes
from amiss.perception.network_boxes import NetworkBoxes, resolve_boxes
from amiss.perception.pose_files import PoseBoxes
from amiss.perception.track_files import TrackBoxes
from amiss.registry import Registry
from amiss.types import NO_TRACK, BoolArray, Boxes, FloatArray, Frame, IntArray

__all__ = ["BOX_SOURCES", "BoxSource", "FileBoxes", "tidy"]


class BoxSource(Protocol):
    """Finds boxes in frames given in order."""

    def reset(self, origin: Path | None) -> None:
        """Begin new footage.

        Args:
            origin: Where the footage lies, None for frames from elsewhere.

        Raises:
            FootageError: The source has nothing for it.
        """

    def update(self, frame: Frame) -> Boxes:
        """The boxes in `frame`; all of them have track ids if the source knows any, else none has."""

    def fingerprint(self, origin: Path | None) -> str:
        """A hash of whatever else than the footage and the settings the boxes come from; empty if there is nothing."""


class FileBoxes:
    """Boxes that were found before, from an `.npz` with `NAME_boxes` `(n, 4)` and `NAME_frame_ptr` `(T + 1,)`.

    `NAME` is the clip's file or folder name without suffix. `NAME_confidence` and `NAME_label` are taken if they are
    there.
    """

    def __init__(self, config: BoxesConfig) -> None:
        self._path = config.path
        self._boxes = Boxes.empty()
        self._rows: IntArray = np.zeros(1, np.int64)

    def reset(self, origin: Path | None) -> None:
        """Read the boxes of the clip at `origin`.

        Raises:
            FootageError: There is no such file, or it has no such clip.
        """
        if origin is None:
            raise FootageError("boxes from a file need footage with a place; choose perception.boxes.source=motion")
        path = self._path or find_box_file(origin)
        self._boxes, self._rows = read_boxes(path, origin.stem)

    def update(self, frame: Frame) -> Boxes:
        """The boxes of `frame`, by its index.

        Raises:
            FootageError: The file ends before the footage.
        """
        if frame.index + 1 >= len(self._rows):
            raise FootageError(f"the box file has {len(self._rows) - 1} frames and the footage more; use its own file")
        return self._boxes[int(self._rows[frame.index]) : int(self._rows[frame.index + 1])]

    def fingerprint(self, origin: Path | None) -> str:
        """A hash of the clip's boxes."""
        self.reset(origin)
        columns = (self._boxes.xyxy, self._boxes.confidence, self._boxes.label, self._rows)
        return hashlib.blake2b(b"".join(column.tobytes() for column in columns), digest_size=16).hexdigest()


def find_box_file(origin: Path) -> Path:
    """The box file above a clip that knows it: of its own split if the path names one.

    Raises:
        FootageError: There is none.
    """
    names = [f"boxes_{split}.npz" for split in own_split_first(origin)]
    for folder in list(origin.resolve().parents)[:4]:
        for name in names:
            if (folder / name).is_file() and _key_of(folder / name, origin.stem):
                return folder / name
    raise FootageError(
        f"no {' or '.join(names)} with the clip {origin.stem!r} above {origin}; "
        "set perception.boxes.path, or choose perception.boxes.source=motion"
    )


def _key_of(path: Path, name: str) -> str | None:
    """What the box file calls the clip `name`, None if it does not know it."""
    return find_key((key.removesuffix("_boxes") for key in archive_keys(path) if key.endswith("_boxes")), name)


def read_boxes(path: Path, name: str) -> tuple[Boxes, IntArray]:
    """All boxes of a clip, and the rows at which its frames begin.

    Raises:
        DatasetError: The file is damaged.
        FootageError: It has no such clip.
    """
    clip, keys = _key_of(path, name), archive_keys(path)
    if clip is None or f"{clip}_frame_ptr" not in keys:
        raise FootageError(f"the box file {path} has no clip {name!r}")
    given = {key: read_array(path, f"{clip}_{key}") for key in ("confidence", "label") if f"{clip}_{key}" in keys}
    boxes, rows = read_array(path, f"{clip}_boxes"), read_array(path, f"{clip}_frame_ptr")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DatasetError(f"{path} is damaged: the boxes of {clip} have the shape {boxes.shape}, not (n, 4)")
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not _divides(rows, len(boxes)):
        raise DatasetError(f"{path} is damaged: {clip}_frame_ptr does not divide the {len(boxes)} boxes into frames")
    upright = np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)
    try:
        return Boxes(upright, **given), rows
    except ShapeError as error:
        raise DatasetError(f"{path} is damaged: {clip}: {error}") from None


def _divides(rows: IntArray, count: int) -> bool:
    """Whether rows begin at 0, never decrease and end at `count`."""
    return bool(len(rows) and rows[0] == 0 and rows[-1] == count and (rows[1:] >= rows[:-1]).all())


def tidy(boxes: Boxes, config: BoxesConfig, size: tuple[int, int]) -> Boxes:
    """Clip boxes to the picture; drop unsure and small ones, and the smaller of two that cover each other.

    Boxes that come with a track are kept as long as the picture has any of them: whoever followed them has chosen.

    Args:
        boxes: Boxes of one frame.
        config: Thresholds.
        size: Width and height of the picture.
    """
    width, height = size
    limit = np.array([width, height, width, height], np.float32)
    inside = Boxes(np.clip(boxes.xyxy, 0, limit), boxes.confidence, boxes.label, boxes.track)
    large = np.where(inside.track == NO_TRACK, inside.area >= config.min_area, inside.area > 0)
    kept = inside[large & ((inside.confidence >= config.confidence) | (inside.track != NO_TRACK))]
    return kept[(kept.track != NO_TRACK) | ~_is_covered(kept.xyxy, kept.area, config.covered)]


def _is_covered(xyxy: FloatArray, area: FloatArray, share: float) -> BoolArray:
    """`(N,)` whether a larger box (the earlier of equals) covers more than `share` of it."""
    shared = np.clip(
        np.minimum(xyxy[:, None, 2:], xyxy[None, :, 2:]) - np.maximum(xyxy[:, None, :2], xyxy[None, :, :2]), 0, None
    ).prod(2)
    order = np.lexsort((-np.arange(len(area)), area))
    rank = np.empty(len(area), np.int64)
    rank[order] = np.arange(len(area))
    larger = rank[None, :] > rank[:, None]
    return np.asarray((larger & (shared > share * area[:, None])).any(1))


BOX_SOURCES: Registry[Callable[[PerceptionConfig], BoxSource]] = Registry("box source")
BOX_SOURCES.add("motion", lambda config: MotionBoxes(config.boxes.motion))
BOX_SOURCES.add("file", lambda config: FileBoxes(config.boxes))
BOX_SOURCES.add("tracks", lambda config: TrackBoxes(config.boxes))
BOX_SOURCES.add("poses", lambda config: PoseBoxes(config.poses))
BOX_SOURCES.add("network", lambda config: NetworkBoxes(config.boxes))
BOX_SOURCES.add("auto", lambda config: BOX_SOURCES[resolve_boxes(config.boxes).source](config))
