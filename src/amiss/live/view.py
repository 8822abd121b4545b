"""The view of a camera: what it should look like, kept over restarts, and whether it still does."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from amiss.config import ScenesConfig
from amiss.errors import AmissError
from amiss.live.nouns import Arrival
from amiss.live.sight import fitted
from amiss.perception.scenes import Flag, ViewHealth
from amiss.storage import whole_file
from amiss.types import FloatArray

__all__ = ["View"]

LOG = logging.getLogger(__name__)


class View:
    """Compares what a camera sees with what it has learned to see, at the size that it learned it.

    Args:
        config: Thresholds and times.
        path: File in which the view is kept.
    """

    def __init__(self, config: ScenesConfig, path: Path) -> None:
        self._health, self._path = ViewHealth(config), path
        self._size: tuple[int, int] | None = None
        self._learned: tuple[int, int] | None = None
        self._kept = self._restore()

    def expect(self, size: tuple[int, int]) -> None:
        """Take pictures of this width and height, in pixels, for those of the view: a model was learned from them."""
        self._learned = self._size = size

    def look(self, arrival: Arrival) -> tuple[Arrival | None, frozenset[Flag]]:
        """The frame at the size of the view, or None where it is of another shape; and what is wrong with it."""
        self._size = self._size or arrival.frame.size
        shaped = fitted(arrival, self._size)
        if shaped is None:
            return None, frozenset([Flag.MOVED])
        return shaped, frozenset(flag.kind for flag in self._health.update(shaped.frame))

    def reset(self) -> None:
        """What comes next is how it should be."""
        self._health.reset()
        self._size, self._kept = self._learned, False

    def keep(self) -> None:
        """Write it down once it is known."""
        if not self._kept and self._size and (state := self._health.state()):
            self._kept = True
            _save(state | {"size": np.array(self._size)}, self._path)

    def _restore(self) -> bool:
        """Take up the view that was learned before, if there is one that can be read."""
        if not self._path.is_file():
            return False
        try:
            state = load_file(self._path)
            self._health.restore(state)
            width, height = (int(value) for value in state["size"])
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            LOG.warning("the view %s cannot be read (%s); it is learned anew", self._path, error)
            self._health.reset()
            return False
        self._size = width, height
        return True


def _save(state: dict[str, FloatArray], path: Path) -> None:
    try:
        with whole_file(path) as partial:
            save_file(state, partial)
    except AmissError as error:
        LOG.warning("the view cannot be kept: %s", error)
