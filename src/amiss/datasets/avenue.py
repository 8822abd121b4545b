"""CUHK Avenue: one camera before a building's entrance.

Official layout: `training_videos/01.avi`, `testing_videos/01.avi`, and masks in
`ground_truth_demo/testing_label_mask/1_label.mat`. Two versions of the labels are in use. The published masks give one:
a frame is abnormal where its mask is not empty. Corrected lists of frames, `frame_labels.npz`, are the other.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from amiss.datasets.base import Clip, Dataset, Found, Split
from amiss.datasets.files import frames_of
from amiss.datasets.layout import COMMUNITY, community_clips
from amiss.errors import DatasetError
from amiss.types import BoolArray, Image

__all__ = ["Avenue", "read_vol_label"]

_UNREADABLE = (MatReadError, OSError, ValueError, TypeError, KeyError, IndexError, NotImplementedError, zlib.error)
_FOLDER = "testing_label_mask"


class Avenue(Dataset):
    """CUHK Avenue.

    Args:
        root: Its folder.
        fps: Frames per second of folders of frames; 25 when left out.
        labels: Which version of the labels counts: `masks`, or the lists in `frame_labels.npz`; when left out, the
            lists if they are there, else the masks.

    Raises:
        DatasetError: The folder is not laid out as expected, or has no lists although they are asked for.
    """

    id = "avenue"
    title = "CUHK Avenue"
    rate = 25.0
    published: ClassVar[Mapping[Split, int]] = {"training": 16, "testing": 21}
    looked_for = f"training_videos/01.avi and testing_videos/01.avi with {_FOLDER}/1_label.mat, or {COMMUNITY}"

    def __init__(
        self,
        root: Path | str,
        *,
        fps: float | None = None,
        labels: Literal["masks", "frame_labels"] | None = None,
    ) -> None:
        super().__init__(root, fps=fps)
        if labels == "frame_labels" and not (self.root / "frame_labels.npz").is_file():
            raise DatasetError(f"{self.root / 'frame_labels.npz'} is missing, and the labels in it are asked for")
        self._from_masks = labels == "masks"

    def _find(self, split: Split) -> Sequence[Found]:
        return community_clips(self.root, split)

    def _read_labels(self, clip: Clip) -> Image | None:
        labels = None if self._from_masks else super()._read_labels(clip)
        masks = self._read_masks(clip) if labels is None else None
        return labels if masks is None else frames_of(masks)

    def _read_masks(self, clip: Clip) -> BoolArray | None:
        masks = super()._read_masks(clip)
        if masks is not None:
            return masks
        number = int(re.sub(r"\D", "", clip.name) or 0)
        for folder in (self.root / "ground_truth_demo" / _FOLDER, self.root / _FOLDER):
            path = folder / f"{number}_label.mat"
            if path.is_file():
                return read_vol_label(path)
        return None


def read_vol_label(path: Path) -> BoolArray:
    """The masks in an official label file, whose variable `volLabel` is a cell of one mask a frame.

    Args:
        path: A MATLAB 5 file.

    Returns:
        `(T, H, W)` bool.

    Raises:
        DatasetError: It cannot be read, or has no such variable.
    """
    try:
        cell: Any = scipy.io.loadmat(path, variable_names=["volLabel"])["volLabel"]
        masks = [np.asarray(mask) > 0 for mask in cell.reshape(-1)]
        return np.stack(masks)
    except _UNREADABLE as error:
        raise DatasetError(f"{path} has no readable volLabel, a cell of one mask a frame; copy it again") from error
