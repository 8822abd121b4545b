"""Signing in by program, and what admins may ask."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import HTTPException, Query, Request
from pydantic import BaseModel, Field

from amiss.web.bodies import account_body, entry_body
from amiss.web.doorman import SESSION, Refused
from amiss.web.gates import Here, Person, Visiting, admin, anyone, signed_in
from amiss.web.routes import API, Routes
from amiss.web.views.account import WRONG, address_of

__all__ = ["routes"]

routes = Routes(API)
TAGS = {"tags": ["people"]}


class Credentials(BaseModel):
    """A name and its password."""

    name: str = Field(max_length=300)
    password: str = Field(max_length=300)


@routes.post("/sessions", anyone, **TAGS)
def begin(request: Request, site: Here, given: Credentials) -> dict[str, Any]:
    """Sign in; the token goes into the header `Authorization: Bearer …` of other calls."""
    token = site.doorman.sign_in(given.name, given.password, address_of(request))
    if isinstance(token, Refused):
        raise HTTPException(429, "too many attempts", {"Retry-After": str(token.seconds)})
    if token is None:
        raise HTTPException(401, WRONG)
    return {"token": token, "seconds": SESSION}


@routes.post("/sessions/end", signed_in, **TAGS)
def end(site: Here, visit: Visiting) -> dict[str, Any]:
    """Sign out."""
    site.store.end_session(visit.token)
    return {}


@routes.get("/me", signed_in, **TAGS)
def me(person: Person) -> dict[str, Any]:
    """Who is signed in."""
    return account_body(person)


@routes.get("/accounts", admin, **TAGS)
def accounts(site: Here) -> list[dict[str, Any]]:
    """All accounts, without passwords."""
    return [account_body(account) for account in site.store.accounts()]


@routes.get("/log", admin, **TAGS)
def log(
    site: Here,
    about: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> list[dict[str, Any]]:
    """Who did what, the newest first."""
    return [entry_body(entry) for entry in site.store.entries(about or None, limit, offset)]
