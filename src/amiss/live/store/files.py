"""The names of media in events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import inf

import sqlalchemy as sa
from sqlalchemy.orm import Session

from amiss.live.nouns import EventRow
from amiss.live.store.events import row_of
from amiss.live.store.part import Part
from amiss.live.store.tables import EventTable

__all__ = ["FilesPart"]

COLUMNS = ("snapshot", "clip")


class FilesPart(Part):
    """What `Media` asks of the store."""

    def media_names(self, cameras: Collection[str] | None = None) -> set[str]:
        """All names of media that events have.

        Args:
            cameras: Only of these; of all if None.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(EventTable.snapshot, EventTable.clip).where(*_clauses(cameras))
        rows = self._database.read(lambda session: session.execute(query).all())
        return {name for row in rows for name in row if name is not None}

    def events_with_media(
        self, cameras: Collection[str] | None = None, *, ended: float | None = None, limit: int | None = None
    ) -> list[EventRow]:
        """Events that are over and have media, the oldest first.

        Args:
            cameras: Only of these; of all if None.
            ended: Only those that ended before this time.
            limit: Most events.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(EventTable).where(EventTable.open.is_(False), *_clauses(cameras))
        if ended is not None:
            query = query.where(EventTable.end < ended)
        query = query.order_by(EventTable.end, EventTable.id).limit(limit)
        return [row_of(found) for found in self._database.read(lambda session: session.scalars(query).all())]

    def first_start(self) -> float:
        """When the oldest event started, in seconds since 1970; infinite if there is none.

        Raises:
            StorageError: The database failed.
        """
        found = self._database.read(lambda session: session.scalar(sa.select(sa.func.min(EventTable.start))))
        return inf if found is None else found

    def drop_media(self, event: str) -> list[str]:
        """Take the names of its media out of an event, unless it is open again.

        Returns:
            The names.

        Raises:
            StorageError: The database failed.
        """

        def work(session: Session) -> list[str]:
            found = session.get(EventTable, event, with_for_update=True)
            if found is None or found.open:
                return []
            names = [name for name in (found.snapshot, found.clip) if name is not None]
            found.snapshot = found.clip = None
            return names

        return self._database.write(work)

    def clear_media(self, names: Sequence[str]) -> None:
        """Take some names of media, whose files are not there, out of all events.

        Raises:
            StorageError: The database failed.
        """

        def work(session: Session) -> None:
            for name in names:
                for column in COLUMNS:
                    where = EventTable.__table__.c[column] == name
                    session.execute(sa.update(EventTable).where(where).values({column: None}))

        if names:
            self._database.write(work)


def _clauses(cameras: Collection[str] | None) -> list[sa.ColumnElement[bool]]:
    """Of rows that have media, of some cameras."""
    named = sa.or_(EventTable.snapshot.is_not(None), EventTable.clip.is_not(None))
    return [named] if cameras is None else [named, EventTable.camera.in_(cameras)]
