"""What receivers are to be told: kept until it was delivered, in order for each event."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from amiss.live.nouns import Change, Message
from amiss.live.store.part import Part
from amiss.live.store.tables import EventTable, OutboxTable

__all__ = ["FIRST_DELAY", "LONGEST_DELAY", "OutboxPart", "Told", "enqueue"]

log = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = 1.0, 300.0
"""Seconds after the first failure, doubled with each further one, and at most."""


@dataclass(frozen=True)
class Told:
    """A message before it is put into the outbox.

    Attributes:
        id: Of the message.
        subject: What it belongs to: messages of one subject stay in order.
        camera: Name.
        body: What is told.
        event: Id of the event, if it is of one.
        change: What happened to the event.
    """

    id: str
    subject: str
    camera: str
    body: Mapping[str, Any]
    event: str | None = None
    change: Change | None = None


def enqueue(
    session: Session, told: Told, channels: Sequence[str], at: float, hold: Mapping[str, float] | None = None
) -> None:
    """Put a message for each channel into the outbox, as part of a transaction.

    Args:
        session: Of the transaction.
        told: The message.
        channels: Names of the receivers; one that is named twice gets it once.
        at: Now.
        hold: Seconds for which a message is held back, by receiver.
    """
    for channel in dict.fromkeys(channels):
        given = {"id": told.id, "subject": told.subject, "camera": told.camera, "body": dict(told.body)}
        times = {"put": at, "due": at + (hold or {}).get(channel, 0.0), "attempts": 0, "delivered": None, "why": None}
        session.add(OutboxTable(**given, **times, channel=channel, event=told.event, change=told.change))


def release(session: Session, event: str, at: float) -> None:
    """Hold messages on the end of an event back no longer, as part of a transaction."""
    table = OutboxTable
    held = table.event == event, table.change == Change.END, table.delivered.is_(None), table.attempts == 0
    session.execute(sa.update(table).where(*held, table.due > at).values(due=at))


class OutboxPart(Part):
    """Messages that wait."""

    def due(self, channel: str, now: float, limit: int = 100) -> list[Message]:
        """Messages that can be sent now, the oldest first; of each event only the first that was not delivered.

        `body["snapshot"]` and `body["clip"]` are the names of files that the event has by now, relative to the folder
        of media; the message has the same as paths.

        Args:
            channel: Name of the receiver.
            now: Seconds since 1970.
            limit: Most messages.

        Raises:
            StorageError: The database failed.
        """

        def work(session: Session) -> list[Message]:
            return [self._message(*row) for row in session.execute(_due(channel, now).limit(limit))]

        return self._database.read(work)

    def delivered(self, message: Message, now: float) -> None:
        """The receiver has it; it is not sent again.

        Raises:
            StorageError: The database failed; the message will be sent again.
        """
        self.delivered_all([message], now)

    def delivered_all(self, messages: Sequence[Message], now: float) -> None:
        """The receivers have these; they are not sent again.

        Raises:
            StorageError: The database failed; all of them will be sent again.
        """
        ids: dict[str, list[str]] = {}
        for message in messages:
            ids.setdefault(message.channel, []).append(message.id)

        def work(session: Session) -> None:
            for channel, some in ids.items():  # SQLite has no index for pairs
                of = OutboxTable.id.in_(some), OutboxTable.channel == channel, OutboxTable.delivered.is_(None)
                session.execute(sa.update(OutboxTable).where(*of).values(delivered=now))

        self._database.write(work)

    def failed(self, message: Message, now: float, why: str) -> None:
        """It could not be delivered: it is due again later, each time after twice as long, up to five minutes.

        Args:
            message: Which.
            now: Seconds since 1970.
            why: A sentence, without secrets.

        Raises:
            StorageError: The database failed; the message is due at once.
        """
        attempts = message.attempts + 1
        delay = min(FIRST_DELAY * 2.0 ** min(attempts - 1, 30), LONGEST_DELAY)
        values = {"attempts": attempts, "due": now + delay, "why": why}
        waits = OutboxTable.delivered.is_(None)
        self._database.write(
            lambda session: session.execute(sa.update(OutboxTable).where(*_is(message), waits).values(values))
        )

    def waiting(self) -> dict[str, int]:
        """How many messages were not delivered yet, by channel.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(OutboxTable.channel, sa.func.count()).where(OutboxTable.delivered.is_(None))
        rows = self._database.read(lambda session: session.execute(query.group_by(OutboxTable.channel)).all())
        return {row[0]: row[1] for row in rows}

    def drop_messages(self, before: float) -> int:
        """Forget messages that were put before a time; each that was never delivered is named in the log.

        Without this they are tried for ever.

        Args:
            before: Seconds since 1970.

        Returns:
            How many were never delivered.

        Raises:
            StorageError: The database failed.
        """

        def work(session: Session) -> list[tuple[str, str]]:
            old = OutboxTable.put < before
            lost = sa.select(OutboxTable.channel, OutboxTable.id).where(old, OutboxTable.delivered.is_(None))
            found = [(channel, message) for channel, message in session.execute(lost.order_by(OutboxTable.seq))]
            session.execute(sa.delete(OutboxTable).where(old))
            return found

        lost = self._database.write(work)
        for channel, number in Counter(channel for channel, _ in lost).items():
            ids = [message for name, message in lost if name == channel]
            log.warning("%d messages to %r were given up undelivered: %s", number, channel, ", ".join(ids))
        return len(lost)

    def _message(self, row: OutboxTable, snapshot: str | None, clip: str | None) -> Message:
        files = {"snapshot": snapshot, "clip": clip} if row.event is not None else {}
        paths: dict[str, Path | None] = {key: self._media / name if name else None for key, name in files.items()}
        change = Change(row.change) if row.change else None
        return Message(row.id, row.channel, change, row.camera, row.body | files, attempts=row.attempts, **paths)


def _is(message: Message) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return OutboxTable.id == message.id, OutboxTable.channel == message.channel


def _due(channel: str, now: float) -> sa.Select[OutboxTable, str | None, str | None]:
    """Messages that wait for nothing, with the files of their events."""
    before = aliased(OutboxTable)
    earlier = sa.exists().where(
        before.channel == OutboxTable.channel,
        before.subject == OutboxTable.subject,
        before.seq < OutboxTable.seq,
        before.delivered.is_(None),
    )
    query = sa.select(OutboxTable, EventTable.snapshot, EventTable.clip)
    query = query.outerjoin(EventTable, EventTable.id == OutboxTable.event)
    waits = OutboxTable.channel == channel, OutboxTable.delivered.is_(None), OutboxTable.due <= now
    return query.where(*waits, ~earlier).order_by(OutboxTable.seq)
