"""A camera's life: it collects, tries itself in the shadow, goes live, and freezes while its view is not its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from amiss.live.settings import LearningSettings
from amiss.live.store.records import CameraLife, Life
from amiss.perception.scenes import Flag

__all__ = ["RULE", "Course", "Word", "by_hand", "next_course"]

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
        before_by: Who put it there.
        seen: Hours of footage that it has scored, or collected from, since; while it is frozen, those before.
        heard: When a person last said where it is to be, of what the watcher has heard; 0 for never.
    """

    life: Life
    since: float
    why: str
    by: str = RULE
    before: Life | None = None
    before_by: str = RULE
    seen: float = 0.0
    heard: float = 0.0

    @property
    def detail(self) -> dict[str, Any]:
        """What the store keeps of it beside the state."""
        kept = {name: getattr(self, name) for name in ("by", "before", "before_by", "heard")}
        return kept | {"seen": round(self.seen, 5), "asked": self.heard}

    @classmethod
    def kept(cls, record: CameraLife) -> Course:
        """Where it was when the store was last told."""
        known: Mapping[str, Any] = record.detail
        before = Life(known["before"]) if known.get("before") else None
        by, before_by = known.get("by", record.by), known.get("before_by", RULE)
        seen, heard = float(known.get("seen", 0.0)), float(known.get("heard", 0.0))
        return cls(record.life, record.since, record.why, by, before, before_by, seen, heard)


@dataclass(frozen=True)
class Word:
    """Where a person said that a camera is to be.

    Attributes:
        life: Where.
        by: Who.
        at: When, in seconds since 1970.
    """

    life: Life
    by: str
    at: float

    @classmethod
    def kept(cls, record: CameraLife) -> Word | None:
        """The last word in the store, if there is one."""
        at = float(record.detail.get("asked", 0.0))
        return cls(record.life, str(record.detail.get("by", record.by)), at) if at else None

    def detail(self, record: CameraLife) -> dict[str, Any]:
        """What the store is to keep of it, beside what it kept."""
        return {**record.detail, "by": self.by, "asked": self.at}


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
        return course if flags or course.by != RULE else _thawed(course, now, ready=ready)
    if flags:
        why = ", ".join(WORDS[flag] for flag in sorted(flags))
        frozen = replace(course, life=Life.FROZEN, since=now, why=why, by=RULE)
        return replace(frozen, before=course.life, before_by=course.by)
    if course.life is Life.COLLECTING and ready:
        return _after(course, Life.SHADOW, now, f"learned from {collected:.1f} hours")
    if course.life is Life.SHADOW and course.seen >= settings.shadow and course.by == RULE:
        return _after(course, Life.LIVE, now, f"scored {course.seen:.1f} hours in the shadow")
    return course


def _thawed(course: Course, now: float, *, ready: bool) -> Course:
    """Back to where it was, where it has what that needs; its hours there still count."""
    life = course.before or (Life.LIVE if ready else Life.COLLECTING)
    back = replace(course, life=life, since=now, why="the view is as it was", by=course.before_by)
    return replace(back, before=None, before_by=RULE)


def _after(course: Course, life: Life, now: float, why: str) -> Course:
    return Course(life, now, why, heard=course.heard)


def by_hand(course: Course, word: Word, now: float, *, ready: bool) -> Course:
    """Where a camera is after a person said where it is to be; without a model it goes on collecting.

    Args:
        course: Where it was.
        word: What was said.
        now: Seconds since 1970.
        ready: Whether it has a model.
    """
    frozen = course.life is Life.FROZEN
    if word.life is Life.FROZEN:
        before, by = (course.before, course.before_by) if frozen else (course.life, course.by)
        why = f"set by {word.by}"
        return Course(Life.FROZEN, now, why, word.by, before, by, course.seen, word.at)
    if word.life is not Life.COLLECTING and not ready:
        return Course(Life.COLLECTING, now, f"it has no model to be {word.life} with", heard=word.at)
    return Course(word.life, now, f"set by {word.by}", word.by, heard=word.at)
