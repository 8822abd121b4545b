"""How things look, as vectors that tell one from another: for finding somebody again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from amiss.errors import WeightsError
from amiss.perception.network import Network
from amiss.perception.weights import get_weights
from amiss.registry import Registry
from amiss.types import FloatArray, Image, IntArray

__all__ = ["REIDS", "HistogramReid", "NetworkReid", "Reid"]

NETWORK = "person-reidentification-retail-0288"
# Rows, columns and stripes of a crop, and bins of hue, saturation and value.
ROWS, COLUMNS, STRIPES = 48, 24, 6
HUES, SATURATIONS, VALUES = 8, 4, 4


class Reid(Protocol):
    """Looks at boxes one by one; what it gives for one does not depend on the others.

    Attributes:
        dimensions: D, the length of a look.
        same: Cosine distance up to which two looks are taken for one and the same thing's.
    """

    dimensions: int
    same: float

    def __call__(self, image: Image, boxes: FloatArray) -> FloatArray:
        """`(N, D)` float32 of length 1: the looks of the boxes `(N, 4)`, xyxy pixels, of an RGB picture."""


class HistogramReid:
    """Histograms of colour, one for each of six stripes from head to foot.

    Hue, saturation and value are counted jointly; the middle of a box counts more than its sides, where the background
    is. Roots of the shares make the cosine of two looks the Bhattacharyya coefficient of their histograms.
    """

    dimensions = STRIPES * HUES * SATURATIONS * VALUES
    same = 0.35

    def __init__(self) -> None:
        across = 1 - np.linspace(-1, 1, COLUMNS + 2)[1:-1] ** 2
        self._weights = np.tile(across, ROWS)
        self._stripe = np.repeat(np.arange(ROWS) * STRIPES // ROWS, COLUMNS)

    def __call__(self, image: Image, boxes: FloatArray) -> FloatArray:
        """`(N, D)` float32 of length 1: the looks of the boxes `(N, 4)`, xyxy pixels, of an RGB picture."""
        if not len(boxes):
            return np.zeros((0, self.dimensions), np.float32)
        # N crops one below the other, so that one call converts them all
        crops = np.concatenate([_cut(image, box, (COLUMNS, ROWS)) for box in boxes])
        place = self._bins(np.asarray(cv2.cvtColor(crops, cv2.COLOR_RGB2HSV), np.uint8).reshape(len(boxes), -1, 3))
        place += np.arange(len(boxes))[:, None] * self.dimensions
        weights = np.tile(self._weights, len(boxes))
        count = np.bincount(place.ravel(), weights, len(boxes) * self.dimensions)
        return _unit(np.sqrt(count).reshape(len(boxes), self.dimensions))

    def _bins(self, hsv: Image) -> IntArray:
        """`(N, pixels)` the bin of each pixel; OpenCV's hue ends at 179."""
        hue, saturation, value = np.moveaxis(hsv.astype(np.intp), 2, 0)
        colour = (hue * HUES // 180 * SATURATIONS + saturation * SATURATIONS // 256) * VALUES + value * VALUES // 256
        return np.asarray(colour + self._stripe * (HUES * SATURATIONS * VALUES))


class NetworkReid:
    """A network trained to tell people apart: 256×128 crops, BGR in 0..255, one vector each.

    Args:
        path: The network's file; by default the published person-reidentification-retail-0288.

    Raises:
        WeightsError: The network is absent, or is not one from a picture to a vector.
    """

    same = 0.5

    def __init__(self, path: Path | None = None) -> None:
        self._network = Network(path or get_weights(NETWORK))
        ports = [shape for _, shape in (*self._network.inputs, *self._network.outputs)]
        if len(ports) != 2 or len(ports[0]) != 4 or ports[0][1] != 3 or min(*ports[0][2:], ports[1][-1]) < 1:
            raise WeightsError(f"{self._network.path} has the ports {ports}, not (1, 3, H, W) in and (1, D) out")
        self.dimensions = ports[1][-1]
        self._size = ports[0][3], ports[0][2]

    def __call__(self, image: Image, boxes: FloatArray) -> FloatArray:
        """`(N, D)` float32 of length 1: the looks of the boxes `(N, 4)`, xyxy pixels, of an RGB picture."""
        found = [self._look(_cut(image, box, self._size)) for box in boxes]
        return _unit(np.stack(found)) if found else np.zeros((0, self.dimensions), np.float32)

    def _look(self, crop: Image) -> FloatArray:
        # H, W, RGB → 1, BGR, H, W
        batch = crop[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32)
        (output,) = self._network(batch).values()
        return np.asarray(output, np.float32).reshape(self.dimensions)


def _cut(image: Image, box: FloatArray, size: tuple[int, int]) -> Image:
    """What is in a box, resized to width and height `size`; at least the pixel nearest to it."""
    height, width = image.shape[:2]
    left, top, right, bottom = (round(value) for value in box.tolist())
    x, y = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    piece = image[y : max(bottom, y + 1), x : max(right, x + 1)]
    return np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _unit(looks: FloatArray) -> FloatArray:
    """Each row divided by its length; a row of zeros stays."""
    length = np.linalg.norm(looks, axis=1, keepdims=True)
    return np.asarray(looks / np.maximum(length, 1e-9), np.float32)


REIDS: Registry[Callable[[], Reid | None]] = Registry("appearance of tracks")
REIDS.add("none", lambda: None)
REIDS.add("histogram", HistogramReid)
REIDS.add("network", NetworkReid)
