"""Accounts, sessions and attempts to sign in; the part of an event as a column, and an index for queues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
QUEUE = ["camera", "start", "severity", "verdict", "suppressed", "alarm", "part", "id"]


def upgrade() -> None:
    """Make the tables, the column and the index."""
    op.add_column("events", sa.Column("part", sa.Text, nullable=False, server_default=sa.text("''")))
    events = sa.table("events", sa.column("part", sa.Text), sa.column("likeness", sa.JSON))
    part = events.c.likeness["part"].as_string()
    op.execute(sa.update(events).values(part=sa.func.coalesce(part, "")))
    op.create_index("ix_events_queue", "events", QUEUE)
    _make_accounts()
    _make_sessions()
    _make_attempts()


def _make_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "key", "password", "role")),
        sa.Column("cameras", sa.JSON),
        sa.Column("made", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("key", name="uq_accounts_key"),
    )


def _make_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("account", Number, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("at", "until")),
        sa.Column("address", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_sessions"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_sessions_account"),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])
    op.create_index("ix_sessions_until", "sessions", ["until"])


def _make_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", Number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("key", "address")),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    for columns in (["key", "at"], ["address", "at"], ["at"]):
        op.create_index(f"ix_attempts_{'_'.join(columns)}", "attempts", columns)
