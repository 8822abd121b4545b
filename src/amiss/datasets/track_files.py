"""Files with the tracks of people, from which a data set can be used without its pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amiss.datasets.files import archive_keys, find_key, read_array
from amiss.errors import DatasetError, FootageError
from amiss.types import FloatArray

__all__ = ["clips_of", "read_tracks"]

KEY = "columns"
COLUMNS = ("Frame_Number", "Person_ID", "BB_tl_0", "BB_tl_1", "BB_br_0", "BB_br_1")


def clips_of(path: Path) -> list[str]:
    """The clips of a file of tracks; none where there is no such file.

    Raises:
        DatasetError: It is damaged.
    """
    return [key for key in archive_keys(path) if key != KEY] if path.is_file() else []


def read_tracks(path: Path, name: str) -> FloatArray:
    """The tracks of a clip.

    Args:
        path: An `.npz` with a table a clip, and the names of its columns under `columns`.
        name: Of the clip.

    Returns:
        `(N, 6)` float64: the frame from 0, not decreasing, the number of the track, and the corners x1, y1, x2, y2 in
        pixels.

    Raises:
        FootageError: It has no such clip.
        DatasetError: It is damaged, a column is missing, or a track has two boxes in a frame.
    """
    keys = archive_keys(path)
    key = find_key([known for known in keys if known != KEY], name)
    if key is None:
        raise FootageError(f"the file of tracks {path} has no clip {name!r}")
    names = [str(column) for column in read_array(path, KEY)] if KEY in keys else []
    if missing := [column for column in COLUMNS if column not in names]:
        raise DatasetError(f"{path} has no column {missing[0]}; name the columns under {KEY!r}")
    table = read_array(path, key)
    if table.ndim != 2 or table.shape[1] != len(names) or not np.isfinite(table).all():
        raise DatasetError(f"{path} is damaged: the tracks of {key} are not {len(names)} numbers a row")
    rows = np.asarray(table, np.float64)[:, [names.index(column) for column in COLUMNS]]
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    if (twice := (np.diff(rows[:, :2], axis=0) == 0).all(1)).any():
        frame, track = rows[int(twice.argmax()), :2].astype(int)
        raise DatasetError(f"{path} is damaged: track {track} of {key} has two boxes in frame {frame}")
    corners = rows[:, 2:]
    upright = np.hstack([np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])])
    return np.hstack([rows[:, :2], upright])
