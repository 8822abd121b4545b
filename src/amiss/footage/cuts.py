"""Where footage can be cut into parts that are read on their own; found without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from amiss.errors import FootageError
from amiss.footage.base import Footage
from amiss.footage.file import VideoFile
from amiss.footage.folder import FrameFolder
from amiss.footage.span import Cut, Span
from amiss.types import IntArray

__all__ = ["Layout", "lay_out"]


@dataclass(frozen=True)
class Layout:
    """What is known of footage before it is decoded.

    Attributes:
        fingerprint: Of its content.
        frames: How many; 0 where only decoding tells.
        seconds: From the first frame to the last; 0 likewise.
        origin: Seconds of the first frame by the clock of the file.
        cuts: Where it can be cut, in order; none where it has to be read as a whole.
    """

    fingerprint: str
    frames: int = 0
    seconds: float = 0.0
    origin: float = 0.0
    cuts: tuple[Cut, ...] = ()

    def span(self, whole: Footage, first: int, stop: int) -> Span:
        """Frames of the footage from a cut on.

        Args:
            whole: The footage that this is the layout of.
            first: Index of the cut.
            stop: Number of the frame after the last.
        """
        if not isinstance(whole, VideoFile | FrameFolder):
            raise FootageError(f"{whole.path} cannot be cut into parts; read it as a whole")
        return Span(whole, self.cuts[first], stop, self.origin, self.fingerprint)


def lay_out(footage: Footage) -> Layout:
    """What can be known of footage by reading it once, without decoding.

    A video can be cut where a key frame is, if every frame has a time stamp and no two have the same one; a folder of
    frames anywhere, of which every hundredth is told; other footage nowhere.

    Args:
        footage: A video, a folder of frames, or other.

    Raises:
        FootageError: It cannot be read.
    """
    if isinstance(footage, FrameFolder):
        cuts = tuple(Cut(number, number / footage.rate) for number in range(0, footage.length, 100))
        return Layout(footage.fingerprint(), footage.length, (footage.length - 1) / footage.rate, 0.0, cuts)
    if isinstance(footage, VideoFile):
        return _of_video(footage)
    return Layout(footage.fingerprint(), footage.length or 0, (footage.length or 0) / footage.rate)


def _of_video(video: VideoFile) -> Layout:
    stamps, keys, tick = _stamps(video)
    content = video.fingerprint()
    if not tick or len(stamps) < 2 or (np.diff(stamps) <= 0).any():
        return Layout(content, video.length or 0, (video.length or 0) / video.rate)
    origin = _seconds(stamps[0], tick)
    times = [_seconds(stamp, tick) - origin for stamp in (*keys, stamps[-1])]
    numbers = np.searchsorted(stamps, keys).tolist()
    cuts = tuple(map(Cut, numbers, times, keys.tolist()))
    video.check_whole(len(stamps), times[-1] + 1 / video.rate)
    return Layout(content, len(stamps), times[-1], origin, cuts if cuts and not cuts[0].frame else ())


def _seconds(stamp: int, tick: Fraction) -> float:
    """As the decoder's pictures tell it."""
    return float(int(stamp) * tick)


def _stamps(video: VideoFile) -> tuple[IntArray, IntArray, Fraction | None]:
    """The time stamps of all frames and of the key frames, in order of showing; no tick where some frame has none."""
    every: list[int] = []
    keys: list[int] = []
    with video.opened() as (container, stream):
        try:
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                if packet.pts is None:
                    return np.zeros(0, np.int64), np.zeros(0, np.int64), None
                every.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
        except (av.error.FFmpegError, ValueError) as error:
            raise FootageError(f"{video.path} is damaged after {len(every)} frames; copy it again") from error
        return np.sort(np.array(every, np.int64)), np.sort(np.array(keys, np.int64)), stream.time_base
