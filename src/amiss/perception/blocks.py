"""Features of blocks: some consecutive frames, in which boxes are looked at, or the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import torch

from amiss.config import ClipFeaturesConfig
from amiss.perception.embed import make_embedder
from amiss.perception.features import FEATURE_NETWORKS, crop
from amiss.perception.video.clip_features import CLIP_NETWORKS, ClipFeatures
from amiss.types import FloatArray, Image

__all__ = ["BlockFeatures", "FrameBlocks", "VideoBlocks", "make_block_features"]

LOOKS = 2
"""Frames of a block that a network of single pictures sees."""
SIDE = 96
"""Pixels a side that boxes are brought to for it."""
APART = 2
"""Frames between the two that motion is taken from."""
WIDTH = 320
"""Pixels across to which pictures are brought for the flow."""
DIRECTIONS = 8
MOTION = 3 + DIRECTIONS + 3
"""Numbers that tell of motion: mean, spread and 90th percentile of speed, and directions, from the flow; the box's own
speed, growth and shape."""
WEIGHT = 0.25
"""Of the numbers of motion beside an appearance of length 1."""
LEAST_SIDE = 16
LEAST = 1e-6


class BlockFeatures(Protocol):
    """Makes features of boxes within a block of frames."""

    @property
    def dimensions(self) -> int:
        """D, the length of a feature."""

    @property
    def looks(self) -> tuple[int, ...]:
        """The frames of a block that are looked at, from 0."""

    def name(self) -> str:
        """What the features come from, in a word or two."""

    def of(self, pictures: Sequence[Image], boxes: FloatArray, seconds: FloatArray) -> FloatArray:
        """The features of boxes; each does not depend on the others.

        Args:
            pictures: One for each of `looks`, `(H, W, 3)` uint8 RGB.
            boxes: `(N, L, 4)` pixels, where each is in each of them; a whole picture is a box too.
            seconds: `(L,)` time of each.

        Returns:
            `(N, D)` float32.
        """


def make_block_features(config: ClipFeaturesConfig, length: int, device: torch.device) -> BlockFeatures:
    """What the settings `perception.clips` ask for, of blocks of so many frames.

    Raises:
        ConfigError: The network does not take such blocks.
        WeightsError: Published weights are needed, and none are given or they do not fit.
    """
    if config.network in CLIP_NETWORKS:
        return VideoBlocks(config, length, device)
    return FrameBlocks(config, length, device)


class VideoBlocks:
    """Features from a 3-D network with published weights, which sees every frame of a block.

    Args:
        config: Network, weights and size.
        length: Frames of a block.
        device: A torch device.
    """

    def __init__(self, config: ClipFeaturesConfig, length: int, device: torch.device) -> None:
        self._features = ClipFeatures(config, device, length)
        self._size = config.size or CLIP_NETWORKS[config.network].size
        self.looks = tuple(range(length))

    @property
    def dimensions(self) -> int:
        """D, the length of a feature."""
        return self._features.dimensions

    def name(self) -> str:
        """The network, and that its weights are random where they are."""
        return self._features.name()

    def of(self, pictures: Sequence[Image], boxes: FloatArray, seconds: FloatArray) -> FloatArray:  # noqa: ARG002
        """The features of boxes, each cut out of every frame."""
        found = [self._features.features(self._clip(pictures, places)) for places in boxes]
        return np.concatenate(found) if found else np.zeros((0, self.dimensions), np.float32)

    def _clip(self, pictures: Sequence[Image], places: FloatArray) -> Image:
        """`(1, L, S, S, 3)` what a box shows, which is somewhere else in every frame."""
        return np.stack([crop(picture, box, self._size) for picture, box in zip(pictures, places, strict=True)])[None]


class FrameBlocks:
    """Appearance from a network of single pictures, averaged over the block, and numbers that tell of motion.

    The appearance has length 1; the numbers of motion follow it. Speeds are in heights of the box a second, so that
    near and far are alike, and as `log(1 + v)`.

    Args:
        config: Network, and pixels a side that boxes are brought to.
        length: Frames of a block.
        device: A torch device.
    """

    def __init__(self, config: ClipFeaturesConfig, length: int, device: torch.device) -> None:
        network, self._length = FEATURE_NETWORKS[config.network]()
        self._network, self._size = config.network, config.size or SIDE
        self._embed = make_embedder(network, device, self._size)
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        first = [round((look + 0.5) * length / LOOKS) - 1 for look in range(LOOKS)]
        self._pairs = [(start, min(start + APART, length - 1)) for start in first]
        self.looks = tuple(sorted({frame for pair in self._pairs for frame in pair}))

    @property
    def dimensions(self) -> int:
        """D, the length of a feature."""
        return self._length + MOTION

    def name(self) -> str:
        """The network of single pictures."""
        return f"{self._network} and motion"

    def of(self, pictures: Sequence[Image], boxes: FloatArray, seconds: FloatArray) -> FloatArray:
        """The features of boxes: what they look like, then how it moves in them."""
        if not len(boxes):
            return np.zeros((0, self.dimensions), np.float32)
        pairs = [(self.looks.index(start), self.looks.index(end)) for start, end in self._pairs]
        crops = [crop(pictures[start], box, self._size) for start, _ in pairs for box in boxes[:, start]]
        looks = self._embed(np.stack(crops)).reshape(len(pairs), len(boxes), -1).mean(0)
        looks /= np.maximum(np.linalg.norm(looks, axis=1, keepdims=True), LEAST)
        motion = np.mean([self._motion(pictures, boxes, seconds, *pair) for pair in pairs], 0)
        own = _own(boxes, float(seconds[-1] - seconds[0]))
        return np.asarray(np.hstack([looks, WEIGHT * motion, WEIGHT * own]), np.float32)

    def _motion(
        self, pictures: Sequence[Image], boxes: FloatArray, seconds: FloatArray, start: int, end: int
    ) -> FloatArray:
        """`(N, MOTION - 3)` from the flow between two frames."""
        step = float(seconds[end] - seconds[start])
        if step <= 0:  # the footage has ended in between
            return np.zeros((len(boxes), MOTION - 3))
        flow, scale = self._flow(pictures[start], pictures[end])
        found = [_told(_inside(flow, box * scale), float(box[3] - box[1]) * scale * step) for box in boxes[:, start]]
        return np.array(found)

    def _flow(self, first: Image, second: Image) -> tuple[FloatArray, float]:
        """`(h, w, 2)` float32, from the first picture to the second, and how much smaller than these it is."""
        scale = min(1.0, WIDTH / first.shape[1])
        size = max(round(first.shape[1] * scale), LEAST_SIDE), max(round(first.shape[0] * scale), LEAST_SIDE)
        grey = [
            cv2.cvtColor(cv2.resize(p, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY) for p in (first, second)
        ]
        return np.asarray(self._dis.calc(grey[0], grey[1], np.zeros((*size[::-1], 2), np.float32))), scale


def _inside(flow: FloatArray, box: FloatArray) -> FloatArray:
    """`(K, 2)` the vectors within a box, K at least 1."""
    x1, y1 = (int(min(max(near, 0), far - 1)) for near, far in zip(box[:2], flow.shape[1::-1], strict=True))
    x2, y2 = max(int(np.ceil(box[2])), x1 + 1), max(int(np.ceil(box[3])), y1 + 1)
    return flow[y1:y2, x1:x2].reshape(-1, 2)


def _told(vectors: FloatArray, unit: float) -> FloatArray:
    """`(MOTION - 3,)` of vectors `(K, 2)`: mean, spread, 90th percentile of speed, and how much goes where.

    Args:
        vectors: How far each has come.
        unit: What counts as 1 a second.
    """
    speed = np.log1p(np.hypot(*vectors.T) / max(unit, LEAST))
    where = np.floor(np.arctan2(vectors[:, 1], vectors[:, 0]) / (2 * np.pi) * DIRECTIONS).astype(np.int64) % DIRECTIONS
    ways = np.bincount(where, speed, DIRECTIONS) / len(speed)
    return np.concatenate([[speed.mean(), speed.std(), np.percentile(speed, 90)], ways])


def _own(boxes: FloatArray, seconds: float) -> FloatArray:
    """`(N, 3)` by how many of their heights boxes `(N, L, 4)` move and grow a second, and how wide they are for those.

    They are compared over all that is seen of a block: over two frames, what a detector is unsure of would be more than
    what anybody moves.

    Args:
        boxes: Where each is in the frames that are looked at.
        seconds: From the first to the last of these.
    """
    before, after = boxes[:, 0], boxes[:, -1]
    height = np.maximum((boxes[..., 3] - boxes[..., 1]).mean(1), 1.0)
    width = np.maximum((boxes[..., 2] - boxes[..., 0]).mean(1), 1.0)
    way = np.hypot(*((after[:, :2] + after[:, 2:] - before[:, :2] - before[:, 2:]) / 2).T)
    growth = np.abs((after[:, 3] - after[:, 1]) - (before[:, 3] - before[:, 1]))
    moved = np.column_stack([way, growth]) / (height * seconds)[:, None] if seconds > 0 else np.zeros((len(boxes), 2))
    return np.column_stack([np.log1p(moved), np.log(width / height)])
