"""Deep appearance features of boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import torch
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from amiss.config import FeaturesConfig
from amiss.perception.efficientnet import EfficientNetLite0, load_efficientnet_lite0
from amiss.registry import Registry
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame, Image

__all__ = ["FEATURE_NETWORKS", "Features", "crop"]

FEATURE_NETWORKS: Registry[Callable[[], tuple[torch.nn.Module, int]]] = Registry("feature source")
"""Each gives a network from (N, 3, S, S) RGB as (value - 127) / 128 to (N, D), and D."""
FEATURE_NETWORKS.add("efficientnet-lite0", lambda: (load_efficientnet_lite0(), EfficientNetLite0.features))


def crop(image: Image, box: FloatArray, size: int) -> Image:
    """What is in a box, resized to a square; what lies outside the picture repeats its edge.

    Args:
        image: `(H, W, C)` or `(H, W)`, any dtype that OpenCV resizes.
        box: `(4,)` pixels.
        size: Pixels a side.

    Returns:
        `(size, size, C)` of the image's dtype.
    """
    height, width = image.shape[:2]
    x1, y1 = (int(np.clip(np.floor(v), 0, limit - 1)) for v, limit in zip(box[:2], (width, height), strict=True))
    x2, y2 = (int(np.clip(np.ceil(v), 1, limit)) for v, limit in zip(box[2:], (width, height), strict=True))
    piece = image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    shrinks = piece.shape[0] * piece.shape[1] > size * size
    resized = cv2.resize(piece, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, image.dtype)


class Features:
    """The appearance of each box as a vector, computed anew every few frames along a track.

    Args:
        config: Source, size of crops, how often.
        device: A torch device.
    """

    def __init__(self, config: FeaturesConfig, device: torch.device) -> None:
        self._config = config
        self._device = device
        self._network, self._length = FEATURE_NETWORKS[config.source]()
        self._network.to(device)
        convert_conv2d_weight_memory_format(self._network, torch.channels_last)
        self._dtype = torch.bfloat16 if _has_bf16(device) else torch.float32
        self._known: dict[int, tuple[int, FloatArray]] = {}

    def reset(self) -> None:
        """Forget what was computed along tracks."""
        self._known.clear()

    def update(self, frame: Frame, boxes: Boxes) -> FloatArray:
        """`(N, D)` float32 features of the boxes in `frame`."""
        tracks = [int(track) for track in boxes.track]
        stale = [row for row, track in enumerate(tracks) if not self._is_fresh(track, frame.index)]
        found = dict(zip(stale, self._compute(frame.image, boxes.xyxy[stale]), strict=True))
        self._known.update({tracks[row]: (frame.index, found[row]) for row in stale if tracks[row] != NO_TRACK})
        self._forget(frame.index)
        rows = [found[row] if row in found else self._known[track][1] for row, track in enumerate(tracks)]
        return np.stack(rows) if rows else np.zeros((0, self._length), np.float32)

    def _is_fresh(self, track: int, index: int) -> bool:
        return track in self._known and index - self._known[track][0] < self._config.every

    def _forget(self, index: int) -> None:
        """Drop tracks that have not been seen for as long as a feature lasts."""
        horizon = index - self._config.every
        self._known = {track: known for track, known in self._known.items() if known[0] > horizon}

    def _compute(self, image: Image, boxes: FloatArray) -> FloatArray:
        if not len(boxes):
            return np.zeros((0, self._length), np.float32)
        crops = np.stack([crop(image, box, self._config.size) for box in boxes])
        # N, S, S, 3 → N, 3, S, S with the channels last in memory
        batch = torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2)
        batch = ((batch.float() - 127) / 128).contiguous(memory_format=torch.channels_last)
        with (
            _one_thread(),
            torch.inference_mode(),
            torch.autocast(self._device.type, self._dtype, self._dtype != torch.float32),
        ):
            return np.asarray(self._network(batch).float().cpu().numpy(), np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: batches of a few small crops lose more by sharing than they gain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _has_bf16(device: torch.device) -> bool:
    """Whether half precision is worth it there."""
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001  # there is no public question for it
    return device.type == "cuda" and torch.cuda.is_bf16_supported()
