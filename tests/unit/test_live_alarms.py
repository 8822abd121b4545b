"""Who is told of the events of a camera, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amiss.live.alarms import BOXES, AlarmDesk, Known, Note
from amiss.live.nouns import Change, EventRow
from amiss.scoring.events import Span
from support_live import AT, arrival, camera, event, painted, pending

RED, BLUE = painted((220, 20, 20)), painted((20, 20, 220), seed=9)
DOOR = {"door": {"polygon": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}}


def desk(known: Callable[[], Sequence[Known]] = tuple, before: Sequence[EventRow] = (), **settings: Any) -> AlarmDesk:
    return AlarmDesk("gate", camera(**settings), "model", 3.0, known, before)


def follow(
    made: AlarmDesk, at: float, start: float, severity: float = 4.0, quiet: str = "", **more: Any
) -> Note | None:
    image = more.pop("image", RED)
    end = more.pop("end", at)
    return made.follow(arrival(at, image=image), pending(start, end, severity, **more), quiet)


def finish(made: AlarmDesk, at: float, start: float, end: float, quiet: str = "", **more: Any) -> list[Note]:
    image = more.pop("image", RED)
    return made.end(arrival(at, image=image), event(start, end, more.pop("severity", 4.0), **more), quiet)


def alarm(made: AlarmDesk, start: float, end: float, **more: Any) -> EventRow:
    """A whole event, of which somebody was told."""
    first = follow(made, start + 0.3, start, **more)
    assert first is not None
    assert first.told, first.row.quiet
    return finish(made, end + 2, start, end, **more)[-1].row


def told(note: Note | None) -> Note:
    assert note is not None
    return note


def test_an_event_opens_goes_on_and_ends() -> None:
    made = desk()
    first = told(follow(made, 10.5, 10.0))
    assert (first.change, first.told, first.picture) == (Change.NEW, True, True)
    row = first.row
    assert (row.camera, row.start, row.end, row.open, row.alarm) == ("gate", AT + 10, AT + 10.5, True, True)
    assert (row.severity, row.level, row.model, row.size) == (4.0, 3.0, "model", (160, 120))
    assert (row.parts["velocity"], row.reasons, row.examples) == (4.0, ("faster than all",), ("0001.jpg",))
    assert row.tube["at"][0] == AT + 10
    assert row.tube["track"] == [7] * len(row.tube["at"])
    (last,) = finish(made, 15, 10.0, 13.0)
    assert (last.change, last.told, last.row.open, last.row.id) == (Change.END, True, False, row.id)
    assert last.row.end == AT + 13
    assert made.row is None
    assert made.alarms == (last.row,)


def test_it_is_told_of_anew_when_it_is_worse_or_has_gone_on_for_long() -> None:
    made = desk(cooldown=0)
    told(follow(made, 10.0, 9.5))
    assert follow(made, 12.0, 9.5, 4.4) is None
    worse = told(follow(made, 14.0, 9.5, 4.5))
    assert (worse.change, worse.told, worse.picture, worse.row.severity) == (Change.UPDATE, True, True, 4.5)
    assert follow(made, 16.0, 9.5, 4.9) is None
    assert follow(made, 43.9, 9.5, 4.9) is None
    later = told(follow(made, 44.0, 9.5, 4.9))
    assert (later.change, later.told, later.picture) == (Change.UPDATE, True, False)


def test_it_is_looked_at_every_two_seconds_and_only_where_something_may_be_new() -> None:
    made = desk()
    span = Span(0, 0, 0, 9.5, 9.5, 9.5, 4.0)
    assert made.wants(span, AT + 10)
    told(follow(made, 10.0, 9.5))
    assert not made.wants(replace(span, height=9.0), AT + 11.9)
    assert made.wants(replace(span, height=4.5), AT + 12.0)
    assert not made.wants(replace(span, height=4.4), AT + 12.0)
    assert made.wants(span, AT + 40.0)
    assert made.wants(replace(span, start=20.0), AT + 10.1), "another event"
    assert made.wants(span, AT - 3600), "the clock was set back"
    quiet = desk(zones=DOOR)
    assert not told(follow(quiet, 10.0, 9.5)).told
    assert quiet.wants(span, AT + 12.0), "it may become an alarm at any time"
    assert not quiet.wants(span, AT + 11.0)


def test_one_that_was_too_short_to_be_sure_of_opens_and_ends() -> None:
    first, last = finish(desk(), 13.0, 10.0, 10.1)
    assert [first.change, last.change] == [Change.NEW, Change.END]
    assert first.picture
    assert first.told
    assert last.told
    assert first.row.id == last.row.id
    assert not last.row.open


@pytest.mark.parametrize("word", ["shadow", "frozen", "collecting"])
def test_a_camera_that_is_not_live_is_quiet(word: str) -> None:
    made = desk()
    note = told(follow(made, 10.0, 9.5, quiet=word))
    assert (note.told, note.row.alarm, note.row.quiet, note.change) == (False, False, word, Change.NEW)
    (last,) = finish(made, 13.0, 9.5, 11.0, quiet=word)
    assert (last.told, last.row.alarm) == (False, False)
    assert made.alarms == ()


def test_outside_its_hours_it_is_quiet_and_within_them_it_becomes_an_alarm() -> None:
    hours = {"zone": "UTC", "hours": [{"start": "02:40:10", "end": "02:45"}]}  # AT is 02:40:00
    made = desk(schedule=hours)
    assert told(follow(made, 5.0, 4.0)).row.quiet == "schedule"
    assert follow(made, 9.0, 4.0) is None
    opened = told(follow(made, 11.0, 4.0))
    assert (opened.change, opened.told, opened.picture, opened.row.quiet) == (Change.NEW, True, True, "")
    assert opened.row.id == told(follow(desk(schedule=hours), 5.0, 4.0)).row.id


def test_what_walks_into_a_zone_of_alarms_becomes_one() -> None:
    made = desk(zones=DOOR)
    first = told(follow(made, 10.0, 9.5))
    assert (first.row.quiet, first.row.zones) == ("zone", ())
    note = told(follow(made, 12.0, 9.5, box=(100, 60, 120, 100)))
    assert (note.change, note.told, note.row.zones, note.row.alarm) == (Change.NEW, True, ("door",), True)
    assert follow(made, 14.0, 9.5) is None
    (last,) = finish(made, 20.0, 9.5, 15.0)
    assert (last.told, last.row.zones) == (True, ("door",)), "it has been there, though its tube tells no more of it"


def test_a_quiet_zone_is_quiet_and_all_else_is_not() -> None:
    street = {"street": {"polygon": DOOR["door"]["polygon"], "alarm": False}}
    assert told(follow(desk(zones=street), 10.0, 9.5)).told
    assert told(follow(desk(zones=street), 10.0, 9.5, box=(100, 60, 120, 100))).row.quiet == "zone"


def like(**more: Any) -> dict[str, Any]:
    image = more.pop("image", RED)
    return dict(told(follow(desk(), 1.0, 0.5, image=image, **more)).row.likeness)


def said(*known: Known) -> Callable[[], Sequence[Known]]:
    return lambda: known


def test_what_was_called_normal_is_quiet_and_what_was_snoozed() -> None:
    normal, other = Known(3, like()), Known(4, like(image=BLUE))
    note = told(follow(desk(said(other, normal)), 10.0, 9.5))
    assert (note.told, note.row.quiet, note.row.suppressed) == (False, "feedback", 3)
    assert told(follow(desk(said(other)), 10.0, 9.5)).told
    assert told(follow(desk(said(Known(5, {}))), 10.0, 9.5)).told
    snoozed = told(follow(desk(said(normal, Known(6, None))), 10.0, 9.5))
    assert (snoozed.row.quiet, snoozed.row.suppressed) == ("snoozed", 6)


def test_the_nearest_of_what_was_said_decides_and_of_equals_the_newest() -> None:
    exact, near = like(), like(box=(22, 60, 42, 100))
    assert near["look"] != exact["look"]
    right, normal = Known(1, exact, right=True), Known(2, near)
    assert told(follow(desk(said(right, normal)), 10.0, 9.5)).told
    assert not told(follow(desk(said(Known(1, near, right=True), Known(2, exact))), 10.0, 9.5)).told
    assert not told(follow(desk(said(Known(1, exact, right=True), Known(2, exact))), 10.0, 9.5)).told
    assert told(follow(desk(said(Known(1, exact), Known(2, exact, right=True))), 10.0, 9.5)).told


def test_what_is_said_in_the_middle_of_an_event_holds_at_once() -> None:
    known: list[Known] = []
    made = desk(lambda: known)
    told(follow(made, 10.0, 9.5))
    known.append(Known(1, like()))
    worse = told(follow(made, 12.0, 9.5, 6.0))
    assert (worse.told, worse.change, worse.row.alarm) == (False, Change.UPDATE, True)
    (last,) = finish(made, 15.0, 9.5, 13.0)
    assert last.told, "whoever was told that it began is told that it ended"
    assert told(follow(made, 20.0, 19.5)).row.quiet == "feedback", "nor does it join the alarm before"
    known.clear()
    again = told(follow(made, 22.0, 19.5))
    assert (again.change, again.told, again.row.suppressed) == (Change.NEW, True, None)


def test_repeats_join_within_the_cooldown() -> None:
    made = desk(cooldown=30)
    first = alarm(made, 10, 12)
    again = told(follow(made, 41.5, 41.0))
    assert (again.change, again.told, again.row.id) == (Change.UPDATE, True, first.id)
    assert (again.row.repeats, again.row.start, again.row.open) == (1, first.start, True)
    assert again.row.tube["at"][:2] == first.tube["at"][:2]
    (last,) = finish(made, 45, 41, 42)
    assert (last.row.id, last.row.end, last.told) == (first.id, AT + 42, True)
    third = told(follow(made, 72.5, 72.0))
    assert (third.row.id, third.row.repeats) == (first.id, 2)
    finish(made, 76, 72, 73)
    assert told(follow(made, 104.0, 103.5)).row.id != first.id, "after the cooldown it is another one"


def test_of_a_repeat_the_worse_speaks() -> None:
    made = desk()
    first = alarm(made, 10, 12, severity=5.0)
    mild = told(follow(made, 20.5, 20, 4.0, reasons=("slower",)))
    assert (mild.row.severity, mild.row.reasons, mild.row.peak) == (5.0, first.reasons, first.peak)
    bad = told(follow(made, 22.5, 20, 6.0, reasons=("much faster",)))
    assert (bad.row.severity, bad.row.reasons, bad.row.peak) == (6.0, ("much faster",), AT + 22.5)


def test_only_alike_ones_join_and_another_one_between_them_does_not_matter() -> None:
    made = desk()
    first = alarm(made, 10, 11)
    other = alarm(made, 15, 16, image=BLUE)
    assert other.id != first.id
    assert told(follow(made, 20.5, 20)).row.id == first.id
    finish(made, 23, 20, 21)
    assert told(follow(made, 25.5, 25, quiet="shadow", image=BLUE)).row.id not in (first.id, other.id)
    finish(made, 28, 25, 26, quiet="shadow", image=BLUE)
    assert told(follow(made, 30.5, 30)).row.id == first.id
    none = desk(cooldown=0)
    once = alarm(none, 10, 11)
    assert told(follow(none, 11.6, 11.3)).row.id != once.id


def test_an_alarm_of_an_earlier_run_is_joined() -> None:
    first = alarm(desk(), 10, 12)
    made = desk(before=[replace(first, open=True)])
    again = told(follow(made, 20.0, 19.5))
    assert (again.row.id, again.row.repeats, again.change) == (first.id, 1, Change.UPDATE)
    quiet = desk(before=[replace(first, alarm=False, quiet="zone")])
    assert told(follow(quiet, 20.0, 19.5)).row.repeats == 0
    unlike = desk(before=[replace(first, likeness={})])
    assert told(follow(unlike, 20.0, 19.5)).row.repeats == 0


def test_ids_are_those_of_camera_model_and_time() -> None:
    def name(camera_name: str = "gate", model: str = "model", start: float = 9.5) -> str:
        made = AlarmDesk(camera_name, camera(), model, 3.0)
        return told(follow(made, 10.0, start)).row.id

    assert name() == name()
    assert len({name(), name("yard"), name(model="other"), name(start=9.6)}) == 4
    late = AlarmDesk("gate", camera(), "model", 3.0)
    assert told(late.follow(arrival(5.0, at=AT + 5), pending(4.5, 5.0), "")).row.id == name(), "the same moment"


def test_a_long_event_keeps_some_of_its_boxes_and_the_worst() -> None:
    made = desk()
    told(follow(made, 1.0, 0.5))
    long = event(0.5, 900, count=9000)
    scores = np.zeros(9000)
    scores[4321] = 9.0
    long = replace(long, tube=replace(long.tube, score=scores))
    row = made.end(arrival(902), long, "")[-1].row
    assert len(row.tube["at"]) <= BOXES
    assert len(row.tube["at"]) > BOXES * 0.9
    assert max(row.tube["score"]) == 9.0
    assert row.tube["at"][0] == AT + 0.5
    assert row.tube["at"][-1] == AT + 900
    assert np.diff(row.tube["at"]).max() < 2 * 900 / BOXES + 1
    again = desk(before=[row])
    assert told(follow(again, 910, 909)).row.id == row.id
    joined = again.end(arrival(2000, image=RED), event(909, 1800, count=9000), "")[-1].row
    assert len(joined.tube["at"]) <= BOXES
    assert max(joined.tube["score"]) == 9.0
    assert {len(values) for values in joined.tube.values()} == {len(joined.tube["at"])}


def test_what_cannot_be_looked_at_any_more_is_given_up_as_it_was() -> None:
    made = desk()
    assert made.give_up() == []
    first = told(follow(made, 10.0, 9.5))
    (last,) = made.give_up()
    assert (last.change, last.told, last.row.open, last.row.id) == (Change.END, True, False, first.row.id)
    assert made.row is None
    assert told(follow(made, 20.0, 19.5)).row.id == first.row.id
