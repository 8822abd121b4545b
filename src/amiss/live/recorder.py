"""Pictures of the last while, so that an event's clip begins before it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from amiss.footage.encode import VideoEncoder
from amiss.live.feed.runs import Thinning
from amiss.live.nouns import Arrival
from amiss.live.settings import MediaSettings
from amiss.types import Image

__all__ = ["Clip", "Recorder", "write_clip", "write_snapshot"]

LATE = 5.0
"""Seconds after which an event that has begun is known, at the latest, for its clip to begin early enough."""
DONE = 64
"""Events whose clips are complete that are remembered."""
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 85]


@dataclass(frozen=True)
class _Shot:
    """A picture that is kept small: its time and a JPEG."""

    at: float
    jpeg: bytes


@dataclass(frozen=True, eq=False)
class Clip:
    """The pictures of an event, with those before and after.

    Attributes:
        event: Id of the event.
        shots: In order of time.
    """

    event: str
    shots: list[_Shot] = field(default_factory=list)


class Recorder:
    """Keeps the pictures of the last seconds as JPEGs, and those of the event that goes on.

    Args:
        settings: How long before and after, how many a second, how large.
    """

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._thinning, self._run = Thinning(settings.rate), 0
        self._before: deque[_Shot] = deque()
        self._open: Clip | None = None
        self._ended: list[tuple[Clip, float]] = []
        self._done: deque[str] = deque(maxlen=DONE)
        self._last = -np.inf

    def add(self, arrival: Arrival) -> list[Clip]:
        """Take in a frame; gives the clips that are complete with it."""
        if arrival.at < self._last:  # the clock was set back
            self._run += 1
            self._before.clear()
        self._last = arrival.at
        if self._thinning.keeps(self._run, arrival.at):
            self._take(_Shot(arrival.at, _jpeg(arrival.frame.image, self._settings.width)))
        return self.due(arrival.at)

    def due(self, at: float) -> list[Clip]:
        """The clips that are complete at a time; also where no more frames come."""
        done = [(clip, until) for clip, until in self._ended if not clip.shots[0].at <= at < until]
        self._ended = [pair for pair in self._ended if pair not in done]
        self._done.extend(clip.event for clip, _ in done)
        return [_cut(clip, until) for clip, until in done]

    def _take(self, shot: _Shot) -> None:
        self._before.append(shot)
        while self._before[0].at < shot.at - self._settings.before - LATE:
            self._before.popleft()
        for clip in [*([self._open] if self._open else []), *(clip for clip, _ in self._ended)]:
            if not clip.shots or 0 <= shot.at - clip.shots[0].at <= self._settings.longest:
                clip.shots.append(shot)

    def begin(self, event: str, start: float) -> float | None:
        """An event opens: its clip begins with what came before.

        One that is joined again goes on in its clip while that is not complete; else the clip stays as it is.

        Args:
            event: Its id.
            start: When it rose, in seconds since 1970.

        Returns:
            When its clip begins; None where nothing was seen yet, or the clip is an older one.
        """
        self._open = None
        if event in self._done:
            return None
        for clip, until in self._ended:
            if clip.event == event:
                self._ended.remove((clip, until))
                self._open = clip
                return clip.shots[0].at
        self._open = Clip(event, [shot for shot in self._before if shot.at >= start - self._settings.before])
        return self._open.shots[0].at if self._open.shots else None

    def end(self, at: float) -> None:
        """The event ended; its clip goes on for a few seconds more.

        Args:
            at: When it fell, in seconds since 1970.
        """
        if self._open and self._open.shots:
            self._ended.append((self._open, at + self._settings.after))
        self._open = None

    def finish(self) -> list[Clip]:
        """No more frames come: all clips as they are."""
        clips = [_cut(clip, until) for clip, until in self._ended]
        clips += [self._open] if self._open and self._open.shots else []
        self._ended, self._open = [], None
        return clips


def _cut(clip: Clip, until: float) -> Clip:
    """The clip without what came later: how an event ended is known only some seconds after."""
    return Clip(clip.event, [shot for shot in clip.shots if shot.at <= until] or clip.shots[:1])


def _jpeg(image: Image, width: int) -> bytes:
    if image.shape[1] > width:
        height = max(round(image.shape[0] * width / image.shape[1]), 1)
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), QUALITY)[1].tobytes())


def _picture(jpeg: bytes) -> Image:
    """`(H, W, 3)` uint8 RGB of what `_jpeg` made."""
    decoded = cast("Image", cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def write_snapshot(path: Path, image: Image, width: int) -> None:
    """Write a picture `(H, W, 3)` uint8 RGB as a JPEG of at most this width."""
    path.write_bytes(_jpeg(image, width))


def write_clip(path: Path, clip: Clip, rate: float) -> None:
    """Write a clip as a video; pictures of another size than its first are brought to that.

    Args:
        path: File to write.
        clip: At least one picture.
        rate: Nominal frames a second; the pictures keep their times.
    """
    begin = clip.shots[0].at
    size: tuple[int, int] | None = None
    with VideoEncoder(path) as encoder:
        for shot in clip.shots:
            picture = _picture(shot.jpeg)
            if size is None:
                size = picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2
                encoder.open(size, rate)
            fitted = picture if picture.shape[1::-1] == size else cv2.resize(picture, size)
            encoder.write(np.asarray(fitted, np.uint8), shot.at - begin, 1 / rate)
