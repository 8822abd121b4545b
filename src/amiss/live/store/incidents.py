"""Incidents of cameras."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from amiss.live.nouns import Change, Incident, IncidentKind
from amiss.live.store.bodies import incident_body
from amiss.live.store.leases import guard
from amiss.live.store.outbox import Told, enqueue
from amiss.live.store.part import Part
from amiss.live.store.records import Lease
from amiss.live.store.tables import IncidentTable

__all__ = ["IncidentsPart"]


class IncidentsPart(Part):
    """Incidents."""

    def put_incident(self, incident: Incident, channels: Sequence[str] = (), lease: Lease | None = None) -> bool:
        """Keep an incident, known by camera, kind and start, and a message for each channel, as one.

        Channels are told when it begins and when it is over; if it is only kept when it is over, then once. The ids
        are `camera-kind-start:change:0`, with the start in milliseconds. One that is over does not begin again.

        Args:
            incident: What was wrong.
            channels: Names of the receivers that are told.
            lease: Under which it was seen, where cameras are shared.

        Returns:
            Whether it changed anything.

        Raises:
            BusyError: Another process holds the store, or its server does not answer; nothing was kept.
            LeaseError: The camera went to another process; nothing was kept.
            StorageError: The database failed; nothing was kept.
        """
        at = self._clock()

        def work(session: Session) -> bool:
            guard(session, lease)
            return _put(session, incident, channels, at)

        return self._database.write(work)

    def incidents(
        self,
        camera: str | None = None,
        since: float | None = None,
        until: float | None = None,
        *,
        lasting: bool | None = None,
        limit: int = 100,
    ) -> list[Incident]:
        """Some incidents, the newest first.

        Args:
            camera: Only of this one.
            since: Only those that last at this time or later.
            until: Only those that start before this time.
            lasting: Only those that last, or only those that are over.
            limit: Most incidents.

        Raises:
            StorageError: The database failed.
        """
        table = IncidentTable
        clauses = [
            table.camera == camera if camera is not None else None,
            sa.or_(table.end.is_(None), table.end >= since) if since is not None else None,
            table.start < until if until is not None else None,
            table.end.is_(None).is_(lasting) if lasting is not None else None,
        ]
        query = sa.select(table).where(*(clause for clause in clauses if clause is not None))
        query = query.order_by(table.start.desc(), table.id.desc()).limit(limit)
        return [_incident(found) for found in self._database.read(lambda session: session.scalars(query).all())]


def _put(session: Session, incident: Incident, channels: Sequence[str], at: float) -> bool:
    start = float(incident.start)
    end = None if incident.end is None else float(incident.end)
    key = {"camera": incident.camera, "kind": str(incident.kind), "start": start}
    stored = session.scalars(sa.select(IncidentTable).filter_by(**key).with_for_update()).one_or_none()
    values = {"end": end, "detail": incident.detail}
    if stored is None:
        session.add(IncidentTable(**key, **values))
        told: Change | None = Change.NEW if end is None else Change.END
    elif (stored.end is not None and end is None) or (stored.end, stored.detail) == (end, incident.detail):
        return False
    else:
        told = Change.END if stored.end is None and end is not None else None
        stored.end, stored.detail = end, incident.detail
    if told is not None:
        enqueue(session, _told(incident, told), channels, at)
    return True


def _told(incident: Incident, change: Change) -> Told:
    subject = f"{incident.camera}-{incident.kind}-{round(1000 * incident.start)}"
    message = f"{subject}:{change}:0"
    return Told(message, subject, incident.camera, incident_body(incident))


def _incident(found: IncidentTable) -> Incident:
    return Incident(found.camera, IncidentKind(found.kind), found.start, found.end, found.detail)
