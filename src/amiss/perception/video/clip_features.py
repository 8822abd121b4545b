"""Features of clips from a network with published weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from amiss.config import ClipFeaturesConfig
from amiss.errors import ConfigError, ShapeError, WeightsError
from amiss.perception.video.c3d import C3D, C3D_NAMING
from amiss.perception.video.checkpoint import Naming, load_checkpoint
from amiss.perception.video.i3d import I3D, I3D_NAMING
from amiss.perception.video.swin import SWIN_NAMING, VideoSwin
from amiss.types import FloatArray, Image

__all__ = ["CLIP_NETWORKS", "ClipFeatures", "ClipNetwork"]

RANDOM_SEED = 0


@dataclass(frozen=True)
class ClipNetwork:
    """A network and how its published weights want to be fed.

    Attributes:
        build: Makes it.
        naming: How its published weights call their tensors.
        features: D, the length of what it gives.
        size: Pixels a side that it was trained with.
        mean: Taken from each colour, in the order of the network.
        spread: What remains is divided by.
        is_bgr: Whether it takes blue first.
        fixed: Frames and pixels a side if it takes no others.
    """

    build: Callable[[], nn.Module]
    naming: Naming
    features: int
    size: int
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    is_bgr: bool = False
    fixed: tuple[int, int] | None = None


CLIP_NETWORKS = {
    # Caffe reads blue first; the means are Sports-1M's, to a whole number
    "c3d": ClipNetwork(C3D, C3D_NAMING, C3D.features, 112, (90, 98, 102), (1, 1, 1), is_bgr=True, fixed=(16, 112)),
    "i3d": ClipNetwork(I3D, I3D_NAMING, I3D.features, 224, (127.5,) * 3, (127.5,) * 3),
    # ImageNet's means and deviations times 255
    "swin": ClipNetwork(
        VideoSwin, SWIN_NAMING, VideoSwin.features, 224, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    ),
}


class ClipFeatures:
    """The feature of each clip, from a network with weights that the user gives.

    The whole picture is resized to a square, where training took square pieces of it: nothing at its sides may be lost.

    Args:
        config: Network, weights and size.
        device: A torch device.
        length: Frames of a clip.

    Raises:
        ConfigError: The network does not take that length or size, or both weights and random ones are asked for.
        WeightsError: No weights are given, or they do not fit.
    """

    def __init__(self, config: ClipFeaturesConfig, device: torch.device, length: int = 16) -> None:
        self._kind, self._length = CLIP_NETWORKS[config.network], length
        self._config = config
        self._size = config.size or self._kind.size
        self._device = device
        _check(config, self._kind, length, self._size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(RANDOM_SEED)
            network = self._kind.build()
        if config.weights is not None:
            load_checkpoint(network, config.weights, self._kind.naming)
        self._network = network.eval().requires_grad_(requires_grad=False).to(device)

    @property
    def dimensions(self) -> int:
        """D, the length of a feature."""
        return self._kind.features

    def name(self) -> str:
        """The network, and that its weights are random where they are."""
        return f"{self._config.network} (random weights)" if self._config.random else self._config.network

    def features(self, clips: Image) -> FloatArray:
        """The feature of each clip; it does not depend on the others.

        Args:
            clips: `(N, T, H, W, 3)` uint8 RGB, T as was said.

        Returns:
            `(N, D)` float32.

        Raises:
            ShapeError: Not such clips.
        """
        length = self._length
        if clips.ndim != 5 or clips.shape[1] != length or clips.shape[4] != 3 or clips.dtype != np.uint8:
            raise ShapeError(f"clips are (N, {length}, H, W, 3) uint8, not {clips.shape} {clips.dtype}")
        if clips.size == 0 and len(clips):
            raise ShapeError(f"clips have pixels, and these have the shape {clips.shape}")
        # one at a time: torch sums large batches in another order, and a clip alone keeps every core busy
        found = [self._feature(clip) for clip in clips]
        return np.stack(found) if found else np.zeros((0, self.dimensions), np.float32)

    def _feature(self, clip: Image) -> FloatArray:
        values = self._normalised(np.stack([_resize(picture, self._size) for picture in clip]))
        # T, S, S, 3 → 1, 3, T, S, S
        batch = torch.from_numpy(values).to(self._device).permute(3, 0, 1, 2)[None].contiguous()
        with torch.inference_mode():
            return np.asarray(self._network(batch)[0].cpu().numpy(), np.float32)

    def _normalised(self, clip: Image) -> NDArray[np.float32]:
        """`(T, S, S, 3)` float32 in the network's order of colours."""
        ordered = clip[..., ::-1] if self._kind.is_bgr else clip
        mean, spread = np.array(self._kind.mean, np.float32), np.array(self._kind.spread, np.float32)
        return np.asarray((ordered.astype(np.float32) - mean) / spread, np.float32)


def _resize(picture: Image, size: int) -> Image:
    """`(H, W, 3)` → `(size, size, 3)`."""
    shrinks = picture.shape[0] * picture.shape[1] > size * size
    resized = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def _check(config: ClipFeaturesConfig, kind: ClipNetwork, length: int, size: int) -> None:
    """Refuse settings that do not go together."""
    if kind.fixed and kind.fixed != (length, size):
        frames, side = kind.fixed
        raise ConfigError(
            f"{config.network} takes {frames} frames of {side} pixels a side only; "
            f"give it blocks of {frames} frames and set perception.clips.size={side}"
        )
    if config.weights is not None and config.random:
        raise ConfigError("perception.clips.weights and perception.clips.random exclude each other; leave one out")
    if config.weights is None and not config.random:
        raise WeightsError(
            f"the network {config.network} has no weights; set perception.clips.weights to their file (or "
            "perception.clips.random=true to try without)"
        )
