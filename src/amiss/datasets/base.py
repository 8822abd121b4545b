"""What all benchmarks have in common: clips to learn from and to test on, and labels that stay with the dataset.

Weakly supervised methods learn from whole videos with one label each, which `Dataset.weak_training` gives beside the
clips; nothing else that learns sees a label.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from amiss.datasets.files import archive_keys, as_labels, as_masks, find_key, read_array, read_region_tracks
from amiss.datasets.regions import tracks_in
from amiss.datasets.sealed import check_open
from amiss.datasets.tables import box_around
from amiss.datasets.track_files import clips_of, read_tracks
from amiss.errors import DatasetError
from amiss.footage import Footage, FrameFolder, make_footage
from amiss.footage.absent import AbsentFootage
from amiss.footage.features import FEATURE_SUFFIXES
from amiss.footage.names import safe_name
from amiss.types import BoolArray, Image, Track, Tube

__all__ = ["Clip", "Dataset", "Found", "Split", "length_of"]

Split = Literal["training", "testing"]
Found = tuple[str, Path]
"""A clip's name, and its video file or folder of frames."""

_SPLITS: tuple[Split, Split] = ("training", "testing")
# Headers of video files may count a frame or two that no decoder gives.
_SLACK = 2


@dataclass(frozen=True, eq=False)
class Clip:
    """One piece of footage of a benchmark. It carries no label, so that nothing that learns can see one.

    Attributes:
        name: Unique within its split.
        split: What it is for.
        footage: Its frames.
        camera: The place it was filmed at; clips with equal cameras share what is normal.
    """

    name: str
    split: Split
    footage: Footage
    camera: str


