"""Tables beside the footage: labels of whole videos, and true boxes of what is abnormal."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from amiss.datasets.files import read_text
from amiss.errors import DatasetError
from amiss.footage.features import FEATURE_SUFFIXES
from amiss.footage.file import VIDEO_SUFFIXES
from amiss.types import BoolArray, FloatArray, IntArray, Tube

__all__ = ["as_tube", "between", "box_around", "no_boxes", "read_box_table", "read_video_labels", "stem_of"]

_SUFFIXES = VIDEO_SUFFIXES | FEATURE_SUFFIXES
_CORNERS = ("x1", "y1", "x2", "y2")


def stem_of(name: str) -> str:
    r"""The name of a video without folders and without the suffix of a video or feature file.

    Other dots stay, since names of films have some: `Abuse/Abuse001_x264.mp4` is `Abuse001_x264`, and
    `Bad.Boys.1995__#1_label_A` stays whole.

    Args:
        name: As it stands in a list, with `/` or `\` between folders.
    """
    last = re.split(r"[/\\]", name.strip())[-1]
    head, dot, suffix = last.rpartition(".")
    return head if head and (dot + suffix).lower() in _SUFFIXES else last


def read_video_labels(path: Path) -> dict[str, int]:
    """Labels of whole videos from a table with the columns `video,label`; a line of headings may be left out.

    Args:
        path: The text file. Spaces around values do not count.

    Returns:
        For each video, by its name without folders and suffix, 1 where something abnormal happens in it, else 0.

    Raises:
        DatasetError: It is missing or empty, a label is not 0 or 1, or a video has two different ones.
    """
    labels: dict[str, int] = {}
    for number, row in enumerate(csv.reader(read_text(path).splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (not labels and [cell.lower() for cell in cells] == ["video", "label"]):
            continue
        if len(cells) != 2 or not stem_of(cells[0]) or cells[1] not in ("0", "1"):
            raise DatasetError(f"{path}, line {number} is not a video and its label 0 or 1: {','.join(row)[:80]}")
        name, label = stem_of(cells[0]), int(cells[1])
        if labels.setdefault(name, label) != label:
            raise DatasetError(f"{path}, line {number} gives {name} the label {label}, and an earlier line another")
    if not labels:
        raise DatasetError(f"{path} names no video; write lines of video,label")
    return labels


def read_box_table(path: Path, video: str, frame: str, first: int = 0) -> dict[str, tuple[IntArray, FloatArray]]:
    """Boxes from a table with a line of headings: a video, a frame and the corners `x1,y1,x2,y2` a line.

    Args:
        path: The text file.
        video: Heading of the column of names.
        frame: Heading of the column of frame numbers.
        first: What the first frame is called.

    Returns:
        For each video, by its name without folders and suffix, its frames `(M,)` int64 from 0, not decreasing, and
        boxes `(M, 4)` float64 pixels.

    Raises:
        DatasetError: It is missing, a column is, or a line is not such a box.
    """
    reader = csv.DictReader(read_text(path).splitlines(), skipinitialspace=True)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if missing := {video, frame, *_CORNERS} - set(reader.fieldnames):
        names = f"{video},{frame},x1,y1,x2,y2"
        raise DatasetError(f"{path} has no column {min(missing)}; begin it with the line {names}")
    rows: dict[str, list[tuple[float, ...]]] = {}
    for values in reader:
        numbers = _box(values, frame, first)
        if numbers is None:
            raise DatasetError(f"{path}, line {reader.line_num} is not a frame from {first} and a box x1,y1,x2,y2")
        rows.setdefault(stem_of(values[video] or ""), []).append(numbers)
    return {name: _columns(boxes) for name, boxes in rows.items()}


def _box(values: Mapping[str, str | None], frame: str, first: int) -> tuple[float, ...] | None:
    """The frame from 0 and the corners of a line, or None where it has none."""
    try:
        number, *corners = (float(values[name] or "") for name in (frame, *_CORNERS))
    except ValueError:
        return None
    upright = corners[0] <= corners[2] and corners[1] <= corners[3] and all(map(math.isfinite, corners))
    return (number - first, *corners) if upright and number.is_integer() and number >= first else None


def _columns(rows: Sequence[tuple[float, ...]]) -> tuple[IntArray, FloatArray]:
    table = np.array(sorted(rows, key=lambda row: row[0]), np.float64)
    return table[:, 0].astype(np.int64), table[:, 1:]


def as_tube(frame: IntArray, xyxy: FloatArray, rate: float) -> Tube:
    """True boxes as a tube.

    Args:
        frame: `(M,)` frame numbers, not decreasing.
        xyxy: `(M, 4)` pixels.
        rate: Frames per second.
    """
    return Tube(frame=frame, seconds=frame / rate, xyxy=xyxy)


def between(frame: IntArray, xyxy: FloatArray, intervals: Sequence[tuple[int, int]]) -> tuple[IntArray, FloatArray]:
    """The box around those of each frame, and interpolated ones for frames between two of the same interval.

    Args:
        frame: `(M,)` numbers of frames, not decreasing.
        xyxy: `(M, 4)` pixels.
        intervals: First and last frame of each.

    Returns:
        `(K,)` increasing frames, and `(K, 4)` boxes.
    """
    known, first = np.unique(frame, return_index=True)
    sides = [np.minimum.reduceat(xyxy[:, :2], first), np.maximum.reduceat(xyxy[:, 2:], first)]
    boxes = np.hstack(sides)
    frames = set(known.tolist())
    for begin, end in intervals:
        inside = known[(known >= begin) & (known <= end)]
        frames |= set(range(int(inside[0]), int(inside[-1]))) if len(inside) else set()
    every = np.array(sorted(frames), np.int64)
    return every, np.column_stack([np.interp(every, known, side) for side in boxes.T])


def no_boxes() -> Tube:
    """The tube of a clip in which nothing is abnormal."""
    return as_tube(np.zeros(0, np.int64), np.zeros((0, 4)), 1.0)


def box_around(masks: BoolArray, rate: float) -> Tube:
    """One box around all abnormal pixels of each frame that has any.

    Args:
        masks: `(T, H, W)` bool, True = abnormal.
        rate: Frames per second.
    """
    frame = np.flatnonzero(masks.any(axis=(1, 2)))
    sides = [_extent(masks[index].any(axis=0)) + _extent(masks[index].any(axis=1)) for index in frame]
    xyxy = np.array([(x1, y1, x2, y2) for x1, x2, y1, y2 in sides], np.float64).reshape(-1, 4)
    return as_tube(frame, xyxy, rate)


def _extent(line: BoolArray) -> tuple[int, int]:
    """Where the True values of a line begin, and where they have ended."""
    return int(line.argmax()), len(line) - int(line[::-1].argmax())
