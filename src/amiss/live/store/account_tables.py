"""The tables of people who look at the review page; a change here needs a revision in `migrations/versions`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from amiss.live.store.columns import Counter
from amiss.live.store.tables import Base

__all__ = ["AccountTable", "AttemptTable", "SessionTable"]


class AccountTable(Base):
    """People."""

    __tablename__ = "accounts"
    __table_args__ = (sa.UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    name: Mapped[str]
    key: Mapped[str]
    password: Mapped[str]
    role: Mapped[str]
    cameras: Mapped[list[Any] | None]
    made: Mapped[float]


class SessionTable(Base):
    """Who is signed in; of the token only its hash is kept."""

    __tablename__ = "sessions"
    __table_args__ = (sa.Index(None, "account"), sa.Index(None, "until"))

    token: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[float]
    until: Mapped[float]
    address: Mapped[str]


class AttemptTable(Base):
    """Attempts to sign in that failed, by which further ones are refused for a while."""

    __tablename__ = "attempts"
    __table_args__ = (sa.Index(None, "key", "at"), sa.Index(None, "address", "at"), sa.Index(None, "at"))

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    key: Mapped[str]
    address: Mapped[str]
    at: Mapped[float]
