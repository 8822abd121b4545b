"""Video files, read by PyAV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from amiss.errors import FootageError
from amiss.footage.names import content_hash, safe_name
from amiss.types import Frame, Image, IntArray

__all__ = [
    "VIDEO_SUFFIXES",
    "TimeLine",
    "Turn",
    "VideoFile",
    "has_decoder",
    "nominal_rate",
    "stamp_of",
    "upright",
    "video_stream",
]

VIDEO_SUFFIXES = frozenset(
    f".{suffix}"
    for group in (
        ("mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "ts", "m2ts", "mts", "wmv", "asf", "flv", "3gp"),
        ("ogv", "vob", "y4m", "mjpeg", "mjpg", "h264", "264", "hevc", "265"),
    )
    for suffix in group
)
"""Files that count as videos where a whole folder is searched."""

_DEFAULT_RATE = 25.0
_HIGHEST_RATE = 1000.0
# Containers whose header states how long the video is; elsewhere a duration is only guessed from the bit rate.
_STATES_LENGTH = frozenset(("avi", "mov", "mp4", "matroska", "webm", "flv", "asf"))
# What the demuxer library takes for video although it is text or a single picture.
_NOT_VIDEO = frozenset(("tty", "image2", "concat", "hls", "dash"))


@dataclass(frozen=True)
class _Header:
    """What a container tells before decoding; `duration` in seconds and None where it is a guess."""

    rate: float
    frames: int | None
    duration: float | None


class TimeLine:
    """Makes increasing seconds from the time stamps of a file, which may be missing, repeated or go back.

    The first frame is at 0. A forward gap is kept. A missing stamp is one nominal period after the last. One that
    does not increase is put a quarter of a period after the last, so that the next good stamp fits again; one that
    goes back by more than a second is a clock that started anew, and time goes on from there after one period.

    Args:
        rate: Nominal frames per second.
    """

    def __init__(self, rate: float) -> None:
        self._period = 1.0 / rate
        self._offset = 0.0
        self._last: float | None = None

    def next(self, stamp: float | None) -> float:
        """Seconds of the next frame.

        Args:
            stamp: Its time stamp in seconds of the file's own clock, or None.
        """
        if self._last is None:
            self._offset = -(stamp or 0.0)
            self._last = 0.0
            return 0.0
        seconds = self._last + self._period if stamp is None else stamp + self._offset
        if seconds < self._last - 1.0:
            self._offset += self._last + self._period - seconds
            seconds = self._last + self._period
        elif seconds <= self._last:
            seconds = self._last + self._period / 4
        self._last = seconds
        return seconds


def upright(image: Image, matrix: IntArray) -> Image:
    """The image as its display matrix wants it shown: rotated by quarter turns and mirrored.

    Args:
        image: `(H, W, 3)` uint8.
        matrix: `(9,)` the display matrix; x' = m0·x + m3·y and y' = m1·x + m4·y, with y pointing down.

    Returns:
        `(H, W, 3)` or `(W, H, 3)` uint8. Turns by other angles go to the nearest quarter.
    """
    across, down = matrix[0], matrix[4]
    if abs(int(matrix[1])) > abs(int(matrix[0])):
        image = image.transpose(1, 0, 2)
        across, down = matrix[3], matrix[1]
    image = image[:, ::-1] if across < 0 else image
    image = image[::-1] if down < 0 else image
    return np.ascontiguousarray(image)


class Turn:
    """Makes upright RGB of decoded pictures.

    Reading a picture's display matrix ties it into a cycle that keeps its memory until the next garbage collection, so
    the matrix is read again only where the angle, which comes without that, has changed.
    """

    def __init__(self) -> None:
        self._angle: int | None = None
        self._matrix: IntArray | None = None

    def __call__(self, picture: VideoFrame) -> Image:
        """`(H, W, 3)` uint8 of a picture."""
        if picture.rotation != self._angle:
            data: Any = picture.side_data.get("DISPLAYMATRIX")
            self._angle, self._matrix = picture.rotation, None if data is None else np.frombuffer(bytes(data), np.int32)
        image = picture.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        return image if self._matrix is None else upright(image, self._matrix)


class VideoFile:
    """The first video stream of a file.

    Time stamps are those of the file, see `TimeLine`. Rotation flags are obeyed. Grey and deeper pixel formats are
    scaled to 8 bits a channel. One frame is held at a time, besides what the decoder itself needs.

    Args:
        path: The file.
        name: Short name; the file's stem without unsafe characters when left out.
        content: Its fingerprint, where it is known already.

    Raises:
        FootageError: There is no such file, or it is empty.
    """

    def __init__(self, path: Path | str, name: str | None = None, content: str | None = None) -> None:
        self.path = Path(path)
        self._content = content
        self.name = safe_name(name or self.path.stem)
        if self.path.is_dir():
            raise FootageError(f"{self.path} is a folder, not a video file")
        if not self.path.is_file():
            raise FootageError(f"{self.path} does not exist; check the path")
        if not self.path.stat().st_size:
            raise FootageError(f"{self.path} is an empty file; copy or record it again")

    @cached_property
    def _header(self) -> _Header:
        with self.opened() as (container, stream):
            stated = not _STATES_LENGTH.isdisjoint(container.format.name.split(","))
            rate = nominal_rate(stream)
            duration = _duration(container, stream) if stated else None
            frames = stream.frames if stated else 0
            if duration and frames < 0.5 * duration * rate:
                frames = 0  # a fragmented file counts its first fragment alone
            return _Header(rate, frames or None, duration)

    @property
    def length(self) -> int | None:
        """Number of frames that the header announces, or None."""
        return self._header.frames

    @property
    def rate(self) -> float:
        """Nominal frames per second; 25 where the file does not say."""
        return self._header.rate

    def fingerprint(self) -> str:
        """A hash of the file's bytes."""
        return self._content or content_hash([self.path])

    def __iter__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            FootageError: It is no video, ends early, cannot be decoded to its end, or changes its picture size.
        """
        header, line = self._header, TimeLine(self._header.rate)
        count, end, shape, turn = 0, 0.0, None, Turn()
        for count, picture in enumerate(self.decoded(), start=1):
            seconds = line.next(stamp_of(picture))
            image = turn(picture)
            shape = shape or image.shape
            if image.shape != shape:
                raise FootageError(_changed(self.path, shape, image.shape, count - 1))
            end = seconds + (_seconds(picture.duration, picture.time_base) or 1.0 / header.rate)
            yield Frame(image, count - 1, seconds)
        self.check_whole(count, end)

    def decoded(self, after: int | None = None, early: float = 0.0) -> Iterator[VideoFrame]:
        """Decoded pictures in the order of showing.

        Args:
            after: Begin at about the last key frame that is not shown after this time stamp, in the stream's ticks, as
                well as the file lets one find it; at the first frame when left out.
            early: So many seconds before it.

        Raises:
            FootageError: It is no video, or cannot be decoded to its end.
        """
        count, seconds = 0, 0.0
        with self.opened() as (container, stream):
            if after is not None:
                container.seek(after - round(early / stream.time_base) if stream.time_base else after, stream=stream)
            start = _seconds(stream.start_time, stream.time_base)
            pictures = container.decode(stream)
            while True:
                try:
                    picture = next(pictures)
                except StopIteration:
                    return
                except (av.error.FFmpegError, ValueError, MemoryError) as error:
                    raise FootageError(
                        f"{self.path} is damaged: only its first {count} frames ({seconds:.2f} s) can be decoded; "
                        "copy or convert it again"
                    ) from error
                count, stamp = count + 1, stamp_of(picture)
                seconds = seconds if stamp is None else stamp - start
                yield picture

    def check_whole(self, count: int, end: float) -> None:
        """Compare what was found with what the header announced; a few frames less are common and harmless.

        Args:
            count: Number of frames.
            end: Seconds from the beginning of the first to the end of the last.

        Raises:
            FootageError: It is cut off or damaged.
        """
        header = self._header
        if not count:
            raise FootageError(f"{self.path} holds no picture that can be decoded; copy or convert it again")
        missing = (header.duration or 0.0) - end
        if missing > max(3.0 / header.rate, 0.01 * end) and count < (header.frames or count + 1):
            raise FootageError(
                f"{self.path} is cut off or damaged: its header announces {header.duration:.2f} s, but it is readable "
                f"only up to frame {count - 1} ({end:.2f} s); copy it again, or convert what is left to a new file"
            )

    @contextmanager
    def opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        """The opened container and its video stream.

        Raises:
            FootageError: It is no video, or one that cannot be decoded here.
        """
        try:
            # The scheme keeps colons in names from being read as one; the list keeps playlists off the network.
            container = av.open(f"file:{self.path}", options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, UnicodeError) as error:
            raise FootageError(f"{self.path} is not a video, or is cut off at its head; copy it again") from error
        with container:
            if not _NOT_VIDEO.isdisjoint(container.format.name.split(",")):
                raise FootageError(f"{self.path} is not a video but {container.format.long_name}")
            stream = video_stream(container)
            if stream is None:
                raise FootageError(f"{self.path} has no video stream; give a file that has pictures")
            if not has_decoder(stream):
                raise FootageError(f"{self.path} uses a video codec that cannot be decoded here; convert it to H.264")
            stream.thread_type = "AUTO"
            yield container, stream


def video_stream(container: InputContainer) -> VideoStream | None:
    """The first stream of pictures; a cover picture in a sound file is a video stream too, but no video."""
    streams = (s for s in container.streams.video if not s.disposition & Disposition.attached_pic)
    return next(streams, None)


def nominal_rate(stream: VideoStream) -> float:
    """Frames per second as the stream states them; 25 where it does not, or states what cannot be."""
    stated = (stream.average_rate, stream.guessed_rate)
    return next((float(rate) for rate in stated if rate and rate <= _HIGHEST_RATE), _DEFAULT_RATE)


def has_decoder(stream: Any) -> bool:
    """Whether the codec is known; the library's own types say that it always is."""
    return stream.codec_context is not None


