"""Videos and pictures, each only by what the store or a folder knows of an event or a camera."""

from __future__ import annotations

from pathlib import Path

from fastapi import HTTPException, Response
from fastapi.responses import FileResponse

from amiss.live.nouns import EventRow
from amiss.web.gates import Here, SeenCamera, SeenEvent, sees_camera, sees_event
from amiss.web.pictures import crop_of, media_file
from amiss.web.routes import API, Routes
from amiss.web.site import Site

__all__ = ["routes"]

routes = Routes(API)
SHORT = {"cache-control": "private, max-age=300"}
"""Only in the browser of who may see it, and not for long: rights may change."""
TAGS = {"tags": ["media"], "response_class": Response}


@routes.get("/events/{event}/snapshot", sees_event, **TAGS)
def snapshot(site: Here, row: SeenEvent) -> FileResponse:
    """Its picture, JPEG."""
    return _of_event(site, row.snapshot, "image/jpeg")


@routes.get("/events/{event}/clip", sees_event, **TAGS)
def clip(site: Here, row: SeenEvent) -> FileResponse:
    """Its video, MP4; parts of it may be asked for."""
    return _of_event(site, row.clip, "video/mp4")


@routes.get("/events/{event}/crop", sees_event, **TAGS)
def crop(site: Here, row: SeenEvent) -> Response:
    """What stood out in it at its worst moment, JPEG."""
    found = crop_of(row, site.store.media)
    if found is None:
        raise HTTPException(404, "there is no picture of it")
    return Response(found, media_type="image/jpeg", headers=SHORT)


@routes.get("/events/{event}/examples/{name}", sees_event, **TAGS)
def event_example(site: Here, row: SeenEvent, name: str) -> FileResponse:
    """A normal example that it was compared with, JPEG."""
    return _example(site, row, name)


def _example(site: Site, row: EventRow, name: str) -> FileResponse:
    path = site.shelf.example(row.camera, row.model, name) if name in row.examples else None
    return _file(path, "image/jpeg", SHORT)


@routes.get("/cameras/{camera}/now", sees_camera, **TAGS)
def now(site: Here, camera: SeenCamera) -> FileResponse:
    """Its picture as it is now, JPEG."""
    return _file(site.shelf.now(camera), "image/jpeg", {"cache-control": "no-store"})


@routes.get("/cameras/{camera}/examples/{name}", sees_camera, **TAGS)
def camera_example(site: Here, camera: SeenCamera, name: str) -> FileResponse:
    """A normal example of its model, JPEG."""
    return _file(site.shelf.example(camera, site.shelf.facts(camera).fingerprint, name), "image/jpeg", SHORT)


def _of_event(site: Site, name: str | None, kind: str) -> FileResponse:
    return _file(media_file(site.store.media, name), kind, SHORT)


def _file(path: Path | None, kind: str, headers: dict[str, str]) -> FileResponse:
    if path is None:
        raise HTTPException(404, "it is not there, or not any more")
    return FileResponse(path, media_type=kind, headers=headers)
