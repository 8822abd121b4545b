"""Boxes from motion alone: background subtraction, and frame difference for what it misses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from amiss.config import MotionConfig
from amiss.types import Boxes, Frame, Image

__all__ = ["MotionBoxes"]

FOREGROUND, SHADOW = 255, 127
"""What OpenCV's subtractor marks its pixels with."""

MARGIN = 0.1
"""By this share of its size a known box is grown on each side before what moves in it is erased."""
COVERED = 0.5
"""Something that moves of which known boxes cover more than this share is theirs altogether, with what it trails."""


class MotionBoxes:
    """Connected components of what stands out from the background or has just come.

    The background is a mixture of Gaussians a pixel (Zivkovic, 2004) that tells shadows apart. In crowds it learns the
    people as well; there the summed difference from the two frames before still finds what moves.

    Args:
        config: Thresholds and sizes.
    """

    def __init__(self, config: MotionConfig) -> None:
        self._config = config
        self.reset(None)

    def reset(self, origin: Path | None = None) -> None:  # noqa: ARG002  # other sources need the origin
        """Forget the frames before and the background."""
        self._before: list[Image] = []
        self._background = cv2.createBackgroundSubtractorMOG2(
            self._config.memory, self._config.background, detectShadows=True
        )

    def update(self, frame: Frame) -> Boxes:
        """The boxes of what moves in `frame`; none in the first frame."""
        return self.beyond(frame, Boxes.empty())

    def beyond(self, frame: Frame, known: Boxes) -> Boxes:
        """The boxes of what moves in `frame` and is not one of the `known` boxes; none in the first frame."""
        smooth = cv2.GaussianBlur(frame.image, (5, 5), 0)
        marked = self._background.apply(smooth)
        grey = np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY), np.uint8)
        come = cv2.bitwise_and(self._has_come(grey), _compared(marked, SHADOW, cv2.CMP_NE))
        mask = cv2.bitwise_or(come, _compared(marked, FOREGROUND, cv2.CMP_EQ))
        is_first = not self._before
        self._before = [*self._before[-1:], grey]
        if is_first:
            return Boxes.empty()
        closed = _closed(np.asarray(mask, np.uint8), self._config)
        return _components(_erased(closed, known) if len(known) else closed, self._config)

    def _has_come(self, grey: Image) -> Image:
        """255 where the present frame differs from the two before it."""
        if len(self._before) < 2:
            return np.zeros(grey.shape, np.uint8)
        first, second = (cv2.absdiff(grey, before) for before in self._before)
        summed = cv2.add(first, second, dtype=cv2.CV_16U)
        return _compared(summed, self._config.threshold, cv2.CMP_GT)

    def fingerprint(self, origin: Path | None) -> str:  # noqa: ARG002  # other sources need the origin
        """Nothing else than footage and settings goes in."""
        return ""


def _compared(picture: Any, number: int, how: int) -> Image:
    """255 where a picture compares so with a number."""
    return np.asarray(cv2.compare(picture, number, how), np.uint8)  # type: ignore[call-overload]  # stubs: no numbers


def _closed(mask: Image, config: MotionConfig) -> Image:
    """The mask of 0 and 255 with its gaps closed."""
    reach = max(round(mask.shape[0] * config.close), 1)
    kernel = np.ones((reach, reach), np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), np.uint8)


def _erased(closed: Image, known: Boxes) -> Image:
    """The mask without what the known boxes cover, and without what hangs together with them and is mostly theirs.

    Differences between frames also show where a thing has just been; beside its box they would be things of their own.
    """
    size = known.xyxy[:, 2:] - known.xyxy[:, :2]
    grown = np.concatenate([known.xyxy[:, :2] - MARGIN * size, known.xyxy[:, 2:] + MARGIN * size], axis=1)
    covered = np.zeros(closed.shape, np.bool_)
    for x1, y1, x2, y2 in np.round(grown).astype(np.int64).clip(0):
        covered[y1:y2, x1:x2] = True
    count, piece = cv2.connectedComponents(closed, connectivity=8)
    whole, theirs = np.bincount(piece.ravel(), minlength=count), np.bincount(piece[covered], minlength=count)
    return np.where(covered | (theirs > COVERED * whole)[piece], np.uint8(0), closed)


def _components(closed: Image, config: MotionConfig) -> Boxes:
    """Boxes around the connected components of a mask that are large enough and not too long."""
    # the algorithm that OpenCV takes by itself counts the pieces alike, in three times the time
    _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(closed, 8, cv2.CV_32S, cv2.CCL_GRANA)
    x, y, width, height = stats[1:, :4].T.astype(np.float32)
    grown = np.stack([x, y, x + width, y + height], axis=1) + config.extend * np.array([-1, -1, 1, 1], np.float32)
    aspect = np.maximum(width, height) / np.minimum(width, height)
    return Boxes(grown[(width * height >= config.min_area) & (aspect <= config.max_aspect)])
