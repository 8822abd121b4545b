"""What goes wrong becomes one line: on a page for people, as JSON for programs, never a traceback."""

from __future__ import annotations

import logging
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from amiss.errors import AmissError, BusyError, InputError, StorageError
from amiss.web.headers import ALWAYS
from amiss.web.pages import page
from amiss.web.routes import API

__all__ = ["add_faults", "fault"]

LOG = logging.getLogger(__name__)

TITLES = {
    400: "That will not do",
    401: "Sign in first",
    403: "Not for you",
    404: "There is no such page",
    405: "That cannot be done here",
    416: "There is no such part of it",
    422: "That will not do",
    429: "Too many attempts",
    500: "Something went wrong",
    503: "The store is busy",
}
RETRY = 2
"""Seconds after which something may be tried again while another process holds the store."""


def fault(request: Request, status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """An answer that says what is wrong.

    Args:
        request: That it answers.
        status: Of the answer.
        text: One line.
        headers: Of the answer.
    """
    if request.url.path.startswith(f"{API}/") or request.url.path.startswith("/static/"):
        return JSONResponse({"detail": text}, status, headers)
    if status == 401:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}" if wanted != "/" else "/sign-in", 303)
    answer = page(request, "fault.html", status, title=TITLES.get(status, "Something went wrong"), text=text)
    answer.headers.update(headers or {})
    return answer


def add_faults(app: FastAPI) -> None:
    """Have an app answer so."""

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        text = str(error.detail) if error.status_code != 404 or error.detail != "Not Found" else "there is nothing here"
        return fault(request, error.status_code, text, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return fault(request, 422, f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}")

    @app.exception_handler(AmissError)
    async def _(request: Request, error: AmissError) -> Response:
        if isinstance(error, BusyError):
            text = "another process holds the store; this page tries again in a moment"
            return fault(request, 503, text, {"Retry-After": str(RETRY)})
        if isinstance(error, InputError):
            return fault(request, 400, str(error))
        LOG.error("%s", error)
        text = "the store or a file cannot be read; the log of amiss review says more"
        return fault(request, 500, text if isinstance(error, StorageError) else "the log of amiss review says more")

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the server logs it
        answer = fault(request, 500, "the log of amiss review says more")
        answer.headers.update(ALWAYS)  # this one is sent past what adds them
        return answer
