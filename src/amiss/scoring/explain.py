"""From a stretch of time and its regions to an event that says when, where and why."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from amiss.scoring.events import Span
from amiss.types import Event, RegionScores, Tube

__all__ = ["event_from_json", "event_to_json", "make_event", "worst_of"]


def worst_of(regions: RegionScores) -> RegionScores:
    """The one region with the highest score, or none of none."""
    return regions[[int(regions.score.argmax())]] if len(regions) else regions


def make_event(
    camera: str, span: Span, regions: RegionScores, level: float, reasons: tuple[str, ...], examples: tuple[str, ...]
) -> Event:
    """An event.

    Args:
        camera: Name of the camera or clip.
        span: When.
        regions: All regions of its frames.
        level: Regions with this score or more belong to the event; the worst always does.
        reasons: Why, for its worst region.
        examples: Names of the nearest normal examples.
    """
    inside = regions[(regions.frame >= span.first) & (regions.frame <= span.last)]
    worst = worst_of(inside)
    high = inside[inside.score >= min(level, float(worst.score[0]))] if len(inside) else inside
    return Event(
        id=hashlib.blake2b(f"{camera}|{span.start:.3f}".encode(), digest_size=6).hexdigest(),
        camera=camera,
        start=span.start,
        peak=span.top,
        end=span.end,
        severity=span.height,
        tube=Tube(high.frame, high.seconds, high.box, high.track, high.score),
        parts={name: float(values[0]) for name, values in worst.parts.items()} if len(worst) else {},
        reasons=reasons,
        examples=examples,
    )


def event_to_json(event: Event) -> dict[str, Any]:
    """As plain numbers, texts and lists."""
    tube = {name: getattr(event.tube, name).tolist() for name in ("frame", "seconds", "xyxy", "track", "score")}
    plain = {name: getattr(event, name) for name in ("id", "camera", "start", "peak", "end", "severity")}
    why = {"parts": dict(event.parts), "reasons": list(event.reasons), "examples": list(event.examples)}
    return plain | why | {"tube": tube}


def event_from_json(values: Mapping[str, Any]) -> Event:
    """Take back what `event_to_json` gave.

    Raises:
        KeyError: Something is missing.
    """
    given = dict(values)
    tube = given.pop("tube")
    boxes = np.asarray(tube.pop("xyxy"), np.float32).reshape(-1, 4)
    given["reasons"], given["examples"] = tuple(given["reasons"]), tuple(given["examples"])
    return Event(**given, tube=Tube(xyxy=boxes, **tube))
