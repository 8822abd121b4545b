"""Pieces of pictures: what stood out in an event, at its worst moment."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np

from amiss.live.nouns import EventRow
from amiss.live.store.names import media_name
from amiss.types import Image

__all__ = ["clip_start", "crop_of", "media_file"]

MARGIN = 0.35
"""Of a box's size around it that is shown as well."""
HEIGHT = 240
"""Pixels of a crop."""
BEFORE = 5.0
"""Seconds before an event at which its clip begins where the event does not say."""
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 85]


def media_file(media: Path, name: str | None) -> Path | None:
    """A file of an event, by the name that the store has; None if there is none, or it is gone.

    Args:
        media: The folder of media.
        name: As the event has it.

    Raises:
        StorageError: The name leaves the folder.
    """
    path = media / media_name(name) if name else None
    if path is None or not path.is_file() or not path.resolve().is_relative_to(media.resolve()):
        return None
    return path


def clip_start(row: EventRow) -> float:
    """When the first picture of an event's clip was taken, in seconds since 1970."""
    given = row.tube.get("clip_start")
    return float(given) if isinstance(given, int | float) else row.start - BEFORE


def crop_of(row: EventRow, media: Path) -> bytes | None:
    """A JPEG of the worst box with some of what is around it, of the clip or else of the snapshot.

    Args:
        row: The event.
        media: The folder of media.

    Raises:
        StorageError: A name of its files leaves the folder.
    """
    boxes, scores, at = (row.tube.get(name) or [] for name in ("xyxy", "score", "at"))
    if not boxes or not len(boxes) == len(scores) == len(at) or min(row.size) <= 0:
        return None
    worst = int(np.argmax(np.asarray(scores, np.float64)))
    clip, snapshot = media_file(media, row.clip), media_file(media, row.snapshot)
    image = _frame(clip, at[worst] - clip_start(row)) if clip else None
    if image is None and snapshot is not None:
        image = cast("Image | None", cv2.imread(str(snapshot), cv2.IMREAD_COLOR))
    if image is None:
        return None
    return _cut(image, np.asarray(boxes[worst], np.float64) * (image.shape[1] / row.size[0]))


def _frame(path: Path, seconds: float) -> Image | None:
    """`(H, W, 3)` uint8 BGR: the picture that is shown at a time of a video; None if it cannot be read."""
    found: Image | None = None
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            container.seek(max(int(seconds / float(stream.time_base or 1)), 0), stream=stream)
            for frame in container.decode(stream):
                if found is not None and (frame.time or 0.0) > seconds + 1e-3:
                    break
                found = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    except (av.FFmpegError, IndexError, ValueError):
        return found
    return found


def _cut(image: Image, box: np.ndarray) -> bytes | None:
    x1, y1, x2, y2 = (float(value) for value in box)
    pad = MARGIN * max(x2 - x1, y2 - y1)
    height, width = image.shape[:2]
    top, bottom = int(np.clip(y1 - pad, 0, height - 1)), int(np.clip(y2 + pad, 1, height))
    left, right = int(np.clip(x1 - pad, 0, width - 1)), int(np.clip(x2 + pad, 1, width))
    if bottom - top < 2 or right - left < 2:
        return None
    piece = image[top:bottom, left:right]
    size = max(round(piece.shape[1] * HEIGHT / piece.shape[0]), 1), HEIGHT
    return bytes(cv2.imencode(".jpg", cv2.resize(piece, size, interpolation=cv2.INTER_AREA), QUALITY)[1].tobytes())
