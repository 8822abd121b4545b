"""Dense optical flow between one frame and the next."""

from __future__ import annotations

import cv2
import numpy as np

from amiss.config import FlowConfig
from amiss.types import FloatArray, Frame, Image

__all__ = ["Flow"]

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class Flow:
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
        grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
        width, height = frame.size
        if self._scale < 1:
            grey = cv2.resize(grey, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA)
        before, self._previous = self._previous, np.asarray(grey, np.uint8)
        if before is None:
            return np.zeros((height, width, 2), np.float32)
        flow = np.negative(self._dis.calc(grey, before, np.zeros((*grey.shape, 2), np.float32)))
        if self._scale < 1:
            flow = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR) / np.float32(self._scale)
        return np.asarray(flow, np.float32)
