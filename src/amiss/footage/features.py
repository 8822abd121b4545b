"""Files of features that a network made of a video before, in place of its pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.errors import FootageError
from amiss.footage.names import content_hash, safe_name
from amiss.types import FloatArray, Frame, IntArray

__all__ = ["FEATURE_SUFFIXES", "FeatureFile", "holds_features"]

FEATURE_SUFFIXES = frozenset((".npy", ".txt"))
"""Files that may hold features, in upper or lower case."""

_SEGMENT = 16
# Narrower tables in a folder are lists of boxes, tracks, joints or labels.
_NARROWEST = 16
_LONGEST_LINE = 1 << 22
_UNREADABLE = (OSError, ValueError, EOFError, TypeError, KeyError, MemoryError)


class FeatureFile:
    """Features of the parts of a video, for methods that learn from labels of whole videos.

    A `.txt` has a row of numbers for each part, between spaces or commas, as the 32 x 4096 files of C3D features that
    were published with UCF-Crime. An `.npy` is `(T, D)`, or `(T, K, D)` with K crops of each part, whose mean counts.

    Args:
        path: The file.
        name: Short name; the file's stem without unsafe characters when left out.
        frames: Number of frames of the video, of which the rows are equal parts; 16 a row when left out.
        rate: Frames per second of the video.

    Raises:
        FootageError: There is no such file, it is empty, or the number of frames or the rate is not positive.
    """

    def __init__(
        self, path: Path | str, name: str | None = None, frames: int | None = None, rate: float = 30.0
    ) -> None:
        self.path = Path(path)
        self.name = safe_name(name or self.path.stem)
        if not self.path.is_file():
            raise FootageError(f"{self.path} is no file of features; check the path")
        if not self.path.stat().st_size:
            raise FootageError(f"{self.path} is an empty file; copy it again")
        if not (rate > 0 and math.isfinite(rate)):
            raise FootageError(f"the frame rate of {self.path} is {rate}; give a number of frames per second above 0")
        if frames is not None and frames < 1:
            raise FootageError(f"the video of {self.path} has {frames} frames; give a number above 0, or none")
        self.rate = float(rate)
        self._frames = frames

    @cached_property
    def _rows(self) -> int:
        """Number of parts, without reading the numbers of an `.npy`."""
        return len(_read_text(self.path)) if _is_text(self.path) else _shape(self.path)[0]

    @property
    def length(self) -> int:
        """Number of frames of the video.

        Raises:
            FootageError: The file is damaged.
        """
        return self._rows * _SEGMENT if self._frames is None else self._frames

    def features(self) -> FloatArray:
        """The features of all parts.

        Returns:
            `(T, D)` float32; crops are averaged.

        Raises:
            FootageError: The file is damaged, has another shape, or holds values that are not finite.
        """
        table = _read_text(self.path) if _is_text(self.path) else _open_array(self.path)
        with np.errstate(over="ignore", invalid="ignore"):
            rows = (table.mean(axis=1, dtype=np.float64) if table.ndim == 3 else table).astype(np.float32)
        if not np.isfinite(rows).all():
            part = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
            raise FootageError(f"{self.path} holds values that are not finite in row {part}; extract it again")
        return np.asarray(rows)

    def edges(self) -> IntArray:
        """Where the parts begin and end.

        Returns:
            `(T + 1,)` int64 frame numbers from 0 to `length`; part i is from edge i up to, not including, edge i + 1.
            Where there are more parts than frames, some are empty.
        """
        return np.asarray(np.arange(self._rows + 1, dtype=np.int64) * self.length // self._rows)

    def fingerprint(self) -> str:
        """A hash of the file's bytes, and of the number of frames and the rate, which times come from."""
        return content_hash([self.path], salt=f"features of {self.length} frames at {self.rate!r}")

    def __iter__(self) -> Iterator[Frame]:
        """There are no frames.

        Raises:
            FootageError: Always.
        """
        raise FootageError(
            f"{self.path} holds features and no pictures; only the weakly supervised methods mil-ranking and "
            "weak-tubes read it, for others give the video"
        )


def holds_features(path: Path) -> bool:
    """Whether a file met in a folder is one of features, and no list of names, boxes or labels, and no mask.

    Only its beginning is read. A damaged `.npy` counts, so that whoever opens it can say what is wrong.

    Args:
        path: Any file.
    """
    if path.suffix.lower() not in FEATURE_SUFFIXES:
        return False
    if _is_text(path):
        return _begins_with_numbers(path)
    try:
        shape, dtype = _header(path)
    except _UNREADABLE:
        return True
    return dtype.kind == "f" and len(shape) in (2, 3) and shape[-1] >= _NARROWEST


def _is_text(path: Path) -> bool:
    return path.suffix.lower() != ".npy"


def _begins_with_numbers(path: Path) -> bool:
    """Whether the first line is a row of many numbers."""
    try:
        with path.open("rb") as stream:
            return len(_numbers(stream.readline(_LONGEST_LINE).decode())) >= _NARROWEST
    except (OSError, ValueError):
        return False


def _numbers(line: str) -> NDArray[np.float64]:
    """The numbers of a line, between spaces or commas; raises ValueError where something else is."""
    return np.array([float(cell) for cell in line.replace(",", " ").split()])


def _read_text(path: Path) -> NDArray[np.float64]:
    """`(T, D)` from lines of numbers."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FootageError(f"{path} cannot be read as text; copy it again") from error
    rows: list[NDArray[np.float64]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = _numbers(line)
        except ValueError as error:
            raise FootageError(f"{path}, line {number} is not a row of numbers; copy it again") from error
        if rows and len(row) not in (0, len(rows[0])):
            raise FootageError(f"{path}, line {number} has {len(row)} numbers, not {len(rows[0])}; copy it again")
        if len(row):
            rows.append(row)
    if not rows:
        raise FootageError(f"{path} holds no numbers; copy it again")
    return np.stack(rows)


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of an `.npy`, from its header."""
    with path.open("rb") as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    return shape, dtype


def _shape(path: Path) -> tuple[int, ...]:
    """The shape of an `.npy` of features."""
    try:
        shape, dtype = _header(path)
    except _UNREADABLE as error:
        raise FootageError(f"{path} is not a readable .npy file; copy it again") from error
    if dtype.kind not in "fiu" or len(shape) not in (2, 3) or 0 in shape:
        raise FootageError(
            f"{path} holds {dtype} of the shape {shape}, not features (T, D) or (T, crops, D); extract it again"
        )
    return shape


def _open_array(path: Path) -> NDArray[Any]:
    """The array of an `.npy` of features, mapped into memory."""
    _shape(path)
    try:
        return np.asarray(np.lib.format.open_memmap(path, mode="r"))
    except _UNREADABLE as error:
        raise FootageError(f"{path} is cut off or damaged; copy it again") from error
