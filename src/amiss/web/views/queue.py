"""The queue of events."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from amiss.live.store import Account, Place
from amiss.web.filters import Asked, after_of, cursor_of
from amiss.web.gates import Here, Person, signed_in
from amiss.web.pages import page
from amiss.web.routes import Routes
from amiss.web.site import Site

__all__ = ["FEW_CAMERAS", "routes"]

routes = Routes()
PAGE = 40
FEW_CAMERAS = 100
"""Cameras up to which a page lists them all; of more it asks for those that begin with what is typed."""


@routes.get("/", signed_in)
def queue(
    request: Request, site: Here, person: Person, asked: Asked, after: Annotated[Place | None, Depends(after_of)]
) -> HTMLResponse:
    """Events to be reviewed, the most severe or the newest first."""
    rows = site.store.queue(asked.queue, after, PAGE)
    count, waiting = site.store.queue_size(asked.queue)
    last = cursor_of(site.store.place(rows[-1])) if len(rows) == PAGE else None
    zones = {row.camera: site.shelf.facts(row.camera).zone for row in rows}
    return page(
        request,
        "queue.html",
        rows=rows,
        zones=zones,
        count=count,
        waiting=waiting,
        given=asked.given,
        next=last,
        cameras=_cameras(site, person),
        parts=site.store.parts(person.allowed),
        judges={camera: person.operates(camera) for camera in zones},
    )


def _cameras(site: Site, person: Account) -> list[str]:
    """Names to choose from; none if there are too many for a list."""
    names = site.cameras(person)
    return names if len(names) <= FEW_CAMERAS else []
