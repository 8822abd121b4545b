"""Small videos and pictures for tests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 64, 48


def levels(count: int, step: int = 4) -> list[NDArray[np.uint8]]:
    """RGB pictures that grow brighter: picture i is 40 + step·i, with a red patch at the top left corner."""
    pictures = []
    for number in range(count):
        picture = np.full((HEIGHT, WIDTH, 3), 40 + step * number % 200, np.uint8)
        picture[:16, :16] = (220, 30, 30)
        pictures.append(picture)
    return pictures


def write_video(
    path: Path,
    pictures: Sequence[NDArray[np.generic]],
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    source: str = "rgb24",
    rate: int = 10,
    milliseconds: Sequence[int] | None = None,
    turn: float | None = None,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    sound: float = 0.0,
) -> Path:
    """Encode `pictures`; `milliseconds` gives each its time stamp, `turn` sets a rotation flag in degrees.

    With `sound`, a silent sound track of so many seconds goes with it.
    """
    with av.open(str(path), "w", options=container or {}) as out:
        stream = out.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = pictures[0].shape[1], pictures[0].shape[0]
        stream.pix_fmt = pix_fmt
        track = out.add_stream("aac", rate=8000, layout="mono") if sound else None
        if turn is not None:
            stream.set_display_rotation(turn)
        if milliseconds is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format=source)
            frame.pts = number if milliseconds is None else milliseconds[number]
            frame.time_base = Fraction(1, rate if milliseconds is None else 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if track is not None:
            for number in range(int(sound * 8)):
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format="fltp", layout="mono")
                silence.sample_rate, silence.pts = 8000, number * 1000
                out.mux(track.encode(silence))
            out.mux(track.encode())
    return path


def write_frames(folder: Path, count: int = 3, suffix: str = ".png", size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """A folder of grey frames named 1.png, 2.png, …; frame i has the level 10·(i + 1)."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number + 1}{suffix}"), np.full((size[1], size[0], 3), 10 * (number + 1), np.uint8))
    return folder


def cut(path: Path, share: float) -> Path:
    """A copy of a file that ends after `share` of its bytes."""
    target = path.with_name(f"cut_{path.name}")
    data = path.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target
