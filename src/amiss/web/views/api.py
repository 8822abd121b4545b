"""What programs ask: events, cameras, curves, exports; and the page that tells how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel, Field

from amiss.errors import ConfigError, ModelError
from amiss.live import people
from amiss.live.nouns import EventRow
from amiss.live.store import Life, Place
from amiss.live.store.bodies import incident_body
from amiss.web.bodies import card_body, event_url, life_body, whole_body
from amiss.web.curves import read_between, thin
from amiss.web.exports import KINDS, Kind, as_coco, as_csv, as_json_lines, as_mot
from amiss.web.filters import Asked, Filter, after_of, cursor_of
from amiss.web.gates import (
    Here,
    JudgedEvent,
    OperatedCamera,
    Person,
    SeenCamera,
    SeenEvent,
    judges_event,
    operates_camera,
    sees_camera,
    sees_event,
    sees_everything,
    signed_in,
)
from amiss.web.judging import Said, alike_events, judge
from amiss.web.pages import page
from amiss.web.routes import API, Routes
from amiss.web.site import Site
from amiss.web.views.cameras import states

__all__ = ["pages", "routes"]

pages = Routes()
routes = Routes(API)
EVENTS, CAMERAS = {"tags": ["events"]}, {"tags": ["cameras"]}
BATCH = 200
MOST_EXPORTED = 20_000
LONGEST_CURVE = 31 * 86_400.0
After = Annotated[Place | None, Depends(after_of)]


class Verdict(BaseModel):
    """What a person says of an event."""

    verdict: Said = Field(description="`normal` here, `right` to be raised, or `none`: take back what was said.")
    days: float | None = Field(None, gt=0, le=3650, description="normal: for how long; for ever by default.")


class Put(BaseModel):
    """Where a camera is to be in its life."""

    life: Life


class Snooze(BaseModel):
    """For how long a camera raises no alarms."""

    hours: float = Field(gt=0, le=24 * 31)


@routes.get("/events", signed_in, **EVENTS)
def events(site: Here, asked: Asked, after: After, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
    """Some events: those to be reviewed first; `next` is what to give as `after` for more."""
    rows = site.store.queue(asked.queue, after, limit)
    following = cursor_of(site.store.place(rows[-1])) if len(rows) == limit else None
    return {"events": [card_body(row) for row in rows], "next": following}


@routes.get("/events/count", signed_in, **EVENTS)
def count(site: Here, asked: Asked) -> dict[str, int]:
    """How many events there are, and how many of them wait to be reviewed."""
    every, waiting = site.store.queue_size(asked.queue)
    return {"events": every, "waiting": waiting}


@routes.get("/export", signed_in, **EVENTS)
def export(
    site: Here, asked: Asked, form: Kind = "json", rate: Annotated[float, Query(gt=0, le=1000)] = 10.0
) -> StreamingResponse:
    """Events as a file: `json`, `csv`, `coco` (boxes), or `mot` (lines of one camera, at `rate` frames a second)."""
    if form == "mot" and len(asked.queue.cameras or ()) != 1:
        raise HTTPException(422, "lines of MOT are of one camera: give its name as camera")
    if form == "json":
        lines = as_json_lines(_all(site, asked))
    elif form == "csv":
        lines = as_csv(_all(site, asked))
    elif form == "coco":
        lines = as_coco(_all(site, asked))
    else:
        lines = as_mot(_all(site, asked), rate)
    kind, name = KINDS[form]
    return StreamingResponse(lines, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def _all(site: Site, asked: Filter) -> Iterator[EventRow]:
    """All events of a filter, as many as are handed out at once."""
    after: Place | None = None
    for _ in range(MOST_EXPORTED // BATCH):
        rows = site.store.queue_whole(asked.queue, after, BATCH)
        yield from rows
        if len(rows) < BATCH:
            return
        after = site.store.place(rows[-1])


@routes.get("/events/{event}", sees_event, **EVENTS)
def event(row: SeenEvent) -> dict[str, Any]:
    """An event with its boxes."""
    return whole_body(row)


@routes.get("/events/{event}/alike", sees_event, **EVENTS)
def alike(site: Here, row: SeenEvent) -> list[str]:
    """Ids of events to be reviewed that are like this one: what calling it normal would cover."""
    return alike_events(site.store, row)


@routes.post("/events/{event}/verdict", judges_event, **EVENTS)
def say(site: Here, person: Person, row: JudgedEvent, given: Verdict) -> dict[str, Any]:
    """Say what an event was; alike ones that wait are covered when it is normal, and restored when that is undone."""
    judged = judge(site.store, row, given.verdict, person.name, given.days)
    told = {"covered": list(judged.covered), "restored": list(judged.restored)}
    return {"event": row.id, "verdict": str(judged.verdict)} | told


@routes.get("/cameras", signed_in, **CAMERAS)
def cameras(
    site: Here,
    person: Person,
    like: Annotated[str, Query(max_length=100)] = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """How cameras are, of those whose names have a text in them."""
    names = [name for name in site.cameras(person) if like.casefold() in name.casefold()]
    return {"cameras": states(site, names[start : start + limit]), "count": len(names)}


@routes.get("/cameras/{camera}", sees_camera, **CAMERAS)
def camera_state(site: Here, camera: SeenCamera) -> dict[str, Any]:
    """How a camera is, and its settings."""
    facts = site.shelf.facts(camera)
    told: dict[str, Any] = {"budget": facts.budget, "level": facts.level, "zone": facts.zone, "rate": facts.rate}
    told |= {"zones": list(facts.zones), "model": facts.fingerprint, "state": life_body(site.store.life(camera))}
    return states(site, [camera])[0] | told


@routes.get("/cameras/{camera}/learned", sees_camera, **CAMERAS)
def learned(site: Here, camera: SeenCamera) -> dict[str, Any]:
    """Hours of footage that are kept, by day of the week (Monday first) and hour, and what is missing."""
    found = site.shelf.learned(camera)
    if found is None:
        return {"hours": [], "blocks": 0, "windows": 0, "missing": []}
    told = {"blocks": found.blocks, "windows": found.windows, "missing": list(found.missing)}
    return {"hours": found.hours.round(4).tolist()} | told


@routes.get("/cameras/{camera}/incidents", sees_camera, **CAMERAS)
def incidents(site: Here, camera: SeenCamera, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> list[dict[str, Any]]:
    """What was wrong with a camera, the newest first."""
    return [incident_body(incident) for incident in site.store.incidents(camera, limit=limit)]


@routes.get("/cameras/{camera}/curve", sees_camera, **CAMERAS)
def curve(
    site: Here,
    camera: SeenCamera,
    start: Annotated[float, Query(ge=0, le=1e11)],
    end: Annotated[float, Query(ge=0, le=1e11)],
    points: Annotated[int, Query(ge=10, le=20_000)] = 2000,
) -> dict[str, Any]:
    """Its calibrated scores between two times: all of them, or the extremes of each stretch where there are more."""
    if not 0 <= end - start <= LONGEST_CURVE:
        raise HTTPException(422, "the end comes after the start, by at most 31 days")
    paths = [path for kept in site.store.curves(camera, start, end) if (path := site.shelf.curve(kept))]
    drawn = thin(*read_between(paths, start, end), points)
    values = {"at": drawn.at.round(3).tolist(), "calibrated": drawn.calibrated.round(4).tolist()}
    return values | {"exact": drawn.exact, "frames": drawn.frames, "level": site.shelf.facts(camera).level}


@routes.get("/cameras/{camera}/backtest", sees_camera, **CAMERAS)
def backtest(
    site: Here, camera: SeenCamera, days: Annotated[Literal["1", "3", "7", "14", "30"], Query()] = "7"
) -> dict[str, Any]:
    """What each of some budgets would have raised, with links to events that were kept."""
    try:
        trial = site.trials.run(camera, float(days))
    except (ConfigError, ModelError) as error:
        raise HTTPException(404, str(error)) from None
    now = site.clock()
    kept = site.store.events(camera, now - (float(days) + 1) * 86_400, limit=10_000)
    results = [
        {
            "budget": budget,
            "own": budget == trial.own,
            "level": result.level,
            "hours": result.hours,
            "events": [
                {
                    "start": span.start,
                    "end": span.end,
                    "severity": span.height,
                    "page": _page_of(kept, span.start, span.end),
                }
                for span in result.spans
            ],
        }
        for budget, result in trial.results
    ]
    return {"camera": camera, "days": trial.days, "results": results}


def _page_of(kept: list[EventRow], start: float, end: float) -> str | None:
    """Where the event is that lay in a stretch of time, if one was kept."""
    inside = [row for row in kept if row.start <= end and row.end >= start]
    best = max(inside, key=lambda row: min(row.end, end) - max(row.start, start), default=None)
    return event_url(best) if best else None


@routes.post("/cameras/{camera}/life", operates_camera, **CAMERAS)
def put(site: Here, person: Person, camera: OperatedCamera, given: Put) -> dict[str, Any]:
    """Put a camera somewhere in its life by hand; the watcher follows within seconds."""
    people.put(site.store, camera, given.life, person.name)
    return dict(life_body(site.store.life(camera)) or {})


@routes.post("/cameras/{camera}/snooze", operates_camera, **CAMERAS)
def snooze(site: Here, person: Person, camera: OperatedCamera, given: Snooze) -> dict[str, Any]:
    """Have a camera raise no alarms for a while; events are kept."""
    return {"until": people.snooze(site.store, camera, person.name, given.hours).until}


@routes.post("/cameras/{camera}/wake", operates_camera, **CAMERAS)
def wake(site: Here, person: Person, camera: OperatedCamera) -> dict[str, Any]:
    """End the snoozing of a camera."""
    return {"ended": people.wake(site.store, camera, person.name)}


@routes.get("/benches", sees_everything, tags=["benches"])
def benches(site: Here) -> list[str]:
    """Names of the results of benchmarks."""
    return site.library.names()


@routes.get("/benches/{name}", sees_everything, tags=["benches"])
def bench(site: Here, name: str) -> dict[str, Any]:
    """A result of `amiss bench`."""
    found = site.library.read(name)
    if found is None:
        raise HTTPException(404, "there is no such result")
    return dict(found.result)


@routes.get("/openapi.json", signed_in, include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The description of all this for programs."""
    return _schema(request)


@pages.get("/api", signed_in)
def documentation(request: Request) -> HTMLResponse:
    """The same for people."""
    schema = _schema(request)
    calls: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            names = told.get("parameters", [])
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            call = {"path": path, "method": method.upper(), "text": told.get("description", ""), "parameters": names}
            calls.setdefault(told["tags"][0], []).append(call | {"body": _fields(schema, body)})
    return page(request, "api.html", calls=calls, version=schema["info"]["version"])


def _fields(schema: dict[str, Any], body: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and descriptions of what a call is sent."""
    name = body.get("$ref", "").rpartition("/")[2]
    found = schema.get("components", {}).get("schemas", {}).get(name, {}).get("properties", {})
    return [(field, told.get("description", "")) for field, told in found.items()]


def _schema(request: Request) -> dict[str, Any]:
    app = request.app
    return get_openapi(title=app.title, version=app.version, routes=app.routes)
