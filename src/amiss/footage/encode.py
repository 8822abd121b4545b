"""Videos that any browser plays."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from amiss.types import Image

__all__ = ["VideoEncoder"]

TICK = Fraction(1, 90_000)
"""Time base of the file, fine enough for any frame rate."""
ENCODER = {"preset": "superfast", "crf": "24", "movflags": "+faststart"}
SMPTE_170M, LIMITED_RANGE = 6, 1
"""What OpenCV's conversion to YUV makes, told to the player so that colours do not shift."""


class VideoEncoder:
    """An H.264 video (yuv420p, MP4, playable while it loads) that takes pictures with their times.

    Args:
        path: File to write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: VideoStream | None = None
        self._last = -1

    def open(self, size: tuple[int, int], rate: float) -> None:
        """Make the stream.

        Args:
            size: Width and height in pixels, even.
            rate: Nominal frames per second.
        """
        self._container = av.open(str(self._path), "w", format="mp4", options={"movflags": ENCODER["movflags"]})
        options = {key: ENCODER[key] for key in ("preset", "crf")}
        stream = self._container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000), options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        context = stream.codec_context
        context.time_base, context.gop_size = TICK, max(round(2 * rate), 1)
        context.colorspace, context.color_range = SMPTE_170M, LIMITED_RANGE
        self._stream = stream

    def write(self, picture: Image, seconds: float, duration: float) -> float:
        """Encode one picture.

        Args:
            picture: `(H, W, 3)` uint8 RGB of the size that the stream was opened with.
            seconds: When it is shown; put after the picture before where it is not.
            duration: For how many seconds.

        Returns:
            When it is shown.
        """
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        self._last = max(round(seconds / TICK), self._last + 1)
        frame.pts, frame.time_base = self._last, TICK
        frame.duration = max(round(duration / TICK), 1)
        self._mux(frame)
        return float(self._last * TICK)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._mux(None)
        if self._stream is not None:
            self._container.close()
