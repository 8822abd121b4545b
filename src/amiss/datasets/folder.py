"""Footage of one's own: a folder of normal footage, a folder to test on, and, if there are any, labels.

Layout: `training/` (or `normal/`) and `testing/`, each with video files, folders of frames, or folders of those. Labels
are intervals in `labels.csv`, or `frame_labels.npz`. That table has a line of headings, and a line for each abnormal
interval: `clip,start,end` in seconds (from start up to, not including, end), or `clip,start_frame,end_frame` (from 0,
both inside). A clip that it does not name is normal throughout; a line with a clip alone says so in words.

For weak supervision `abnormal/` has videos in which something abnormal happens somewhere. True boxes of test clips are
in `boxes.csv`: `clip,frame,x1,y1,x2,y2`, frames from 0, pixels, a line a box; a clip that it does not name has none.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from amiss.datasets.base import Clip, Dataset, Found, Split, length_of
from amiss.datasets.files import from_intervals, read_text
from amiss.datasets.tables import as_tube, no_boxes, read_box_table, stem_of
from amiss.errors import DatasetError
from amiss.footage import FeatureFile, Footage, FrameFolder, find_footage
from amiss.types import FloatArray, Image, IntArray, Tube

__all__ = ["PlainFolder"]

_TABLE = "labels.csv"
_BOXES = "boxes.csv"
_SECONDS = ("start", "end")
_FRAMES = ("start_frame", "end_frame")
_Row = tuple[str, float, float, int]


class PlainFolder(Dataset):
    """A plain folder of footage with an optional table of abnormal intervals."""

    id = "folder"
    title = "a plain folder"
    looked_for = "training/ (or normal/) and testing/ with video files or folders of frames, abnormal/ for weak labels"

    def _find(self, split: Split) -> Sequence[Found]:
        names = ("training", "normal") if split == "training" else ("testing",)
        folder = next((self.root / name for name in names if (self.root / name).is_dir()), None)
        return self._under(folder) if folder else []

    def _under(self, folder: Path) -> list[Found]:
        return [(found.name, found.path) for found in find_footage([folder], self.fps)]

    def _weak(self) -> list[tuple[Clip, int]]:
        folder = self.root / "abnormal"
        return [(self._beside(*found), 1) for found in self._under(folder)] if folder.is_dir() else []

    def _read_labels(self, clip: Clip) -> Image | None:
        labels = super()._read_labels(clip)
        if labels is not None or self._table is None:
            return labels
        unit, rows = self._table
        own = [row for row in rows if row[0] == clip.name]
        if unit == _FRAMES:
            spans = [(int(first), int(last)) for _, first, last, _ in own]
            return from_intervals(spans, length_of(clip.footage), f"clip {clip.name} in {_TABLE}")
        return _within(_seconds(clip.footage), own, self.root / _TABLE)

    @cached_property
    def _table(self) -> tuple[tuple[str, str], list[_Row]] | None:
        """The columns' names, and rows of clip, start, end and line number; None without a table."""
        path = self.root / _TABLE
        if not path.is_file():
            return None
        reader = csv.DictReader(read_text(path).splitlines(), skipinitialspace=True)
        given = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = given
        unit = next((unit for unit in (_FRAMES, _SECONDS) if {"clip", *unit} <= set(given)), None)
        if unit is None:
            raise DatasetError(f"{path} has no columns clip,start,end or clip,start_frame,end_frame in its first line")
        known = {clip.name for clip in self._clips["testing"]}
        rows = [_row(path, number, values, unit, known) for number, values in enumerate(reader, start=2)]
        return unit, [row for row in rows if row is not None]

    def _read_event(self, clip: Clip) -> Tube | None:
        if self._boxes is None:
            return super()._read_event(clip)
        own = self._boxes.get(stem_of(clip.name))
        return no_boxes() if own is None else as_tube(*own, clip.footage.rate)

    @cached_property
    def _boxes(self) -> dict[str, tuple[IntArray, FloatArray]] | None:
        """True boxes by clip; None without a table."""
        path = self.root / _BOXES
        boxes = read_box_table(path, "clip", "frame") if path.is_file() else None
        if strange := set(boxes or ()) - {stem_of(clip.name) for clip in self._clips["testing"]}:
            raise DatasetError(f"{path} names the clip {min(strange)!r}, which is not in testing/")
        return boxes


def _row(path: Path, line: int, values: dict[str, str | None], unit: tuple[str, str], known: set[str]) -> _Row | None:
    """One interval, or None where the line names a clip alone."""
    clip, start, end = ((values[name] or "").strip() for name in ("clip", *unit))
    if clip not in known:
        raise DatasetError(f"{path}, line {line} names the clip {clip!r}, which is not in testing/")
    if not start and not end:
        return None
    try:
        interval = float(start), float(end)
    except ValueError as error:
        raise DatasetError(f"{path}, line {line}: {start!r} and {end!r} are not two numbers") from error
    if not 0 <= interval[0] <= interval[1]:
        raise DatasetError(f"{path}, line {line}: the interval {start} to {end} does not run forward from 0 or later")
    return clip, *interval, line


def _seconds(footage: Footage) -> FloatArray:
    """The time of every frame; a video must be read for it, since its rate may vary."""
    if isinstance(footage, FrameFolder | FeatureFile):
        return np.arange(footage.length) / footage.rate
    return np.array([frame.seconds for frame in footage])


def _within(seconds: FloatArray, rows: Sequence[_Row], path: Path) -> Image:
    """1 where a frame's time lies in an interval."""
    labels = np.zeros(len(seconds), np.uint8)
    for clip, start, end, line in rows:
        inside = (seconds >= start) & (seconds < end)
        if not inside.any():
            raise DatasetError(f"{path}, line {line}: no frame of {clip} lies between {start} and {end} s")
        labels[inside] = 1
    return labels
