"""Processes that share cameras, and which of them has which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
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
