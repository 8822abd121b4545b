"""ShanghaiTech Campus: thirteen cameras. The camera is the number before the underscore in a clip's name.

Official layout: `training/videos/01_001.avi`, `testing/frames/01_0014/000.jpg`, labels in
`testing/test_frame_mask/01_0014.npy` and masks in `testing/test_pixel_mask/01_0014.npy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from amiss.datasets.base import Clip, Dataset, Found, Split
from amiss.datasets.files import as_labels, as_masks, read_array
from amiss.datasets.layout import COMMUNITY, community_clips
from amiss.types import BoolArray, Image

__all__ = ["ShanghaiTech"]


class ShanghaiTech(Dataset):
    """ShanghaiTech Campus."""

    id = "shanghaitech"
    title = "ShanghaiTech Campus"
    rate = 24.0
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
