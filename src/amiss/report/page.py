"""One HTML page that opens without a network: everything it shows is inside it, but for the video beside it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from amiss.report import draw, plots
from amiss.report.content import ClipReport, Progress, Summary, clock
from amiss.report.environment import environment
from amiss.report.thumbnails import EventPictures, Picture, gather
from amiss.storage import whole_file
from amiss.types import Event, Image

__all__ = ["write_page"]

MOST_EXAMPLES = 6
MADE_PIXELS = 176
POINTS_OF_ALL, LEAST_POINTS, MOST_POINTS = 60_000, 400, 4_000
SPARK_WIDTH, SPARK_HEIGHT = 300, 32


def write_page(
    path: Path,
    clips: Sequence[ClipReport],
    summary: Summary,
    examples: Mapping[str, bytes],
    *,
    video: str | None = "annotated.mp4",
    pictured: int = 40,
    progress: Progress | None = None,
) -> None:
    """Write the report of some clips as one HTML file.

    Args:
        path: File to write; it appears only when it is complete.
        clips: What was scored. Footage is read once for the pictures of its events, and not at all without events.
        summary: What made the scores, and the levels.
        examples: JPEGs of normal footage by the names that `Event.examples` uses; names without one are left out.
        pictured: Events shown with pictures, the most severe first; the others are told in words only.
        video: Address of the annotated video as seen from the page; None leaves the player out.
        progress: Called after each frame that was read.

    Raises:
        FootageError: The footage cannot be read.
        StorageError: The file cannot be written.
    """
    ranked = sorted(_all_events(clips), key=lambda found: -found[1].severity)
    pictures = _pictures(clips, ranked[:pictured], progress)
    cards = [
        _event_card(rank, clip, event, pictures.get(rank), examples)
        for rank, (number, event) in enumerate(ranked, 1)
        for clip in [(number, clips[number])]
    ]
    page = (
        environment()
        .get_template("page.html")
        .render(
            summary=summary,
            rows=_clip_rows(clips, summary, ranked),
            events=cards,
            pictured=pictured,
            figures={str(n): _figure(clip, summary, len(clips)) for n, clip in enumerate(clips) if len(clip.frames)},
            total=clock(sum(clip.seconds for clip in clips)),
            video=video if clips else None,
            plotly=get_plotlyjs(),
            spark=(SPARK_WIDTH, SPARK_HEIGHT),
        )
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _all_events(clips: Sequence[ClipReport]) -> Iterator[tuple[int, Event]]:
    """Every event with the number of its clip."""
    for number, clip in enumerate(clips):
        for event in clip.events:
            yield number, event


def _pictures(
    clips: Sequence[ClipReport], ranked: Sequence[tuple[int, Event]], progress: Progress | None
) -> dict[int, EventPictures]:
    """Pictures by rank (from 1), each clip's footage read once."""
    found: dict[int, EventPictures] = {}
    for number, clip in enumerate(clips):
        own = {rank: event for rank, (where, event) in enumerate(ranked, 1) if where == number}
        found.update(zip(own, gather(clip, list(own.values()), progress), strict=True))
    return found


def _figure(clip: ClipReport, summary: Summary, count: int) -> dict[str, Any]:
    points = min(max(POINTS_OF_ALL // count, LEAST_POINTS), MOST_POINTS)
    return {**plots.score_curve(clip, summary, points), "offset": clip.video_offset}


def _clip_rows(
    clips: Sequence[ClipReport], summary: Summary, ranked: Sequence[tuple[int, Event]]
) -> list[dict[str, Any]]:
    """What the overview and the sections say of each clip. One scale serves all small curves."""
    peaks = [summary.top(clip.frames.calibrated) for clip in clips]
    top = max([*peaks, summary.level * 1.2, 1e-9])
    level = SPARK_HEIGHT * (1 - min(max(summary.level / top, 0.0), 1.0))
    return [
        {
            "number": number,
            "name": clip.name,
            "seconds": clip.seconds,
            "scored": len(clip.frames) > 0,
            "peak": peaks[number],
            "ranks": [rank for rank, (where, _) in enumerate(ranked, 1) if where == number],
            "points": plots.sparkline(clip, top, SPARK_WIDTH, SPARK_HEIGHT),
            "level": level,
            "spans": [_span(event, clip.seconds) for event in clip.events],
        }
        for number, clip in enumerate(clips)
    ]


def _span(event: Event, seconds: float) -> tuple[float, float]:
    """Left edge and width of an event in a small curve, wide enough to be seen."""
    scale = SPARK_WIDTH / max(seconds, 1e-9)
    return round(event.start * scale, 1), round(max((event.end - event.start) * scale, 2.0), 1)


def _event_card(
    rank: int,
    clip: tuple[int, ClipReport],
    event: Event,
    pictures: EventPictures | None,
    examples: Mapping[str, bytes],
) -> dict[str, Any]:
    """What the page says of one event."""
    number, report = clip
    shown = pictures or EventPictures()
    return {
        "rank": rank,
        "clip": number,
        "name": report.name,
        "event": event,
        "offset": report.video_offset,
        "crops": [_shown(picture) for picture in shown.crops],
        "whole": _shown(shown.whole) if shown.whole else None,
        "made": [_made(name, image) for name, image in report.made.get(event.id, {}).items()] if pictures else [],
        "parts": _bars(event.parts),
        "examples": [_address(examples[name]) for name in event.examples if name in examples][:MOST_EXAMPLES],
    }


def _bars(parts: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """Name, value and width in percent of each part, largest first; parts at or below zero have no bar."""
    top = max([*parts.values(), 1e-12])
    return [
        (name, value, round(100 * max(value, 0.0) / top, 1))
        for name, value in sorted(parts.items(), key=lambda p: -p[1])
    ]


def _shown(picture: Picture) -> dict[str, Any]:
    return {"seconds": picture.seconds, "address": _address(picture.jpeg)}


def _made(name: str, image: Image) -> dict[str, Any]:
    """A small picture that a network made or saw, enlarged."""
    scale = max(MADE_PIXELS / image.shape[0], 1.0)
    address = _address(draw.jpeg(draw.scaled(image, scale), 90))
    return {"name": name, "address": address, "wide": image.shape[1] > image.shape[0]}


def _address(jpeg: bytes) -> str:
    """The picture itself as an address, so that the page needs no other file."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
