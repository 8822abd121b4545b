"""Dense optical flow between one frame and the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from amiss.config import FlowConfig
from amiss.errors import ConfigError
from amiss.perception.network import Network
from amiss.registry import Registry
from amiss.types import FloatArray, Frame, Image

__all__ = ["FLOW_SOURCES", "DisFlow", "FlowSource", "NetworkFlow"]

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class FlowSource(Protocol):
    """Finds how the pixels of a frame have come since the frame before."""

    def reset(self) -> None:
        """Forget the previous frame."""

    def update(self, frame: Frame) -> FloatArray:
        """How far what is at each pixel of `frame` has come since the frame before.

        Returns:
            `(H, W, 2)` float32 pixels a frame, x then y; zero on the first frame.
        """

    def skip(self, frame: Frame) -> None:
        """Take in a frame whose own flow nobody needs; that of the next one is the same."""

    def fingerprint(self) -> str:
        """A hash of whatever else than the settings the flow comes from; empty if there is nothing."""


class DisFlow:
    """Dense inverse search (Kroeger et al., 2016), from the previous frame into the present one.

    Args:
        config: Preset and scale.
    """

    def __init__(self, config: FlowConfig) -> None:
        self._scale = config.scale
        self._dis = cv2.DISOpticalFlow.create(PRESETS[config.preset])
        self._previous: Image | None = None

    def reset(self) -> None:
        """Forget the previous frame."""
        self._previous = None

    def update(self, frame: Frame) -> FloatArray:
        """How far what is at each pixel of `frame` has come since the frame before.

        Searched backwards from the present frame, so that a vector stands at the present place of what moved.

        Returns:
            `(H, W, 2)` float32 pixels a frame, x then y; zero on the first frame.
        """
        width, height = frame.size
        before, grey = self._previous, self._shrunk(frame)
        self._previous = grey
        if before is None:
            return np.zeros((height, width, 2), np.float32)
        # a flow to begin with would be shrunk to every scale, even one of zeros
        flow = np.asarray(self._dis.calc(grey, before, None), np.float32)  # type: ignore[call-overload]  # stubs: no None
        np.negative(flow, out=flow)
        if self._scale < 1:
            flow = np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
            flow /= np.float32(self._scale)
        return flow

    def skip(self, frame: Frame) -> None:
        """Take in a frame whose own flow nobody needs."""
        self._previous = self._shrunk(frame)

    def _shrunk(self, frame: Frame) -> Image:
        """`(h, w)` the grey picture that is searched."""
        grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
        if self._scale < 1:
            grey = cv2.resize(grey, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA)
        return np.asarray(grey, np.uint8)

    def fingerprint(self) -> str:
        """Nothing else than the settings goes in."""
        return ""


class NetworkFlow:
    """A network that the user gives: of the kind of FlowNet (Dosovitskiy et al., 2015) or RAFT (Teed and Deng, 2020).

    It takes two pictures in RGB, 0..255, as two inputs `(1, 3, h, w)` or as one `(1, 6, h, w)`, and its last output is
    `(1, 2, h', w')`: for each pixel of the first, where it is in the second, in pixels of the input, x then y. It is
    asked from the present frame to the one before, so that a vector stands at the present place of what moved.

    Args:
        config: The network's file.

    Raises:
        ConfigError: No network is named, or it is of another kind.
        WeightsError: It cannot be read.
    """

    def __init__(self, config: FlowConfig) -> None:
        if config.network is None:
            raise ConfigError("perception.flow.source=network needs perception.flow.network, a file with the network")
        self._network = Network(config.network)
        shapes = [shape for _, shape in self._network.inputs]
        channels = [shape[1] if len(shape) == 4 else 0 for shape in shapes]
        output = self._network.outputs[-1][1]
        if channels not in ([3, 3], [6]) or min(shapes[0][2:]) < 1 or len(output) != 4 or output[1] != 2:
            raise ConfigError(
                f"the flow network {config.network} takes {shapes} and gives {output}; it must take two pictures of a "
                "fixed size (1, 3, h, w), or both in one (1, 6, h, w), and give (1, 2, h, w)"
            )
        self._size = shapes[0][3], shapes[0][2]
        self._joined = len(shapes) == 1
        self.reset()

    def reset(self) -> None:
        """Forget the previous frame."""
        self._previous: FloatArray | None = None

    def update(self, frame: Frame) -> FloatArray:
        """As `FlowSource.update` says."""
        before, now = self._previous, self._shrunk(frame)
        self._previous = now
        width, height = frame.size
        if before is None or before.shape != now.shape:
            return np.zeros((height, width, 2), np.float32)
        given = [np.concatenate([now, before], axis=1)] if self._joined else [now, before]
        outputs = self._network(*given)
        back = outputs[self._network.outputs[-1][0]][0].transpose(1, 2, 0)  # h', w', 2
        flow = cv2.resize(np.ascontiguousarray(back, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(flow * -np.array([width / self._size[0], height / self._size[1]], np.float32), np.float32)

    def skip(self, frame: Frame) -> None:
        """Take in a frame whose own flow nobody needs."""
        self._previous = self._shrunk(frame)

    def _shrunk(self, frame: Frame) -> FloatArray:
        """`(1, 3, h, w)` the picture as the network takes it."""
        small = cv2.resize(frame.image, self._size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float32).transpose(2, 0, 1)[None]

    def fingerprint(self) -> str:
        """A hash of the network."""
        files = (self._network.path, self._network.path.with_suffix(".bin"))
        content = b"".join(path.read_bytes() for path in files if path.is_file())
        return hashlib.blake2b(content, digest_size=16).hexdigest()


FLOW_SOURCES: Registry[Callable[[FlowConfig], FlowSource]] = Registry("flow source")
FLOW_SOURCES.add("dis", DisFlow)
FLOW_SOURCES.add("network", NetworkFlow)
