"""What people say of events and cameras: it holds at once, can be taken back, expires where asked to, and is logged."""

from __future__ import annotations

import time

from amiss.errors import ConfigError
from amiss.live.life import Word
from amiss.live.nouns import EventRow, Verdict
from amiss.live.store import Feedback, FeedbackKind, Life, Store

__all__ = ["call_normal", "call_right", "find_event", "put", "snooze", "take_back", "wake"]

DAY = 86_400.0
LATER = 1e-3
"""Seconds by which a word is later than the one before it, where clocks say otherwise."""


def find_event(store: Store, event: str) -> EventRow:
    """An event by its id.

    Raises:
        ConfigError: There is none.
    """
    if row := store.event(event):
        return row
    raise ConfigError(f"there is no event {event!r}; `amiss events` lists those there are")


def call_normal(store: Store, event: str, by: str, days: float | None = None) -> Feedback:
    """Say that an event is normal here: nobody is told of alike ones any more, and it may be learned from.

    Args:
        store: Where the event is kept.
        event: Its id.
        by: Who says so.
        days: For how long; for ever by default.

    Raises:
        ConfigError: There is no such event.
    """
    return _said(store, event, by, FeedbackKind.NORMAL, Verdict.NORMAL, days)


def call_right(store: Store, event: str, by: str) -> Feedback:
    """Say that an event was right to be raised: alike ones stay alarms, also near what was called normal.

    Args:
        store: Where the event is kept.
        event: Its id.
        by: Who says so.

    Raises:
        ConfigError: There is no such event.
    """
    return _said(store, event, by, FeedbackKind.RIGHT, Verdict.RIGHT, None)


def _said(store: Store, event: str, by: str, kind: FeedbackKind, verdict: Verdict, days: float | None) -> Feedback:
    row = find_event(store, event)
    take_back(store, event, by)
    now = time.time()
    until = None if days is None else now + days * DAY
    kept = store.add_feedback(Feedback(row.camera, kind, by, now, event, dict(row.likeness), until))
    store.set_verdict(event, verdict, by)
    return kept


def take_back(store: Store, event: str, by: str) -> int:
    """Take back all that was said of an event.

    Returns:
        How much there was.

    Raises:
        ConfigError: There is no such event.
    """
    row = find_event(store, event)
    said = [one for one in store.feedback(row.camera) if one.event == event and one.revoked is None]
    for one in said:
        store.revoke_feedback(one.id, by)
    if row.verdict is not Verdict.NONE:
        store.set_verdict(event, Verdict.NONE, by)
    return len(said)


def snooze(store: Store, camera: str, by: str, hours: float) -> Feedback:
    """Have a camera raise no alarms for a while; events are kept.

    Args:
        store: Where it is kept.
        camera: Name of the camera.
        by: Who asks for it.
        hours: For how long.
    """
    now = time.time()
    return store.add_feedback(Feedback(camera, FeedbackKind.SNOOZE, by, now, until=now + hours * 3600))


def wake(store: Store, camera: str, by: str) -> int:
    """End the snoozing of a camera.

    Returns:
        How much of it there was.
    """
    now = [one for one in store.feedback(camera, time.time()) if one.kind is FeedbackKind.SNOOZE]
    for one in now:
        store.revoke_feedback(one.id, by)
    return len(now)


def put(store: Store, camera: str, life: Life, by: str) -> None:
    """Put a camera into a state of its life by hand; the watcher follows within seconds.

    Args:
        store: Where it is kept.
        camera: Name of the camera.
        life: Where it is to be.
        by: Who asks for it.

    Raises:
        ConfigError: The store does not know the camera.
    """
    record = store.life(camera)
    if record is None:
        known = ", ".join(store.lives()) or "none yet"
        raise ConfigError(f"there is no camera {camera!r} in this store; those it knows: {known}")
    before = Word.kept(record)
    # later than what was said before, whatever the clocks of those who say it show
    word = Word(life, by, max(time.time(), before.at + LATER) if before else time.time())
    store.set_life(camera, life, f"set by {by}", by, word.detail(record))
    store.log(by, f"put into {life}", camera)
