"""What all benchmarks have in common: clips to learn from and to test on, and labels that stay with the dataset."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from amiss.datasets.files import archive_keys, as_labels, as_masks, find_key, read_array, read_region_tracks
from amiss.errors import DatasetError
from amiss.footage import Footage, FrameFolder, make_footage
from amiss.types import BoolArray, Image, Track

__all__ = ["Clip", "Dataset", "Found", "Split"]

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
    published: ClassVar[Mapping[Split, int]] = {}
    """Number of clips of the full set, where it has one."""
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
        if not any(self._clips.values()):
            raise DatasetError(f"{self.root} is not laid out as {self.title}; looked for {self.looked_for}")

    @abstractmethod
    def _find(self, split: Split) -> Sequence[Found]:
        """The clips of a split that are there, in their order."""

    def _read_labels(self, clip: Clip) -> Image | None:
        """Labels of a test clip from `frame_labels.npz`, or None without it; datasets add their official form."""
        path = self.root / "frame_labels.npz"
        if not path.is_file():
            return None
        keys = archive_keys(path)
        key = find_key(keys, clip.name)
        if key is None:
            raise DatasetError(f"{path} has no labels for clip {clip.name}; it has {', '.join(keys[:5])}, …")
        return as_labels(read_array(path, key), f"clip {clip.name} in {path}")

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
        return Clip(name, split, make_footage(path, self.fps, name), self._camera(name))

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
        masks = self._read_masks(clip)
        if masks is not None:
            _check_length(len(masks), "masks", clip)
        return masks

    def tracks(self, clip: Clip) -> list[Track] | None:
        """The true tracks of abnormal regions of a test clip, from `rbdc_tbdc_tracks/CLIP.txt`.

        Returns:
            One for each object, or None where the dataset has no such folder.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        folder = self.root / "rbdc_tbdc_tracks"
        return read_region_tracks(folder / f"{clip.name}.txt", clip.footage.rate) if folder.is_dir() else None

    def note(self) -> str | None:
        """A line that says which clips of the published set are there, or None if all are."""
        parts = []
        for split, word in zip(_SPLITS, ("training", "test"), strict=True):
            names = [clip.name for clip in self._clips[split]]
            if len(names) < self.published.get(split, 0):
                listed = " ".join(names[:20]) + (" …" if len(names) > 20 else "")
                parts.append(f"{len(names)} of {self.published[split]} {word} clips present: {listed or 'none'}")
        return "; ".join(parts) or None


def _check_length(count: int, what: str, clip: Clip) -> None:
    """Labels and frames must be equally many, as far as that is known without decoding."""
    length = clip.footage.length
    slack = 0 if isinstance(clip.footage, FrameFolder) else _SLACK
    if length is not None and abs(length - count) > slack:
        raise DatasetError(
            f"clip {clip.name} has {count} {what}, but {clip.footage.path} has {length} frames; "
            "labels and footage are of different versions, or incomplete"
        )
