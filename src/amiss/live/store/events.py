"""Events: kept with what receivers are to be told of them, in one transaction."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from amiss.errors import StorageError
from amiss.live.nouns import Change, EventRow, Verdict
from amiss.live.store.bodies import event_body
from amiss.live.store.columns import as_json
from amiss.live.store.feedback import add_entry
from amiss.live.store.leases import guard
from amiss.live.store.names import media_name
from amiss.live.store.outbox import Told, enqueue, release
from amiss.live.store.part import Part
from amiss.live.store.records import Lease
from amiss.live.store.tables import ChangeTable, EventTable

__all__ = ["EventsPart", "row_of"]

OWN = ("verdict", "suppressed", "snapshot", "clip")
"""What is also set by itself, so that an update which does not know of it leaves it."""
LISTS = ("reasons", "examples", "zones", "size")
NUMBERS = ("start", "peak", "end", "severity", "level")


class EventsPart(Part):
    """Events."""

    def put_event(
        self,
        row: EventRow,
        change: Change,
        channels: Sequence[str] = (),
        lease: Lease | None = None,
        hold: Mapping[str, float] | None = None,
    ) -> bool:
        """Keep an event, and a message for each channel, as one: when this returns both are on the disk.

        The same change of the same event again changes nothing and makes no second message: `new` and `end` are known
        by their name, an update by its content. Message ids are `event:change:number`, where the number counts the
        changes of this name that were kept; a change that was not kept was never told, so that a replay after a crash
        gives each its old id. An `end` that comes after an update of an ended event (something joined it) has the
        next number. An update that is older than the end which was kept is dropped.

        Verdict, feedback, snapshot and clip that the row does not have are left as they were kept.

        Args:
            row: The event.
            change: What happened to it; `end` closes it.
            channels: Names of the receivers that are told.
            lease: Under which it was seen, where cameras are shared.
            hold: Seconds for which receivers wait for the video of an event that ends, by their names; `set_media` ends
                the wait.

        Returns:
            Whether it was not there yet.

        Raises:
            BusyError: Another process holds the store, or its server does not answer; nothing was kept.
            LeaseError: The camera went to another process; nothing was kept.
            StorageError: A number of the row is none, or the store failed; nothing was kept.
        """
        if odd := [name for name in NUMBERS if math.isnan(getattr(row, name))]:
            raise StorageError(f"event {row.id} of {row.camera} has no number as its {odd[0]}; it is not kept")
        at, digest = self._clock(), _digest(row)

        def work(session: Session) -> bool:
            guard(session, lease)
            return _put(session, row, change, channels, at, digest, hold if change is Change.END else None)

        return self._database.write(work)

    def event(self, event: str) -> EventRow | None:
        """One event by its id.

        Raises:
            StorageError: The database failed.
        """
        found = self._database.read(lambda session: session.get(EventTable, event))
        return None if found is None else row_of(found)

    def open_events(self, camera: str | None = None) -> list[EventRow]:
        """Events that may still grow, the oldest first: after a restart, those to be closed.

        Args:
            camera: Only of this one.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(EventTable).where(EventTable.open.is_(True))
        query = query if camera is None else query.where(EventTable.camera == camera)
        return self._rows(query.order_by(EventTable.start, EventTable.id))

    def events(
        self,
        camera: str | None = None,
        since: float | None = None,
        until: float | None = None,
        *,
        alarm: bool | None = None,
        reviewed: bool | None = None,
        order: Literal["newest", "severity"] = "newest",
        limit: int = 100,
        offset: int = 0,
    ) -> list[EventRow]:
        """Some events.

        Args:
            camera: Only of this one.
            since: Only those that start at this time or later.
            until: Only those that start before this time.
            alarm: Only alarms, or only what nobody was told.
            reviewed: Only those with a verdict, or only those without.
            order: The newest first, or the most severe.
            limit: Most events.
            offset: How many are passed over.

        Raises:
            StorageError: The database failed.
        """
        table = EventTable
        clauses = [
            table.camera == camera if camera is not None else None,
            table.start >= since if since is not None else None,
            table.start < until if until is not None else None,
            table.alarm.is_(alarm) if alarm is not None else None,
            (table.verdict != Verdict.NONE).is_(reviewed) if reviewed is not None else None,
        ]
        query = sa.select(table).where(*(clause for clause in clauses if clause is not None))
        first = (table.severity.desc(),) if order == "severity" else ()
        return self._rows(query.order_by(*first, table.start.desc(), table.id).limit(limit).offset(offset))

    def set_verdict(self, event: str, verdict: Verdict, by: str) -> None:
        """What a person said of an event; it is logged.

        Args:
            event: Its id.
            verdict: What was said; `none` takes it back.
            by: Who.

        Raises:
            StorageError: There is no such event, or the database failed.
        """
        at = self._clock()

        def work(session: Session) -> None:
            _change(session, event, {"verdict": verdict})
            add_entry(session, by, f"verdict {verdict}", event, at)

        self._database.write(work)

    def set_media(self, event: str, snapshot: str | None = None, clip: str | None = None) -> None:
        """The files of an event, which must be whole and in their place before; None leaves what there is.

        Messages on its end that wait for its video are held back no longer.

        Args:
            event: Its id.
            snapshot: Name of a picture, relative to the folder of media.
            clip: Name of a video, likewise.

        Raises:
            StorageError: There is no such event, a name leaves the folder, or the database failed.
        """
        names = {"snapshot": snapshot, "clip": clip}
        values = {kind: media_name(name) for kind, name in names.items() if name is not None}
        at = self._clock()

        def work(session: Session) -> None:
            _change(session, event, values)
            if clip is not None:
                release(session, event, at)

        if values:
            self._database.write(work)

    def _rows(self, query: sa.Select[EventTable]) -> list[EventRow]:
        return [row_of(found) for found in self._database.read(lambda session: session.scalars(query).all())]


