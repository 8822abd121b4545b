"""Segments as the flow takes them: whole, with a neck, in the graph's order, and without place and size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amiss.datasets.files import archive_keys, read_array
from amiss.errors import DatasetError
from amiss.methods.pose_flow.settings import PoseFlowSettings
from amiss.nn.graph import FROM_COCO
from amiss.storage import whole_file
from amiss.types import BoolArray, FloatArray, Windows
from amiss.windows.store import WindowPart

__all__ = ["apart", "known", "normalised", "read_segments", "told", "with_bodies", "write_segments"]

SHOULDERS = [5, 6]
LEAST_SPREAD = 1e-6
NAMES = ("pose", "size")


def known(pose: FloatArray, least: float, joints: int) -> BoolArray:
    """`(N,)` whether at least so many joints are sure, averaged over the frames that have a pose.

    Args:
        pose: `(N, T, 17, 3)` x, y, confidence.
        least: Confidence from which on a joint is sure.
        joints: Their least number.
    """
    there = (pose[..., 2] > 0).any(2).sum(1)  # N
    return np.asarray(_sure(pose, least).sum((1, 2)) >= joints * np.maximum(there, 1))


def told(pose: FloatArray, settings: PoseFlowSettings) -> BoolArray:
    """`(N,)` whether segments `(N, T, 17, 3)` show enough of a body in enough frames."""
    lacking = (~(pose[..., 2] > 0).any(2)).sum(1)
    return np.asarray(known(pose, settings.confidence, settings.joints) & (lacking <= settings.missing))


def apart(part: WindowPart, stride: int, every: int = 1) -> WindowPart:
    """The segments of a clip that are `stride` frames apart.

    Args:
        part: Segments of a clip.
        stride: In frames.
        every: Segments are there at every so many-th frame; with a stride that it does not divide, the nearest is kept.
    """
    return part.only(np.asarray(part.column("frame")) // every % max(round(stride / every), 1) == 0)


def with_bodies(part: WindowPart, settings: PoseFlowSettings) -> WindowPart:
    """The segments of a clip that show enough of a body."""
    return part.only(told(np.asarray(part.column("data.pose")), settings))


def normalised(pose: FloatArray, size: FloatArray, least: float) -> FloatArray:
    """Segments without the place and the size of the person.

    Places are shares of the picture's width and height, from their mean over the segment, in standard deviations of y.

    Args:
        pose: `(N, T, 17, 3)` COCO joints: x, y in pixels, confidence.
        size: `(N, 2)` width and height of the picture in pixels.
        least: Confidence from which on a joint is sure; where it is not, it is taken between where it was and will be.

    Returns:
        `(N, 2, T, 18)` float64 x and y, in the graph's order of joints.
    """
    place = _filled(pose, least) / np.asarray(size, np.float64)[:, None, None]  # N, T, 17, 2
    place = np.concatenate([place, place[:, :, SHOULDERS].mean(2, keepdims=True)], axis=2)[:, :, list(FROM_COCO)]
    place = place - place.mean((1, 2), keepdims=True)
    spread = np.maximum(place[..., 1].std((1, 2)), LEAST_SPREAD)
    return np.asarray((place / spread[:, None, None, None]).transpose(0, 3, 1, 2))


def _sure(pose: FloatArray, least: float) -> BoolArray:
    """`(N, T, 17)` whether each joint is sure; without any confidence it never is."""
    return np.asarray((pose[..., 2] >= least) & (pose[..., 2] > 0))


def _filled(pose: FloatArray, least: float) -> FloatArray:
    """`(N, T, 17, 2)` float64 places, those of unsure joints from the frames around them.

    A joint that is never sure is in the middle of the others.
    """
    sure, place = _sure(pose, least), np.asarray(pose[..., :2], np.float64)
    if sure.all():
        return place
    frames = place.shape[1]
    time = np.arange(frames)[:, None]
    before = np.maximum.accumulate(np.where(sure, time, -1), axis=1)
    after = np.minimum.accumulate(np.where(sure, time, frames)[:, ::-1], axis=1)[:, ::-1]
    first, last = np.where(before < 0, after, before), np.where(after == frames, before, after)
    share = (time - first) / np.maximum(last - first, 1)  # 0 where it was sure on one side only
    start, end = (np.take_along_axis(place, at.clip(0, frames - 1)[..., None], axis=1) for at in (first, last))
    place = start + share[..., None] * (end - start)
    ever = np.asarray(sure.any(1))[:, None, :, None]  # N, 1, 17, 1
    middle = (place * ever).sum(2, keepdims=True) / np.maximum(ever.sum(2, keepdims=True), 1)
    return np.asarray(np.where(ever, place, middle))


def read_segments(path: Path, length: int) -> tuple[FloatArray, FloatArray]:
    """Segments of an archive: `pose` `(N, T, 17, 3)` and `size` `(N, 2)`.

    Args:
        path: The `.npz`.
        length: T.

    Raises:
        DatasetError: It is missing or damaged, or its segments are of another length.
    """
    keys = archive_keys(path)
    if missing := [name for name in NAMES if name not in keys]:
        raise DatasetError(f"{path} has no {missing[0]!r}; an archive of segments has pose and size")
    pose, size = (read_array(path, name) for name in NAMES)
    if pose.ndim != 4 or pose.shape[1:] != (length, 17, 3) or size.shape != (len(pose), 2):
        raise DatasetError(
            f"{path} has poses {pose.shape} and sizes {size.shape}, not (N, {length}, 17, 3) and (N, 2); "
            "cut the segments anew, or set method.length"
        )
    if not np.isfinite(pose).all() or not (size > 0).all():
        raise DatasetError(f"{path} has places that are not finite, or pictures without extent; cut the segments anew")
    return np.asarray(pose, np.float64), np.asarray(size, np.float64)


def write_segments(path: Path, windows: Windows) -> None:
    """Write segments as `read_segments` reads them."""
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez(file, pose=windows.data["pose"], size=windows.data["size"])
