"""Which events a page or a call is about, from the part of an address behind `?`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, HTTPException, Query, Request

from amiss.live.store import Place, Queue
from amiss.live.store.review import Order, State
from amiss.web.gates import Here, Person

__all__ = ["Asked", "Filter", "after_of", "cursor_of"]

Told = Literal["alarm", "quiet"]
MOST_CAMERAS = 10_000
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True)
class Filter:
    """What was asked for.

    Attributes:
        queue: The events.
        given: The same as it stood in the address, without what is empty.
    """

    queue: Queue
    given: Mapping[str, Any]


def filter_of(
    person: Person,
    site: Here,
    camera: Annotated[list[str] | None, Query(description="Names of cameras; all by default.")] = None,
    since: Annotated[str, Query(max_length=40, description="Seconds since 1970, or date and time in `zone`.")] = "",
    until: Annotated[str, Query(max_length=40, description="Likewise.")] = "",
    zone: Annotated[str, Query(max_length=60, description="Time zone of `since` and `until`; UTC.")] = "",
    hours: Annotated[str, Query(max_length=10, description="Only of the last so many hours.")] = "",
    part: Annotated[str, Query(max_length=100, description="The part that stood out most.")] = "",
    severity: Annotated[str, Query(max_length=10, description="Least severity.")] = "",
    told: Annotated[str, Query(max_length=10, description="`alarm` or `quiet`.")] = "",
    state: Annotated[str, Query(max_length=10, description="`open`, `normal`, `right` or `covered`.")] = "",
    order: Annotated[str, Query(max_length=10, description="`severity` or `newest`.")] = "",
) -> Filter:
    """The events that a person asks for, of cameras that the person may see."""
    names = [name for name in camera or [] if name]
    if len(names) > MOST_CAMERAS:
        raise HTTPException(422, f"at most {MOST_CAMERAS} cameras can be asked for at once")
    given = {"camera": names, "since": since, "until": until, "zone": zone if since or until else "", "hours": hours}
    given |= {"part": part, "severity": severity, "told": told, "state": state, "order": order}
    start = _time(since, zone, "since")
    if (back := _number(hours, "hours")) is not None:
        start = max(start or 0.0, site.clock() - 3600 * back)
    alarm = None if not told else _one_of(told, Told, "told") == "alarm"
    queue = Queue(
        allowed=person.allowed,
        cameras=names or None,
        since=start,
        until=_time(until, zone, "until"),
        part=part or None,
        severity=_number(severity, "severity"),
        alarm=alarm,
        state=cast("State", _one_of(state, State, "state")) if state else None,
        order=cast("Order", _one_of(order, Order, "order")) if order else "severity",
    )
    return Filter(queue, {name: value for name, value in given.items() if value})


Asked = Annotated[Filter, Depends(filter_of)]


def _one_of(text: str, kind: Any, name: str) -> str:
    known = get_args(kind)
    if text not in known:
        raise HTTPException(422, f"{name} is one of {', '.join(known)}, not {text!r}")
    return text


def _number(text: str, name: str) -> float | None:
    try:
        found = float(text) if text else None
    except ValueError:
        raise HTTPException(422, f"{name} is a number, not {text!r}") from None
    if found is not None and not abs(found) < 1e12:
        raise HTTPException(422, f"{name} is a number, not {text!r}")
    return found


def _time(text: str, zone: str, name: str) -> float | None:
    """Seconds since 1970 of a number, or of date and time."""
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = _clock(text, zone, name)
    if not 0 <= found < 1e11:
        raise HTTPException(422, f"{name} is out of range")
    return found


def _clock(text: str, zone: str, name: str) -> float:
    try:
        given = datetime.fromisoformat(text)
        local = given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone or "UTC"))
        return local.timestamp()
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
        raise HTTPException(422, f"{name} is seconds since 1970 or a date and time, not {text!r}") from None


def cursor_of(place: Place) -> str:
    """A place in a queue as a text for an address."""
    text = json.dumps([place.rank, place.severity, place.start, place.id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def after_of(request: Request) -> Place | None:
    """The place in a queue after which a page or call goes on."""
    text = request.query_params.get("after", "")
    if not text:
        return None
    try:
        rank, severity, start, name = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return Place(int(rank), float(severity), float(start), str(name))
    except (ValueError, TypeError, binascii.Error):
        raise HTTPException(422, "after is not what an answer gave as next") from None
