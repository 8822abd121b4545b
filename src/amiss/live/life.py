"""A camera's life: it collects, tries itself in the shadow, goes live, and freezes while its view is not its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from amiss.live.settings import LearningSettings
from amiss.live.store.records import CameraLife, Life
from amiss.perception.scenes import Flag

__all__ = ["RULE", "Course", "by_hand", "next_course"]

RULE = "rule"
WORDS = {
    Flag.MOVED: "the view has moved",
    Flag.BLOCKED: "the view is blocked",
    Flag.BLURRED: "the view is blurred",
    Flag.FROZEN: "the picture stands still",
    Flag.SWITCHED: "colours went or came, as with infra-red",
}


@dataclass(frozen=True)
class Course:
    """Where a camera is in its life, and how it came there.

    Attributes:
        life: Where it is.
        since: Seconds since 1970.
        why: A sentence.
        by: `rule`, or who did it by hand.
        before: Where it goes back to when it thaws.
        seen: Hours of footage that it has seen since.
    """

    life: Life
    since: float
    why: str
    by: str = RULE
    before: Life | None = None
    seen: float = 0.0

    @property
    def detail(self) -> dict[str, Any]:
        """What the store keeps of it beside the state."""
        return {"before": self.before, "seen": round(self.seen, 5)}

    @classmethod
    def kept(cls, record: CameraLife) -> Course:
        """Where it was when the store was last told."""
        before: Mapping[str, Any] = record.detail
        thaws = Life(before["before"]) if before.get("before") else None
        return cls(record.life, record.since, record.why, record.by, thaws, float(before.get("seen", 0.0)))


def next_course(
    course: Course, settings: LearningSettings, now: float, flags: Collection[Flag], *, collected: float, ready: bool
) -> Course:
    """Where a camera is by now, by rule. What a person froze, only a person thaws.

    Args:
        course: Where it was.
        settings: How long it stays in the shadow.
        now: Seconds since 1970.
        flags: What is wrong with the view.
        collected: Hours of footage that are kept to learn from.
        ready: Whether it has a model.
    """
    if course.life is Life.FROZEN:
        if flags or course.by != RULE:
            return course
        return Course(course.before or Life.LIVE, now, "the view is as it was")
    if flags:
        why = ", ".join(WORDS[flag] for flag in sorted(flags))
        return Course(Life.FROZEN, now, why, before=course.life)
    if course.life is Life.COLLECTING and ready:
        return Course(Life.SHADOW, now, f"learned from {collected:.1f} hours")
    if course.life is Life.SHADOW and course.seen >= settings.shadow and course.by == RULE:
        return Course(Life.LIVE, now, f"scored {course.seen:.1f} hours in the shadow")
    return course


def by_hand(course: Course, life: Life, who: str, now: float) -> Course:
    """Where a camera is after a person put it there.

    Args:
        course: Where it was.
        life: Where it is to be.
        who: The person.
        now: Seconds since 1970.
    """
    if life is course.life:
        return replace(course, by=who)
    before = course.before if course.life is Life.FROZEN else course.life
    return Course(life, now, f"set by {who}", who, before if life is Life.FROZEN else None)
