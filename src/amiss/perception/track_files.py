"""Boxes with their tracks from files that were published for a data set, in place of pictures."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from amiss.config import BoxesConfig
from amiss.datasets.files import archive_keys, find_key, own_split_first
from amiss.datasets.track_files import read_tracks
from amiss.errors import FootageError
from amiss.types import Boxes, FloatArray, Frame, Label

__all__ = ["TrackBoxes"]


class TrackBoxes:
    """Boxes of people that were followed before, from `tracks_training.npz` and `tracks_testing.npz`.

    Each holds a table a clip, and under `columns` the names of the columns: `Frame_Number` from 0, `Person_ID`, and the
    corners `BB_tl_0`, `BB_tl_1`, `BB_br_0`, `BB_br_1` in pixels.

    Args:
        config: With the path of such a file; without, it is looked for above the clip.
    """

    def __init__(self, config: BoxesConfig) -> None:
        self._path = config.path
        self._rows: FloatArray = np.zeros((0, 6))

    def reset(self, origin: Path | None) -> None:
        """Read the tracks of the clip at `origin`.

        Raises:
            FootageError: There is no such file, or it has no such clip.
            DatasetError: The file is damaged.
        """
        if origin is None:
            raise FootageError("tracks from a file need footage with a place; choose perception.boxes.source=motion")
        self._rows = read_tracks(self._path or _above(origin), origin.stem)

    def update(self, frame: Frame) -> Boxes:
        """The boxes of `frame`, by its index."""
        first, last = np.searchsorted(self._rows[:, 0], (frame.index, frame.index + 1))
        own = self._rows[first:last]
        return Boxes(
            own[:, 2:],
            confidence=np.ones(len(own)),
            label=np.full(len(own), Label.PERSON),
            track=own[:, 1].astype(np.int64),
        )

    def fingerprint(self, origin: Path | None) -> str:
        """A hash of the clip's tracks."""
        self.reset(origin)
        return hashlib.blake2b(self._rows.tobytes(), digest_size=16).hexdigest()


def _above(origin: Path) -> Path:
    """The file of tracks that a clip without pictures is of, or one above a clip: of its own split if its path tells.

    Raises:
        FootageError: There is none.
    """
    if origin.parent.is_file():
        return origin.parent
    names = [f"tracks_{split}.npz" for split in own_split_first(origin)]
    for folder in list(origin.resolve().parents)[:4]:
        for name in names:
            if (folder / name).is_file() and find_key(archive_keys(folder / name), origin.stem):
                return folder / name
    raise FootageError(
        f"no {' or '.join(names)} with the clip {origin.stem!r} above {origin}; "
        "set perception.boxes.path, or choose perception.boxes.source=motion"
    )
