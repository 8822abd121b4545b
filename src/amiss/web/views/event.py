"""An event."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from amiss.live.nouns import EventRow
from amiss.live.store import Queue
from amiss.live.store.columns import plain
from amiss.web.bodies import card_body
from amiss.web.filters import Asked
from amiss.web.gates import Here, Person, SeenEvent, sees_event
from amiss.web.pages import page
from amiss.web.pictures import clip_start, media_file
from amiss.web.routes import Routes

__all__ = ["AROUND", "routes"]

routes = Routes()
AROUND = 15 * 60.0
"""Seconds before and after an event in which other things are told of."""
MOST = 60


@routes.get("/events/{event}", sees_event)
def event_page(request: Request, site: Here, person: Person, row: SeenEvent, asked: Asked) -> HTMLResponse:
    """What was amiss: video, curve, reasons, and what happened around it."""
    before, after = site.store.beside(asked.queue, row)
    around = Queue(person.allowed, since=row.start - AROUND, until=row.end + AROUND, order="newest")
    events = [other for other in site.store.queue(around, limit=MOST) if other.id != row.id]
    incidents = site.store.incidents_of(person.allowed, row.start - AROUND, row.end + AROUND, MOST)
    facts = site.shelf.facts(row.camera)
    return page(
        request,
        "event.html",
        row=row,
        zone=facts.zone,
        parts=sorted(row.parts.items(), key=lambda part: -part[1]),
        examples=[name for name in row.examples if site.shelf.example(row.camera, row.model, name)],
        has_clip=media_file(site.store.media, row.clip) is not None,
        has_snapshot=media_file(site.store.media, row.snapshot) is not None,
        around=sorted([*events, *incidents], key=lambda one: one.start),
        before=before,
        after=after,
        given=asked.given,
        judges=person.operates(row.camera),
        figures=_figures(row),
    )


def _figures(row: EventRow) -> dict[str, Any]:
    """What the script of the page draws."""
    tube = {name: plain(row.tube.get(name) or []) for name in ("at", "xyxy", "track", "score")}
    times = {name: getattr(row, name) for name in ("start", "peak", "end", "level", "severity")}
    body = card_body(row)
    told = {name: body[name] for name in ("id", "camera", "verdict", "suppressed")}
    size = {"size": list(row.size), "clip_start": clip_start(row), "map": plain(row.tube.get("map"))}
    return told | times | size | {"tube": tube}
