"""Signing in and out, the first account, one's own password; files that everybody may have."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.responses import Response

from amiss.errors import ConfigError
from amiss.web.doorman import SESSION, SHORTEST, Refused
from amiss.web.gates import COOKIE, Here, Person, Visiting, anyone, hand_out, signed_in
from amiss.web.pages import asset, page, static_files, version
from amiss.web.routes import Routes

__all__ = ["address_of", "routes"]

routes = Routes()
Text = Annotated[str, Form(max_length=300)]
WRONG = "name or password is wrong"


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


def _target(wanted: str) -> str:
    """Where to go after signing in: a page of ours, wherever the text came from."""
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours else "/"


@routes.get("/sign-in", anyone)
def sign_in_page(request: Request, visit: Visiting, next: str = "/") -> Response:  # noqa: A002  # as in the address
    """Asks for name and password."""
    if visit.account:
        return RedirectResponse(_target(next), 303)
    return page(request, "sign_in.html", next=_target(next), wrong="", name="")


@routes.post("/sign-in", anyone)
def sign_in(
    request: Request,
    site: Here,
    name: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002  # as in the form
) -> Response:
    """Signs a person in."""
    token = site.doorman.sign_in(name, password, address_of(request))
    if isinstance(token, Refused):
        raise HTTPException(429, _later(token), {"Retry-After": str(token.seconds)})
    if token is None:
        return page(request, "sign_in.html", 401, next=_target(next), wrong=WRONG, name=name)
    answer = RedirectResponse(_target(next), 303)
    hand_out(answer, request, COOKIE, token, SESSION)
    return answer


def _later(refused: Refused) -> str:
    minutes = max(round(refused.seconds / 60), 1)
    return f"too many attempts; try again in {minutes} {'minute' if minutes == 1 else 'minutes'}"


@routes.post("/sign-out", signed_in)
def sign_out(site: Here, visit: Visiting) -> Response:
    """Ends the session."""
    site.store.end_session(visit.token)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@routes.get("/first", anyone)
def first_page(request: Request, site: Here, token: str = "") -> HTMLResponse:
    """Asks for the first account, of who has the token."""
    _check_invited(site.is_invited(token))
    return page(request, "first.html", token=token, wrong="", name="", shortest=SHORTEST)


@routes.post("/first", anyone)
def first(request: Request, site: Here, token: Text = "", name: Text = "", password: Text = "") -> Response:
    """Makes the first account, an admin, and signs it in."""
    _check_invited(site.is_invited(token))
    try:
        site.make_first(name, password)
    except ConfigError as error:
        return page(request, "first.html", 400, token=token, wrong=str(error), name=name, shortest=SHORTEST)
    return sign_in(request, site, name, password, "/")


def _check_invited(invited: bool) -> None:  # noqa: FBT001  # the answer to a question
    if not invited:
        raise HTTPException(404, "this link was used, or is of an earlier start; `amiss review` tells the newest")


@routes.get("/account", signed_in)
def account_page(request: Request, person: Person) -> HTMLResponse:
    """Who one is, and one's password."""
    return page(request, "account.html", account=person, wrong="", shortest=SHORTEST)


@routes.post("/account", signed_in)
def change_password(request: Request, site: Here, person: Person, old: Text = "", new: Text = "") -> Response:
    """Changes one's own password; all sessions end."""
    fits = site.doorman.knows(person, old, address_of(request))
    if isinstance(fits, Refused):
        raise HTTPException(429, _later(fits), {"Retry-After": str(fits.seconds)})
    if not fits:
        return page(request, "account.html", 400, account=person, wrong="the old password is wrong", shortest=SHORTEST)
    try:
        site.doorman.change_password(person, new, person.name)
    except ConfigError as error:
        return page(request, "account.html", 400, account=person, wrong=str(error), shortest=SHORTEST)
    return RedirectResponse("/sign-in", 303)


@routes.get("/static/{made}/{name}", anyone)
def static(made: str, name: str) -> FileResponse:
    """A script, a style or a picture of ours; what another version asks for by an old address is not kept."""
    if name not in static_files():
        raise HTTPException(404, "there is no such file")
    path, kind = static_files()[name]
    kept = "public, max-age=31536000, immutable" if made == version() else "no-cache"
    return FileResponse(path, media_type=kind, headers={"cache-control": kept})


@routes.get("/favicon.ico", anyone)
def icon() -> RedirectResponse:
    """The picture of the tab."""
    return RedirectResponse(asset("icon.svg"), 307)
