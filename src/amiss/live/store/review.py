"""What a person goes through: a queue of events, ranked and filtered, a page of it at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from amiss.live.nouns import EventRow, Incident, IncidentKind, Verdict
from amiss.live.store.events import row_of
from amiss.live.store.part import Part
from amiss.live.store.tables import EventTable, IncidentTable

__all__ = ["Place", "Queue", "ReviewPart"]

Order = Literal["severity", "newest"]
State = Literal["open", "normal", "right", "covered"]


@dataclass(frozen=True)
class Place:
    """Where an event stands in a queue: what comes after it goes on from here.

    Attributes:
        rank: 0 where it waits to be reviewed, else 1.
        severity: Of the event.
        start: Of the event, in seconds since 1970.
        id: Of the event.
    """

    rank: int
    severity: float
    start: float
    id: str


@dataclass(frozen=True)
class Queue:
    """Which events, in which order; what is None does not matter.

    Attributes:
        allowed: Names of the cameras that may be seen at all.
        cameras: Only of these.
        since: Only those that start at this time or later, in seconds since 1970.
        until: Only those that start before this time.
        part: Only those of which this part stood out most.
        severity: Only those that are as severe.
        alarm: Only alarms, or only those that nobody was told of.
        state: `open`: to be reviewed; `normal`, `right`: what was said of it; `covered`: kept quiet by what was said
            of another.
        order: What comes first among those to be reviewed, and among the rest.
    """

    allowed: Collection[str] | None = None
    cameras: Collection[str] | None = None
    since: float | None = None
    until: float | None = None
    part: str | None = None
    severity: float | None = None
    alarm: bool | None = None
    state: State | None = None
    order: Order = "severity"


class ReviewPart(Part):
    """Queues."""

    def queue(self, queue: Queue, after: Place | None = None, limit: int = 50) -> list[EventRow]:
        """Some events, of their tubes nothing and of their likenesses the part alone: those to be reviewed first.

        Args:
            queue: Which events, in which order.
            after: Only what comes after this place.
            limit: Most events.

        Raises:
            StorageError: The database failed.
        """
        return self._some(queue, after, limit, whole=False)

    def queue_whole(self, queue: Queue, after: Place | None = None, limit: int = 50) -> list[EventRow]:
        """The same with everything.

        Args:
            queue: Which events, in which order.
            after: Only what comes after this place.
            limit: Most events.

        Raises:
            StorageError: The database failed.
        """
        return self._some(queue, after, limit, whole=True)

    def place(self, row: EventRow) -> Place:
        """Where an event stands."""
        waits = row.verdict is Verdict.NONE and row.suppressed is None
        return Place(0 if waits else 1, row.severity, row.start, row.id)

    def beside(self, queue: Queue, row: EventRow) -> tuple[str | None, str | None]:
        """Ids of the events before and after one in a queue.

        Raises:
            StorageError: The database failed.
        """
        place = self.place(row)

        def work(session: Session) -> tuple[str | None, str | None]:
            query = sa.select(EventTable.id).where(*_clauses(queue)).limit(1)
            before = query.where(_beyond(queue.order, place, forward=False)).order_by(*_order(queue.order, down=False))
            after = query.where(_beyond(queue.order, place, forward=True)).order_by(*_order(queue.order, down=True))
            return session.scalars(before).first(), session.scalars(after).first()

        return self._database.read(work)

    def queue_size(self, queue: Queue) -> tuple[int, int]:
        """How many events there are, and how many of them wait to be reviewed.

        Raises:
            StorageError: The database failed.
        """
        waits = sa.func.coalesce(sa.func.sum(1 - RANK), 0)
        query = sa.select(sa.func.count(EventTable.id), waits).where(*_clauses(queue))
        count, waiting = self._database.read(lambda session: session.execute(query).one())
        return int(count), int(waiting)

    def parts(self, allowed: Collection[str] | None = None) -> list[str]:
        """The parts that stood out most in some event.

        Args:
            allowed: Only at these cameras; at all if None.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(EventTable.part).where(EventTable.part != "", *_clauses(Queue(allowed))).distinct()
        return sorted(self._database.read(lambda session: session.scalars(query).all()))

    def event_cameras(self) -> list[str]:
        """Names of all cameras that have events.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(EventTable.camera).distinct()
        return sorted(self._database.read(lambda session: session.scalars(query).all()))

    def alarms_since(self, since: float, cameras: Collection[str]) -> Mapping[str, int]:
        """How many alarms there were since a time, of cameras that had any.

        Raises:
            StorageError: The database failed.
        """
        clauses = _clauses(Queue(cameras=cameras, since=since, alarm=True))
        query = sa.select(EventTable.camera, sa.func.count(EventTable.id)).where(*clauses).group_by(EventTable.camera)
        rows = self._database.read(lambda session: session.execute(query).all())
        return {row[0]: row[1] for row in rows}

    def lasting_kinds(self, cameras: Collection[str]) -> Mapping[str, Sequence[str]]:
        """What is wrong with cameras now, of those where something is.

        Raises:
            StorageError: The database failed.
        """
        table = IncidentTable
        query = sa.select(table.camera, table.kind).where(table.end.is_(None), table.camera.in_(cameras)).distinct()
        found: dict[str, list[str]] = {}
        for camera, kind in self._database.read(lambda session: session.execute(query.order_by(table.kind)).all()):
            found.setdefault(camera, []).append(kind)
        return found

    def incidents_of(
        self, allowed: Collection[str] | None, since: float, until: float, limit: int = 100
    ) -> list[Incident]:
        """What was wrong with cameras between two times, the newest first.

        Args:
            allowed: Only with these; with any if None.
            since: Seconds since 1970.
            until: Likewise.
            limit: Most incidents.

        Raises:
            StorageError: The database failed.
        """
        table = IncidentTable
        query = sa.select(table).where(sa.or_(table.end.is_(None), table.end >= since), table.start < until)
        if allowed is not None:
            query = query.where(table.camera.in_(allowed))
        query = query.order_by(table.start.desc(), table.id.desc()).limit(limit)
        rows = self._database.read(lambda session: session.scalars(query).all())
        return [Incident(row.camera, IncidentKind(row.kind), row.start, row.end, row.detail) for row in rows]

    def cover(self, feedback: int, events: Collection[str]) -> None:
        """Mark events to be reviewed as kept quiet by what was said of another.

        Args:
            feedback: Id of what was said.
            events: Ids of the events.

        Raises:
            StorageError: The database failed.
        """
        open_ones = (EventTable.id.in_(events), EventTable.suppressed.is_(None), EventTable.verdict == Verdict.NONE)
        query = sa.update(EventTable).where(*open_ones).values(suppressed=feedback)
        self._database.write(lambda session: session.execute(query))

    def uncover(self, camera: str, feedback: Collection[int]) -> list[str]:
        """Take that mark off again, since it was taken back.

        Args:
            camera: Of the events.
            feedback: Ids of what was said.

        Returns:
            Ids of the events.

        Raises:
            StorageError: The database failed.
        """
        marked = (EventTable.camera == camera, EventTable.suppressed.in_(feedback))
        query = sa.update(EventTable).where(*marked).values(suppressed=None).returning(EventTable.id)
        return sorted(self._database.write(lambda session: list(session.scalars(query).all())))

    def likenesses(self, camera: str, part: str, limit: int) -> Mapping[str, Mapping[str, Any]]:
        """What events to be reviewed are compared by, by id; the newest.

        Args:
            camera: Of the events.
            part: That stood out most.
            limit: Most events.

        Raises:
            StorageError: The database failed.
        """
        clauses = _clauses(Queue(cameras=[camera], part=part, state="open"))
        ids = sa.select(EventTable.id).where(*clauses).order_by(EventTable.start.desc()).limit(limit)
        query = sa.select(EventTable.id, EventTable.likeness).where(EventTable.id.in_(ids))
        rows = self._database.read(lambda session: session.execute(query).all())
        return {row[0]: row[1] for row in rows}

    def _some(self, queue: Queue, after: Place | None, limit: int, *, whole: bool) -> list[EventRow]:
        ids = sa.select(EventTable.id).where(*_clauses(queue)).order_by(*_order(queue.order, down=True)).limit(limit)
        if after is not None:
            ids = ids.where(_beyond(queue.order, after, forward=True))
        columns = [column for column in EventTable.__table__.c if whole or column.key not in LONG]

        def work(session: Session) -> list[EventRow]:
            names = session.scalars(ids).all()
            rows = session.execute(sa.select(*columns).where(EventTable.id.in_(names))).all()
            found = {row.id: row_of(EventTable(**_missing(row.part) | dict(row._mapping))) for row in rows}  # noqa: SLF001  # its public face
            return [found[name] for name in names]

        return self._database.read(work)


LONG = ("tube", "likeness")
WAITS = sa.and_(EventTable.verdict == Verdict.NONE, EventTable.suppressed.is_(None))
RANK: sa.ColumnElement[int] = sa.case((WAITS, 0), else_=1)
STATES = {
    "open": [WAITS],
    "normal": [EventTable.verdict == Verdict.NORMAL],
    "right": [EventTable.verdict == Verdict.RIGHT],
    "covered": [EventTable.verdict == Verdict.NONE, EventTable.suppressed.is_not(None)],
}


def _missing(part: str) -> dict[str, Any]:
    """What stands for columns that were not asked for."""
    return {"tube": {}, "likeness": {"part": part}}


def _clauses(queue: Queue) -> list[sa.ColumnElement[bool]]:
    """Of the rows of a queue."""
    table = EventTable
    clauses = [
        table.camera.in_(queue.allowed) if queue.allowed is not None else None,
        table.camera.in_(queue.cameras) if queue.cameras is not None else None,
        table.start >= queue.since if queue.since is not None else None,
        table.start < queue.until if queue.until is not None else None,
        table.part == queue.part if queue.part is not None else None,
        table.severity >= queue.severity if queue.severity is not None else None,
        table.alarm.is_(queue.alarm) if queue.alarm is not None else None,
        *(STATES[queue.state] if queue.state is not None else []),
    ]
    return [clause for clause in clauses if clause is not None]


def _keys(order: Order) -> list[tuple[Any, str, bool]]:
    """What a queue is sorted by: column, field of `Place`, and whether the largest comes first."""
    first = [(EventTable.severity, "severity", True)] if order == "severity" else []
    return [(RANK, "rank", False), *first, (EventTable.start, "start", True), (EventTable.id, "id", False)]


def _order(order: Order, *, down: bool) -> list[sa.ColumnElement[Any]]:
    return [column.desc() if largest is down else column.asc() for column, _, largest in _keys(order)]


def _beyond(order: Order, place: Place, *, forward: bool) -> sa.ColumnElement[bool]:
    """Rows that come after a place, or before it."""
    steps: list[sa.ColumnElement[bool]] = []
    same: list[sa.ColumnElement[bool]] = []
    for column, name, largest in _keys(order):
        value = getattr(place, name)
        steps.append(sa.and_(*same, column < value if largest is forward else column > value))
        same.append(column == value)
    return sa.or_(*steps)
