"""A part of some footage, read without the rest of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.video.frame import VideoFrame

from amiss.errors import FootageError
from amiss.footage.file import Turn, VideoFile, stamp_of
from amiss.footage.folder import FrameFolder
from amiss.types import Frame

__all__ = ["Cut", "Span"]


EARLY = (0.0, 2.0, 10.0, 60.0)
"""Seconds before a cut from which it is looked for, one after the other."""


@dataclass(frozen=True)
class Cut:
    """A frame from which footage can be read.

    Attributes:
        frame: Its number.
        seconds: Its time, from the first frame.
        stamp: Its time stamp in the ticks of the stream; 0 where there are none.
    """

    frame: int
    seconds: float
    stamp: int = 0


@dataclass(frozen=True)
class Span:
    """Some frames of footage, with the numbers and the times that they have in the whole.

    Attributes:
        whole: The footage.
        first: Where it begins.
        stop: Number of the frame after its last.
        origin: Seconds of the first frame of the whole by the clock of the file.
        content: Fingerprint of the whole.
    """

    whole: VideoFile | FrameFolder
    first: Cut
    stop: int
    origin: float
    content: str

    @property
    def name(self) -> str:
        """That of the whole."""
        return self.whole.name

    @property
    def path(self) -> Path:
        """That of the whole."""
        return self.whole.path

    @property
    def rate(self) -> float:
        """Nominal frames per second."""
        return self.whole.rate

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.stop - self.first.frame

    def fingerprint(self) -> str:
        """Of the content of the whole, and of which part it is."""
        return f"{self.content} {self.first.frame} {self.stop}"

    def __iter__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            FootageError: They cannot be read, or are others than the time stamps of the file promise.
        """
        if isinstance(self.whole, FrameFolder):
            return self.whole.between(self.first.frame, self.stop)
        return self._decoded(self.whole)

    def _decoded(self, video: VideoFile) -> Iterator[Frame]:
        turn = Turn()
        for number, picture in enumerate(self._pictures(video), start=self.first.frame):
            yield Frame(turn(picture), number, (stamp_of(picture) or 0.0) - self.origin)
            if number + 1 == self.stop:
                return
        raise FootageError(
            f"{video.path} cannot be read from its frame {self.first.frame} to {self.stop - 1}: there are not the "
            "frames that its time stamps promise; convert it, or score it as a whole (scale.part=0)"
        )

    def _pictures(self, video: VideoFile) -> Iterator[VideoFrame]:
        """The pictures from the cut on.

        Some files have no index, and searching them ends up too late: then it is tried again from further before.
        """
        for early in EARLY:
            pictures = self._after(video.decoded(self.first.stamp, early))
            if first := next(pictures, None):
                yield first
                yield from pictures
                return

    def _after(self, pictures: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """What is shown from the cut on, if it is among what is read; some is shown before, although it comes after."""
        begun = False
        for picture in pictures:
            stamp = picture.pts
            if stamp is None or (not begun and stamp > self.first.stamp):
                return
            begun = begun or stamp == self.first.stamp
            if begun:
                yield picture
