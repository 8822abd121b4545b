"""What all parts of the store share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from amiss.live.store.database import Database

__all__ = ["Part"]


class Part:
    """A part of the store.

    Args:
        database: Where it is kept.
        media: Folder of clips and pictures.
        clock: Seconds since 1970.
    """

    def __init__(self, database: Database, media: Path, clock: Callable[[], float]) -> None:
        self._database = database
        self._media = media
        self._clock = clock

    @property
    def media(self) -> Path:
        """Folder of clips and pictures."""
        return self._media
