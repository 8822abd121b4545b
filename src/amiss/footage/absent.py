"""A clip of which only what was written about it is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss.errors import FootageError
from amiss.footage.names import content_hash
from amiss.types import Frame

__all__ = ["AbsentFootage"]

GREY = 128


@dataclass(frozen=True)
class AbsentFootage:
    """Footage that is not there: enough to hold scores against labels, or for methods that need tracks alone.

    Attributes:
        path: Where it would lie, in the file that speaks of it.
        name: Name of the clip.
        length: Number of frames.
        rate: Frames per second.
        size: Width and height of its pictures, where something is known of what they show; they are grey then.
    """

    path: Path
    name: str
    length: int
    rate: float
    size: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Grey frames.

        Raises:
            FootageError: Nothing but labels is known.
        """
        if self.size is None:
            raise FootageError(
                f"the pictures of clip {self.name} are not there, only its labels in {self.path.parent}; add them"
            )
        image = np.full((*self.size[::-1], 3), GREY, np.uint8)
        for number in range(self.length):
            yield Frame(image, number, number / self.rate)

    def fingerprint(self) -> str:
        """A hash of how many frames of what size there are."""
        return content_hash([], salt=f"{self.length} grey frames of {self.size} at {self.rate!r}")
