"""What nothing may see, and where nothing is looked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from amiss.config import MasksConfig, Polygon
from amiss.footage.base import Footage
from amiss.types import BoolArray, Boxes, Frame

__all__ = ["Masked", "Masks"]


class Masks:
    """Privacy masks and the region of interest of one camera.

    Args:
        config: The polygons.
    """

    def __init__(self, config: MasksConfig) -> None:
        self._config = config
        self._drawn: dict[tuple[str, tuple[int, int]], BoolArray] = {}

    def apply(self, frame: Frame) -> Frame:
        """The frame with its privacy polygons blacked out; the same frame where there are none."""
        if not self._config.privacy:
            return frame
        image = frame.image.copy()
        image[self._inside("privacy", self._config.privacy, frame.size)] = 0
        return dataclasses.replace(frame, image=image)

    def inside(self, boxes: Boxes, size: tuple[int, int]) -> Boxes:
        """The boxes that stand in the region of interest: with the middle of their lower edge.

        Args:
            boxes: Boxes of one frame.
            size: Width and height of the picture.
        """
        if not self._config.region or not len(boxes):
            return boxes
        region = self._inside("region", self._config.region, size)
        x = boxes.xyxy[:, [0, 2]].mean(1).astype(np.int64).clip(0, size[0] - 1)
        y = np.ceil(boxes.xyxy[:, 3] - 1).astype(np.int64).clip(0, size[1] - 1)
        return boxes[region[y, x]]

    def _inside(self, name: str, polygons: tuple[Polygon, ...], size: tuple[int, int]) -> BoolArray:
        """`(H, W)` whether a pixel lies in one of the polygons; drawn once a size."""
        if (name, size) not in self._drawn:
            mask = np.zeros((size[1], size[0]), np.uint8)
            for polygon in polygons:  # each on its own: overlapping ones must not cancel out
                corners = np.round(np.array(polygon) * np.array(size)).astype(np.int32)
                cv2.fillPoly(mask, [corners], [1])
            self._drawn[name, size] = mask > 0
        return self._drawn[name, size]


class Masked:
    """Footage whose frames are masked before anybody sees them.

    Args:
        footage: The footage.
        masks: What to black out.
    """

    def __init__(self, footage: Footage, masks: Masks) -> None:
        self._footage, self._masks = footage, masks
        self.name: str = footage.name
        self.path: Path = footage.path

    @property
    def rate(self) -> float:
        """Frames a second, as the footage says."""
        return self._footage.rate

    @property
    def length(self) -> int | None:
        """Number of frames, if the footage knows it."""
        return self._footage.length

    def __iter__(self) -> Iterator[Frame]:
        return (self._masks.apply(frame) for frame in self._footage)

    def fingerprint(self) -> str:
        """Of the footage itself; masks are settings."""
        return self._footage.fingerprint()
