"""For admins: accounts, and who did what."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from amiss.errors import ConfigError
from amiss.live.store import Role
from amiss.web.doorman import SHORTEST
from amiss.web.gates import Admin, Here, admin
from amiss.web.pages import page
from amiss.web.routes import Routes
from amiss.web.site import Site

__all__ = ["routes"]

routes = Routes()
ENTRIES = 100
Text = Annotated[str, Form(max_length=300)]
Names = Annotated[str, Form(max_length=1_000_000)]
Kind = Annotated[Role, Form()]


@routes.get("/accounts", admin)
def accounts(request: Request, site: Here) -> HTMLResponse:
    """All accounts."""
    return _page(request, site)


@routes.post("/accounts", admin)
def make(
    request: Request, site: Here, person: Admin, role: Kind, name: Text = "", password: Text = "", cameras: Names = ""
) -> Response:
    """Makes an account."""
    try:
        site.doorman.make(name, password, role, _cameras(cameras), person.name)
    except ConfigError as error:
        return _page(request, site, str(error))
    return RedirectResponse("/accounts", 303)


@routes.post("/accounts/{number}/change", admin)
def change(
    request: Request, site: Here, person: Admin, number: int, role: Kind, password: Text = "", cameras: Names = ""
) -> Response:
    """Changes what an account may do, and its password where one is given."""
    try:
        found = site.store.change_account(number, person.name, role=role, cameras=_cameras(cameras))
        if password:
            site.doorman.change_password(found, password, person.name)
    except ConfigError as error:
        return _page(request, site, str(error))
    return RedirectResponse("/accounts", 303)


@routes.post("/accounts/{number}/remove", admin)
def remove(request: Request, site: Here, person: Admin, number: int) -> Response:
    """Removes an account."""
    try:
        site.store.remove_account(number, person.name)
    except ConfigError as error:
        return _page(request, site, str(error))
    return RedirectResponse("/accounts", 303)


def _page(request: Request, site: Site, wrong: str = "") -> HTMLResponse:
    accounts = site.store.accounts()
    status = 400 if wrong else 200
    return page(request, "accounts.html", status, accounts=accounts, roles=list(Role), wrong=wrong, shortest=SHORTEST)


def _cameras(text: str) -> list[str] | None:
    """Names, one a line or between commas; `*` is all."""
    names = [name.strip() for line in text.splitlines() for name in line.split(",")]
    names = [name for name in names if name]
    return None if "*" in names else names


@routes.get("/log", admin)
def log(
    request: Request,
    site: Here,
    start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    about: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Who judged what, who signed in, who was put where."""
    entries = site.store.entries(about or None, ENTRIES + 1, start)
    more = len(entries) > ENTRIES
    return page(request, "log.html", entries=entries[:ENTRIES], start=start, size=ENTRIES, more=more, about=about)
