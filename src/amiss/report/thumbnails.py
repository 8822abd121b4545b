"""Pictures of events, gathered in one pass over each clip. Only finished JPEGs are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from amiss.report import draw
from amiss.report.content import ClipReport, Progress
from amiss.types import Event, FloatArray, Frame, IntArray, Tube

__all__ = ["EventPictures", "Picture", "gather"]

MOMENTS = 5
CROP_PIXELS = 232
WHOLE_PIXELS = 560
CONTEXT = 2.2
"""Side of a crop in sizes of the box, so that its surroundings can be seen."""
LEAST_VIEW = 0.28
"""A crop shows at least this share of the picture's short side: less is only blur."""


@dataclass(frozen=True)
class Picture:
    """A JPEG and the second that it shows."""

    seconds: float
    jpeg: bytes


@dataclass(eq=False)
class EventPictures:
    """What an event looks like: crops in time order, and the whole picture at its peak (None: not in the footage)."""

    crops: list[Picture] = field(default_factory=list)
    whole: Picture | None = None


@dataclass(frozen=True, eq=False)
class _Plan:
    """The frames of which an event needs pictures."""

    event: Event
    frames: IntArray
    peak: int
    track: int
    size: float
    pictures: EventPictures


def gather(clip: ClipReport, events: Sequence[Event], progress: Progress | None = None) -> list[EventPictures]:
    """Pictures of `events`, which are events of `clip`, in the order given.

    The footage is read once, in order, up to the last frame that is needed, and one frame at a time is held.

    Raises:
        FootageError: The footage cannot be read.
    """
    plans = [_plan(event, clip) for event in events]
    wanted: dict[int, list[_Plan]] = defaultdict(list)
    for plan in filter(None, plans):
        for number in plan.frames:
            wanted[int(number)].append(plan)
    if wanted:
        _read(clip, wanted, progress)
    return [plan.pictures if plan else EventPictures() for plan in plans]


def _read(clip: ClipReport, wanted: dict[int, list[_Plan]], progress: Progress | None) -> None:
    last = max(wanted)
    for frame in clip.footage:
        for plan in wanted.get(frame.index, ()):
            _take(plan, frame)
        if progress is not None:
            progress(1)
        if frame.index >= last:
            return


def _plan(event: Event, clip: ClipReport) -> _Plan | None:
    """Which frames to show: start, peak, end and what lies between, where the event has boxes if it has any."""
    source = event.tube if len(event.tube) else clip.frames
    inside = (source.seconds >= event.start - 1e-6) & (source.seconds <= event.end + 1e-6)
    chosen = source[inside] if inside.any() else source
    if not len(chosen):
        return None
    frames, first = np.unique(chosen.frame, return_index=True)
    picks = _moments(chosen.seconds[first], event)
    peak = int(frames[_nearest(chosen.seconds[first], event.peak)])
    tube = event.tube
    track = int(tube.track[np.argmax(tube.score)]) if len(tube) else -1
    sizes = tube.xyxy[:, 2:] - tube.xyxy[:, :2]
    own = sizes[(tube.track == track) & np.isin(tube.frame, frames[picks])]
    size = float(own.max()) if len(own) else float(sizes.max(initial=0.0))
    return _Plan(event, frames[picks], peak, track, size, EventPictures())


def _moments(seconds: FloatArray, event: Event) -> IntArray:
    """Rows of `seconds` nearest to start, peak, end and halfway between; filled up evenly if some coincide."""
    halves = (event.start + event.peak) / 2, (event.peak + event.end) / 2
    rows = {_nearest(seconds, t) for t in (event.start, halves[0], event.peak, halves[1], event.end)}
    for row in np.linspace(0, len(seconds) - 1, MOMENTS + 2).round().astype(int)[1:-1]:
        if len(rows) < MOMENTS:
            rows.add(int(row))
    return np.array(sorted(rows))


def _nearest(seconds: FloatArray, time: float) -> int:
    return int(np.argmin(np.abs(seconds - time)))


def _take(plan: _Plan, frame: Frame) -> None:
    """Add this frame's pictures to the event's."""
    here = plan.event.tube[plan.event.tube.frame == frame.index]
    if len(here):
        plan.pictures.crops.append(Picture(frame.seconds, _crop(frame, here, plan)))
    if frame.index == plan.peak or not len(here):
        whole = Picture(frame.seconds, _whole(frame, here))
        if frame.index == plan.peak:
            plan.pictures.whole = whole
        else:
            plan.pictures.crops.append(whole)


def _crop(frame: Frame, here: Tube, plan: _Plan) -> bytes:
    """The surroundings of the event's main box, with all boxes of the event drawn."""
    followed = here[here.track == plan.track]
    focus = followed if len(followed) else here
    x1, y1, x2, y2 = (float(v) for v in focus.xyxy[int(np.argmax(focus.score))])
    side = max(plan.size * CONTEXT, LEAST_VIEW * min(frame.size))
    view, (left, top) = draw.crop(frame.image, ((x1 + x2) / 2, (y1 + y2) / 2), side)
    scale = CROP_PIXELS / view.shape[0]
    picture = draw.scaled(view, scale)
    for xyxy in here.xyxy:
        draw.box(picture, (xyxy - (left, top, left, top)) * scale, draw.RED, 2)
    return draw.jpeg(picture)


def _whole(frame: Frame, here: Tube) -> bytes:
    """The whole picture with all boxes of the event drawn."""
    scale = WHOLE_PIXELS / frame.size[0]
    picture = draw.scaled(frame.image, scale)
    for xyxy in here.xyxy:
        draw.box(picture, xyxy * scale, draw.RED, 2)
    return draw.jpeg(picture)
