"""What receivers are told, as plain JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from amiss.live.nouns import EventRow, Incident
from amiss.live.store.columns import plain

__all__ = ["event_body", "incident_body", "iso"]

WHEN = ("id", "camera", "open", "start", "peak", "end")
WHAT = ("alarm", "quiet", "severity", "level", "model", "parts", "reasons", "examples", "size", "zones", "repeats")


def event_body(row: EventRow) -> dict[str, Any]:
    """An event as it is told: without its likeness, and of its tube only the worst box.

    Args:
        row: The event.

    Returns:
        `id`, `camera`, `open`, `start`, `peak` and `end` in seconds since 1970, `box` (x1, y1, x2, y2 in pixels, or
        None), and further fields by the names of `EventRow`.
    """
    body: dict[str, Any] = plain({name: getattr(row, name) for name in (*WHEN, *WHAT)} | {"box": _worst_box(row)})
    return body


def incident_body(incident: Incident) -> dict[str, Any]:
    """An incident as it is told.

    Args:
        incident: What was wrong.

    Returns:
        `camera`, `kind`, `start` and `end` in seconds since 1970 (None while it lasts), and `detail`.
    """
    return {**vars(incident), "kind": str(incident.kind)}


def iso(at: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _worst_box(row: EventRow) -> Any:
    """The box of the highest score."""
    boxes, scores = plain(row.tube.get("xyxy", ())), plain(row.tube.get("score", ()))
    ranked = [(score, place) for place, score in enumerate(scores[: len(boxes)]) if score is not None]
    return boxes[max(ranked)[1]] if ranked else None
