"""Messages are delivered at least once, in order, whatever breaks; and what they say is neutral."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from amiss.errors import ConfigError, DeliveryError
from amiss.live.notify import Deliverer, make_channel, wants
from amiss.live.notify.base import picture_of
from amiss.live.notify.discovery import device, object_id
from amiss.live.notify.document import as_json, document
from amiss.live.notify.wording import EVENTS, INCIDENTS, rarity, text_of, title_of
from amiss.live.nouns import Change, IncidentKind, Message
from support_servers import (
    BatchChannel,
    MemoryChannel,
    MemoryOutbox,
    Receiver,
    alert,
    event,
    incident,
    refuse,
    until,
)


@contextmanager
def delivering(outbox: MemoryOutbox, *channels: MemoryChannel, poll: float = 0.05) -> Iterator[Deliverer]:
    deliverer = Deliverer(outbox, channels, poll=poll)
    deliverer.start()
    try:
        yield deliverer
    finally:
        assert deliverer.close(3)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amiss.live.notify.deliver.FIRST", 0.02)
    monkeypatch.setattr("amiss.live.notify.deliver.LONGEST", 0.1)


def test_messages_arrive_in_their_order() -> None:
    outbox, channel = MemoryOutbox(*[event(number) for number in range(100)]), MemoryChannel()
    with delivering(outbox, channel):
        until(lambda: len(outbox.done) == 100)
    assert channel.got == outbox.done == [f"event{number}-new" for number in range(100)]
    assert channel.started
    assert channel.closed


def test_news_are_sent_at_once() -> None:
    outbox, channel = MemoryOutbox(), MemoryChannel()
    with delivering(outbox, channel, poll=30) as deliverer:
        time.sleep(0.05)
        begun = time.monotonic()
        outbox.put(event())
        deliverer.wake()
        until(lambda: channel.got)
        assert time.monotonic() - begun < 1


def test_without_being_told_the_outbox_is_looked_at() -> None:
    outbox, channel = MemoryOutbox(), MemoryChannel()
    with delivering(outbox, channel):
        outbox.put(event())
        until(lambda: channel.got)


def test_what_fails_is_tried_again_and_later_news_of_it_wait() -> None:
    outbox = MemoryOutbox(event(1), event(1, Change.END), event(2), retry=0.2)
    channel = MemoryChannel()

    def once(message: Message) -> None:
        if message.id == "event1-new" and message.attempts == 0:
            raise DeliveryError("nobody is there")

    channel.trouble = once
    with delivering(outbox, channel):
        until(lambda: len(outbox.done) == 3)
    assert channel.got == ["event2-new", "event1-new", "event1-end"]
    assert outbox.failures == [("event1-new", "nobody is there")]


def test_one_that_takes_many_at_once_is_given_them_and_what_arrived_is_marked_as_one() -> None:
    outbox, channel = MemoryOutbox(*[event(number) for number in range(50)]), BatchChannel()
    channel.most = 20
    with delivering(outbox, channel):
        until(lambda: len(outbox.done) == 50)
    assert channel.got == outbox.done == [f"event{number}-new" for number in range(50)]
    assert list(map(len, channel.batches)) == [20, 20, 10]


def test_of_many_at_once_only_what_was_refused_is_sent_again() -> None:
    outbox, channel = MemoryOutbox(*[event(number) for number in range(6)], retry=0.1), BatchChannel()

    def twice(message: Message) -> None:
        if message.id in ("event2-new", "event4-new") and message.attempts == 0:
            refuse(message)

    channel.trouble = twice
    with delivering(outbox, channel):
        until(lambda: len(outbox.done) == 6)
    assert sorted(channel.got) == sorted(outbox.done) == [f"event{number}-new" for number in range(6)]
    assert outbox.failures == [("event2-new", "nobody is there"), ("event4-new", "nobody is there")]


def test_of_many_at_once_nothing_is_sent_again_while_it_cannot_be_marked() -> None:
    outbox, channel = MemoryOutbox(*[event(number) for number in range(6)]), BatchChannel()
    outbox.broken = {"delivered"}
    with delivering(outbox, channel):
        until(lambda: len(channel.got) == 6)
        time.sleep(0.1)
        outbox.broken = set()
        until(lambda: len(outbox.done) == 6)
    assert len(channel.batches) == 1


def test_a_broken_receiver_delays_no_other() -> None:
    outbox = MemoryOutbox(*[event(n, channel=name) for n in range(5) for name in ("dead", "stuck", "well")])
    dead, stuck, well = MemoryChannel("dead"), MemoryChannel("stuck"), MemoryChannel("well")
    release = threading.Event()
    dead.trouble = refuse
    stuck.trouble = lambda _: release.wait(5) and None
    with delivering(outbox, dead, stuck, well):
        until(lambda: len(well.got) == 5, 1)
        assert not dead.got
        assert not stuck.got
        release.set()
        until(lambda: len(stuck.got) == 5, 1)
        dead.trouble = None
        until(lambda: len(dead.got) == 5, 2)
    assert not outbox.waiting


def test_a_receiver_is_left_alone_longer_each_time() -> None:
    outbox, channel = MemoryOutbox(event()), MemoryChannel()
    times: list[float] = []

    def note(message: Message) -> None:
        times.append(time.monotonic())
        refuse(message)

    channel.trouble = note
    with delivering(outbox, channel) as deliverer:
        while len(times) < 5:
            deliverer.wake()  # news do not cut the pause short
            time.sleep(0.005)
    gaps = [after - before for before, after in pairwise(times[:5])]
    assert all(gap >= least - 0.001 for gap, least in zip(gaps, (0.02, 0.04, 0.08, 0.1), strict=True))


def test_a_receiver_is_left_alone_as_long_as_it_asks() -> None:
    outbox, channel = MemoryOutbox(event(1), event(2)), MemoryChannel()
    tried: list[str] = []

    def later(message: Message) -> None:
        tried.append(message.id)
        raise DeliveryError("not now", pause=60)

    channel.trouble = later
    with delivering(outbox, channel):
        time.sleep(0.3)
    assert tried == ["event1-new"]


@pytest.mark.parametrize("fault", [KeyError("x"), ValueError("secret"), OSError("secret"), RuntimeError("secret")])
def test_a_fault_of_a_channel_costs_an_attempt_only(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    outbox, channel = MemoryOutbox(event()), MemoryChannel()

    def fail(message: Message) -> None:
        if message.attempts == 0:
            raise fault

    channel.trouble = fail
    with delivering(outbox, channel):
        until(lambda: outbox.done)
    assert outbox.failures == [("event1-new", f"the channel failed with {type(fault).__name__}")]
    assert "secret" not in caplog.text


@pytest.mark.parametrize("call", ["due", "delivered", "failed"])
def test_a_store_that_fails_for_a_while_loses_nothing_and_sends_nothing_twice(call: str) -> None:
    outbox, channel = MemoryOutbox(event(1), event(2)), MemoryChannel()
    outbox.broken = {call}
    if call == "failed":
        channel.trouble = refuse
    with delivering(outbox, channel):
        time.sleep(0.2)
        assert not outbox.done
        outbox.broken, channel.trouble = set(), None
        until(lambda: len(outbox.done) == 2)
    assert channel.got == outbox.done == ["event1-new", "event2-new"]


def test_stopping_is_bounded_and_keeps_what_is_not_delivered() -> None:
    outbox, channel = MemoryOutbox(event()), MemoryChannel()
    release = threading.Event()
    channel.trouble = lambda _: release.wait(20) and None
    deliverer = Deliverer(outbox, [channel], poll=0.05)
    deliverer.start()
    time.sleep(0.05)
    begun = time.monotonic()
    assert not deliverer.close(0.3)
    assert time.monotonic() - begun < 1
    assert channel.closed
    assert len(outbox.waiting) == 1
    release.set()


def test_at_the_end_what_is_due_is_still_sent() -> None:
    outbox, channel = MemoryOutbox(event(1)), MemoryChannel()
    channel.trouble = lambda _: (_ for _ in ()).throw(DeliveryError("later", pause=60))
    deliverer = Deliverer(outbox, [channel], poll=60)
    deliverer.start()
    until(lambda: outbox.failures)
    channel.trouble = None
    outbox.put(event(2))
    begun = time.monotonic()
    assert deliverer.finish(9)
    assert time.monotonic() - begun < 2
    assert outbox.done == ["event1-new", "event2-new"]
    assert channel.closed


def test_at_the_end_one_message_that_is_refused_keeps_no_other_back() -> None:
    outbox, channel = MemoryOutbox(retry=60.0), MemoryChannel()
    deliverer = Deliverer(outbox, [channel], poll=60)
    deliverer.start()

    def refused(message: Message) -> None:
        if message.id == "event1-new":
            raise DeliveryError("it is malformed", pause=1.0, alone=True)

    channel.trouble = refused
    outbox.put(event(1), event(2), event(3))
    assert deliverer.finish(9)
    assert outbox.done == ["event2-new", "event3-new"]
    assert [name for name, _ in outbox.failures] == ["event1-new"]


def test_at_the_end_a_receiver_that_is_away_is_tried_once() -> None:
    outbox, channel = MemoryOutbox(retry=60.0), MemoryChannel()
    deliverer = Deliverer(outbox, [channel], poll=60)
    deliverer.start()
    channel.trouble = refuse
    outbox.put(event(1), event(2), event(3))
    assert deliverer.finish(9)
    assert [name for name, _ in outbox.failures] == ["event1-new"]


def test_at_the_end_a_receiver_that_does_not_answer_is_not_waited_for() -> None:
    outbox, channel = MemoryOutbox(event()), MemoryChannel()
    release = threading.Event()
    channel.trouble = lambda _: release.wait(20) and None
    deliverer = Deliverer(outbox, [channel], poll=0.05)
    deliverer.start()
    begun = time.monotonic()
    assert not deliverer.finish(0.6)
    assert time.monotonic() - begun < 2
    assert len(outbox.waiting) == 1
    release.set()


def test_a_channel_that_was_closed_ends_what_it_sends() -> None:
    outbox, channel = MemoryOutbox(event()), MemoryChannel()

    def stuck(_: Message) -> None:
        until(lambda: channel.closed)
        raise DeliveryError("closed")

    channel.trouble = stuck
    deliverer = Deliverer(outbox, [channel])
    deliverer.start()
    time.sleep(0.05)
    assert deliverer.close(1)
    assert outbox.failures == [("event1-new", "closed")]


def test_threads_give_signs_of_life_also_in_a_pause() -> None:
    signs: list[str] = []
    outbox, channel = MemoryOutbox(event()), MemoryChannel()
    channel.trouble = lambda _: (_ for _ in ()).throw(DeliveryError("later", pause=60))
    deliverer = Deliverer(outbox, [channel], poll=0.02, alive=signs.append)
    deliverer.start()
    until(lambda: len(signs) > 10)
    assert deliverer.close(1)
    assert set(signs) == {"c"}


@pytest.mark.parametrize(
    ("severity", "words"),
    [
        (0, "1 in 1 frames"),
        (-1, "1 in 1 frames"),
        (3, "1 in 1,000 frames"),
        (3.4, "1 in 2,500 frames"),
        (9.5, "fewer than 1 in 1,000,000,000 frames"),
    ],
)
def test_a_severity_in_words(severity: float, words: str) -> None:
    assert rarity(severity) == words


def test_what_people_read_of_an_event() -> None:
    assert title_of(event()) == "gate: out of the ordinary"
    assert text_of(event(), "Europe/Berlin").splitlines() == [
        "Since 2026-02-02 03:40:00 CET.",
        "Of normal footage, 1 in 2,500 frames would score as high.",
        "Faster than 99.9 % of 41,000 tracks here.",
        "Where: drive.",
    ]
    ended = text_of(event(change=Change.END, repeats=2)).splitlines()
    assert ended[0] == "From 2026-02-02 02:40:00 UTC to 2026-02-02 02:40:02 UTC."
    assert ended[-1] == "Joined by 2 further like it."


def test_what_people_read_of_an_incident() -> None:
    assert title_of(incident("gap")) == "gate: no pictures arrive"
    assert title_of(incident("gap", end=1_770_000_060.0)) == "gate: pictures arrive again"
    assert text_of(incident("gap")).splitlines() == ["Since 2026-02-02 02:40:00 UTC.", "No frames for 5 s."]


def test_words_are_there_for_all_and_neutral() -> None:
    assert set(EVENTS) == set(Change)
    assert set(INCIDENTS) == set(IncidentKind)
    words = " ".join([*EVENTS.values(), *[text for pair in INCIDENTS.values() for text in pair]])
    words += text_of(event()) + text_of(event(reasons=[]))
    assert not re.search(r"suspicio|threat|intru|thie|crim|danger|person|intent|alert|weird", words, re.IGNORECASE)


def test_a_bare_message_can_be_told() -> None:
    bare = Message("m", "c", Change.NEW, "gate", {"severity": float("nan")})
    assert text_of(bare) == "Out of the ordinary here."
    assert json.loads(as_json(document(bare))) == {
        "id": "m",
        "camera": "gate",
        "title": "gate: out of the ordinary",
        "change": "new",
        "event": {"severity": None},
    }


def test_programs_are_sent_the_event_without_what_stays_inside() -> None:
    values = json.loads(as_json(document(event(path=Path("a"), parts={"speed": 1.5}))))
    assert values["id"] == "event1-new"
    assert values["change"] == "new"
    assert values["time"] == "2026-02-02T02:40:00.250+00:00"
    assert values["event"]["parts"] == {"speed": 1.5}
    assert values["event"]["path"] == "a"
    assert not {"tube", "likeness"} & set(values["event"])
    assert "incident" in document(incident("gap"))


def test_a_picture_is_sent_while_it_is_there_and_not_for_ever(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    assert picture_of(event(snapshot=file)) is None
    file.write_bytes(b"jpeg")
    assert picture_of(event(snapshot=file)) == file
    assert picture_of(event(snapshot=file, attempts=3)) is None
    assert picture_of(event()) is None


@pytest.mark.parametrize(
    ("kind", "updates", "change", "wanted"),
    [
        ("webhook", True, Change.END, True),
        ("webhook", False, Change.NEW, True),
        ("webhook", False, Change.UPDATE, False),
        ("webhook", False, None, True),
        ("mqtt", False, Change.END, True),
    ],
)
def test_who_is_told_what(kind: str, updates: bool, change: Change | None, wanted: bool) -> None:
    settings = alert(kind, "https://x", updates=updates, cameras=["gate"])
    assert wants(settings, "gate", change) is wanted
    assert not wants(settings, "yard", change)


def test_what_a_receiver_does_not_want_is_done_without_sending() -> None:
    with Receiver() as receiver:
        settings = alert("webhook", f"http://{receiver.address}", updates=False, cameras=["gate"])
        channel = make_channel(settings, ["gate", "yard"])
        channel.send(event(change=Change.UPDATE))
        channel.send(Message("m", "c", Change.NEW, "yard", {}))
        assert not receiver.posts
        channel.send(event())
        assert [post.headers["X-Amiss-Id"] for post in receiver.posts] == ["event1-new"]


@pytest.mark.parametrize(
    ("kind", "address", "more", "message"),
    [
        ("mqtt", "http://u:hidden@host", {}, r"the alert 'c': http://\*\*\*@host is no broker; give it as mqtt://"),
        ("mqtt", "mqtt://u:hidden@host:99999", {}, r"\*\*\* is no broker"),
        ("mqtt", "mqtt://host", {"topic": "a/#"}, r"topic cannot be 'a/#'"),
        ("mqtt", "mqtt://host", {"discovery": "+"}, r"discovery cannot be '\+'"),
        ("webhook", "mqtt://u:hidden@host", {}, r"is no address for a webhook; give it as https://"),
        ("webhook", "http://host/a b", {}, r"is no address for a webhook"),
        ("apprise", "nosuch://hidden/hidden", {}, r"apprise does not know the address nosuch://\*\*\*"),
        ("apprise", "hidden", {}, r"apprise does not know the address \*\*\*://\*\*\*"),
        ("webhook", "http://host", {"cameras": ["garden"]}, r"names 'garden'; the cameras are: gate, yard"),
    ],
)
def test_what_cannot_be_an_alert_is_refused_without_its_secrets(
    kind: str, address: str, more: dict[str, object], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigError, match=message) as caught:
        make_channel(alert(kind, address, **more), ["gate", "yard"])
    assert "hidden" not in str(caught.value) + caplog.text


def test_home_assistant_is_told_in_the_keys_that_it_knows() -> None:
    values = device("amiss", "gate")
    assert set(values) == {"device", "origin", "availability", "availability_mode", "qos", "components"}
    assert values["device"]["identifiers"] == ["amiss_gate"]
    assert values["origin"]["name"] == "amiss"
    parts = values["components"]
    assert {name: part["platform"] for name, part in parts.items()} == {
        "amiss_gate_event": "binary_sensor",
        "amiss_gate_problem": "binary_sensor",
        "amiss_gate_severity": "sensor",
        "amiss_gate_reason": "sensor",
        "amiss_gate_snapshot": "image",
    }
    assert all(part["unique_id"] == name for name, part in parts.items())
    assert parts["amiss_gate_event"]["state_topic"] == "amiss/gate/state"
    assert parts["amiss_gate_snapshot"]["image_topic"] == "amiss/gate/snapshot"


def test_names_for_home_assistant_are_plain_and_differ() -> None:
    names = [object_id("amiss", "gate"), object_id("amiss", "gäte"), object_id("amiss", "g.te"), object_id("a/b", "c")]
    names.append(object_id("a_b", "c"))
    assert len(set(names)) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in names)
