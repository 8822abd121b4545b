"""ShanghaiTech Campus: thirteen cameras. The camera is the number before the underscore in a clip's name.

Official layout: `training/videos/01_001.avi`, `testing/frames/01_0014/000.jpg`, labels in
`testing/test_frame_mask/01_0014.npy` and masks in `testing/test_pixel_mask/01_0014.npy`.

For weak supervision both parts are split anew by the lists `weak_split/train.txt` and `weak_split/test.txt`, a name a
line. A number of three digits, `01_001`, is one of the official training videos, which are normal; one of four,
`01_0014`, is one of the official test videos, of which each has an abnormal part. `01_0015` and `01_001` are different
videos.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from amiss.datasets.base import Clip, Dataset, Found, Split, length_of
from amiss.datasets.files import as_labels, as_masks, read_array, read_text
from amiss.datasets.layout import COMMUNITY, community_clips, footage_by_name
from amiss.datasets.tables import no_boxes, stem_of
from amiss.errors import DatasetError
from amiss.types import BoolArray, Image, Track, Tube

__all__ = ["ShanghaiTech", "ShanghaiTechWeak"]

_LISTS: Mapping[Split, str] = {"training": "weak_split/train.txt", "testing": "weak_split/test.txt"}


class ShanghaiTech(Dataset):
    """ShanghaiTech Campus."""

    id = "shanghaitech"
    title = "ShanghaiTech Campus"
    rate = 24.0
    size = (856, 480)
    places = r"^[^_]+"
    published: ClassVar[Mapping[Split, int]] = {"training": 330, "testing": 107}
    looked_for = (
        "training/videos/01_001.avi and testing/frames/01_0014/000.jpg with testing/test_frame_mask/01_0014.npy, "
        f"or {COMMUNITY}"
    )

    def _find(self, split: Split) -> Sequence[Found]:
        return community_clips(self.root, split)

    def _read_labels(self, clip: Clip) -> Image | None:
        labels = super()._read_labels(clip)
        path = self.root / "testing" / "test_frame_mask" / f"{clip.name}.npy"
        return as_labels(read_array(path), str(path)) if labels is None and path.is_file() else labels

    def _read_masks(self, clip: Clip) -> BoolArray | None:
        masks = super()._read_masks(clip)
        path = self.root / "testing" / "test_pixel_mask" / f"{clip.name}.npy"
        return as_masks(read_array(path), str(path)) if masks is None and path.is_file() else masks


class ShanghaiTechWeak(ShanghaiTech):
    """ShanghaiTech Campus as it is split for weak supervision: 63 + 175 videos to learn from, 44 + 155 to test on.

    The label of an official test video in the training list is whether any of its frames is abnormal. Videos, folders
    of frames and files of features are looked for by name in any folder, at most three deep, as `01_001_i3d.npy`.
    """

    id = "shanghaitech-weak"
    title = "ShanghaiTech Campus, split for weak supervision"
    published: ClassVar[Mapping[Split, int]] = {"training": 238, "testing": 199}
    looked_for = (
        f"{_LISTS['training']} (training) and {_LISTS['testing']} (testing), with the videos, frames or features that "
        "they name in any folder, as training/videos/01_001.avi and testing/frames/01_0014/000.jpg"
    )

    def _find(self, split: Split) -> Sequence[Found]:
        found = self._listed(split)
        return [clip for clip in found if split == "testing" or not _has_events(clip[0])]

    def _weak(self) -> list[tuple[Clip, int]]:
        clips = [self._beside(*found) for found in self._listed("training") if _has_events(found[0])]
        return [(clip, int(self._known_labels(clip).any())) for clip in clips]

    def _listed(self, split: Split) -> list[Found]:
        """The videos of a list that there is something of, in its order."""
        path = self.root / _LISTS[split]
        names = [stem_of(name) for name in read_text(path).split()] if path.is_file() else []
        return [(name, self._footage[name]) for name in names if name in self._footage]

    @cached_property
    def _footage(self) -> dict[str, Path]:
        return footage_by_name(self.root)

    def _known_labels(self, clip: Clip) -> Image:
        labels = super()._read_labels(clip)
        if labels is None:
            raise DatasetError(f"{self.root} has no labels for clip {clip.name}; put them in frame_labels.npz there")
        return labels

    def _frames(self, split: Split, name: str) -> int | None:  # noqa: ARG002  # both splits have official test videos
        labels = self._listed_labels(name) if _has_events(name) else None
        return None if labels is None else len(labels)

    def _read_labels(self, clip: Clip) -> Image | None:
        return super()._read_labels(clip) if _has_events(clip.name) else np.zeros(length_of(clip.footage), np.uint8)

    def _read_event(self, clip: Clip) -> Tube | None:
        return super()._read_event(clip) if _has_events(clip.name) else no_boxes()

    def tracks(self, clip: Clip) -> list[Track] | None:
        """The true tracks of abnormal regions of a test clip: as of the official test videos, none in the others."""
        return super().tracks(clip) if _has_events(clip.name) else []


def _has_events(name: str) -> bool:
    """Whether a name is one of the official test videos."""
    return re.fullmatch(r"\d+_\d{4}", name) is not None
