"""Events with their changes and messages, incidents, lives and feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_events()
    _make_outbox()
    _make_cameras()
    _make_feedback()


def _make_events() -> None:
    numbers = [sa.Column(name, sa.Double, nullable=False) for name in ("start", "peak", "end", "severity", "level")]
    texts = [sa.Column(name, sa.Text, nullable=False) for name in ("camera", "quiet", "model", "verdict")]
    lists = ("parts", "reasons", "examples", "tube", "size", "zones", "likeness")
    op.create_table(
        "events",
        sa.Column("id", sa.Text, nullable=False),
        *numbers,
        *texts,
        *(sa.Column(name, sa.JSON, nullable=False) for name in lists),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("open", "alarm")),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.Column("suppressed", Number),
        *(sa.Column(name, sa.Text) for name in ("snapshot", "clip")),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_camera_start", "events", ["camera", "start"])
    for column in ("start", "end", "open"):
        op.create_index(f"ix_events_{column}", "events", [column])
    op.create_table(
        "changes",
        sa.Column("seq", Number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("event", "change", "digest")),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_changes"),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name="fk_changes_event"),
        sa.UniqueConstraint("event", "change", "number", name="uq_changes_event_change_number"),
    )


def _make_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", Number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "channel", "subject", "camera")),
        *(sa.Column(name, sa.Text) for name in ("event", "change")),
        sa.Column("body", sa.JSON, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("put", "due")),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("delivered", sa.Double),
        sa.PrimaryKeyConstraint("seq", name="pk_outbox"),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name="fk_outbox_event"),
        sa.UniqueConstraint("id", "channel", name="uq_outbox_id_channel"),
    )
    op.create_index("ix_outbox_channel_subject_seq", "outbox", ["channel", "subject", "seq"])
    op.create_index("ix_outbox_channel_delivered_due", "outbox", ["channel", "delivered", "due"])


def _make_cameras() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", Number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("camera", "kind", "detail")),
        sa.Column("start", sa.Double, nullable=False),
        sa.Column("end", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("camera", "kind", "start", name="uq_incidents_camera_kind_start"),
    )
    op.create_index("ix_incidents_start", "incidents", ["start"])
    op.create_table(
        "cameras",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "life", "why", "by")),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cameras"),
    )
    op.create_table(
        "lives",
        sa.Column("id", Number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("camera", "after", "why", "by")),
        sa.Column("before", sa.Text),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lives"),
        sa.ForeignKeyConstraint(["camera"], ["cameras.name"], name="fk_lives_camera"),
    )
    op.create_index("ix_lives_camera_at", "lives", ["camera", "at"])


def _make_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", Number, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("camera", "kind", "by")),
        sa.Column("event", sa.Text),
        sa.Column("likeness", sa.JSON, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("until", "revoked")),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name="fk_feedback_event"),
    )
    op.create_index("ix_feedback_camera_at", "feedback", ["camera", "at"])
