"""What all footage has in common."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from amiss.types import Frame

__all__ = ["Footage"]


class Footage(Protocol):
    """Something that yields frames in time order. Every iteration starts anew at the first frame."""

    @property
    def name(self) -> str:
        """Short name of the clip or camera, usable as a file name."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def length(self) -> int | None:
        """Number of frames as announced, or None where it is not known before the end."""

    @property
    def rate(self) -> float:
        """Nominal frames per second; time stamps in the frames are what counts."""

    def __iter__(self) -> Iterator[Frame]:
        """The frames, one at a time, with `index` from 0 and increasing `seconds` from 0.

        Raises:
            FootageError: It cannot be read, ends early, or changes its picture size on the way.
        """

    def fingerprint(self) -> str:
        """A hash of the content (not of its place or name), for the cache."""
