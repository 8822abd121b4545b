"""Processes that share cameras, and which has which; indices of messages that wait, without all that were sent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


WAITS = sa.text("delivered IS NULL")


def upgrade() -> None:
    """Make the tables, and indices in the place of those that grew with every message."""
    op.drop_index("ix_outbox_channel_subject_seq", "outbox")
    op.drop_index("ix_outbox_channel_delivered_due", "outbox")
    some: dict[str, Any] = {"postgresql_where": WAITS, "sqlite_where": WAITS}
    op.create_index("ix_outbox_waiting", "outbox", ["channel", "seq"], **some)
    op.create_index("ix_outbox_subject", "outbox", ["channel", "subject", "seq"], **some)
    op.create_table(
        "shards",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "run")),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("since", "until")),
        sa.PrimaryKeyConstraint("name", name="pk_shards"),
    )
    op.create_table(
        "leases",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "name")),
        *(sa.Column(name, sa.Text) for name in ("shard", "run")),
        sa.Column("token", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("since", "until")),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_leases"),
    )
