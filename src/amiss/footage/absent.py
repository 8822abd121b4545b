"""A clip of which only what was written about it is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amiss.errors import FootageError
from amiss.types import Frame

__all__ = ["AbsentFootage"]


@dataclass(frozen=True)
class AbsentFootage:
    """Footage that is not there: enough to hold scores of other programs against labels.

    Attributes:
        path: The file of labels.
        name: Name of the clip.
        length: Number of frames.
        rate: Frames per second.
    """

    path: Path
    name: str
    length: int
    rate: float

    def __iter__(self) -> Iterator[Frame]:
        """There are no frames.

        Raises:
            FootageError: Always.
        """
        raise FootageError(f"the pictures of clip {self.name} are not there, only its labels in {self.path}; add them")

    def fingerprint(self) -> str:
        """There is nothing to tell apart by.

        Raises:
            FootageError: Always.
        """
        raise FootageError(f"the pictures of clip {self.name} are not there, only its labels in {self.path}; add them")
