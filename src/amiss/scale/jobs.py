"""What a worker is asked to do, and what it answers. No picture is among it but those of windows that are explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amiss.footage.cuts import Layout
from amiss.scale.plan import Part
from amiss.types import FloatArray, RegionScores

__all__ = ["Answer", "Fetch", "Forget", "Job", "Look", "PartScores", "Perceive", "Place", "Score", "Show", "Sight"]


@dataclass(frozen=True)
class Place:
    """Where a clip lies.

    Attributes:
        url: A path, or an address such as `s3://bucket/name.mp4`.
        name: Of the clip.
    """

    url: str
    name: str


@dataclass(frozen=True)
class Sight:
    """What is known of a clip before it is decoded.

    Attributes:
        layout: Where it can be cut.
        stamp: Of its file, without reading it: another when it was written anew.
        key: Of its windows, uncut, in a cache.
    """

    layout: Layout
    stamp: str
    key: str


@dataclass(frozen=True)
class Look:
    """Say how the clip can be cut; answered by a `Sight`.

    Attributes:
        place: The clip.
        known: What was said before; its file is not read again if it has the same stamp.
    """

    place: Place
    known: Sight | None = None


@dataclass(frozen=True)
class Score:
    """Score a part; answered by `PartScores`."""

    place: Place
    layout: Layout
    part: Part


@dataclass(frozen=True)
class Show:
    """The windows of a track, by its number in this part, that are scored at a frame; answered by `Windows`."""

    place: Place
    layout: Layout
    part: Part
    track: int
    frame: int


@dataclass(frozen=True)
class Perceive:
    """Leave the clip's windows in the cache; answered by their keys there, of one method or of several."""

    place: Place


@dataclass(frozen=True)
class Fetch:
    """A piece of a file of a clip's windows in the cache; answered by its bytes, or by the list of files."""

    place: Place
    key: str
    file: str = ""
    start: int = 0


@dataclass(frozen=True)
class Forget:
    """Drop what was kept of a clip; answered by nothing."""

    place: Place


Job = Look | Score | Show | Perceive | Fetch | Forget


@dataclass(frozen=True, eq=False)
class PartScores:
    """What a worker says of a part.

    Attributes:
        regions: Scores of its windows, those of the overlap included.
        first: Number of the first frame that was read.
        clock: `(T,)` seconds of the frames that were read.
    """

    regions: RegionScores
    first: int
    clock: FloatArray


@dataclass(frozen=True)
class Answer:
    """What became of a job.

    Attributes:
        worker: Who had it.
        value: The answer.
        error: What was wrong, in place of an answer.
        lost: The worker is gone, and so is its work.
    """

    worker: int
    value: Any = None
    error: Exception | None = None
    lost: bool = False
