"""Deep appearance features of boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import ceil, floor

import cv2
import numpy as np
import torch

from amiss.config import FeaturesConfig
from amiss.perception.efficientnet import EfficientNetLite0, load_efficientnet_lite0
from amiss.perception.embed import OPENVINO_BATCHES, Embedder, make_embedder
from amiss.registry import Registry
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame, Image

__all__ = ["FEATURE_NETWORKS", "Asked", "Features", "crop"]

FEATURE_NETWORKS: Registry[Callable[[], tuple[torch.nn.Module, int]]] = Registry("feature source")
"""Each gives a network from (N, 3, S, S) RGB as (value - 127) / 128 to (N, D), and D."""
FEATURE_NETWORKS.add("efficientnet-lite0", lambda: (load_efficientnet_lite0(), EfficientNetLite0.features))


def crop(image: Image, box: FloatArray, size: int) -> Image:
    """What is in a box, resized to a square; of a box that reaches beyond the picture, the part that lies in it.

    Args:
        image: `(H, W, C)` or `(H, W)`, any dtype that OpenCV resizes.
        box: `(4,)` pixels.
        size: Pixels a side.

    Returns:
        `(size, size, C)` of the image's dtype.
    """
    height, width = image.shape[:2]
    # plain numbers: numpy's clip takes longer for one box than the resizing does
    left, top, right, bottom = box.tolist()
    x1, y1 = min(max(floor(left), 0), width - 1), min(max(floor(top), 0), height - 1)
    x2, y2 = min(max(ceil(right), 1), width), min(max(ceil(bottom), 1), height)
    piece = image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    shrinks = piece.shape[0] * piece.shape[1] > size * size
    resized = cv2.resize(piece, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, image.dtype)


class _Look:
    """A feature that was asked for: empty until it is computed."""

    __slots__ = ("feature",)

    def __init__(self) -> None:
        self.feature: FloatArray | None = None


Asked = Sequence[_Look]
"""The features of the boxes of one frame, which `Features.rows` gives once they were computed."""


class Features:
    """The appearance of each box as a vector, computed anew every few frames along a track.

    Whoever has several frames asks about each, and has all their crops computed at once; the numbers are the same.

    Args:
        config: Source, size of crops, how often.
        device: A torch device.
    """

    def __init__(self, config: FeaturesConfig, device: torch.device) -> None:
        self._config = config
        self._embed, self._length = _embedder(FEATURE_NETWORKS[config.source], device, config.size)
        self._known: dict[int, tuple[int, _Look]] = {}
        self._waiting: list[tuple[_Look, Image]] = []

    def warm(self) -> None:
        """Have the network compiled now, for every size of batch, and not when a frame waits for it."""
        for count in OPENVINO_BATCHES:
            self._embed(np.zeros((count, self._config.size, self._config.size, 3), np.uint8))

    def reset(self) -> None:
        """Forget what was computed along tracks."""
        self._known.clear()

    def update(self, frame: Frame, boxes: Boxes) -> FloatArray:
        """`(N, D)` float32 features of the boxes in `frame`."""
        asked = self.ask(frame, boxes)
        self.compute()
        return self.rows(asked)

    def ask(self, frame: Frame, boxes: Boxes) -> Asked:
        """Say which features are wanted: those of the boxes in `frame`."""
        asked = [self._look(frame, track, box) for track, box in zip(boxes.track.tolist(), boxes.xyxy, strict=True)]
        self._forget(frame.index)
        return asked

    def _look(self, frame: Frame, track: int, box: FloatArray) -> _Look:
        """What is known of a track, or the crop of a box that has to be computed."""
        known = self._known.get(track)
        if known is not None and frame.index - known[0] < self._config.every:
            return known[1]
        look = _Look()
        self._waiting.append((look, crop(frame.image, box, self._config.size)))
        if track != NO_TRACK:
            self._known[track] = frame.index, look
        return look

    def compute(self) -> None:
        """Compute all that was asked for."""
        if not self._waiting:
            return
        looks, crops = zip(*self._waiting, strict=True)
        self._waiting.clear()
        for look, feature in zip(looks, self._embed(np.stack(crops)), strict=True):
            look.feature = feature

    def rows(self, asked: Asked) -> FloatArray:
        """`(N, D)` float32 of what was asked for, and computed since."""
        found = [look.feature for look in asked if look.feature is not None]
        return np.stack(found) if found else np.zeros((0, self._length), np.float32)

    def _forget(self, index: int) -> None:
        """Drop tracks that have not been seen for as long as a feature lasts."""
        horizon = index - self._config.every
        self._known = {track: known for track, known in self._known.items() if known[0] > horizon}


@lru_cache(maxsize=4)
def _embedder(make: Callable[[], tuple[torch.nn.Module, int]], device: torch.device, size: int) -> tuple[Embedder, int]:
    """What computes features, and their length; cameras share it, as compiling takes seconds and much memory."""
    network, length = make()
    return make_embedder(network, device, size), length
