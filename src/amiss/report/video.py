"""The annotated video: every frame with its boxes, and under it the score curve with a cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from amiss.errors import FootageError
from amiss.footage.encode import VideoEncoder
from amiss.report import draw
from amiss.report.content import ClipReport, Progress, Summary, region_levels
from amiss.report.strip import STRIP_HEIGHT, Strip
from amiss.scoring.localise import outlines
from amiss.storage import whole_file
from amiss.types import Frame, Image

__all__ = ["write_video"]

LEAST_WIDTH, MOST_WIDTH = 480, 1280
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
        encoder.begin(frame.size, clip.footage.rate)
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


class _Encoder(VideoEncoder):
    """A video that opens with the size of the first frame, and knows where the next clip starts."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.seconds = 0.0  # where the next clip starts
        self.size = (0, 0)

    def begin(self, size: tuple[int, int], rate: float) -> None:
        """Make the stream, if it is not there yet."""
        if not any(self.size):
            self.size = _fitted(size)
            self.open((self.size[0], self.size[1] + STRIP_HEIGHT), rate)

    def write(self, picture: Image, seconds: float, duration: float) -> float:
        """Encode one picture, to be shown from `seconds` on."""
        self.seconds = super().write(picture, seconds, duration) + duration
        return self.seconds - duration


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
