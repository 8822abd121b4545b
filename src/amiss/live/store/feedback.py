"""What people said and did."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from amiss.errors import StorageError
from amiss.live.store.part import Part
from amiss.live.store.records import Feedback, FeedbackKind, LogEntry
from amiss.live.store.tables import EventTable, FeedbackTable, LogTable

__all__ = ["FeedbackPart", "add_entry"]


def add_entry(session: Session, who: str, what: str, about: str, at: float) -> None:
    """Log something as part of a transaction; the same at the same time is logged once.

    Args:
        session: Of the transaction.
        who: A person, or a part of the program.
        what: What was done, without secrets.
        about: To what.
        at: When.
    """
    entry = {"who": who, "what": what, "about": about, "at": at}
    if session.scalars(sa.select(LogTable.id).filter_by(**entry).limit(1)).first() is None:
        session.add(LogTable(**entry))


class FeedbackPart(Part):
    """Feedback, and the log of who did what."""

    def add_feedback(self, feedback: Feedback) -> Feedback:
        """Keep what a person said, and log it; the same at the same time is kept once.

        Args:
            feedback: What was said.

        Returns:
            The same with its number.

        Raises:
            StorageError: There is no such event, or the database failed.
        """
        return self._database.write(lambda session: _add(session, feedback))

    def feedback(self, camera: str | None = None, at: float | None = None) -> list[Feedback]:
        """What was said, the oldest first.

        Args:
            camera: Only of this one.
            at: Only what holds at this time: said before, neither expired nor revoked by then.

        Raises:
            StorageError: The database failed.
        """
        table = FeedbackTable
        query = sa.select(table).order_by(table.at, table.id)
        if camera is not None:
            query = query.where(table.camera == camera)
        if at is not None:
            ends = [sa.or_(column.is_(None), column > at) for column in (table.until, table.revoked)]
            query = query.where(table.at <= at, *ends)
        return [_feedback(found) for found in self._database.read(lambda session: session.scalars(query).all())]

    def revoke_feedback(self, number: int, by: str) -> Feedback:
        """Take back what was said, and log it; what was taken back before stays so.

        Args:
            number: Id of the feedback.
            by: Who takes it back.

        Raises:
            StorageError: There is no such feedback, or the database failed.
        """
        at = self._clock()
        return self._database.write(lambda session: _revoke(session, number, by, at))

    def log(self, who: str, what: str, about: str) -> None:
        """Keep who did what.

        Args:
            who: A person, or a part of the program.
            what: What was done, without secrets.
            about: To what: a camera, an event.

        Raises:
            StorageError: The database failed.
        """
        at = self._clock()
        self._database.write(lambda session: add_entry(session, who, what, about, at))

    def entries(self, about: str | None = None, limit: int = 100, offset: int = 0) -> list[LogEntry]:
        """The log, the newest first.

        Args:
            about: Only of this.
            limit: Most entries.
            offset: How many are passed over.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(LogTable).order_by(LogTable.at.desc(), LogTable.id.desc()).limit(limit).offset(offset)
        query = query if about is None else query.where(LogTable.about == about)
        found = self._database.read(lambda session: session.scalars(query).all())
        return [LogEntry(entry.who, entry.what, entry.about, entry.at) for entry in found]


def _add(session: Session, feedback: Feedback) -> Feedback:
    if feedback.event is not None and session.get(EventTable, feedback.event) is None:
        raise StorageError(f"the store has no event {feedback.event!r} to say {feedback.kind} of")
    said = {"camera": feedback.camera, "event": feedback.event, "kind": str(feedback.kind), "by": feedback.by}
    found = session.scalars(sa.select(FeedbackTable).filter_by(**said, at=float(feedback.at))).first()
    if found is None:
        rest = {"likeness": dict(feedback.likeness), "until": feedback.until, "revoked": feedback.revoked}
        found = FeedbackTable(**said, **rest, at=float(feedback.at))
        session.add(found)
        add_entry(session, feedback.by, f"feedback {feedback.kind}", feedback.event or feedback.camera, feedback.at)
        session.flush()  # which gives it its number
    return _feedback(found)


def _revoke(session: Session, number: int, by: str, at: float) -> Feedback:
    found = session.get(FeedbackTable, number, with_for_update=True)
    if found is None:
        raise StorageError(f"the store has no feedback {number} to take back")
    if found.revoked is None:
        found.revoked = at
        add_entry(session, by, f"revoked feedback {number} ({found.kind})", found.event or found.camera, at)
    return _feedback(found)


def _feedback(found: FeedbackTable) -> Feedback:
    said = Feedback(found.camera, FeedbackKind(found.kind), found.by, found.at, found.event, found.likeness)
    return Feedback(**vars(said) | {"until": found.until, "revoked": found.revoked, "id": found.id})
