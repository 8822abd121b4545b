"""The annotated video: every frame with its boxes, and under it the score curve with a cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from amiss.errors import FootageError
from amiss.report import draw
from amiss.report.content import ClipReport, Progress, Summary, region_levels
from amiss.report.strip import STRIP_HEIGHT, Strip
from amiss.scoring.localise import outlines
from amiss.storage import whole_file
from amiss.types import Frame, Image

__all__ = ["write_video"]

LEAST_WIDTH, MOST_WIDTH = 480, 1280
TICK = Fraction(1, 90_000)
"""Time base of the file, fine enough for any frame rate."""
ENCODER = {"preset": "superfast", "crf": "24", "movflags": "+faststart"}
SMPTE_170M, LIMITED_RANGE = 6, 1
"""What OpenCV's conversion to YUV makes, told to the player so that colours do not shift."""
PLATE = (36, 40, 46)


def write_video(
    path: Path, clips: Sequence[ClipReport], summary: Summary, progress: Progress | None = None
) -> tuple[float, ...]:
    """Write all clips, one after another, as one H.264 video (yuv420p, MP4, playable while it loads).

    The first clip sets the size: small footage is enlarged by a whole factor, wide footage reduced to 1280 pixels;
    other clips are fitted with bars. Time stamps are those of the footage. Boxes below the release line are thin and
    grey, above it amber to red with their score, and with an outline of what in them is amiss where maps tell.

    Args:
        path: File to write; it appears only when it is complete.
        clips: What to show.
        summary: Where the level and the release line are.
        progress: Called after each frame.

    Returns:
        The second of the video at which each clip starts, for `ClipReport.video_offset`.

    Raises:
        FootageError: The footage cannot be read, or there is no frame at all.
        StorageError: The file cannot be written.
    """
    offsets = []
    with whole_file(path) as partial, _Encoder(partial) as encoder:
        for clip in clips:
            offsets.append(encoder.seconds)
            _write_clip(encoder, clip, summary, progress)
        if encoder.seconds == 0.0:
            raise FootageError(f"there is no frame to write to {path}; give footage that has some")
    return tuple(offsets)


def _write_clip(encoder: _Encoder, clip: ClipReport, summary: Summary, progress: Progress | None) -> None:
    offset, painter = encoder.seconds, None
    for frame in clip.footage:
        encoder.open(frame.size, clip.footage.rate)
        if painter is None:
            painter = _Painter(clip, summary, encoder.size)
        encoder.write(painter.paint(frame), offset + frame.seconds, 1 / clip.footage.rate)
        if progress is not None:
            progress(1)


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    """Even width and height in which footage of this size is shown."""
    width, height = size
    scale = math.ceil(LEAST_WIDTH / width) if width < LEAST_WIDTH else min(MOST_WIDTH / width, 1.0)
    return max(2 * round(width * scale / 2), 2), max(2 * round(height * scale / 2), 2)


class _Encoder:
    """An MP4 file that opens with the size of the first frame and takes pictures with their times."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: VideoStream | None = None
        self._last = -1
        self.seconds = 0.0  # where the next clip starts
        self.size = (0, 0)

    def open(self, size: tuple[int, int], rate: float) -> None:
        """Make the stream, if it is not there yet."""
        if self._stream is not None:
            return
        self.size = _fitted(size)
        self._container = av.open(str(self._path), "w", format="mp4", options={"movflags": ENCODER["movflags"]})
        options = {key: ENCODER[key] for key in ("preset", "crf")}
        stream = self._container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000), options=options)
        stream.width, stream.height, stream.pix_fmt = self.size[0], self.size[1] + STRIP_HEIGHT, "yuv420p"
        context = stream.codec_context
        context.time_base, context.gop_size = TICK, max(round(2 * rate), 1)
        context.colorspace, context.color_range = SMPTE_170M, LIMITED_RANGE
        self._stream = stream

    def write(self, picture: Image, seconds: float, duration: float) -> None:
        """Encode one picture, to be shown from `seconds` on."""
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        self._last = max(round(seconds / TICK), self._last + 1)
        frame.pts, frame.time_base = self._last, TICK
        frame.duration = max(round(duration / TICK), 1)
        self.seconds = float(self._last * TICK) + duration
        self._mux(frame)

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


class _Painter:
    """Turns the frames of one clip into pictures of the video.

    Args:
        clip: Whose frames.
        summary: Where the level and the release line are.
        size: Even width and height for the picture above the strip.
    """

    def __init__(self, clip: ClipReport, summary: Summary, size: tuple[int, int]) -> None:
        self._clip, self._summary, self._size = clip, summary, size
        self._canvas = np.zeros((size[1] + STRIP_HEIGHT, size[0], 3), np.uint8)
        self._strip = Strip(clip, summary, size[0])
        self._curve = dict(zip(clip.frames.frame.tolist(), clip.frames.calibrated.tolist(), strict=True))
        self._levels = region_levels(clip)
        self._order = np.lexsort((self._levels, clip.regions.frame))  # the highest of a frame is drawn last, on top
        self._numbers = clip.regions.frame[self._order]

    def paint(self, frame: Frame) -> Image:
        """The picture with boxes and strip. It is the painter's own array and changes with the next frame."""
        width, height = self._size
        scale = min(width / frame.size[0], height / frame.size[1])
        shown = min(round(frame.size[0] * scale), width), min(round(frame.size[1] * scale), height)
        left, top = (width - shown[0]) // 2, (height - shown[1]) // 2
        picture = self._canvas[top : top + shown[1], left : left + shown[0]]
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture[...] = frame.image if shown == frame.size else cv2.resize(frame.image, shown, interpolation=how)
        self._boxes(picture, frame.index, scale)
        draw.label(self._canvas[:height], self._clip.name, (8, 28), PLATE)
        self._strip.paint(self._canvas[height:], frame.seconds, self._curve.get(frame.index, 0.0))
        return self._canvas

    def _boxes(self, picture: Image, number: int, scale: float) -> None:
        first, last = np.searchsorted(self._numbers, [number, number + 1])
        for row in self._order[first:last].tolist():
            value = float(self._levels[row])
            colour = draw.heat(value, self._summary.release, self._summary.level)
            xyxy = self._clip.regions.box[row] * scale
            high = value >= self._summary.release
            draw.box(picture, xyxy, colour, 2 if high else 1)
            if high:
                draw.outline(picture, [line * scale for line in outlines(self._clip.regions, row)], colour)
                draw.label(picture, f"{value:.1f}", (round(float(xyxy[0])) - 1, round(float(xyxy[1])) - 2), colour)
