"""The files that lie beside the footage of a benchmark: label, mask and box archives, tracks, and rows of text."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.errors import DatasetError
from amiss.types import BoolArray, Image, Track

__all__ = [
    "archive_keys",
    "as_labels",
    "as_masks",
    "find_key",
    "frames_of",
    "from_intervals",
    "own_split_first",
    "read_array",
    "read_region_tracks",
    "read_rows",
    "read_text",
]

# What the readers of archives raise on files that are damaged, or that are no archives at all.
_UNREADABLE = (
    *(OSError, ValueError, EOFError, KeyError, IndexError, AttributeError, TypeError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
_WEAK = ("weak", "abnormal")


def archive_keys(path: Path) -> list[str]:
    """Names of the arrays in an `.npz` file.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return list(archive.files)
    except _UNREADABLE as error:
        raise DatasetError(f"{path} is damaged or not an .npz file; copy it again") from error


def find_key(keys: Iterable[str], name: str) -> str | None:
    """The key that means the clip `name`: the same text, or the same number as `01`, `1` and `Test001`, or None.

    Args:
        keys: What to choose from.
        name: Name of a clip.
    """
    keys = list(keys)
    if name in keys:
        return name
    return next((key for key in keys if _plain(key) == _plain(name)), None)


def _plain(name: str) -> str:
    """A number without the split before it and its zeros; any other name as it is, since a word may be a place."""
    number = re.fullmatch(r"(?:train|test)?0*([0-9]+)", name, re.IGNORECASE)
    return number[1] if number else name


def own_split_first(origin: Path) -> list[str]:
    """`training` and `testing`, first the split that the path of a clip names, if any.

    Clips in `weak/` and `abnormal/`, which only weakly supervised methods learn from, have `weak` before those.
    """
    # The folder nearest to the clip tells its split; those further up may be called anything.
    named = [part for part in map(str.lower, origin.parts) if part.startswith(("train", "test")) or part in _WEAK]
    if named and named[-1].startswith("test"):
        return ["testing", "training"]
    return [*(["weak"] if named and named[-1] in _WEAK else []), "training", "testing"]


def read_array(path: Path, key: str | None = None) -> NDArray[Any]:
    """One array of an `.npz` file, or that of an `.npy` file. Pickled objects are refused.

    Args:
        path: The file.
        key: Name of the array; None for an `.npy` file.

    Raises:
        DatasetError: The file is missing or damaged, or has no such array.
    """
    try:
        if key is None:
            return np.asarray(np.lib.format.open_memmap(path, mode="r"))
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return np.asarray(archive[key])
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing; copy it there") from error
    except _UNREADABLE as error:
        what = f"{path} has no readable array {key!r}" if key else f"{path} is not a readable .npy file"
        raise DatasetError(f"{what}; copy it again") from error


def as_labels(array: NDArray[Any], source: str) -> Image:
    """`(T,)` uint8 labels, 1 = abnormal.

    Args:
        array: As read.
        source: Where it comes from, for the message.

    Raises:
        DatasetError: It is not a row of zeros and ones.
    """
    array = array.reshape(-1) if array.ndim == 2 and 1 in array.shape else array
    if array.ndim != 1 or not np.isin(array, (0, 1)).all():
        raise DatasetError(f"the labels of {source} are not a row of zeros and ones; check the file")
    return array.astype(np.uint8)


def as_masks(array: NDArray[Any], source: str) -> BoolArray:
    """`(T, H, W)` bool masks, True = abnormal.

    Raises:
        DatasetError: It has another number of axes.
    """
    if array.ndim != 3:
        raise DatasetError(f"the masks of {source} have the shape {array.shape}, not (frames, height, width)")
    return array if array.dtype == np.bool_ else array > 0


def frames_of(masks: BoolArray) -> Image:
    """Frame labels from masks: a frame is abnormal where its mask is not empty.

    Args:
        masks: `(T, H, W)` bool.

    Returns:
        `(T,)` uint8.
    """
    return np.asarray(masks.any(axis=(1, 2)), np.uint8)


def from_intervals(intervals: Iterable[tuple[int, int]], length: int, source: str) -> Image:
    """Labels of a clip from its abnormal intervals.

    Args:
        intervals: First and last frame, from 0, both inside.
        length: Number of frames of the clip.
        source: Where they come from, for the message.

    Returns:
        `(length,)` uint8.

    Raises:
        DatasetError: An interval is reversed or goes beyond the clip.
    """
    labels = np.zeros(length, np.uint8)
    for first, last in intervals:
        if not 0 <= first <= last < length:
            raise DatasetError(f"{source}: the frames {first} to {last} (from 0) do not lie within its {length} frames")
        labels[first : last + 1] = 1
    return labels


def read_text(path: Path) -> str:
    """The text of a file, with any kind of line end.

    Raises:
        DatasetError: It is missing or no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as text; copy it again") from error


def read_rows(path: Path, columns: int) -> NDArray[np.float64]:
    """Rows of numbers separated by commas.

    Args:
        path: The text file.
        columns: How many numbers a row has.

    Returns:
        `(rows, columns)` float64.

    Raises:
        DatasetError: It is missing, or a row is not so many numbers.
    """
    rows = []
    for number, row in enumerate(csv.reader(read_text(path).splitlines()), start=1):
        if not any(cell.strip() for cell in row):
            continue
        try:
            values = [float(cell) for cell in row]
        except ValueError as error:
            raise DatasetError(f"{path}, line {number} is not a row of numbers") from error
        if len(values) != columns:
            raise DatasetError(f"{path}, line {number} has {len(values)} numbers, not {columns}")
        rows.append(values)
    return np.array(rows, np.float64).reshape(-1, columns)


def read_region_tracks(path: Path, rate: float) -> list[Track]:
    """Ground truth tracks from text rows `track, frame, x1, y1, x2, y2`, frames from 0, pixels.

    Args:
        path: The text file; an empty one means no track.
        rate: Frames per second, for the seconds of the tracks.

    Raises:
        DatasetError: It is missing, a row is not as stated, or a track has two boxes in a frame.
    """
    rows = read_rows(path, 6)
    tracks = []
    for number in np.unique(rows[:, 0]):
        own = rows[rows[:, 0] == number]
        frame, first, count = np.unique(own[:, 1].astype(np.int64), return_index=True, return_counts=True)
        if (count > 1).any():
            raise DatasetError(
                f"{path}: track {int(number)} has two boxes in frame {frame[count > 1][0]}; check the file"
            )
        corners = own[first, 2:]
        xyxy = np.concatenate(
            [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], 1
        )
        tracks.append(Track(frame=frame, seconds=frame / rate, xyxy=xyxy, id=int(number)))
    return tracks
