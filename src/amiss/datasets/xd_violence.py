"""XD-Violence: 4,754 videos of films, sports and surveillance, of which some show violence.

Layout: videos, or files of features, in `training/` (or `train/`) and `testing/` (or `test/`), and in folders in there.
What a video shows stands in its name: `NAME_label_A` is normal, `NAME_label_B1-0-0` and all other letters are not. The
features of several crops, `NAME__0.npy` to `NAME__4.npy`, are of one video, of which the first file counts.

`annotations.txt` names the abnormal test videos, each with pairs of frames at 24 frames per second: the first abnormal
one from 0, and the one after the last. A `frame_labels.npz` in the form of the feature files has `names`, `n_segments`
and `gt`: the labels of all videos one after the other, sixteen frames a segment. Both say the same of every frame that
both have. They differ where a video ends: the segments leave out up to fifteen frames, to which intervals may extend.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from amiss.datasets.base import Clip, Dataset, Found, Split, length_of
from amiss.datasets.files import archive_keys, as_labels, from_intervals, read_array, read_text
from amiss.datasets.layout import footage_by_name
from amiss.datasets.tables import no_boxes, stem_of
from amiss.errors import DatasetError
from amiss.footage.names import safe_name
from amiss.types import Image, Tube

__all__ = ["XDViolence", "read_annotations", "read_segment_labels"]

_FOLDERS: Mapping[Split, tuple[str, str]] = {"training": ("training", "train"), "testing": ("testing", "test")}
_LIST = "annotations.txt"
_PACKED = ("names", "gt", "n_segments")
_SEGMENT = 16


class XDViolence(Dataset):
    """XD-Violence, by the labels in its videos' names.

    Labels of frames come from `annotations.txt`; of videos that it does not name, and without it, from
    `frame_labels.npz`, whose last label goes on to the end of the video; normal videos need neither.
    """

    id = "xd-violence"
    title = "XD-Violence"
    rate = 24.0
    published: ClassVar[Mapping[Split, int]] = {"training": 3954, "testing": 800}
    looked_for = (
        f"training/ (or train/) and testing/ (or test/) with NAME_label_A.mp4, NAME_label_B1-0-0.mp4, … or .npy of "
        f"features, and {_LIST}"
    )

    def _find(self, split: Split) -> Sequence[Found]:
        found = self._footage(split)
        return [clip for clip in found if split == "testing" or _is_normal(*clip)]

    def _weak(self) -> list[tuple[Clip, int]]:
        return [(self._beside(*found), 1) for found in self._footage("training") if not _is_normal(*found)]

    def _footage(self, split: Split) -> list[Found]:
        folder = next((self.root / name for name in _FOLDERS[split] if (self.root / name).is_dir()), None)
        return [] if folder is None else list(footage_by_name(folder).items())

    @cached_property
    def _listed(self) -> dict[str, str]:
        """Names as they stand in lists, by those of test clips, in which some letters are replaced."""
        found = [name for name, _ in self._footage("testing")]
        return {safe_name(name): name for name in found or self._labelled()}

    def _labelled(self) -> list[str]:
        return super()._labelled() if self._segments is None else list(self._segments)

    @cached_property
    def _intervals(self) -> dict[str, list[tuple[int, int]]]:
        path = self.root / _LIST
        return read_annotations(path) if path.is_file() else {}

    @cached_property
    def _segments(self) -> dict[str, Image] | None:
        """Labels by name from the archive in its packed form; None where it has another, or is absent."""
        path = self._label_file
        packed = path is not None and set(_PACKED) <= set(archive_keys(path))
        return read_segment_labels(path) if path is not None and packed else None

    def _listed_labels(self, name: str) -> Image | None:
        return super()._listed_labels(name) if self._segments is None else self._segments.get(name)

    def _read_labels(self, clip: Clip) -> Image | None:
        length = length_of(clip.footage)
        name = self._listed[clip.name]
        if name in self._intervals:
            spans = [(first, min(end, length) - 1) for first, end in self._intervals[name]]
            return from_intervals(spans, length, f"clip {clip.name} in {self.root / _LIST}")
        listed = self._listed_labels(name)
        if listed is None:
            return np.zeros(length, np.uint8) if _is_normal(clip.name, clip.footage.path) else None
        rest = length - len(listed)
        return np.pad(listed, (0, rest), mode="edge") if 0 < rest < _SEGMENT and len(listed) else listed

    def _read_event(self, clip: Clip) -> Tube | None:
        return no_boxes() if _is_normal(clip.name, clip.footage.path) else super()._read_event(clip)


def _is_normal(name: str, path: Path) -> bool:
    """Whether the label in a video's name says that nothing abnormal happens."""
    label = re.search(r"_label_([A-Z][A-Z0-9]*)(?:-[A-Z0-9]+)*$", name)
    if label is None:
        raise DatasetError(f"{path} does not end in _label_A or the like, which says what it shows; give its full name")
    return label[1] == "A"


def read_annotations(path: Path) -> dict[str, list[tuple[int, int]]]:
    """The abnormal intervals of videos: a line has a name and pairs of frames.

    Args:
        path: The text file.

    Returns:
        For each video, by its name without suffix, the first frame from 0 and the one after the last of each interval.

    Raises:
        DatasetError: It is missing, or a line is not as stated.
    """
    videos = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name, *ends = line.split() or [""]
        if not name:
            continue
        frames = [int(end) for end in ends if end.isdecimal()]
        spans = list(zip(frames[::2], frames[1::2], strict=False))
        if len(frames) != len(ends) or len(ends) % 2 or not ends or not all(first < end for first, end in spans):
            raise DatasetError(f"{path}, line {number} is not a video and pairs of frames: {line.strip()[:80]}")
        videos[stem_of(name)] = spans
    return videos


def read_segment_labels(path: Path) -> dict[str, Image]:
    """Labels of frames from an archive that has those of all videos in one row.

    Args:
        path: An `.npz` with `names` `(V,)`, `n_segments` `(V,)`, and `gt`, sixteen labels a segment.

    Returns:
        `(T,)` uint8 for each video, by its name without suffix.

    Raises:
        DatasetError: It is damaged, or its numbers of segments do not divide the labels.
    """
    names, labels, segments = (read_array(path, key) for key in _PACKED)
    rows = names.dtype.kind == "U" and segments.dtype.kind in "iu" and names.ndim == 1 and names.shape == segments.shape
    if not rows or (segments < 0).any() or int(segments.sum()) * _SEGMENT != labels.size:
        raise DatasetError(f"{path} is damaged: n_segments does not divide gt into the videos of names; copy it again")
    ends = np.cumsum(segments.astype(np.int64)) * _SEGMENT
    pieces = np.split(as_labels(labels, str(path)), ends[:-1])
    return {stem_of(str(name)): piece for name, piece in zip(names, pieces, strict=True)}
