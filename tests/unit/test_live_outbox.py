"""A message is tried until it was delivered, in order for each event, always under the same id."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiss.live.nouns import Change, EventRow, Message
from amiss.live.store import Store
from support_stores import AT, Place, event

EACH = count()


def due(store: Store, now: float = AT, channel: str = "phone") -> list[str]:
    return [message.id for message in store.due(channel, now)]


def put(store: Store, name: str = "e1", channels: tuple[str, ...] = ("phone",)) -> None:
    """A whole event."""
    store.put_event(event(name), Change.NEW, channels)
    store.put_event(event(name, end=AT + 2), Change.UPDATE, channels)
    store.put_event(event(name, end=AT + 3, open=False), Change.END, channels)


def test_messages_of_an_event_come_one_by_one(store: Store) -> None:
    put(store, "a")
    put(store, "b")
    seen = []
    while messages := store.due("phone", AT):
        seen.append([message.id for message in messages])
        for message in messages:
            store.delivered(message, AT)
    assert seen == [["a:new:0", "b:new:0"], ["a:update:0", "b:update:0"], ["a:end:0", "b:end:0"]]


def test_the_oldest_come_first_and_no_more_than_asked(store: Store) -> None:
    for name in ("c", "a", "b"):
        put(store, name)
    assert [message.id for message in store.due("phone", AT, limit=2)] == ["c:new:0", "a:new:0"]


def test_channels_do_not_wait_for_each_other(store: Store) -> None:
    put(store, channels=("phone", "mail", "phone"))
    store.delivered(store.due("mail", AT)[0], AT)
    assert (due(store), due(store, channel="mail"), due(store, channel="none")) == (["e1:new:0"], ["e1:update:0"], [])
    assert store.waiting() == {"phone": 3, "mail": 2}


def test_a_failure_holds_its_event_back_longer_each_time(stored: Place) -> None:
    store = stored.open()
    put(store)
    put(store, "e2")
    now = AT
    for attempt, delay in enumerate([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]):
        message = store.due("phone", now)[0]
        assert (message.id, message.attempts) == ("e1:new:0", attempt)
        store.failed(message, now, "no answer")
        store = stored.open()  # the delay outlives a restart
        assert due(store, now + delay - 0.1) == ["e2:new:0"]
        now += delay
    assert due(store, now) == ["e1:new:0", "e2:new:0"]
    store.delivered(store.due("phone", now)[0], now)
    assert due(store, now) == ["e1:update:0", "e2:new:0"]


def test_what_was_delivered_does_not_come_again(store: Store) -> None:
    put(store)
    message = store.due("phone", AT)[0]
    store.delivered(message, AT)
    store.delivered(message, AT + 1)
    store.failed(message, AT + 1, "a second sender was too late")
    assert due(store, AT + 1000) == ["e1:update:0"]


def test_a_body_is_plain_and_has_the_files_of_now(store: Store) -> None:
    store.put_event(event(), Change.NEW, ["phone"])
    store.set_media("e1", "gate/2023-11-14/e1-snapshot.jpg")
    (message,) = store.due("phone", AT)
    assert message.snapshot == store.media / "gate/2023-11-14/e1-snapshot.jpg"
    assert message.clip is None
    assert (message.change, message.camera, message.channel) == (Change.NEW, "gate", "phone")
    body = json.loads(json.dumps(dict(message.body), allow_nan=False))
    assert body == {
        "id": "e1",
        "camera": "gate",
        "open": True,
        "start": AT,
        "peak": AT + 0.5,
        "end": AT + 1.25,
        "alarm": True,
        "quiet": "",
        "severity": 3.5,
        "level": 3.0,
        "model": "abc",
        "parts": {"velocity": 3.5, "pose": 0.25},
        "reasons": ["faster than 99.9 % of 41,000 tracks here", "größer – and “quoted”"],
        "examples": ["0001.jpg"],
        "size": [640, 360],
        "zones": ["door"],
        "repeats": 0,
        "box": [2.0, 2.0, 4.0, 4.5],
        "snapshot": "gate/2023-11-14/e1-snapshot.jpg",
        "clip": None,
    }


def test_an_event_without_boxes_has_no_worst_one(store: Store) -> None:
    store.put_event(event(tube={}), Change.END, ["phone"])
    body = store.due("phone", AT)[0].body
    assert (body["box"], body["open"]) == (None, False)


def test_old_messages_are_given_up_by_name(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    put(store)
    store.delivered(store.due("phone", AT)[0], AT)
    assert store.drop_messages(AT) == 0
    with caplog.at_level(logging.WARNING):
        assert store.drop_messages(AT + 1) == 2
    assert "2 messages to 'phone' were given up undelivered: e1:update:0, e1:end:0" in caplog.text
    assert store.waiting() == {}
    put(store)
    assert due(store) == []  # what was kept is still known


class Receiver:
    """Plays with a store, and remembers what it was told."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self.mark = f"x{next(EACH)}"  # one database serves all examples, each with names of its own
        self.open, self.store = open_store, open_store()
        self.now = AT
        self.got: list[str] = []

    def rows(self, name: str) -> list[tuple[EventRow, Change]]:
        full = f"{self.mark}{name}"
        ends = [(AT + 1, Change.NEW), (AT + 2, Change.UPDATE), (AT + 3, Change.UPDATE), (AT + 4, Change.END)]
        return [(event(full, end=end, open=change is not Change.END), change) for end, change in ends]

    def put(self, name: str, step: int) -> None:
        """Put the changes of an event up to a step, those before perhaps once more."""
        for row, change in self.rows(name)[: step + 1]:
            self.store.put_event(row, change, [self.mark])

    def take(self, *, well: bool, places: set[int]) -> None:
        for place, message in enumerate(self.store.due(self.mark, self.now)):
            if place not in places:
                continue
            if well:
                self.got.append(message.id)  # and it may crash before it says so
                if place % 2 == 0:
                    self.store.delivered(message, self.now)
            else:
                self.store.failed(message, self.now, "no answer")

    def restart(self) -> None:
        self.store.close()
        self.store = self.open()

    def drain(self) -> list[Message]:
        """Deliver all that is left."""
        left: list[Message] = []
        while self.store.waiting().get(self.mark):
            self.now += 400
            for message in self.store.due(self.mark, self.now):
                left.append(message)
                self.got.append(message.id)
                self.store.delivered(message, self.now)
        return left


STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("ab"), st.integers(0, 3)),
    st.tuples(st.just("take"), st.booleans(), st.sets(st.integers(0, 2), min_size=1)),
    st.tuples(st.just("wait"), st.integers(1, 20)),
    st.tuples(st.just("restart")),
)


def play(receiver: Receiver, steps: list[tuple[Any, ...]]) -> dict[str, int]:
    """Do the steps; returns how far each event came."""
    reached: dict[str, int] = {}
    for what, *how in steps:
        if what == "put":
            receiver.put(*how)
            reached[how[0]] = max(reached.get(how[0], -1), how[1])
        elif what == "take":
            receiver.take(well=how[0], places=how[1])
        elif what == "wait":
            receiver.now += how[0]
        else:
            receiver.restart()
    return reached


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
def test_whatever_happens_each_message_comes_in_order_under_one_id(stored: Place, steps: list[tuple[Any, ...]]) -> None:
    receiver = Receiver(stored.open)
    reached = play(receiver, steps)
    receiver.drain()
    order = ["new:0", "update:0", "update:1", "end:0"]
    for name in "ab":
        full = f"{receiver.mark}{name}"
        wanted = [f"{full}:{change}" for change in order[: reached.get(name, -1) + 1]]
        first = list(dict.fromkeys(message for message in receiver.got if message.startswith(f"{full}:")))
        assert first == wanted
        told = [wanted.index(message) for message in receiver.got if message.startswith(f"{full}:")]
        assert told == sorted(told)  # one that comes twice comes before the next
    stored.close()


def test_the_end_of_an_event_waits_for_its_video_where_a_receiver_shows_it(stored: Place) -> None:
    store = stored.open()
    channels, hold = ("phone", "mail"), {"mail": 23.0}
    for name in ("e1", "e2"):
        store.put_event(event(name), Change.NEW, channels, hold=hold)
        for channel in channels:
            assert due(store, channel=channel) == [f"{name}:new:0"], "only an end waits"
            store.delivered(store.due(channel, AT)[0], AT)
        store.put_event(event(name, open=False), Change.END, channels, hold=hold)
        store.delivered(store.due("phone", AT)[0], AT)
    assert due(store, channel="mail") == []
    store.set_media("e1", clip="gate/e1-clip.mp4")
    (message,) = store.due("mail", AT)
    assert (message.id, message.body["clip"]) == ("e1:end:0", "gate/e1-clip.mp4")
    assert due(store, AT + 22.9, "mail") == ["e1:end:0"]
    assert due(store, AT + 23.1, "mail") == ["e1:end:0", "e2:end:0"], "nor for ever"
