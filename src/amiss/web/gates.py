"""Who may have what: every page and every call goes through one of these.

What a person may not see is answered like what does not exist, so that nobody learns of it by asking.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, HTTPException, Request
from starlette.responses import Response

from amiss.live.nouns import EventRow
from amiss.live.store import Account, Role
from amiss.web.routes import API
from amiss.web.site import Site

__all__ = [
    "GATES",
    "Admin",
    "Here",
    "JudgedEvent",
    "OperatedCamera",
    "Person",
    "SeenCamera",
    "SeenEvent",
    "Visit",
    "Visiting",
    "admin",
    "anyone",
    "csrf_checked",
    "judges_event",
    "operates_camera",
    "sees_camera",
    "sees_event",
    "sees_everything",
    "signed_in",
]

COOKIE, VISIT_COOKIE = "amiss_session", "amiss_visit"
HEADER, FIELD = "x-csrf-token", "csrf"
READS = ("GET", "HEAD", "OPTIONS")
BY_PROGRAM = f"{API}/sessions"
"""Signing in by program: it answers with a token, and leaves nothing in a browser that another site could use."""


@dataclass(frozen=True)
class Visit:
    """Who asks.

    Attributes:
        token: Of the session, or of the visit of somebody who is not signed in.
        account: The person; None if not signed in.
        bearer: Whether the token came in a header that no browser sends by itself.
        fresh: Whether the token was made just now, and is to be handed out.
    """

    token: str
    account: Account | None
    bearer: bool = False
    fresh: bool = False

    @property
    def csrf(self) -> str:
        """What a changing request must show beside the cookie."""
        return hmac.new(self.token.encode(), b"csrf", hashlib.sha256).hexdigest()


def site_of(request: Request) -> Site:
    """The site that a request is for."""
    return cast("Site", request.app.state.site)


Here = Annotated[Site, Depends(site_of)]


def visit(request: Request, site: Here) -> Visit:
    """Who asks."""
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    if kind.casefold() == "bearer" and bearer:
        return _kept(request, Visit(bearer, site.store.session_account(bearer), bearer=True))
    session = request.cookies.get(COOKIE, "")
    if session and (account := site.store.session_account(session)):
        return _kept(request, Visit(session, account))
    known = request.cookies.get(VISIT_COOKIE, "")
    return _kept(request, Visit(known or secrets.token_urlsafe(24), None, fresh=not known))


def _kept(request: Request, found: Visit) -> Visit:
    """For pages of errors, which are made outside of all this."""
    request.state.visit = found
    return found


Visiting = Annotated[Visit, Depends(visit)]


async def csrf_checked(request: Request, visiting: Visiting) -> None:
    """Refuse what changes something and was not sent from a page of ours."""
    if request.method in READS or visiting.bearer or request.url.path == BY_PROGRAM:
        return
    given = request.headers.get(HEADER, "")
    if not given and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given = str((await request.form()).get(FIELD, ""))
    if not hmac.compare_digest(given.encode(), visiting.csrf.encode()):
        raise HTTPException(403, "this page is too old, or was not ours; load it again")


def anyone(visiting: Visiting) -> Visit:
    """Lets everybody in."""
    return visiting


def signed_in(visiting: Visiting) -> Account:
    """Lets people in who are signed in; what they may see is up to the page."""
    if visiting.account is None:
        raise HTTPException(401, "sign in first", {"WWW-Authenticate": "Bearer"})
    return visiting.account


Person = Annotated[Account, Depends(signed_in)]


def sees_everything(person: Person) -> Account:
    """Lets people in who may see all cameras."""
    if person.allowed is not None:
        raise HTTPException(403, "this is for those who may see all cameras")
    return person


def admin(person: Person) -> Account:
    """Lets admins in."""
    if person.role is not Role.ADMIN:
        raise HTTPException(403, "this is for admins")
    return person


Admin = Annotated[Account, Depends(admin)]


def sees_camera(camera: str, person: Person, site: Here) -> str:
    """Lets people in who may see the camera."""
    if not person.sees(camera) or not site.knows(camera):
        raise HTTPException(404, "there is no such camera")
    return camera


SeenCamera = Annotated[str, Depends(sees_camera)]


def operates_camera(camera: SeenCamera, person: Person) -> str:
    """Lets people in who may snooze the camera and put it somewhere in its life."""
    if not person.operates(camera):
        raise HTTPException(403, "this is for operators")
    return camera


OperatedCamera = Annotated[str, Depends(operates_camera)]


def sees_event(event: str, person: Person, site: Here) -> EventRow:
    """Lets people in who may see the camera of the event."""
    row = site.store.event(event)
    if row is None or not person.sees(row.camera):
        raise HTTPException(404, "there is no such event")
    return row


SeenEvent = Annotated[EventRow, Depends(sees_event)]


def judges_event(event: SeenEvent, person: Person) -> EventRow:
    """Lets people in who may judge the event."""
    if not person.operates(event.camera):
        raise HTTPException(403, "this is for operators")
    return event


JudgedEvent = Annotated[EventRow, Depends(judges_event)]

GATES: frozenset[Callable[..., Any]] = frozenset(
    {anyone, signed_in, sees_everything, admin, sees_camera, operates_camera, sees_event, judges_event}
)


def hand_out(response: Response, request: Request, name: str, token: str, seconds: float | None) -> None:
    """Give a token to a browser, which keeps it from scripts and from other sites.

    Args:
        response: That carries it.
        request: That it answers.
        name: Of the cookie.
        token: What is kept.
        seconds: For how long; None until the browser is closed.
    """
    age = None if seconds is None else int(seconds)
    secure = request.url.scheme == "https"
    response.set_cookie(name, token, max_age=age, httponly=True, samesite="lax", secure=secure, path="/")
