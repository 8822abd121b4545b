"""Boxes from motion alone: three-frame difference, and difference from a running background."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from amiss.config import MotionConfig
from amiss.types import BoolArray, Boxes, FloatArray, Frame, Image

__all__ = ["MotionBoxes"]

STEP = 64.0
"""Grey levels that the background moves in its first step; the n-th is shorter by n."""


class MotionBoxes:
    """Connected components of what moves or stands out from the background.

    Args:
        config: Thresholds and sizes.
    """

    def __init__(self, config: MotionConfig) -> None:
        self._config = config
        self.reset(None)

    def reset(self, origin: Path | None = None) -> None:  # noqa: ARG002  # other sources need the origin
        """Forget the frames before and the background."""
        self._before: list[Image] = []
        self._background: FloatArray | None = None
        self._count = 0

    def update(self, frame: Frame) -> Boxes:
        """The boxes of what moves in `frame`; none in the first two frames."""
        grey = np.asarray(cv2.GaussianBlur(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), (5, 5), 0), np.uint8)
        mask = self._moves(grey) | self._stands_out(grey)
        self._before = [*self._before[-1:], grey]
        return _components(mask, self._config)

    def _moves(self, grey: Image) -> BoolArray:
        """Where the present frame differs from both before it."""
        if len(self._before) < 2:
            return np.zeros(grey.shape, np.bool_)
        total = sum(cv2.absdiff(grey, before).astype(np.uint16) for before in self._before)
        return np.asarray(total > self._config.threshold)

    def _stands_out(self, grey: Image) -> BoolArray:
        """Where the present frame differs from the running background, which it then joins."""
        present = grey.astype(np.float32)
        if self._background is None:
            self._background = present
        out = np.abs(present - self._background) > self._config.background
        # A step towards the present frame that does not grow with the difference follows the median, not the mean.
        # The first steps are long, so that what stood in the first frame does not linger as a ghost.
        self._count += 1
        step = np.sign(present - self._background) * (STEP / min(self._count, self._config.memory))
        self._background = self._background + step
        return np.asarray(out)

    def fingerprint(self, origin: Path | None) -> str:  # noqa: ARG002  # other sources need the origin
        """Nothing else than footage and settings goes in."""
        return ""


def _components(mask: BoolArray, config: MotionConfig) -> Boxes:
    """Boxes around the connected components of `mask` that are large enough and not too long."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    x, y, width, height = stats[1:, :4].T.astype(np.float32)
    grown = np.stack([x, y, x + width, y + height], axis=1) + config.extend * np.array([-1, -1, 1, 1], np.float32)
    aspect = np.maximum(width, height) / np.minimum(width, height)
    return Boxes(grown[(width * height >= config.min_area) & (aspect <= config.max_aspect)])
