"""What receivers are told, as plain JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from amiss.live.nouns import Change, EventRow, Incident
from amiss.live.store.columns import plain

__all__ = ["event_body", "incident_body", "iso"]

TOLD = ("alarm", "quiet", "severity", "level", "model", "parts", "reasons", "examples", "size", "zones", "repeats")


def event_body(row: EventRow, change: Change, message: str) -> dict[str, Any]:
    """An event as it is told: without its likeness, and of its tube only the worst box.

    Args:
        row: The event.
        change: What happened to it.
        message: Id of the message.

    Returns:
        `message`, `event`, `camera`, `change`, `open`, `start`, `peak` and `end` as text, the same with `_seconds`
        since 1970, `box` (x1, y1, x2, y2 in pixels, or None), and further fields by the names of `EventRow`.
    """
    head = {"message": message, "event": row.id, "camera": row.camera, "change": str(change)}
    is_open = row.open and change is not Change.END
    told: dict[str, Any] = {name: getattr(row, name) for name in TOLD} | {"open": is_open, "box": _worst_box(row)}
    body: dict[str, Any] = plain(head | _times(start=row.start, peak=row.peak, end=row.end) | told)
    return body


def incident_body(incident: Incident, change: Change, message: str) -> dict[str, Any]:
    """An incident as it is told.

    Args:
        incident: What was wrong.
        change: `new` when it begins, `end` when it is over.
        message: Id of the message.

    Returns:
        `message`, `camera`, `incident` (its kind), `change`, `open`, `start` and `end` as text, the same with
        `_seconds` since 1970 (None while it lasts), and `detail`.
    """
    head = {"message": message, "camera": incident.camera, "incident": str(incident.kind), "change": str(change)}
    state = {"open": incident.end is None, "detail": incident.detail}
    return head | _times(start=incident.start, end=incident.end) | state


def iso(at: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _times(**times: float | None) -> dict[str, Any]:
    texts = {name: None if at is None else iso(at) for name, at in times.items()}
    return texts | {f"{name}_seconds": at for name, at in times.items()}


def _worst_box(row: EventRow) -> Any:
    """The box of the highest score."""
    boxes, scores = plain(row.tube.get("xyxy", ())), plain(row.tube.get("score", ()))
    ranked = [(score, place) for place, score in enumerate(scores[: len(boxes)]) if score is not None]
    return boxes[max(ranked)[1]] if ranked else None
