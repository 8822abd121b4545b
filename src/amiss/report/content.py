"""What a report is made of, and how it says numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from amiss.footage.base import Footage
from amiss.types import Event, FloatArray, FrameScores, Image, IntArray, RegionScores

__all__ = ["ClipReport", "Progress", "Summary", "clock", "rarity", "region_levels", "rows_of_frames"]

Progress: TypeAlias = Callable[[int], None]
"""Called with the number of frames done since the last call."""

RAREST = 7.0
"""Beyond one in ten million, rarity is not told more exactly."""


@dataclass(frozen=True, eq=False)
class ClipReport:
    """One clip and all that was found in it.

    Attributes:
        name: As people know it; any text.
        frames: Its score curve.
        regions: Its scored regions.
        events: Its events, in any order.
        footage: Its pictures, read once for the page and once for the video.
        video_offset: Seconds of the annotated video at which this clip starts.
        made: What a network made of an event's worst region: by the event's id, pictures by name, `(H, W, 3)` uint8.
    """

    name: str
    frames: FrameScores
    regions: RegionScores
    events: Sequence[Event]
    footage: Footage
    video_offset: float = 0.0
    made: Mapping[str, Mapping[str, Image]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the clip is, as far as it has scores or events."""
        return max([*self.frames.seconds[-1:].tolist(), *(event.end for event in self.events)], default=0.0)


@dataclass(frozen=True)
class Summary:
    """What the whole report is about. Levels and bands are on the scale of `FrameScores.calibrated`.

    Attributes:
        title: Heading of the page.
        method: What scored the footage.
        when: When the report was made, as it shall be read.
        facts: Label and value of what is worth knowing of the model: what it learned from, the budget, how sure the
            level is.
        level: Calibrated score at which an event opens.
        release: Calibrated score at which it closes.
        normal_band: Lowest and highest calibrated score of the bulk of normal footage.
        notes: Sentences to read before the results, such as what was not available.
    """

    title: str
    method: str
    when: str
    level: float
    release: float
    normal_band: tuple[float, float]
    facts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()

    def top(self, calibrated: FloatArray) -> float:
        """The highest score that a curve of these scores is drawn to.

        Beyond `RAREST` rarities are only extrapolated; drawn to scale they would flatten all else.
        """
        return min(float(calibrated.max(initial=0.0)), max(RAREST, self.level + 1))


def clock(seconds: float) -> str:
    """A time within footage: `0:07.4`, `12:07.4`, `3:12:07`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    if minutes < 60:
        return f"{minutes}:{rest // 10:02d}.{rest % 10}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 10:02d}"


def rarity(level: float) -> str:
    """A calibrated score in words: how much of normal footage scores as high, as `1 in 2,500`."""
    if level > RAREST:
        return f"rarer than 1 in {10**RAREST:,.0f}"
    count = 10 ** max(level, 0.0)
    digits = max(int(np.floor(np.log10(count))) - 1, 0)
    return f"1 in {round(count / 10**digits) * 10**digits:,d}"


def rows_of_frames(frames: FrameScores, wanted: IntArray) -> IntArray:
    """Row of each wanted frame number in the curve, -1 where it has no score."""
    if not len(frames):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(frames.frame, kind="stable")
    place = np.minimum(np.searchsorted(frames.frame, wanted, sorter=order), len(order) - 1)
    rows = order[place]
    return np.where(frames.frame[rows] == wanted, rows, -1)


def region_levels(clip: ClipReport) -> FloatArray:
    """`(N,)` calibrated score of each region, to colour it by.

    A region's own score is raw, the level is calibrated after smoothing. The curve holds both, so it gives the map
    between them; a region is never shown above the curve of its frame, so that one noisy frame does not flash.
    """
    frames, regions = clip.frames, clip.regions
    if not len(frames) or not len(regions):
        return np.zeros(len(regions))
    order = np.argsort(frames.smoothed, kind="stable")
    own = np.interp(regions.score, frames.smoothed[order], frames.calibrated[order])
    rows = rows_of_frames(frames, regions.frame)
    return np.asarray(np.minimum(own, np.where(rows >= 0, frames.calibrated[rows], 0.0)))
