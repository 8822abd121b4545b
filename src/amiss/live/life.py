"""A camera's life: it collects, tries itself in the shadow, goes live, and freezes while its view is not its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from amiss.live.settings import LearningSettings
from amiss.perception.scenes import Flag

__all__ = ["Life", "State", "by_hand", "next_life"]

RULE = "rule"
WORDS = {
    Flag.MOVED: "the view has moved",
    Flag.BLOCKED: "the view is blocked",
    Flag.BLURRED: "the view is blurred",
    Flag.FROZEN: "the picture stands still",
    Flag.SWITCHED: "colours went or came, as with infra-red",
}


class State(StrEnum):
    """Where a camera is in its life."""

    COLLECTING = "collecting"
    """It keeps windows of what it sees, and has no model."""
    SHADOW = "shadow"
    """It scores and keeps events, and raises no alarms."""
    LIVE = "live"
    """It raises alarms."""
    FROZEN = "frozen"
    """It raises no alarms and learns nothing: what it sees is not the view that it has learned."""


@dataclass(frozen=True)
class Life:
    """Where a camera is in its life, and how it came there.

    Attributes:
        state: Where it is.
        since: Seconds since 1970.
        why: A sentence.
        by: `rule`, or who did it by hand.
        before: Where it goes back to when it thaws.
        seen: Hours of footage that it has seen in this state.
    """

    state: State
    since: float
    why: str
    by: str = RULE
    before: State | None = None
    seen: float = 0.0


def next_life(
    life: Life, settings: LearningSettings, now: float, flags: Collection[Flag], *, collected: float, ready: bool
) -> Life:
    """Where a camera is by now, by rule.

    Args:
        life: Where it was; what a person set is left only by a person, but for what comes of itself after collecting.
        settings: How long it collects and stays in the shadow.
        now: Seconds since 1970.
        flags: What is wrong with the view.
        collected: Hours of footage that are kept to learn from.
        ready: Whether it has a model.
    """
    if life.state is State.FROZEN:
        if flags or life.by != RULE:
            return life
        return Life(life.before or State.LIVE, now, "the view is as it was")
    if flags:
        why = ", ".join(WORDS[flag] for flag in sorted(flags))
        return Life(State.FROZEN, now, why, before=life.state)
    if life.state is State.COLLECTING and ready:
        return Life(State.SHADOW, now, f"learned from {collected:.1f} hours")
    if life.state is State.SHADOW and life.seen >= settings.shadow:
        return Life(State.LIVE, now, f"scored {life.seen:.1f} hours in the shadow")
    return life


def by_hand(life: Life, state: State, who: str, now: float) -> Life:
    """Where a camera is after a person put it there.

    Args:
        life: Where it was.
        state: Where it is to be.
        who: The person, or what acted for one.
        now: Seconds since 1970.
    """
    if state is life.state:
        return replace(life, by=who)
    before = life.before if life.state is State.FROZEN else life.state
    return Life(state, now, f"set by {who}", who, before if state is State.FROZEN else None)
