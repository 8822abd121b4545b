"""How pages are made from their templates."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import plotly
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from amiss.live.notify.wording import INCIDENTS, rarity
from amiss.live.nouns import EventRow
from amiss.report.charts import style
from amiss.report.wording import ranges
from amiss.web.bodies import event_url
from amiss.web.gates import VISIT_COOKIE, Visit, hand_out
from amiss.web.routes import API

__all__ = ["CHARTS", "asset", "page", "static_files", "version"]

CHARTS = "plotly.js"
QUIET = {
    "collecting": "the camera was collecting",
    "shadow": "the camera was in the shadow",
    "frozen": "the camera was frozen",
    "schedule": "outside its hours",
    "zone": "in a quiet zone",
    "snoozed": "snoozed",
    "feedback": "called normal before",
}


@lru_cache(maxsize=1)
def static_files() -> Mapping[str, tuple[Path, str]]:
    """Files of ours by name: path and media type."""
    own = {path.name: path for path in (Path(__file__).parent / "static").iterdir() if path.is_file()}
    own[CHARTS] = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return {
        name: (path, mimetypes.guess_type(name)[0] or "application/octet-stream")
        for name, path in own.items()
        if not name.startswith(".")
    }


@lru_cache(maxsize=1)
def version() -> str:
    """A hash of what is in all of them."""
    digest = hashlib.blake2b(digest_size=6)
    for name, (path, _) in sorted(static_files().items()):
        digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def chart_marks() -> list[str]:
    """Ids of styles that a part of the chart library puts into pages which do not have them yet; we need none."""
    text = static_files()[CHARTS][0].read_text(encoding="utf-8")
    return sorted(set(re.findall(r'getElementById\("([0-9a-f]{64})"\)', text)))


def asset(name: str) -> str:
    """Where a file of ours is: the address changes with what is in them, so that a browser may keep it for ever."""
    return f"/static/{version()}/{name}"


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Make a page.

    Args:
        request: That it answers.
        template: Name of the template.
        status: Of the answer.
        values: For the template.
    """
    visit: Visit | None = getattr(request.state, "visit", None)
    base = {"person": visit.account if visit else None, "csrf": visit.csrf if visit else "", "path": request.url.path}
    response = HTMLResponse(environment().get_template(template).render(**base | values), status)
    if visit and visit.fresh:
        hand_out(response, request, VISIT_COOKIE, visit.token, None)
    return response


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates of this package; all text is escaped, and a name that is not there is an error."""
    made = Environment(
        loader=PackageLoader("amiss.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(rarity=rarity, when=when, part=segment, lasting=lasting, quiet=quiet, trouble=trouble, ago=ago)
    made.globals.update(asset=asset, api=API, event_url=event_url, query=query, style=style, ranges=ranges)
    made.globals.update(chart_marks=chart_marks)
    return made


def when(at: float, zone: str = "UTC", form: str = "full") -> Markup:
    """A time as the camera's clock has it, which the page then turns into that of the one who looks.

    Args:
        at: Seconds since 1970.
        zone: Time zone of the camera.
        form: `full`, `time` or `day`.
    """
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    text = local.strftime({"full": "%Y-%m-%d %H:%M:%S", "time": "%H:%M:%S", "day": "%Y-%m-%d"}[form])
    exact = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return Markup('<time datetime="{}" data-zone="{}" data-form="{}">{}</time>').format(exact, zone, form, text)


def lasting(seconds: float) -> str:
    """How long something lasted."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def ago(seconds: float) -> str:
    """How long ago something was."""
    steps = ((86_400, "day"), (3600, "hour"), (60, "minute"))
    for size, word in steps:
        if (count := int(seconds // size)) >= 1:
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"


def quiet(row: EventRow) -> str:
    """Why nobody was told of an event."""
    return QUIET.get(row.quiet, row.quiet or "nobody was told")


def trouble(kind: str) -> str:
    """What is wrong with a camera, in words."""
    return INCIDENTS.get(kind, (kind, kind))[0]


def segment(text: str) -> str:
    """A text as one part of an address."""
    return quote(text, safe="")


def query(given: Mapping[str, Any], **changes: Any) -> str:
    """The part of an address behind `?`, with changes; what is None or empty is left out."""
    values = {name: value for name, value in {**given, **changes}.items() if value not in (None, "", [])}
    return urlencode(values, doseq=True)
