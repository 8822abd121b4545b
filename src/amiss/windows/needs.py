"""What a method asks of the stages before it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from amiss.windows.tubing import Linking

__all__ = ["Array", "Needs"]

Array = Literal["image", "flow", "feature", "dwell", "speed", "path", "company", "pose", "scene", "block"]


@dataclass(frozen=True)
class Needs:
    """What a method asks of perception and windows.

    Attributes:
        window: Kind of window: what a box shows, a segment of a person's poses, a clip of whole frames, for which
            nothing needs to be found in them, or a block of a tube or of the whole picture, which come in bags: those
            of a video, or of a stretch of it, are scored together. A bundle is the windows of several methods.
        arrays: What each window carries: image `(L, S, S, 3)` uint8 RGB, flow `(L, S, S, 2)` float16 pixels a frame,
            feature `(D,)` float16, dwell float32 seconds on one spot, speed float32 pixels a second along the track,
            path `(5,)` float32 velocity, acceleration and over how many seconds, company `(2,)` float32 distance of the
            nearest other and how fast they come nearer, both in pixels and seconds as `Trails.update` says,
            pose `(17, 3)` float32 joints x, y in pixels, confidence, zeros where there is none; in segments
            `(L, 17, 3)`; scene `(D,)` float32, what the place looks like, of segments only. Clips
            carry their images and nothing else.
        length: Frames a window holds.
        pace: Of clips, frames from each to the next; others hold every frame that they span.
        size: Pixels a side of crops.
        shape: Rows and columns that the frames of clips are brought to.
        online: Whether it can score frame by frame.
        at: The frame that a window is scored at. Live, the last takes the place of the middle.
        missing: In so many frames of a segment the person may be without a pose.
        stride: Windows are scored at every so many-th frame; a score stands until the next.
        linking: How boxes become tubes; None where whole pictures will do.
        horizon: Seconds of the past that tubes reach back, where only the past counts.
        ends: Of a track, the first and the last window also speak for its frames before and after that they span, where
            windows are scored at their middle.
        members: Of a bundle, what each method asks for, by its name.
    """

    window: Literal["cube", "segment", "clip", "tube", "bundle"] = "cube"
    arrays: tuple[Array, ...] = ("image",)
    length: int = 1
    pace: int = 1
    size: int = 32
    shape: tuple[int, int] = (1, 1)
    online: bool = True
    at: Literal["last", "middle"] = "last"
    missing: int = 0
    stride: int = 1
    linking: Linking | None = None
    horizon: float = 0.0
    ends: bool = False
    members: tuple[tuple[str, Needs], ...] = ()

    @classmethod
    def together(cls, members: Mapping[str, Needs]) -> Needs:
        """What several methods ask for at once: all that any does, scored at frames that all have in common.

        Args:
            members: By the name of each method, none of which scores bags.
        """
        stride = math.lcm(*(needs.stride for needs in members.values()))
        return cls(
            "bundle",
            arrays=tuple(sorted({array for needs in members.values() for array in needs.arrays})),
            online=all(needs.online for needs in members.values()),
            stride=stride,
            members=tuple((name, replace(needs, stride=stride)) for name, needs in members.items()),
        )

    @property
    def _each(self) -> tuple[Needs, ...]:
        """What the methods of a bundle ask for."""
        return tuple(needs for _, needs in self.members)

    @property
    def boxes(self) -> bool:
        """Whether anything needs to be found in the frames."""
        found = self.window in ("cube", "segment") or self.linking is not None
        return found or any(needs.boxes for needs in self._each)

    @property
    def bags(self) -> bool:
        """Whether the windows of a video are scored together."""
        return self.window == "tube"

    @property
    def tracked(self) -> bool:
        """Whether regions are of tracks, whose scores may be averaged in time."""
        return self.window in ("cube", "segment") or any(needs.tracked for needs in self._each)

    @property
    def span(self) -> int:
        """Frames from the first of a window to its last, both included; a block speaks for each of its frames."""
        if self.bags:
            return 1
        if self.members:
            return max(needs.span for needs in self._each)
        return (self.length - 1) * self.pace + 1

    @property
    def lag(self) -> int:
        """Frames that the one scored lies before the last of its window."""
        if self.members:
            return max(needs.lag for needs in self._each)
        return (self.length - 1) // 2 * self.pace if self.at == "middle" and not self.bags else 0

    @property
    def live(self) -> Needs:
        """The same where only the past counts: a window is scored at its last frame, and tubes after each block."""
        members = tuple((name, needs.live) for name, needs in self.members)
        return replace(self, at="last", stride=self.length if self.bags else self.stride, members=members)

    @property
    def reach(self) -> tuple[int, int]:
        """Frames before the first and after the last window of a track that these speak for."""
        return (self.span - 1 - self.lag, self.lag) if self.ends and self.at == "middle" else (0, 0)

    @property
    def margins(self) -> bool:
        """Whether they reach to the beginning and end of footage alone, as each box between has a window of its own."""
        return self.missing >= self.length

    @property
    def early(self) -> int:
        """Frames at the beginning of footage that no window speaks for; of a bundle, that none of any method does."""
        if self.members:
            return min(needs.span - 1 - needs.lag for needs in self._each)
        return self.span - 1 - self.lag - self.reach[0]

    @property
    def late(self) -> int:
        """Frames at the end that no window speaks for, likewise."""
        return min(needs.lag for needs in self._each) if self.members else self.lag - self.reach[1]
