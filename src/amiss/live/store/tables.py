"""The tables of the store; a change here needs a revision in `migrations/versions`."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from amiss.live.store.columns import Counter, Words

__all__ = [
    "Base",
    "CameraTable",
    "ChangeTable",
    "CurveTable",
    "EventTable",
    "FeedbackTable",
    "IncidentTable",
    "LifeTable",
    "LogTable",
    "OutboxTable",
]


class Base(DeclarativeBase):
    """What all tables have in common: times are seconds since 1970 (UTC) in double precision."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Words(),
        float: sa.Double(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
    }
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class EventTable(Base):
    """Events: the columns are the fields of `EventRow`; `part` is that of the likeness, by which they are filtered."""

    __tablename__ = "events"
    __table_args__ = (
        sa.Index(None, "camera", "start"),
        sa.Index(None, "start"),
        sa.Index(None, "end"),
        sa.Index(None, "open"),
        sa.Index(None, "severity"),
        sa.Index(
            "ix_events_queue", "camera", "start", "severity", "verdict", "suppressed", "alarm", "part", "id"
        ),  # a queue is ranked and filtered by it alone: rows are long, their tubes above all
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str]
    start: Mapped[float]
    peak: Mapped[float]
    end: Mapped[float]
    open: Mapped[bool]
    alarm: Mapped[bool]
    quiet: Mapped[str]
    severity: Mapped[float]
    level: Mapped[float]
    model: Mapped[str]
    parts: Mapped[dict[str, Any]]
    reasons: Mapped[list[Any]]
    examples: Mapped[list[Any]]
    tube: Mapped[dict[str, Any]]
    size: Mapped[list[Any]]
    zones: Mapped[list[Any]]
    likeness: Mapped[dict[str, Any]]
    repeats: Mapped[int]
    verdict: Mapped[str]
    suppressed: Mapped[int | None] = mapped_column(Counter)
    snapshot: Mapped[str | None]
    clip: Mapped[str | None]
    part: Mapped[str] = mapped_column(server_default=sa.text("''"))


class ChangeTable(Base):
    """Every change of an event that was kept, by which one that comes again is known."""

    __tablename__ = "changes"
    __table_args__ = (sa.UniqueConstraint("event", "change", "number"),)

    seq: Mapped[int] = mapped_column(Counter, primary_key=True)
    event: Mapped[str] = mapped_column(sa.ForeignKey("events.id"))
    change: Mapped[str]
    number: Mapped[int]
    digest: Mapped[str]


class IncidentTable(Base):
    """Incidents of cameras."""

    __tablename__ = "incidents"
    __table_args__ = (sa.UniqueConstraint("camera", "kind", "start"), sa.Index(None, "start"))

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    camera: Mapped[str]
    kind: Mapped[str]
    start: Mapped[float]
    end: Mapped[float | None]
    detail: Mapped[str]


WAITS = sa.text("delivered IS NULL")


class OutboxTable(Base):
    """What receivers are to be told; `seq` is the order in which it was put."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.UniqueConstraint("id", "channel"),
        sa.Index("ix_outbox_waiting", "channel", "seq", postgresql_where=WAITS, sqlite_where=WAITS),
        sa.Index("ix_outbox_subject", "channel", "subject", "seq", postgresql_where=WAITS, sqlite_where=WAITS),
    )  # of what waits only: it is little, however much was ever sent

    seq: Mapped[int] = mapped_column(Counter, primary_key=True)
    id: Mapped[str]
    channel: Mapped[str]
    subject: Mapped[str]
    event: Mapped[str | None] = mapped_column(sa.ForeignKey("events.id"))
    change: Mapped[str | None]
    camera: Mapped[str]
    body: Mapped[dict[str, Any]]
    put: Mapped[float]
    due: Mapped[float]
    attempts: Mapped[int]
    delivered: Mapped[float | None]
    why: Mapped[str | None]


class CameraTable(Base):
    """The state of each camera's life."""

    __tablename__ = "cameras"

    name: Mapped[str] = mapped_column(primary_key=True)
    life: Mapped[str]
    since: Mapped[float]
    why: Mapped[str]
    by: Mapped[str]
    detail: Mapped[dict[str, Any]]


class LifeTable(Base):
    """Every change of it."""

    __tablename__ = "lives"
    __table_args__ = (sa.Index(None, "camera", "at"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    camera: Mapped[str] = mapped_column(sa.ForeignKey("cameras.name"))
    before: Mapped[str | None]
    after: Mapped[str]
    at: Mapped[float]
    why: Mapped[str]
    by: Mapped[str]


class FeedbackTable(Base):
    """What people said."""

    __tablename__ = "feedback"
    __table_args__ = (sa.Index(None, "camera", "at"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    camera: Mapped[str]
    event: Mapped[str | None] = mapped_column(sa.ForeignKey("events.id"))
    kind: Mapped[str]
    likeness: Mapped[dict[str, Any]]
    by: Mapped[str]
    at: Mapped[float]
    until: Mapped[float | None]
    revoked: Mapped[float | None]


class CurveTable(Base):
    """Files of scores."""

    __tablename__ = "curves"
    __table_args__ = (sa.Index(None, "camera", "start"),)

    path: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str]
    start: Mapped[float]
    end: Mapped[float]
    frames: Mapped[int]


class LogTable(Base):
    """Who did what."""

    __tablename__ = "log"
    __table_args__ = (sa.Index(None, "about", "at"), sa.Index(None, "at"))

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    who: Mapped[str]
    what: Mapped[str]
    about: Mapped[str]
    at: Mapped[float]
