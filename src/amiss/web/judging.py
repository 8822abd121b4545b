"""What a person says of an event, and what that covers among those that wait to be reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from amiss.live import people
from amiss.live.likeness import closeness
from amiss.live.nouns import EventRow, Verdict
from amiss.live.store import Feedback, FeedbackKind, Store

__all__ = ["Judged", "alike_events", "judge"]

Said = Literal["normal", "right", "none"]
MOST = 5000
"""Events, the newest, that are looked at for alike ones."""


@dataclass(frozen=True)
class Judged:
    """What came of it.

    Attributes:
        verdict: Of the event now.
        covered: Ids of alike events that need no review any more.
        restored: Ids of events that need one again.
    """

    verdict: Verdict
    covered: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()


def judge(store: Store, row: EventRow, said: Said, by: str, days: float | None = None) -> Judged:
    """Say something of an event, or take it back.

    Args:
        store: Where it is kept.
        row: The event.
        said: `none` takes back what was said before.
        by: Who says it.
        days: For how long an event is called normal; for ever by default.

    Raises:
        ConfigError: There is no such event any more.
        BusyError: Another process holds the store.
        StorageError: The database failed.
    """
    feedback = store.feedback(row.camera)
    before = [one.id for one in feedback if one.event == row.id and one.revoked is None]
    if said == "none":
        people.take_back(store, row.id, by)
        return Judged(Verdict.NONE, restored=_uncovered(store, row, before))
    kept = people.call_normal(store, row.id, by, days) if said == "normal" else people.call_right(store, row.id, by)
    restored = _uncovered(store, row, before)
    if said == "right":
        return Judged(Verdict.RIGHT, restored=restored)
    covered = tuple(alike_events(store, row))
    store.cover(kept.id, covered)
    return Judged(Verdict.NORMAL, covered, tuple(sorted(set(restored) - set(covered))))


def alike_events(store: Store, row: EventRow) -> list[str]:
    """Ids of the events to be reviewed that are like this one, and more like it than like one that was right.

    Args:
        store: Where they are kept.
        row: The event that they are compared with.

    Raises:
        StorageError: The database failed.
    """
    if not _comparable(row.likeness):
        return []
    right = [one for one in store.feedback(row.camera, at=None) if _holds(one) and one.event != row.id]
    others = store.likenesses(row.camera, str(row.likeness["part"]), MOST)
    found = []
    for name, likeness in others.items():
        near = closeness(row.likeness, likeness) if name != row.id and _comparable(likeness) else None
        if near is not None and near > max((_near(one, likeness) for one in right), default=-1.0):
            found.append(name)
    return sorted(found)


def _holds(one: Feedback) -> bool:
    return one.kind is FeedbackKind.RIGHT and one.revoked is None and _comparable(one.likeness)


def _near(one: Feedback, likeness: Mapping[str, Any]) -> float:
    near = closeness(one.likeness, likeness)
    return -1.0 if near is None else near


def _comparable(likeness: Mapping[str, Any]) -> bool:
    """Whether it is all there; events of other programs may have none."""
    return {"part", "by", "places", "look"} <= likeness.keys()


def _uncovered(store: Store, row: EventRow, feedback: list[int]) -> tuple[str, ...]:
    return tuple(store.uncover(row.camera, feedback)) if feedback else ()
