"""Drawing on pictures: boxes, labels, crops, JPEG. Images are RGB uint8; colours are RGB triples."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from amiss.types import FloatArray, Image

__all__ = ["AMBER", "GREY", "INK", "RED", "Colour", "box", "crop", "heat", "jpeg", "label", "outline", "scaled"]

Colour = tuple[int, int, int]

GREY: Colour = (176, 180, 186)
AMBER: Colour = (245, 170, 40)
RED: Colour = (226, 52, 46)
INK: Colour = (20, 23, 27)

BITS = 4
"""Bits of subpixel precision with which outlines are drawn."""
TINT = 0.25
"""Opacity of what fills an outline."""
FONT = cv2.FONT_HERSHEY_SIMPLEX


def heat(value: float, release: float, level: float) -> Colour:
    """Grey below the release line, from amber there to red at the level and above."""
    if value < release:
        return GREY
    share = min((value - release) / (level - release), 1.0) if level > release else 1.0
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(AMBER, RED, strict=True))
    return red, green, blue


def box(image: Image, xyxy: FloatArray, colour: Colour, width: int) -> None:
    """Draw one box into the image, with a dark rim so that it can be seen on any ground."""
    x1, y1, x2, y2 = (round(float(v)) for v in xyxy)
    if width > 1:
        cv2.rectangle(image, (x1, y1), (x2, y2), INK, width + 2, cv2.LINE_AA)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, width, cv2.LINE_AA)


def outline(image: Image, lines: Sequence[FloatArray], colour: Colour) -> None:
    """Draw closed lines, `(K, 2)` x, y in pixels each, thin, and tint what is within them."""
    polygons = [np.round(line * 2**BITS).astype(np.int32) for line in lines]
    if not polygons:
        return
    ground = image.copy()
    cv2.fillPoly(ground, polygons, colour, cv2.LINE_AA, BITS)
    cv2.addWeighted(ground, TINT, image, 1 - TINT, 0, dst=image)
    cv2.polylines(image, polygons, isClosed=True, color=colour, thickness=1, lineType=cv2.LINE_AA, shift=BITS)


def label(image: Image, text: str, at: tuple[int, int], ground: Colour) -> None:
    """Write text on a small plate whose lower left corner is `at`, moved to lie within the image."""
    (width, height), _ = cv2.getTextSize(text, FONT, 0.42, 1)
    x = int(np.clip(at[0], 0, max(image.shape[1] - width - 8, 0)))
    y = int(np.clip(at[1], height + 8, max(image.shape[0] - 1, height + 8)))
    cv2.rectangle(image, (x, y - height - 8), (x + width + 7, y), ground, cv2.FILLED)
    ink = INK if sum(ground) > 300 else (240, 240, 240)
    cv2.putText(image, text, (x + 4, y - 4), FONT, 0.42, ink, 1, cv2.LINE_AA)


def crop(image: Image, centre: tuple[float, float], side: float) -> tuple[Image, tuple[int, int]]:
    """A square of about `side` pixels around `centre`, shifted to lie within the image, and its top left corner."""
    height, width = image.shape[:2]
    edge = int(min(round(side), height, width))
    x = int(np.clip(round(centre[0] - edge / 2), 0, width - edge))
    y = int(np.clip(round(centre[1] - edge / 2), 0, height - edge))
    return image[y : y + edge, x : x + edge], (x, y)


def scaled(image: Image, scale: float) -> Image:
    """The image at `scale` times its size: averaged when smaller, cubic when larger; always a fresh array."""
    size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.array(cv2.resize(image, size, interpolation=how), np.uint8)


def jpeg(image: Image, quality: int = 82) -> bytes:
    """The image as JPEG."""
    options: Sequence[int] = (cv2.IMWRITE_JPEG_QUALITY, quality)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return bytes(data)
