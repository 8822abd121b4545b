"""What is drawn on: a picture and, beside it, the number of the thing that each pixel shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.types import FloatArray, Image

__all__ = ["SHIFT", "Canvas", "Colour", "capsules", "fixed", "tint"]

Colour = tuple[float, float, float]
"""Red, green, blue in 0..255."""

SHIFT = 4
"""Fractional bits of the pixel coordinates given to the rasteriser."""

_ARC = np.linspace(-np.pi / 2, np.pi / 2, 5)


def fixed(points: FloatArray) -> NDArray[np.int32]:
    """Pixels (pixel centres at .5) as the rasteriser's fixed-point numbers."""
    return np.asarray((points - 0.5) * (1 << SHIFT), np.int32)


def capsules(start: FloatArray, end: FloatArray, start_radius: FloatArray, end_radius: FloatArray) -> FloatArray:
    """Outlines of rods with round ends.

    Args:
        start: `(..., 2)` pixels.
        end: `(..., 2)` pixels.
        start_radius: `(...)` pixels.
        end_radius: `(...)` pixels.

    Returns:
        `(..., 10, 2)` convex polygons in pixels.
    """
    along = end - start
    angle = np.arctan2(along[..., 1], along[..., 0])[..., None]
    front = angle + _ARC
    unit = np.stack([np.cos(front), np.sin(front)], axis=-1)
    near = start[..., None, :] - unit * start_radius[..., None, None]
    far = end[..., None, :] + unit * end_radius[..., None, None]
    return np.concatenate([far, near], axis=-2)


def tint(colour: Colour, factor: float) -> Colour:
    """`colour` made lighter or darker."""
    return (min(colour[0] * factor, 255.0), min(colour[1] * factor, 255.0), min(colour[2] * factor, 255.0))


@dataclass
class Canvas:
    """A picture and its numbers.

    Attributes:
        image: `(H, W, 3)` uint8 RGB.
        ids: `(H, W)` uint16, the thing each pixel shows, 0 for none.
    """

    image: Image
    ids: NDArray[np.uint16]

    def polygon(self, points: NDArray[np.int32], colour: Colour, ident: int) -> None:
        """Fill a convex polygon given by `fixed`; its edges are smooth in the picture and hard in the numbers."""
        cv2.fillConvexPoly(self.image, points, colour, cv2.LINE_AA, SHIFT)
        cv2.fillConvexPoly(self.ids, points, (ident,), cv2.LINE_8, SHIFT)

    def paint(self, points: NDArray[np.int32], colour: Colour) -> None:
        """Fill a convex polygon that lies on what is already drawn, so that the numbers stay as they are."""
        cv2.fillConvexPoly(self.image, points, colour, cv2.LINE_AA, SHIFT)

    def line(self, points: NDArray[np.int32], colour: Colour, thickness: int, ident: int) -> None:
        """Draw an open line through points given by `fixed`."""
        chain: Any = [points.reshape(-1, 1, 2)]
        cv2.polylines(
            self.image, chain, isClosed=False, color=colour, thickness=thickness, lineType=cv2.LINE_AA, shift=SHIFT
        )
        cv2.polylines(
            self.ids, chain, isClosed=False, color=(ident,), thickness=thickness, lineType=cv2.LINE_8, shift=SHIFT
        )
