"""The score curve under the picture of the annotated video: drawn once a clip, only its cursor once a frame."""

from __future__ import annotations

import cv2
import numpy as np

from amiss.report import draw
from amiss.report.content import ClipReport, Summary, clock
from amiss.types import FloatArray, Image

__all__ = ["STRIP_HEIGHT", "Strip"]

STRIP_HEIGHT = 92
"""Pixels; even, as H.264 needs."""
SIDE = 10
TOP, BOTTOM = 26, 10
GROUND = (22, 25, 29)
SPAN_GROUND = (68, 34, 34)
PAST, AHEAD, QUIET = (236, 238, 240), (104, 110, 118), (150, 156, 164)
FRACTION = 4
"""Bits of subpixel precision with which the curve is drawn."""


class Strip:
    """The curve of one clip, `width` pixels wide and `STRIP_HEIGHT` high.

    Args:
        clip: Whose curve.
        summary: Where the level is.
        width: Pixels.
    """

    def __init__(self, clip: ClipReport, summary: Summary, width: int) -> None:
        self._width = width
        self._seconds = max(clip.seconds, 1e-9)
        highest = summary.top(clip.frames.calibrated)
        self._top = max(highest * 1.08, summary.level * 1.25, 1e-9)
        ground = self._ground(clip, summary)
        self._ahead = self._curve(ground.copy(), clip, AHEAD)
        self._past = self._curve(ground, clip, PAST)

    def paint(self, target: Image, seconds: float, level: float) -> None:
        """Fill `target`, `(STRIP_HEIGHT, width, 3)`, with the strip as of one moment.

        Args:
            target: Written to.
            seconds: Time within the clip.
            level: Calibrated score of that moment.
        """
        x = round(float(self._x(seconds)))
        target[:, :x] = self._past[:, :x]
        target[:, x:] = self._ahead[:, x:]
        cv2.line(target, (x, TOP - 4), (x, STRIP_HEIGHT - BOTTOM), PAST, 1)
        cv2.circle(target, (x, round(float(self._y(level)))), 3, PAST, cv2.FILLED, cv2.LINE_AA)
        cv2.putText(target, f"{clock(seconds)}   {level:.1f}", (SIDE, 17), draw.FONT, 0.45, PAST, 1, cv2.LINE_AA)

    def _x(self, seconds: FloatArray | float) -> FloatArray:
        return np.asarray(SIDE + (self._width - 2 * SIDE) * np.clip(np.divide(seconds, self._seconds), 0, 1))

    def _y(self, level: FloatArray | float) -> FloatArray:
        high = STRIP_HEIGHT - TOP - BOTTOM
        return np.asarray(STRIP_HEIGHT - BOTTOM - high * np.clip(np.divide(level, self._top), 0, 1))

    def _ground(self, clip: ClipReport, summary: Summary) -> Image:
        """Event spans, base line, level and release, and what the level is."""
        image = np.full((STRIP_HEIGHT, self._width, 3), GROUND, np.uint8)
        for event in clip.events:
            corners = (
                (round(float(self._x(event.start))), TOP - 4),
                (round(float(self._x(event.end))), STRIP_HEIGHT - BOTTOM),
            )
            cv2.rectangle(image, *corners, SPAN_GROUND, cv2.FILLED)
        self._dashes(image, summary.release, draw.AMBER, 2)
        self._dashes(image, summary.level, draw.RED, 8)
        text = f"level {summary.level:.1f}"
        (width, _), _ = cv2.getTextSize(text, draw.FONT, 0.4, 1)
        cv2.putText(image, text, (self._width - SIDE - width, 17), draw.FONT, 0.4, QUIET, 1, cv2.LINE_AA)
        return image

    def _dashes(self, image: Image, level: float, colour: draw.Colour, length: int) -> None:
        y = (
            round(float(self._y(level))) // 2 * 2
        )  # two whole rows: colour has half the resolution of light in the video
        for x in range(SIDE, self._width - SIDE, length + 6):
            image[y : y + 2, x : min(x + length, self._width - SIDE)] = colour

    def _curve(self, image: Image, clip: ClipReport, colour: draw.Colour) -> Image:
        points = np.stack([self._x(clip.frames.seconds), self._y(clip.frames.calibrated)], axis=-1).reshape(-1, 1, 2)
        fixed = (points * 2**FRACTION).round().astype(np.int32)
        cv2.polylines(image, [fixed], isClosed=False, color=colour, thickness=1, lineType=cv2.LINE_AA, shift=FRACTION)
        return image
