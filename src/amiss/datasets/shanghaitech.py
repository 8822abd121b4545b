"""ShanghaiTech Campus: thirteen cameras. The camera is the number before the underscore in a clip's name.

Official layout: `training/videos/01_001.avi`, `testing/frames/01_0014/000.jpg`, labels in
`testing/test_frame_mask/01_0014.npy` and masks in `testing/test_pixel_mask/01_0014.npy`. Tracks of abnormal regions, where
they were added, are text files `rbdc_tbdc_tracks/01_0014.txt`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from amiss.datasets.base import Clip, Dataset, Found, Split
from amiss.datasets.files import as_labels, as_masks, read_array, read_region_tracks
from amiss.datasets.layout import COMMUNITY, community_clips
from amiss.types import BoolArray, Image, Track

__all__ = ["ShanghaiTech"]


class ShanghaiTech(Dataset):
    """ShanghaiTech Campus."""

    id = "shanghaitech"
    title = "ShanghaiTech Campus"
    rate = 24.0
    published: ClassVar[Mapping[Split, int]] = {"training": 330, "testing": 107}
    looked_for = (
        "training/videos/01_001.avi and testing/frames/01_0014/000.jpg with testing/test_frame_mask/01_0014.npy, "
        f"or {COMMUNITY}"
    )

    def _find(self, split: Split) -> Sequence[Found]:
        return community_clips(self.root, split)

    def _camera(self, name: str) -> str:
        return name.split("_")[0]

    def _own_labels(self, clip: Clip) -> Image | None:
        path = self.root / "testing" / "test_frame_mask" / f"{clip.name}.npy"
        return as_labels(read_array(path), str(path)) if path.is_file() else None

    def _own_masks(self, clip: Clip) -> BoolArray | None:
        path = self.root / "testing" / "test_pixel_mask" / f"{clip.name}.npy"
        return as_masks(read_array(path), str(path)) if path.is_file() else None

    def tracks(self, clip: Clip) -> list[Track] | None:
        """The true tracks of abnormal regions, from `rbdc_tbdc_tracks/`; None without that folder.

        Raises:
            DatasetError: A file is damaged or missing.
        """
        folder = self.root / "rbdc_tbdc_tracks"
        return read_region_tracks(folder / f"{clip.name}.txt", self.fps) if folder.is_dir() else None
