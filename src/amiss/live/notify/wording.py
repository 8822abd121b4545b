"""What receivers read: neutral words, in one place.

It says what was measured, never what somebody might have meant by it or who it was.
"""

from __future__ import annotations

from datetime import datetime
from math import floor, isfinite, log10
from zoneinfo import ZoneInfo

from amiss.live.nouns import Change, IncidentKind, Message

__all__ = ["local_time", "rarity", "reasons_of", "text_of", "title_of"]

RAREST = 9
"""Power of ten beyond which no count is given."""
NO_REASON = "out of the ordinary here"
EVENTS = {
    Change.NEW: "out of the ordinary",
    Change.UPDATE: "still out of the ordinary",
    Change.END: "as usual again",
}
INCIDENTS: dict[str, tuple[str, str]] = {
    IncidentKind.GAP: ("no pictures arrive", "pictures arrive again"),
    IncidentKind.MOVED: ("the view has moved", "the view is back in its place"),
    IncidentKind.BLOCKED: ("the view is covered", "the view is clear again"),
    IncidentKind.BLURRED: ("the pictures are blurred", "the pictures are sharp again"),
    IncidentKind.FROZEN: ("the picture stands still", "the picture moves again"),
    IncidentKind.SWITCHED: ("the camera changed between colour and infra-red", "the camera changed back"),
    IncidentKind.RESIZED: ("the pictures have another size", "the pictures have their usual size again"),
    IncidentKind.FAILED: ("the pictures cannot be scored", "the pictures are scored again"),
}


def rarity(severity: float) -> str:
    """A severity in words, such as `1 in 1,000 frames`.

    Args:
        severity: -log10 of the share of normal frames that score as high.
    """
    if severity > RAREST:
        return f"fewer than 1 in {10**RAREST:,d} frames"
    count = 10 ** max(severity, 0.0)
    unit = 10 ** max(floor(log10(count)) - 1, 0)
    return f"1 in {round(count / unit) * unit:,d} frames"


def local_time(at: float, zone: str) -> str:
    """Seconds since 1970 as date, time and name of the zone, such as `2026-01-31 14:02:11 CET`."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %Z")


def title_of(message: Message) -> str:
    """One short line: the camera, and what it is about."""
    if message.change is not None:
        return f"{message.camera}: {EVENTS[message.change]}"
    kind = str(message.body.get("kind", ""))
    begun, over = INCIDENTS.get(kind, ("something is wrong with the camera", "the camera is as it was"))
    return f"{message.camera}: {begun if message.body.get('end') is None else over}"


def reasons_of(message: Message) -> str:
    """Why, in one line."""
    return "; ".join(str(reason) for reason in message.body.get("reasons") or ()) or NO_REASON


def text_of(message: Message, zone: str = "UTC") -> str:
    """A few lines: when, how rare, why and where; for an incident since when, and its sentence.

    Args:
        message: What is told.
        zone: Time zone of its times.
    """
    return "\n".join(_incident(message, zone) if message.change is None else _event(message, zone))


def _event(message: Message, zone: str) -> list[str]:
    body = message.body
    lines = _times(message, zone)
    severity = body.get("severity")
    if isinstance(severity, int | float) and isfinite(severity):
        lines.append(f"Of normal footage, {rarity(severity)} would score as high.")
    why = reasons_of(message)
    lines.append(f"{why[:1].upper()}{why[1:]}.")
    if zones := body.get("zones"):
        lines.append(f"Where: {', '.join(map(str, zones))}.")
    if repeats := body.get("repeats"):
        lines.append(f"Joined by {repeats} further like it.")
    return lines


def _incident(message: Message, zone: str) -> list[str]:
    detail = str(message.body.get("detail") or "")
    return [*_times(message, zone), *([detail] if detail else [])]


def _times(message: Message, zone: str) -> list[str]:
    """`From … to …` for what is over, else `Since …`."""
    start, end = message.body.get("start"), message.body.get("end")
    if not isinstance(start, int | float):
        return []
    over = message.change is Change.END or (message.change is None and end is not None)
    if over and isinstance(end, int | float):
        return [f"From {local_time(start, zone)} to {local_time(end, zone)}."]
    return [f"Since {local_time(start, zone)}."]
