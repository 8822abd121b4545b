"""A camera's life, by rule and by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.live.life import RULE, Course, Word, by_hand, next_course
from amiss.live.settings import LearningSettings
from amiss.live.store import CameraLife, Life
from amiss.perception.scenes import Flag

RULES = LearningSettings(shadow=24.0)
START = Course(Life.COLLECTING, 0.0, "it is new")
HANDS = st.sampled_from(list(Life))


def go_on(course: Course, now: float = 1.0, *flags: Flag, ready: bool = True) -> Course:
    return next_course(course, RULES, now, flags, collected=25.0, ready=ready)


def say(course: Course, life: Life, now: float = 1.0, *, ready: bool = True) -> Course:
    return by_hand(course, Word(life, "ann", now), now, ready=ready)


def test_it_collects_tries_itself_and_goes_live() -> None:
    assert go_on(START, ready=False) is START
    shadow = go_on(START)
    assert (shadow.life, shadow.why, shadow.by) == (Life.SHADOW, "learned from 25.0 hours", RULE)
    assert go_on(replace(shadow, seen=23.9)).life is Life.SHADOW
    live = go_on(replace(shadow, seen=24.0), 9.0)
    assert (live.life, live.since, live.seen) == (Life.LIVE, 9.0, 0.0)
    assert go_on(live) is live


def test_it_freezes_while_the_view_is_not_its_own() -> None:
    live = Course(Life.LIVE, 0.0, "")
    frozen = go_on(live, 5.0, Flag.MOVED, Flag.BLURRED)
    assert (frozen.life, frozen.before) == (Life.FROZEN, Life.LIVE)
    assert frozen.why == "the view is blurred, the view has moved"
    assert go_on(frozen, 6.0, Flag.MOVED) is frozen
    thawed = go_on(frozen, 7.0)
    assert (thawed.life, thawed.since, thawed.before, thawed.why) == (Life.LIVE, 7.0, None, "the view is as it was")


def test_hours_in_the_shadow_count_also_where_it_freezes_every_night() -> None:
    course = Course(Life.SHADOW, 0.0, "")
    for _ in range(3):
        course = replace(course, seen=course.seen + 9)
        if course.seen < 24:
            course = go_on(go_on(course, 1.0, Flag.SWITCHED), 2.0)
            assert course.life is Life.SHADOW
    assert go_on(course).life is Life.LIVE


def test_what_a_person_says_outlives_a_freeze() -> None:
    shadow = replace(say(Course(Life.LIVE, 0.0, ""), Life.SHADOW), seen=100.0)
    assert go_on(shadow) is shadow, "only a rule's shadow ends by rule"
    back = go_on(go_on(shadow, 2.0, Flag.BLOCKED), 3.0)
    assert (back.life, back.by, back.heard) == (Life.SHADOW, "ann", 1.0)
    assert go_on(back) is back


def test_what_a_person_froze_only_a_person_thaws() -> None:
    frozen = say(Course(Life.LIVE, 0.0, ""), Life.FROZEN)
    assert go_on(frozen, 2.0) is frozen
    by_rule = go_on(Course(Life.SHADOW, 0.0, "", seen=5), 1.0, Flag.MOVED)
    also_by_hand = say(by_rule, Life.FROZEN)
    assert (also_by_hand.by, also_by_hand.before, also_by_hand.seen) == ("ann", Life.SHADOW, 5)
    assert go_on(also_by_hand, 3.0) is also_by_hand
    assert say(also_by_hand, Life.LIVE).life is Life.LIVE


def test_without_a_model_nobody_can_put_it_anywhere_but_collecting() -> None:
    for life in (Life.SHADOW, Life.LIVE):
        refused = say(START, life, 7.0, ready=False)
        assert (refused.life, refused.by, refused.heard) == (Life.COLLECTING, RULE, 7.0)
        assert refused.why == f"it has no model to be {life} with"
    thawed = go_on(replace(say(START, Life.FROZEN), by=RULE), ready=False)
    assert thawed.life is Life.COLLECTING


STEPS = st.one_of(
    st.tuples(st.just("hand"), HANDS),
    st.tuples(st.just("flags"), st.sets(st.sampled_from(list(Flag)), max_size=2)),
    st.tuples(st.just("model"), st.booleans()),
    st.tuples(st.just("hours"), st.floats(0, 30)),
)


@settings(max_examples=300)
@given(steps=st.lists(STEPS, max_size=25))
def test_whatever_happens(steps: list[tuple[str, Any]]) -> None:
    course, ready, flags, now, froze = START, False, set(), 0.0, False
    for kind, what in steps:
        now += 1
        if kind == "hand":
            course = by_hand(course, Word(what, "ann", now), now, ready=ready)
            froze = what is Life.FROZEN
            ready = ready and what is not Life.COLLECTING
        elif kind == "flags":
            flags = what
        elif kind == "model":
            ready = ready or what  # what was learned stays
        else:
            course = replace(course, seen=course.seen + what)
        before = course
        course = next_course(course, RULES, now, flags, collected=1.0, ready=ready)
        assert course.life not in (Life.LIVE, Life.SHADOW) or ready
        assert not (before.life is Life.COLLECTING and course.life is Life.LIVE)
        assert not froze or course.life is Life.FROZEN, "what a person froze"
        assert not flags or course.life is Life.FROZEN
        kept = Course.kept(CameraLife("gate", course.life, course.since, course.why, course.by, course.detail))
        assert replace(kept, seen=course.seen) == course
        assert abs(kept.seen - course.seen) < 1e-4


def test_a_word_is_kept_beside_what_the_camera_said_of_itself() -> None:
    course = replace(say(Course(Life.LIVE, 0.0, ""), Life.SHADOW, 5.0), seen=3.0)
    record = CameraLife("gate", course.life, 5.0, course.why, course.by, course.detail)
    word = Word.kept(record)
    assert word == Word(Life.SHADOW, "ann", 5.0)
    assert word.at == course.heard, "it has been heard"
    later = Word(Life.FROZEN, "bob", 9.0)
    told = CameraLife("gate", Life.FROZEN, 9.0, "set by bob", "bob", later.detail(record))
    assert Word.kept(told) == later
    assert Course.kept(told).heard == 5.0
    assert Word.kept(CameraLife("gate", Life.LIVE, 0.0, "", RULE)) is None