def stamp_of(picture: VideoFrame) -> float | None:
    """Seconds of a picture by the file's clock, or None where it has no time stamp."""
    return None if picture.pts is None else _seconds(picture.pts, picture.time_base)


def _seconds(ticks: int | None, tick: Fraction | None) -> float:
    """Ticks of a clock as seconds; 0 where there are none."""
    return float(ticks * tick) if ticks and tick else 0.0


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds of the video stream as its header has them; the container's may be those of a longer sound track."""
    if container.format.name == "avi" and stream.frames and stream.average_rate:
        return float(stream.frames / stream.average_rate)  # the demuxer shortens the duration to what is in the file
    if stream.duration:
        return _seconds(stream.duration, stream.time_base)
    tag = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""))
    if tag:  # how Matroska states the end of each of its streams
        return 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3]) - _seconds(stream.start_time, stream.time_base)
    if len(container.streams) == 1 and container.duration:
        return float(container.duration / av.time_base) - _seconds(stream.start_time, stream.time_base)
    return None


def _changed(path: Path, was: tuple[int, ...], now: tuple[int, ...], index: int) -> str:
    sizes = f"{was[1]}x{was[0]} to {now[1]}x{now[0]}"
    return f"{path} changes its picture size from {sizes} at frame {index}; split or convert it to one size"
