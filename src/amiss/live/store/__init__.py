"""What is kept of live cameras: events that are never lost, what receivers are to be told, media."""

from amiss.live.store.accounts import Account, Role
from amiss.live.store.media import Media, MediaKind, MediaReport
from amiss.live.store.records import (
    CameraLife,
    Curve,
    Feedback,
    FeedbackKind,
    Holding,
    Lease,
    LeaseKind,
    Life,
    LifeChange,
    LogEntry,
    Round,
    Shard,
)
from amiss.live.store.review import Place, Queue
from amiss.live.store.store import Store

__all__ = [
    "Account",
    "CameraLife",
    "Curve",
    "Feedback",
    "FeedbackKind",
    "Holding",
    "Lease",
    "LeaseKind",
    "Life",
    "LifeChange",
    "LogEntry",
    "Media",
    "MediaKind",
    "MediaReport",
    "Place",
    "Queue",
    "Role",
    "Round",
    "Shard",
    "Store",
]
