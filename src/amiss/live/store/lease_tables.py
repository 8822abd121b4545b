"""Tables of the processes that share cameras; all their times are by the clock of the database."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from amiss.live.store.tables import Base

__all__ = ["LeaseTable", "ShardTable"]


class ShardTable(Base):
    """Processes that share the cameras; one counts as living until its time is over."""

    __tablename__ = "shards"

    name: Mapped[str] = mapped_column(primary_key=True)
    run: Mapped[str]
    since: Mapped[float]
    until: Mapped[float]


class LeaseTable(Base):
    """Who has a camera or a receiver of alerts, until when; `token` counts how often it was taken."""

    __tablename__ = "leases"

    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    shard: Mapped[str | None]
    run: Mapped[str | None]
    token: Mapped[int] = mapped_column(sa.BigInteger)
    since: Mapped[float]
    until: Mapped[float]
