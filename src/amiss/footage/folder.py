"""Folders of pictures, a frame each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.errors import FootageError
from amiss.footage.names import content_hash, safe_name, visible
from amiss.types import Frame, Image

__all__ = ["PICTURE_SUFFIXES", "FrameFolder", "pictures_in", "read_picture"]

PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"))
"""Files that count as pictures, in upper or lower case."""


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order (2 before 10), without hidden files and `._*` companions."""
    return [entry for entry in visible(folder) if entry.suffix.lower() in PICTURE_SUFFIXES]


def read_picture(path: Path) -> Image:
    """A picture file as RGB: grey is repeated, alpha left out, and of 16 bits a channel the upper 8 are kept.

    Args:
        path: JPEG, PNG, BMP or TIFF.

    Returns:
        `(H, W, 3)` uint8.

    Raises:
        FootageError: It cannot be read, is damaged or cut off, or holds numbers other than 8 or 16 bits.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise FootageError(f"the picture {path} cannot be read: {error.strerror}") from error
    image = None if _cut_off(data) else _decoded(data)
    if image is None:
        raise FootageError(f"the picture {path} is damaged or cut off; copy it again, or take it out of the folder")
    if image.dtype == np.uint16:
        image = image >> 8
    elif image.dtype != np.uint8:
        raise FootageError(f"the picture {path} holds {image.dtype} values; convert it to 8 or 16 bits a channel")
    return image.astype(np.uint8, copy=False)


def _cut_off(data: Image) -> bool:
    """Whether a file ends before its picture does; a decoder would fill the rest with grey and say nothing."""
    raw = data.tobytes()
    if raw.startswith(b"\xff\xd8"):
        # Inside compressed data neither marker can occur, so the end marker must come after the last scan's start.
        return raw.rfind(b"\xff\xd9") < raw.rfind(b"\xff\xda")
    if raw.startswith(b"\x89PNG"):
        return b"IEND" not in raw[-64:]
    if raw.startswith(b"BM"):
        return len(raw) < int.from_bytes(raw[2:6], "little")
    return not raw


def _decoded(data: Image) -> NDArray[Any] | None:
    """The picture as `(H, W, 3)` RGB of its own depth, or None."""
    try:
        # The decoder's own RGB flag is not obeyed for 16-bit TIFF, so it is asked for blue first and turned round.
        image: NDArray[Any] | None = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        return None
    if image is None or not image.size:
        return None
    return np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else np.ascontiguousarray(image[..., 2::-1])


class FrameFolder:
    """A folder of pictures in natural order of their names, all of one size.

    Args:
        path: The folder.
        fps: Frames per second; frame i is at i / fps seconds.
        name: Short name; the folder's name without unsafe characters when left out.
        content: Its fingerprint, where it is known already.

    Raises:
        FootageError: There is no such folder, it holds no picture, or the rate is not positive.
    """

    def __init__(
        self, path: Path | str, fps: float = 25.0, name: str | None = None, content: str | None = None
    ) -> None:
        self.path = Path(path)
        self._content = content
        self.name = safe_name(name or self.path.name or self.path.resolve().name)
        if not (fps > 0 and math.isfinite(fps)):
            raise FootageError(f"the frame rate of {self.path} is {fps}; give a number of frames per second above 0")
        if not self.path.is_dir():
            raise FootageError(f"{self.path} is not a folder; check the path")
        self.rate = float(fps)
        self.pictures = tuple(pictures_in(self.path))
        if not self.pictures:
            suffixes = ", ".join(sorted(PICTURE_SUFFIXES))
            raise FootageError(f"{self.path} holds no pictures; frames are files that end in {suffixes}")

    @property
    def length(self) -> int:
        """Number of pictures."""
        return len(self.pictures)

    def fingerprint(self) -> str:
        """A hash of the pictures' bytes in their order, and of the rate, which the time stamps come from."""
        return self._content or content_hash(self.pictures, salt=f"frames at {self.rate!r}")

    def __iter__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            FootageError: A picture cannot be read, or has another size than the first.
        """
        return self.between(0, self.length)

    def between(self, start: int, stop: int) -> Iterator[Frame]:
        """Some of the frames, with the numbers and times that they have among all.

        Args:
            start: Number of the first.
            stop: Number of the one after the last.

        Raises:
            FootageError: A picture cannot be read, or has another size than the first of them.
        """
        first: tuple[int, ...] | None = None
        for index, path in enumerate(self.pictures[start:stop], start):
            try:
                image = read_picture(path)
            except FootageError as error:
                raise FootageError(f"frame {index} of {self.name}: {error}") from error
            first = first or image.shape
            if image.shape != first:
                sizes = f"{image.shape[1]}x{image.shape[0]}, not {first[1]}x{first[0]} as the frames before"
                raise FootageError(f"the picture {path} (frame {index}) is {sizes}; give all frames one size")
            yield Frame(image, index, index / self.rate)
