"""Cameras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from amiss.errors import ConfigError
from amiss.live.store import FeedbackKind, Life
from amiss.scoring.calibrate import parse_budget
from amiss.web.gates import Here, Person, SeenCamera, sees_camera, signed_in
from amiss.web.pages import page
from amiss.web.routes import Routes
from amiss.web.site import Site

__all__ = ["routes", "states"]

routes = Routes()
PAGE = 60
DAY = 86_400.0
STALE = 10.0
"""Seconds after which a picture that should be new every second is called old."""
EXAMPLES = 24


def states(site: Site, names: list[str]) -> list[dict[str, Any]]:
    """How some cameras are: life, what is wrong, alarms of a day, and when their pictures were taken.

    Args:
        site: Of the cameras.
        names: Of cameras that may be seen.

    Raises:
        StorageError: The database failed.
    """
    lives, now = site.store.lives(names), site.clock()
    holders = site.store.holders()
    alarms, wrong = site.store.alarms_since(now - DAY, names), site.store.lasting_kinds(names)
    found: list[dict[str, Any]] = []
    for name in names:
        life, seen = lives.get(name), site.shelf.seen_at(name)
        state: dict[str, Any] = {
            "name": name,
            "life": str(life.life) if life else None,
            "since": life.since if life else None,
        }
        state |= {"wrong": list(wrong.get(name, [])), "alarms": alarms.get(name, 0), "seen": seen}
        state |= {"holder": holders.get(name)}
        found.append(state | {"stale": seen is not None and now - seen > STALE})
    return found


@routes.get("/cameras", signed_in)
def cameras(
    request: Request,
    site: Here,
    person: Person,
    like: Annotated[str, Query(max_length=100)] = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> HTMLResponse:
    """All cameras, as they are now."""
    names = [name for name in site.cameras(person) if like.casefold() in name.casefold()]
    some = names[start : start + PAGE]
    return page(
        request,
        "cameras.html",
        cameras=states(site, some),
        count=len(names),
        like=like,
        start=start,
        size=PAGE,
    )


@routes.get("/cameras/{camera}", sees_camera)
def camera_page(request: Request, site: Here, person: Person, camera: SeenCamera) -> HTMLResponse:
    """A camera: its picture, its life, what it has learned, its alarms against the budget."""
    facts, now = site.shelf.facts(camera), site.clock()
    snoozes = [one for one in site.store.feedback(camera, now) if one.kind is FeedbackKind.SNOOZE]
    return page(
        request,
        "camera.html",
        camera=camera,
        state=states(site, [camera])[0],
        life=site.store.life(camera),
        lives=list(Life),
        changes=site.store.life_changes(camera)[::-1][:20],
        facts=facts,
        gauge=_gauge(facts.budget, site.store.alarms_since(now - DAY, [camera]).get(camera, 0)),
        learned=site.shelf.learned(camera),
        examples=site.shelf.examples(camera, facts.fingerprint)[:EXAMPLES],
        incidents=site.store.incidents(camera, limit=20),
        snoozed=max((one.until or now for one in snoozes), default=None),
        operates=person.operates(camera),
        now=now,
    )


def _gauge(budget: str, alarms: int) -> Mapping[str, Any]:
    """Alarms of the last 24 hours against what the budget allows a day; `share` of a bar that ends at twice that."""
    try:
        allowed = 24 * parse_budget(budget) if budget else None
    except ConfigError:
        allowed = None
    share = None if not allowed else min(alarms / (2 * allowed), 1.0)
    return {"alarms": alarms, "allowed": allowed, "share": share, "budget": budget}
