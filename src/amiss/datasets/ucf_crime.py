"""UCF-Crime: 1,900 long surveillance videos of thirteen kinds of crimes and accidents, and of everyday life.

Lists, as published, in the root: `Anomaly_Train.txt` names the 1,610 training videos, `Temporal_Anomaly_Annotation.txt`
(or a longer name that begins like it) the 290 test videos, a line each: name, class, and first and last frame of up to
two abnormal intervals, -1 for none. Frames count from 1, and both ends are inside; some intervals end a frame or two
after their video. Copies of that list that have the number of frames behind the name, as
`with_lengths_Test_Annotation.txt`, do as well.

Videos, folders of frames and files of features are looked for by name in any folder, at most three deep, such as
`Abuse/Abuse001_x264.mp4`, `Abuse001_x264.npy`, `Abuse001_x264_i3d.npy` and `Abuse001_x264_C.txt`. Those of which
nothing is there do not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from amiss.datasets.base import Clip, Dataset, Found, Split, length_of
from amiss.datasets.files import from_intervals, read_text
from amiss.datasets.layout import footage_by_name
from amiss.datasets.tables import as_tube, between, no_boxes, read_box_table, stem_of
from amiss.errors import DatasetError
from amiss.types import FloatArray, Image, IntArray, Tube

__all__ = ["STUCFCrime", "UCFCrime", "VideoTruth", "read_test_list"]

_TRAINING = "Anomaly_Train.txt"
_TESTING = "Temporal_Anomaly_Annotation"
_LENGTHS = "with_lengths_Test_Annotation.txt"
_BOXES = "bbox_test.csv"


@dataclass(frozen=True)
class VideoTruth:
    """What the list says about a test video.

    Attributes:
        kind: Its class, `Normal` for everyday life.
        intervals: First and last abnormal frame, from 0, both inside.
        frames: Number of its frames, None where the list has none.
    """

    kind: str
    intervals: tuple[tuple[int, int], ...]
    frames: int | None = None


class UCFCrime(Dataset):
    """UCF-Crime. Labels of frames come from `test_frame_labels.npz` or `frame_labels.npz`, else from the list.

    `bbox_test.csv` has boxes of what is abnormal, `video,frame_1based,x1,y1,x2,y2`, in about every sixteenth abnormal
    frame of the test videos; between two of an abnormal interval they are interpolated. All videos count as one camera:
    each shows another place.
    """

    id = "ucf-crime"
    title = "UCF-Crime"
    rate = 30.0
    published: ClassVar[Mapping[Split, int]] = {"training": 1610, "testing": 290}
    label_files = ("test_frame_labels.npz", "frame_labels.npz")
    looked_for = (
        f"{_TRAINING} (training) and {_TESTING}.txt (testing), with videos, frames or features of what they name in "
        "any folder, as Abuse/Abuse001_x264.mp4 or Abuse001_x264_i3d.npy"
    )
    without: ClassVar[str | None] = None
    """A class of videos that do not count."""

    def _find(self, split: Split) -> Sequence[Found]:
        names = [name for name, label in self._trained.items() if not label] if split == "training" else self._tested
        return self._there(names)

    def _weak(self) -> list[tuple[Clip, int]]:
        names = [name for name, label in self._trained.items() if label]
        return [(self._beside(*found), 1) for found in self._there(names)]

    def _there(self, names: Sequence[str] | Mapping[str, VideoTruth]) -> list[Found]:
        """Those of the names that there is something of."""
        return [(name, self._footage[_short(name)]) for name in names if _short(name) in self._footage]

    @cached_property
    def _footage(self) -> dict[str, Path]:
        return {_short(name): path for name, path in footage_by_name(self.root).items()}

    @cached_property
    def _trained(self) -> dict[str, int]:
        """The label of each training video, in the order of the list."""
        path = self.root / _TRAINING
        lines = [line for line in map(str.strip, read_text(path).splitlines()) if line] if path.is_file() else []
        labels = {stem_of(line): int(not _is_normal(line)) for line in lines}
        return {name: label for name, label in labels.items() if self._counts(name)}

    @cached_property
    def _tested(self) -> dict[str, VideoTruth]:
        """The test videos, in the order of the list."""
        paths = [*sorted(self.root.glob(f"{_TESTING}*.txt")), self.root / _LENGTHS]
        path = next((path for path in paths if path.is_file()), None)
        videos = {} if path is None else read_test_list(path)
        return {name: video for name, video in videos.items() if self._counts(name)}

    @cached_property
    def _lengths(self) -> dict[str, int]:
        """Numbers of frames of test videos, where a list has them."""
        path = self.root / _LENGTHS
        listed = self._tested | (read_test_list(path) if path.is_file() else {})
        return {name: video.frames for name, video in listed.items() if video.frames}

    def _counts(self, name: str) -> bool:
        return self.without is None or not name.startswith(self.without)

    def _frames(self, split: Split, name: str) -> int | None:
        return self._lengths.get(name) or super()._frames(split, name)

    def _read_labels(self, clip: Clip) -> Image | None:
        labels = super()._read_labels(clip)
        if labels is not None:
            return labels
        length = length_of(clip.footage)
        spans = [(first, min(last, length - 1)) for first, last in self._tested[clip.name].intervals]
        return from_intervals(spans, length, f"clip {clip.name} in {self.root}")

    @cached_property
    def _boxes(self) -> dict[str, tuple[IntArray, FloatArray]] | None:
        path = self.root / _BOXES
        return read_box_table(path, "video", "frame_1based", first=1) if path.is_file() else None

    def _read_event(self, clip: Clip) -> Tube | None:
        if self._boxes is None:
            return super()._read_event(clip)
        if _is_normal(self._tested[clip.name].kind):
            return no_boxes()
        own = self._boxes.get(clip.name)
        if own is None:
            return None
        frame, xyxy = between(*own, self._tested[clip.name].intervals)
        return as_tube(frame, xyxy, clip.footage.rate)


class STUCFCrime(UCFCrime):
    """ST-UCF-Crime: the same without the videos of explosions, which leaves 119 abnormal and 150 normal test videos.

    The paper counts 1,580 training videos; without the explosions of the list there are 1,581. Its own boxes are not
    public; those of `bbox_test.csv` are of the same test videos.
    """

    id = "st-ucf-crime"
    title = "ST-UCF-Crime"
    published: ClassVar[Mapping[Split, int]] = {"training": 1581, "testing": 269}
    without = "Explosion"


def read_test_list(path: Path) -> dict[str, VideoTruth]:
    """The list of test videos: name, number of frames (or nothing), class, and two intervals of frames from 1, or -1.

    Args:
        path: The text file, with any space between values.

    Returns:
        What it says of each video, by its name without folders and suffix.

    Raises:
        DatasetError: A line has something else, or it is missing or names no video.
    """
    videos = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        match = re.fullmatch(r"\s*(\S+)\s+(?:(\d+)\s+)?(\S+)((?:\s+-?\d+){4})\s*", line)
        ends = [int(end) for end in match[4].split()] if match else []
        spans = [(first - 1, last - 1) for first, last in zip(ends[::2], ends[1::2], strict=True) if first != -1]
        if match is None or not all(0 <= first <= last for first, last in spans):
            raise DatasetError(f"{path}, line {number} is not a video, a class and two intervals: {line.strip()[:80]}")
        videos[stem_of(match[1])] = VideoTruth(match[3], tuple(spans), int(match[2]) if match[2] else None)
    if not videos:
        raise DatasetError(f"{path} names no video; copy it again")
    return videos


def _is_normal(text: str) -> bool:
    """Whether a name, with its folders, or a class says that nothing abnormal happens."""
    return "normal" in text.lower() and "abnormal" not in text.lower()


def _short(name: str) -> str:
    """A name without the mark of its coding, which some copies leave out."""
    return name.removesuffix("_x264")
