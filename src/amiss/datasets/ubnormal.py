"""UBnormal: rendered scenes, 29 places, each filmed by its own virtual camera.

Official layout: videos `Scene1/normal_scene_1_scenario_1.mp4`, lists of names for training, validation and test
(`normal_training_video_names.txt`, … beside the scenes, or in `lists/` or `scripts/`), and for each abnormal video the
file `NAME_tracks.txt` with rows `object, first frame, last frame`, frames from 0, both inside. Folders
`NAME_annotations` hold maps of object numbers, one a frame.

Some copies hold, under the same name `NAME_tracks.txt`, an array of frame labels in which 1 means normal, and a file
`frame_gt…1isnormal.npz` of those. Both are turned round here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.datasets.base import Clip, Dataset, Found, Split
from amiss.datasets.files import archive_keys, as_labels, find_key, from_intervals, read_array, read_rows, read_text
from amiss.datasets.layout import clips_in, community_clips
from amiss.errors import DatasetError
from amiss.footage.folder import pictures_in
from amiss.footage.names import visible
from amiss.types import BoolArray, Image, IntArray

__all__ = ["UBnormal"]

_NUMPY_MAGIC = b"\x93NUMPY"
# Abnormal videos of the training and validation lists are not normal footage, so nothing here learns from them.
_LISTS: Mapping[Split, tuple[str, ...]] = {
    "training": ("normal_training_video_names.txt",),
    "testing": ("normal_test_video_names.txt", "abnormal_test_video_names.txt"),
}


class UBnormal(Dataset):
    """UBnormal, split by its official lists; the training split is the normal training videos alone."""

    id = "ubnormal"
    title = "UBnormal"
    rate = 30.0
    places = r"scene_\d+"
    published: ClassVar[Mapping[Split, int]] = {"training": 186, "testing": 211}
    looked_for = (
        "normal_training_video_names.txt and its like here or in lists/ or scripts/, with Scene1/NAME.mp4, "
        "videos/NAME.mp4 or training/frames/NAME (also testing)"
    )

    def _find(self, split: Split) -> Sequence[Found]:
        names = self._names(split)
        if not names:  # a copy that is split by folders
            found = community_clips(self.root, split)
            return [clip for clip in found if split == "testing" or _normal(clip[0])]
        return [(name, self._footage[name]) for name in names if name in self._footage]

    def _names(self, split: Split) -> list[str]:
        """The names that the official lists give to a split."""
        for folder in (self.root, self.root / "lists", self.root / "scripts", self.root / "gt_tracks"):
            files = [folder / name for name in _LISTS[split]]
            if all(file.is_file() for file in files):
                return [name for file in files for name in read_text(file).split()]
        return []

    @cached_property
    def _footage(self) -> dict[str, Path]:
        """All videos and folders of frames that are there, by name."""
        folders = [entry for entry in visible(self.root) if entry.is_dir() and entry.name.lower().startswith("scene")]
        found = [clip for folder in [*folders, self.root / "videos", self.root] for clip in clips_in(folder)]
        found += community_clips(self.root, "training") + community_clips(self.root, "testing")
        return dict(found)

    def _read_labels(self, clip: Clip) -> Image | None:
        labels = super()._read_labels(clip)
        return self._official_labels(clip) if labels is None else labels

    def _official_labels(self, clip: Clip) -> Image | None:
        for archive in sorted(self.root.glob("frame_gt*1isnormal*.npz")):
            if key := find_key(archive_keys(archive), clip.name):
                return _turned(read_array(archive, key), f"clip {clip.name} in {archive}")
        path = self._track_file(clip)
        if path is None:
            return np.zeros(clip.footage.length, np.uint8) if _normal(clip.name) and clip.footage.length else None
        if _holds_labels(path):
            return _turned(read_array(path), str(path))
        spans = read_rows(path, 3).astype(int)
        length = clip.footage.length or int(spans[:, 2].max(initial=-1)) + 1
        return from_intervals([(first, min(last, length - 1)) for _, first, last in spans], length, str(path))

    def _track_file(self, clip: Clip) -> Path | None:
        file, beside = f"{clip.name}_tracks.txt", clip.footage.path.parent
        folders = (beside, beside / f"{clip.name}_annotations", self.root / "gt_tracks")
        return next((folder / file for folder in folders if (folder / file).is_file()), None)

    def _read_masks(self, clip: Clip) -> BoolArray | None:
        masks = super()._read_masks(clip)
        return self._official_masks(clip) if masks is None else masks

    def _official_masks(self, clip: Clip) -> BoolArray | None:
        """Masks from the maps of object numbers and the track file's rows, where both are there."""
        folder = clip.footage.path.parent / f"{clip.name}_annotations"
        maps = pictures_in(folder) if folder.is_dir() else []
        path = self._track_file(clip)
        if not maps or (path is None and not _normal(clip.name)) or (path is not None and _holds_labels(path)):
            return None
        spans = np.zeros((0, 3), int) if path is None else read_rows(path, 3).astype(int)
        return np.stack([_abnormal_pixels(picture, spans, frame) for frame, picture in enumerate(maps)])


def _normal(name: str) -> bool:
    """Whether the name says that nothing abnormal happens."""
    return name.startswith("normal_")


def _turned(array: NDArray[Any], source: str) -> Image:
    """Labels in which 1 means normal, turned round."""
    normal = as_labels(array, source)
    return (1 - normal).astype(np.uint8)


def _holds_labels(path: Path) -> bool:
    """Whether a file named as a text is an array in truth."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_NUMPY_MAGIC)) == _NUMPY_MAGIC
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error


def _abnormal_pixels(path: Path, spans: IntArray, frame: int) -> BoolArray:
    """Where one of the objects is that are abnormal in this frame."""
    numbers = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if numbers is None:
        raise DatasetError(f"the map {path} cannot be read; copy it again")
    active = spans[(spans[:, 1] <= frame) & (frame <= spans[:, 2]), 0]
    plane = numbers if numbers.ndim == 2 else numbers[..., 0]
    return np.asarray(np.isin(plane, active))
