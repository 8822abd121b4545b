"""What the API tells, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from amiss.live.nouns import EventRow
from amiss.live.store import Account, CameraLife, LogEntry
from amiss.live.store.bodies import event_body, incident_body
from amiss.live.store.columns import plain
from amiss.web.pictures import clip_start
from amiss.web.routes import API

__all__ = ["account_body", "card_body", "entry_body", "event_url", "incident_body", "life_body", "whole_body"]


def event_url(row: EventRow, at: float | None = None) -> str:
    """Where the page of an event is; with a time, at that time.

    Args:
        row: The event.
        at: Seconds since 1970.
    """
    return f"/events/{quote(row.id, safe='')}" + ("" if at is None else f"?t={at:.3f}")


def card_body(row: EventRow) -> dict[str, Any]:
    """An event as a list has it."""
    api = f"{API}/events/{quote(row.id, safe='')}"
    links = {
        "page": event_url(row),
        "snapshot": f"{api}/snapshot" if row.snapshot else None,
        "clip": f"{api}/clip" if row.clip else None,
    }
    body = event_body(row) | {"verdict": str(row.verdict), "suppressed": row.suppressed, "links": links}
    body.pop("box")
    return body


def whole_body(row: EventRow) -> dict[str, Any]:
    """An event with its boxes and its map."""
    more = {"part": str(row.likeness.get("part", "")), "tube": plain(row.tube), "clip_start": clip_start(row)}
    return event_body(row) | card_body(row) | more


def life_body(life: CameraLife | None) -> Mapping[str, Any] | None:
    """Where a camera is in its life."""
    if life is None:
        return None
    return {"life": str(life.life), "since": life.since, "why": life.why, "by": life.by}


def account_body(account: Account) -> dict[str, Any]:
    """A person."""
    cameras = None if account.cameras is None else list(account.cameras)
    return {"id": account.id, "name": account.name, "role": str(account.role), "cameras": cameras}


def entry_body(entry: LogEntry) -> dict[str, Any]:
    """A line of the log."""
    return vars(entry).copy()