def _put(
    session: Session,
    row: EventRow,
    change: Change,
    channels: Sequence[str],
    at: float,
    digest: str,
    hold: Mapping[str, float] | None,
) -> bool:
    stored = session.get(EventTable, row.id, with_for_update=True)
    query = sa.select(ChangeTable).where(ChangeTable.event == row.id).order_by(ChangeTable.seq)
    known = session.scalars(query).all()
    if _is_known(change, digest, known) or (stored is not None and _is_late(row, change, stored)):
        return False
    if stored is None:
        session.add(EventTable(**_values(row, change)))
        session.flush()  # what follows refers to it
    elif change is not Change.NEW:
        _update(stored, _values(row, change))
    number = sum(past.change == change for past in known)
    session.add(ChangeTable(event=row.id, change=change, number=number, digest=digest))
    message = f"{row.id}:{change}:{number}"
    body = event_body(dataclasses.replace(row, open=row.open and change is not Change.END))
    enqueue(session, Told(message, row.id, row.camera, body, row.id, change), channels, at, hold)
    return True


def _is_known(change: Change, digest: str, known: Sequence[ChangeTable]) -> bool:
    """Whether a change is one of those that were kept."""
    same = [past for past in known if past.change == change]
    if change is Change.NEW or not same:
        return bool(same)
    if digest in {past.digest for past in same}:
        return True
    updated = any(past.change == Change.UPDATE and past.seq > same[-1].seq for past in known)
    return change is Change.END and not updated


def _is_late(row: EventRow, change: Change, stored: EventTable) -> bool:
    """Whether an update is older than the end of its event that was kept."""
    if change is not Change.UPDATE or stored.open:
        return False
    return row.end < stored.end or (row.open and row.end == stored.end)


def _values(row: EventRow, change: Change) -> dict[str, Any]:
    """The columns of an event."""
    values = {item.name: getattr(row, item.name) for item in dataclasses.fields(row)}
    values |= {name: media_name(values[name]) for name in ("snapshot", "clip") if values[name] is not None}
    values |= {name: float(values[name]) for name in NUMBERS}  # those of numpy have no column
    values |= {name: list(values[name]) for name in LISTS}
    values |= {name: dict(values[name]) for name in ("parts", "tube", "likeness")}
    values["part"] = str(row.likeness.get("part", ""))
    return values | {"open": bool(row.open) and change is not Change.END, "alarm": bool(row.alarm)}


def _update(stored: EventTable, values: dict[str, Any]) -> None:
    """All columns but those that the values say nothing of."""
    for name, value in values.items():
        if name not in OWN or value not in (None, Verdict.NONE):
            setattr(stored, name, value)


def _change(session: Session, event: str, values: dict[str, Any]) -> None:
    """Set columns of an event that must be there."""
    found = session.scalars(
        sa.update(EventTable).where(EventTable.id == event).values(values).returning(EventTable.id)
    ).all()
    if not found:
        raise StorageError(f"the store has no event {event!r}; it may have been of another store")


def row_of(found: EventTable) -> EventRow:
    """An event as it is kept."""
    values = {item.name: getattr(found, item.name) for item in dataclasses.fields(EventRow)}
    values |= {name: tuple(values[name]) for name in LISTS}
    return EventRow(**values | {"verdict": Verdict(found.verdict)})


def _digest(row: EventRow) -> str:
    """Of all that the watcher says of an event."""
    said = {item.name: getattr(row, item.name) for item in dataclasses.fields(row) if item.name not in OWN}
    return hashlib.blake2b(as_json(said).encode(), digest_size=16).hexdigest()