class Dataset(ABC):
    """A benchmark on disk, in its official or its community layout.

    Beside the footage every dataset takes `frame_labels.npz` (a row of labels for each test clip, 1 = abnormal), which
    comes before the official labels, `masks.npz` or `masks/CLIP.npz`, `boxes_training.npz` and `boxes_testing.npz`,
    poses likewise or in `pose/train` and `pose/test`, and tracks of abnormal regions in `rbdc_tbdc_tracks/CLIP.txt`.

    Args:
        root: Its folder.
        fps: Frames per second of folders of frames; as published when left out.

    Raises:
        DatasetError: The folder is missing or not laid out as expected.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    rate: ClassVar[float] = 25.0
    """Frames per second as published."""
    size: ClassVar[tuple[int, int]] = (640, 360)
    """Width and height of its pictures as published, where tracks stand in for them."""
    published: ClassVar[Mapping[Split, int]] = {}
    """Number of clips of the full set, where it has one."""
    label_files: ClassVar[tuple[str, ...]] = ("frame_labels.npz",)
    """Archives with a row of labels for each test clip; the first that is there counts."""
    places: ClassVar[str | None] = None
    """What in a clip's name says where it was filmed (a regular expression); None where there is one camera."""
    looked_for: ClassVar[str]
    """The layouts in words, for the message when none fits."""

    def __init__(self, root: Path | str, *, fps: float | None = None) -> None:
        self.root = Path(root)
        self.fps = self.rate if fps is None else fps
        if not self.root.is_dir():
            raise DatasetError(f"{self.root} is not a folder; give the folder of {self.title}")
        self._clips = {split: [self._clip(split, *found) for found in self._find(split)] for split in _SPLITS}
        if not any(self._clips.values()) and not self._more:
            self._clips = self._unfilmed()
        if not any(self._clips.values()) and not self._more:
            raise DatasetError(f"{self.root} is not laid out as {self.title}; looked for {self.looked_for}")

    @abstractmethod
    def _find(self, split: Split) -> Sequence[Found]:
        """The clips of a split that are there, in their order."""

    def _weak(self) -> list[tuple[Clip, int]]:
        """Clips beside those of `training()`, with the label of each, from which weakly supervised methods learn."""
        return []

    @cached_property
    def _more(self) -> list[tuple[Clip, int]]:
        return self._weak()

    def _beside(self, name: str, path: Path) -> Clip:
        """A clip to learn from beside those of `training()`; its folder's name comes before a name that is taken."""
        taken = {clip.name for clip in self._clips["training"]}
        return self._clip("training", f"{path.parent.name}-{name}" if name in taken else name, path)

    def _read_labels(self, clip: Clip) -> Image | None:
        """Labels of a test clip from `frame_labels.npz`, or None without it; datasets add their official form."""
        if self._label_file is None:
            return None
        labels = self._listed_labels(clip.name)
        if labels is None:
            keys = ", ".join(archive_keys(self._label_file)[:5])
            raise DatasetError(f"{self._label_file} has no labels for clip {clip.name}; it has {keys}, …")
        return labels

    def _unfilmed(self) -> dict[Split, list[Clip]]:
        """The clips that are labelled or whose tracks are known, where the data set has no footage at all.

        They keep the order of the file: scores of all clips in one row are in that of the labels.
        """
        labelled = self._labelled()
        named = {split: clips_of(self.root / f"tracks_{split}.npz") for split in _SPLITS}
        names: dict[Split, list[str]] = {"training": named["training"], "testing": named["testing"] or labelled}
        return {split: [self._absent(split, name) for name in names[split]] for split in _SPLITS}

    def _labelled(self) -> list[str]:
        """The names of the test clips in the archive of labels, if there is one."""
        return [] if self._label_file is None else archive_keys(self._label_file)

    def _absent(self, split: Split, name: str) -> Clip:
        """A clip without pictures: as long as its labels or tracks are."""
        path, labels = self.root / f"tracks_{split}.npz", self._listed_labels(name) if split == "testing" else None
        tracks = read_tracks(path, name) if path.is_file() else None
        last = 0 if tracks is None or not len(tracks) else int(tracks[-1, 0]) + 1
        origin = (path if path.is_file() else self._label_file or self.root) / name
        size = self.size if tracks is not None else None
        footage = AbsentFootage(origin, safe_name(name), last if labels is None else len(labels), self.fps, size)
        return Clip(footage.name, split, footage, self._camera(name))

    @property
    def _label_file(self) -> Path | None:
        """The archive of labels, if there is one."""
        return next((self.root / name for name in self.label_files if (self.root / name).is_file()), None)

    def _listed_labels(self, name: str) -> Image | None:
        """The labels of a clip in the archive, or None where it has none."""
        path = self._label_file
        key = None if path is None else find_key(archive_keys(path), name)
        return None if path is None or key is None else as_labels(read_array(path, key), f"clip {name} in {path}")

    def _frames(self, split: Split, name: str) -> int | None:
        """Number of frames of a video of which only features are there, or None where that is not known."""
        labels = self._listed_labels(name) if split == "testing" else None
        return None if labels is None else len(labels)

    def _read_masks(self, clip: Clip) -> BoolArray | None:
        """Masks from `masks.npz` or `masks/CLIP.npz`, or None without them; datasets add their official form."""
        path = self.root / "masks.npz"
        if path.is_file() and (key := find_key(archive_keys(path), clip.name)):
            return as_masks(read_array(path, key), f"clip {clip.name} in {path}")
        path = self.root / "masks" / f"{clip.name}.npz"
        if path.is_file() and (keys := archive_keys(path)):
            return as_masks(read_array(path, keys[0]), str(path))
        return None

    def _camera(self, name: str) -> str:
        """The place of a clip, by its name."""
        place = re.search(self.places, name) if self.places else None
        return place[0] if place else self.id

    def _clip(self, split: Split, name: str, path: Path) -> Clip:
        frames = self._frames(split, name) if path.suffix.lower() in FEATURE_SUFFIXES else None
        footage = make_footage(path, self.fps, name, frames)
        return Clip(footage.name, split, footage, self._camera(name))

    def training(self) -> list[Clip]:
        """The clips of normal footage to learn from.

        Raises:
            DatasetError: None is present.
        """
        return self._present("training")

    def testing(self) -> list[Clip]:
        """The clips to test on.

        Raises:
            DatasetError: None is present.
        """
        return self._present("testing")

    def weak_training(self) -> list[tuple[Clip, int]]:
        """All clips to learn from, each with the label of the whole video: 1 = something abnormal happens somewhere.

        Raises:
            DatasetError: None is present, or a label is missing or damaged.
        """
        clips = [(clip, 0) for clip in self._clips["training"]] + self._more
        if not clips:
            raise DatasetError(f"{self.root} has no training clips of {self.title}; looked for {self.looked_for}")
        return clips

    def _present(self, split: Split) -> list[Clip]:
        if not self._clips[split]:
            raise DatasetError(f"{self.root} has no {split} clips of {self.title}; looked for {self.looked_for}")
        return list(self._clips[split])

    def labels(self, clip: Clip) -> Image:
        """The truth about each frame of a test clip.

        Args:
            clip: One of `testing()`.

        Returns:
            `(T,)` uint8, 1 = abnormal.

        Raises:
            DatasetError: There are none, they are damaged, or not as many as the clip has frames.
        """
        if clip.split != "testing":
            raise DatasetError(f"clip {clip.name} is for {clip.split}; only test clips have labels")
        check_open(clip.name)
        labels = self._read_labels(clip)
        if labels is None:
            raise DatasetError(f"{self.root} has no labels for clip {clip.name}; put them in frame_labels.npz there")
        _check_length(len(labels), "labels", clip)
        return labels

    def masks(self, clip: Clip) -> BoolArray | None:
        """The truth about each pixel of a test clip.

        Args:
            clip: One of `testing()`.

        Returns:
            `(T, H, W)` bool, True = abnormal, or None where the dataset has no masks.

        Raises:
            DatasetError: They are damaged, or not as many as the clip has frames.
        """
        check_open(clip.name)
        masks = self._read_masks(clip)
        if masks is not None:
            _check_length(len(masks), "masks", clip)
        return masks

    def event(self, clip: Clip) -> Tube | None:
        """The true boxes of what is abnormal in a test clip; for evaluation alone.

        Args:
            clip: One of `testing()`.

        Returns:
            Boxes by frame, several a frame where several are marked, without any where nothing is abnormal; or None
            where the dataset does not know. From masks: one box a frame around all abnormal pixels.

        Raises:
            DatasetError: They are damaged, or of frames that the clip does not have.
        """
        if clip.split != "testing":
            raise DatasetError(f"clip {clip.name} is for {clip.split}; only test clips have boxes of events")
        check_open(clip.name)
        tube = self._read_event(clip)
        length = clip.footage.length
        if tube is not None and length is not None and len(tube) and tube.frame[-1] >= length + _SLACK:
            raise DatasetError(
                f"clip {clip.name} has a true box in frame {tube.frame[-1]}, and {length} frames; "
                f"boxes and {clip.footage.path} are of different versions"
            )
        return tube

    def _read_event(self, clip: Clip) -> Tube | None:
        """True boxes from masks; datasets add their own form."""
        masks = self.masks(clip)
        return None if masks is None else box_around(masks, clip.footage.rate)

    def tracks(self, clip: Clip) -> list[Track] | None:
        """The true tracks of abnormal regions of a test clip, for RBDC and TBDC; for evaluation alone.

        Args:
            clip: One of `testing()`.

        Returns:
            One for each object, from `rbdc_tbdc_tracks/CLIP.txt`; without such a folder, one for each connected
            component of the masks that goes on from frame to frame; None where there are no masks either.

        Raises:
            DatasetError: The file is missing or damaged, or the masks are.
        """
        check_open(clip.name)
        if self.lists_tracks:
            return read_region_tracks(self._track_folder / f"{clip.name}.txt", clip.footage.rate)
        masks = self.masks(clip)
        return None if masks is None else tracks_in(masks, clip.footage.rate)

    @property
    def lists_tracks(self) -> bool:
        """Whether true tracks are listed; else they are made of masks."""
        return self._track_folder.is_dir()

    @property
    def _track_folder(self) -> Path:
        return self.root / "rbdc_tbdc_tracks"

    def note(self) -> str | None:
        """A line that says which clips of the published set are there, or None if all are."""
        parts = []
        for split, word in zip(_SPLITS, ("training", "test"), strict=True):
            clips = self._clips[split] + ([clip for clip, _ in self._more] if split == "training" else [])
            names = [clip.name for clip in clips]
            if len(names) < self.published.get(split, 0):
                listed = " ".join(names[:20]) + (" …" if len(names) > 20 else "")
                parts.append(f"{len(names)} of {self.published[split]} {word} clips present: {listed or 'none'}")
        return "; ".join(parts) or None


def length_of(footage: Footage) -> int:
    """Number of frames, counted where no header announces it."""
    return sum(1 for _ in footage) if footage.length is None else footage.length


def _check_length(count: int, what: str, clip: Clip) -> None:
    """Labels and frames must be equally many, as far as that is known without decoding."""
    length = clip.footage.length
    slack = 0 if isinstance(clip.footage, FrameFolder) else _SLACK
    if length is not None and abs(length - count) > slack:
        raise DatasetError(
            f"clip {clip.name} has {count} {what}, but {clip.footage.path} has {length} frames; "
            "labels and footage are of different versions, or incomplete"
        )
