"""What people say holds at once, expires, and is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from amiss.errors import ConfigError
from amiss.live import people
from amiss.live.alarms import AlarmDesk
from amiss.live.journal import _known
from amiss.live.life import Course, Word
from amiss.live.nouns import Change, EventRow, Verdict
from amiss.live.store import FeedbackKind, Life, Store
from support_live import AT, arrival, camera, painted, pending
from support_stores import Clock, event

RED = painted((220, 20, 20))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(AT)
    monkeypatch.setattr(people.time, "time", made)
    return made


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    made = Store.open(tmp_path / "s.sqlite", tmp_path / "media", clock=clock)
    yield made
    made.close()


def desk(store: Store, clock: Clock) -> AlarmDesk:
    return AlarmDesk("gate", camera(cooldown=0), "model", 3.0, lambda: _known(store, "gate", clock()))


def happen(store: Store, clock: Clock, start: float, box: tuple[int, int, int, int] = (20, 60, 40, 100)) -> EventRow:
    """An event, kept."""
    clock.now = AT + start + 1
    image = painted((220, 20, 20))
    note = desk(store, clock).follow(arrival(start + 1, image=image), pending(start, start + 1, box=box), "")
    assert note is not None
    store.put_event(note.row, Change.NEW)
    return note.row


def test_what_was_called_normal_keeps_alike_events_quiet_until_it_is_taken_back(kept: Store, clock: Clock) -> None:
    first = happen(kept, clock, 0)
    assert first.alarm
    said = people.call_normal(kept, first.id, "ann")
    again = happen(kept, clock, 100)
    assert (again.alarm, again.quiet, again.suppressed) == (False, "feedback", said.id)
    assert happen(kept, clock, 150, (100, 20, 120, 60)).alarm, "elsewhere it is none"
    row = kept.event(first.id)
    assert row is not None
    assert row.verdict is Verdict.NORMAL
    assert people.take_back(kept, first.id, "bob") == 1
    assert people.take_back(kept, first.id, "bob") == 0
    assert happen(kept, clock, 200).alarm
    row = kept.event(first.id)
    assert row is not None
    assert row.verdict is Verdict.NONE
    said_and_done = [(entry.who, entry.what) for entry in reversed(kept.entries(first.id))]
    assert ("ann", "feedback normal") in said_and_done
    assert ("bob", f"revoked feedback {said.id} (normal)") in said_and_done


def test_it_expires(kept: Store, clock: Clock) -> None:
    first = happen(kept, clock, 0)
    people.call_normal(kept, first.id, "ann", days=1)
    assert not happen(kept, clock, 86_000).alarm
    assert happen(kept, clock, 86_500).alarm


def test_the_nearer_of_normal_and_right_decides(kept: Store, clock: Clock) -> None:
    box, near = (20, 60, 40, 100), (22, 60, 42, 100)
    first, other = happen(kept, clock, 0, box), happen(kept, clock, 10, near)
    people.call_normal(kept, first.id, "ann")
    people.call_right(kept, other.id, "ann")
    assert not happen(kept, clock, 100, box).alarm
    assert happen(kept, clock, 200, near).alarm
    people.call_right(kept, first.id, "ann")  # another word takes the place of the one before
    assert happen(kept, clock, 300, box).alarm
    assert [one.kind for one in kept.feedback("gate", clock())] == [FeedbackKind.RIGHT] * 2


def test_a_camera_can_be_snoozed_and_woken(kept: Store, clock: Clock) -> None:
    people.snooze(kept, "gate", "ann", 1.0)
    people.snooze(kept, "yard", "ann", 1.0)
    assert happen(kept, clock, 100).quiet == "snoozed"
    assert happen(kept, clock, 3700).alarm
    clock.now = AT + 4000
    people.snooze(kept, "gate", "ann", 8.0)
    assert people.wake(kept, "gate", "bob") == 1
    assert people.wake(kept, "gate", "bob") == 0
    assert happen(kept, clock, 4100).alarm
    assert len(kept.feedback("yard", AT + 10)) == 1


def test_what_is_not_there_cannot_be_spoken_of(kept: Store, clock: Clock) -> None:
    for speak in (people.call_normal, people.call_right, people.take_back):
        with pytest.raises(ConfigError, match="there is no event 'x'; `amiss events` lists"):
            speak(kept, "x", "ann")
    with pytest.raises(ConfigError, match="there is no camera 'gate' in this store; those it knows: none yet"):
        people.put(kept, "gate", Life.LIVE, "ann")


@pytest.mark.parametrize("life", list(Life))
def test_a_camera_is_put_somewhere(kept: Store, clock: Clock, life: Life) -> None:
    course = Course(Life.SHADOW, AT, "", seen=3.0, heard=AT - 10)
    kept.set_life("gate", course.life, course.why, course.by, course.detail)
    clock.now = AT + 60
    people.put(kept, "gate", life, "ann")
    record = kept.lives()["gate"]
    assert record.life is life
    assert Word.kept(record) == Word(life, "ann", AT + 60)
    assert Course.kept(record).heard == AT - 10, "the watcher has not heard it yet"
    assert Course.kept(record).seen == 3.0
    assert [(entry.who, entry.what) for entry in kept.entries("gate")] == [("ann", f"put into {life}")]


def test_an_event_of_the_store_has_a_likeness_that_can_be_compared(kept: Store, clock: Clock) -> None:
    kept.put_event(event("old", likeness={}), Change.NEW)
    people.call_normal(kept, "old", "ann")
    assert happen(kept, clock, 10).alarm


def test_a_later_word_counts_also_where_the_clock_was_set_back(kept: Store, clock: Clock) -> None:
    course = Course(Life.LIVE, AT, "")
    kept.set_life("gate", course.life, course.why, course.by, course.detail)
    clock.now = AT + 3600
    people.put(kept, "gate", Life.FROZEN, "ann")
    clock.now = AT + 60
    people.put(kept, "gate", Life.LIVE, "bob")
    word = Word.kept(kept.lives()["gate"])
    assert word is not None
    assert (word.life, word.by) == (Life.LIVE, "bob")
    assert word.at > AT + 3600
    heard = Course(Life.FROZEN, AT + 3600, "set by ann", "ann", heard=AT + 3600)
    kept.set_life("gate", heard.life, heard.why, heard.by, heard.detail, heard=heard.heard)
    assert kept.lives()["gate"].life is Life.LIVE, "what the watcher knew before it heard the last word"
