"""Files of scores, who did what, why a message failed, and the most severe events first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, the column and the index."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "curves",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("path", "camera")),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("start", "end")),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_curves"),
    )
    op.create_index("ix_curves_camera_start", "curves", ["camera", "start"])
    op.create_table(
        "log",
        sa.Column("id", number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("who", "what", "about")),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log"),
    )
    op.create_index("ix_log_about_at", "log", ["about", "at"])
    op.create_index("ix_log_at", "log", ["at"])
    op.create_index("ix_events_severity", "events", ["severity"])
    op.add_column("outbox", sa.Column("why", sa.Text))
