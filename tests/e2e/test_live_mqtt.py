"""Alerts by a real broker: acknowledged, announced, and nothing lost when it is killed, restarted or stands still."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from amiss.errors import DeliveryError
from amiss.live.notify import Channel, Deliverer, make_channel
from amiss.live.nouns import Change, Message
from support_servers import (
    PASSWORD,
    QUOTED,
    USER,
    Broker,
    Listener,
    MemoryOutbox,
    alert,
    certificate,
    event,
    free_port,
    incident,
    until,
)

STATUS = "amiss/status"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with Broker(folder) as started:
        yield started


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amiss.live.notify.deliver.FIRST", 0.05)
    monkeypatch.setattr("amiss.live.notify.link.FIRST", 0.1)
    monkeypatch.setattr("amiss.live.notify.link.LONGEST", 0.3)


def channel_to(broker: Broker, **more: object) -> Channel:
    return make_channel(alert("mqtt", broker.address, **more), ["gate", "yard"])


@pytest.fixture
def channel(broker: Broker) -> Iterator[Channel]:
    made = channel_to(broker)
    made.start()
    yield made
    made.close()


def test_an_event_from_its_beginning_to_its_end(broker: Broker, channel: Channel, tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"\xff\xd8jpeg")
    with Listener(broker) as listener:
        until(lambda: listener.last("amiss/gate/state") == b"OFF")
        channel.send(event(snapshot=picture))
        until(lambda: listener.last("amiss/gate/state") == b"ON")
        assert listener.last("amiss/gate/snapshot") == b"\xff\xd8jpeg"
        channel.send(event(change=Change.UPDATE))
        channel.send(event(2))
        channel.send(event(change=Change.END))
        assert listener.last("amiss/gate/state") == b"ON"  # the second is open
        channel.send(event(2, Change.END))
        until(lambda: listener.last("amiss/gate/state") == b"OFF")
        until(lambda: len(listener.on("amiss/gate/events")) == 5)
        heard = [json.loads(payload) for payload in listener.on("amiss/gate/events")]
        assert [(item["id"], item["change"]) for item in heard] == [
            ("event1-new", "new"),
            ("event1-update", "update"),
            ("event2-new", "new"),
            ("event1-end", "end"),
            ("event2-end", "end"),
        ]
        assert heard[0]["event"]["severity"] == 3.4
        last = json.loads(listener.last("amiss/gate/last") or b"")
        assert last["reason"] == "faster than 99.9 % of 41,000 tracks here"
        assert last["rarity"] == "1 in 2,500 frames"
        topics = [topic for topic, _, _ in listener.heard if topic.startswith("amiss/gate/")]
        first = topics.index("amiss/gate/events")
        assert topics.index("amiss/gate/snapshot") < first  # whoever reacts to the event finds its picture


def test_a_message_that_was_held_up_does_not_open_what_has_ended(broker: Broker, channel: Channel) -> None:
    with Listener(broker) as listener:
        channel.send(event(change=Change.END))
        channel.send(event(change=Change.NEW))
        until(lambda: len(listener.on("amiss/gate/events")) == 2)
        assert listener.last("amiss/gate/state") == b"OFF"


def test_the_state_follows_also_where_only_beginnings_are_told(broker: Broker) -> None:
    channel = channel_to(broker, updates=False)
    channel.start()
    with Listener(broker) as listener:
        for change in Change:
            channel.send(event(change=change))
        until(lambda: listener.on("amiss/gate/state")[-2:] == [b"ON", b"OFF"])
        until(lambda: len(listener.on("amiss/gate/events")) == 1)
    channel.close()


def test_incidents_say_whether_a_camera_is_there(broker: Broker, channel: Channel) -> None:
    with Listener(broker) as listener:
        until(lambda: listener.last("amiss/gate/availability") == b"online")
        channel.send(incident("moved"))
        until(lambda: listener.last("amiss/gate/problem") == b"ON")
        assert listener.last("amiss/gate/availability") == b"online"
        channel.send(incident("gap"))
        until(lambda: listener.last("amiss/gate/availability") == b"offline")
        channel.send(incident("gap", end=1_770_000_009.0))
        until(lambda: listener.last("amiss/gate/availability") == b"online")
        assert listener.last("amiss/gate/problem") == b"ON"
        channel.send(incident("moved", end=1_770_000_009.0))
        until(lambda: listener.last("amiss/gate/problem") == b"OFF")
        assert listener.last("amiss/yard/availability") == b"online"
        until(lambda: len(listener.on("amiss/gate/incidents")) == 4)


def test_home_assistant_is_told_at_the_beginning_and_at_its_birth(broker: Broker, channel: Channel) -> None:
    topic = "homeassistant/device/amiss_gate/config"
    with Listener(broker) as listener:
        until(lambda: listener.last(topic) and listener.last("homeassistant/device/amiss_yard/config"))
    with Listener(broker) as late:  # it is retained
        until(lambda: late.last(topic))
        assert all(retained for where, _, retained in late.heard if where == topic)
        values = json.loads(late.last(topic) or b"")
        topics = {STATUS, *[item["topic"] for item in values["availability"]]}
        topics |= {part[key] for part in values["components"].values() for key in part if key.endswith("_topic")}
        channel.send(event())
        until(lambda: late.last("amiss/gate/last"))
        heard = {where for where, _, _ in late.heard}
        assert topics - heard == {"amiss/gate/snapshot"}  # there was no picture; all else has a value
        before = len(late.on(topic))
        late.client.publish("homeassistant/status", "offline", qos=1)
        late.client.publish("homeassistant/status", "online", qos=1)
        until(lambda: len(late.on(topic)) == before + 1)
        assert late.last("amiss/gate/state") == b"ON"


def test_without_discovery_home_assistant_is_told_nothing(broker: Broker) -> None:
    channel = channel_to(broker, discovery="", topic="place/amiss")
    channel.start()
    with Listener(broker) as listener:
        channel.send(event())
        until(lambda: listener.last("place/amiss/gate/state") == b"ON")
        assert all(topic.startswith("place/amiss/") for topic, _, _ in listener.heard)
    channel.close()


def test_who_ends_says_so(broker: Broker) -> None:
    with Listener(broker) as listener:
        channel = channel_to(broker)
        channel.start()
        until(lambda: listener.last(STATUS) == b"online")
        channel.close()
        until(lambda: listener.last(STATUS) == b"offline")


OTHER = """
import sys, time
from amiss.live.notify import make_channel
from amiss.live.settings import AlertSettings
channel = make_channel(AlertSettings(name="c", kind="mqtt", address=sys.argv[1]), ["gate"])
channel.start()
time.sleep(60)
"""


def test_who_is_killed_has_it_said(broker: Broker) -> None:
    with Listener(broker) as listener:
        process = subprocess.Popen([sys.executable, "-c", OTHER, broker.address])  # noqa: S603
        until(lambda: listener.last(STATUS) == b"online", 20)
        process.kill()
        process.wait()
        until(lambda: listener.last(STATUS) == b"offline")
    with Listener(broker) as late:
        until(lambda: late.last(STATUS) == b"offline")


def test_the_will_of_another_that_comes_late_is_put_right(broker: Broker, channel: Channel) -> None:
    """As of a shard that died before this one took its place."""
    with Listener(broker) as listener:
        until(lambda: listener.last(STATUS) == b"online")
        listener.client.publish(STATUS, b"offline", qos=1, retain=True)
        until(lambda: listener.on(STATUS)[-2:] == [b"offline", b"online"])
        channel.close()
        until(lambda: listener.last(STATUS) == b"offline")
        time.sleep(0.3)
        assert listener.last(STATUS) == b"offline", "who ends does not say that it is there"


def test_a_picture_that_cannot_be_read_delays_no_other_message(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"x")
    outbox = MemoryOutbox(event(1), event(2, snapshot=picture), event(3))
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(PermissionError(13, "not yours")))
    deliverer = Deliverer(outbox, [channel_to(broker)], poll=0.05)
    with Listener(broker) as listener:
        deliverer.start()
        until(lambda: {"event1-new", "event3-new"} <= set(outbox.done))
        until(lambda: len(outbox.done) == 3)  # after some attempts it goes without its picture
        assert {why for _, why in outbox.failures} == {"its picture cannot be read (not yours)"}
        # The broker has all three; who listens to it hears them in its own time.
        until(lambda: len(listener.on("amiss/gate/events")) == 3)
    deliverer.close()


def test_a_broker_that_restarts_loses_nothing(broker: Broker) -> None:
    outbox = MemoryOutbox()
    deliverer = Deliverer(outbox, [channel_to(broker)], poll=0.1)
    deliverer.start()
    total = 60
    with Listener(broker) as listener:

        def feed() -> None:
            for number in range(total):
                outbox.put(event(number))
                deliverer.wake()
                time.sleep(0.02)

        feeder = threading.Thread(target=feed)
        feeder.start()
        for _ in range(2):
            time.sleep(0.3)
            broker.kill()
            time.sleep(0.1)
            broker.start()
        feeder.join()
        until(lambda: len(outbox.done) == total, 10)
        assert outbox.done == [f"event{number}-new" for number in range(total)]
    with Listener(broker) as late:  # the broker kept nothing on disk: it was told again
        until(lambda: late.last("homeassistant/device/amiss_gate/config") and late.last("amiss/gate/state") == b"ON")
        assert late.last(STATUS) == b"online"
    assert deliverer.close(3)
    assert listener.heard


def test_what_is_acknowledged_was_heard(broker: Broker) -> None:
    """A listener with a session of its own misses nothing that counts as delivered while the broker stays up."""
    outbox = MemoryOutbox(*[event(number) for number in range(50)])
    deliverer = Deliverer(outbox, [channel_to(broker)])
    with Listener(broker) as listener:
        deliverer.start()
        until(lambda: len(outbox.done) == 50)
        until(lambda: len(listener.on("amiss/gate/events")) == 50)
    assert deliverer.close(3)


def test_a_broker_that_stands_still_acknowledges_nothing(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amiss.live.notify.link.PATIENCE", 0.5)
    channel = channel_to(broker)
    channel.start()
    channel.send(event(1))
    assert broker.process
    broker.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(DeliveryError, match="not acknowledged within"):
            channel.send(event(2))
        begun = time.monotonic()
        channel.close()
        assert time.monotonic() - begun < 4
    finally:
        broker.process.send_signal(signal.SIGCONT)


def test_closing_is_bounded_also_when_the_broker_takes_no_bytes(broker: Broker, tmp_path: Path) -> None:
    picture = tmp_path / "large.jpg"
    picture.write_bytes(bytes(30_000_000))
    channel = channel_to(broker)
    channel.start()
    channel.send(event(1))
    assert broker.process
    broker.process.send_signal(signal.SIGSTOP)
    errors: list[str] = []

    def send() -> None:
        try:
            channel.send(event(2, snapshot=picture))
        except DeliveryError as error:
            errors.append(str(error))

    thread = threading.Thread(target=send)
    try:
        thread.start()
        time.sleep(0.5)
        begun = time.monotonic()
        channel.close()
        assert time.monotonic() - begun < 5
        thread.join(1)
        assert errors
    finally:
        broker.process.send_signal(signal.SIGCONT)


def test_a_broker_that_refuses_a_topic_has_not_taken_it(tmp_path: Path) -> None:
    with Broker(tmp_path, denied="amiss/gate/events") as broker:
        channel = channel_to(broker)
        channel.start()
        with pytest.raises(DeliveryError, match=r"did not take amiss/gate/events .*[Nn]ot authorized"):
            channel.send(event())
        channel.send(Message("m", "c", None, "gate", {"kind": "gap"}))
        channel.close()


def test_wrong_passwords_absent_brokers_and_other_servers_are_told_without_secrets(
    broker: Broker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("amiss.live.notify.link.PATIENCE", 0.6)
    monkeypatch.setattr("amiss.live.notify.link.CONNECT", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        for place, words in (
            (f"mqtt://{USER}:wrong-hidden@127.0.0.1:{broker.port}", "refused: not authorized; check user and password"),
            (f"mqtt://{USER}:wrong-hidden@127.0.0.1:{free_port()}", "cannot be reached: Connection refused"),
            (f"mqtt://{USER}:wrong-hidden@127.0.0.1:{mute.getsockname()[1]}", "does not answer"),
            (f"mqtt://{USER}:wrong-hidden@no.such.host.invalid", "cannot be reached"),
        ):
            channel = make_channel(alert("mqtt", place), ["gate"])
            channel.start()
            with pytest.raises(DeliveryError, match="there is no connection to the broker") as caught:
                channel.send(event())
            begun = time.monotonic()
            channel.close()
            assert time.monotonic() - begun < 2
            assert words in caplog.text
            assert "hidden" not in str(caught.value)
            assert "hidden" not in caplog.text
            assert f"{USER}:" not in caplog.text
            caplog.clear()


def test_no_password_is_logged_on_the_way(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    outbox = MemoryOutbox(event(1))
    deliverer = Deliverer(outbox, [channel_to(broker)], poll=0.05)
    deliverer.start()
    until(lambda: outbox.done)
    broker.kill()
    outbox.put(event(2))
    deliverer.wake()
    time.sleep(0.3)
    broker.start()
    until(lambda: len(outbox.done) == 2)
    assert deliverer.close(3)
    assert "connected to the broker mqtt://***@127.0.0.1" in caplog.text
    assert PASSWORD not in caplog.text
    assert QUOTED not in caplog.text


def test_tls_is_spoken_with_brokers_that_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    with Broker(tmp_path, certificate=files) as broker:
        channel = make_channel(alert("mqtt", broker.address.replace("mqtt:", "mqtts:")), ["gate"])
        channel.start()
        channel.send(event())
        channel.close()


# When TLS fails, paho leaves the closing of the socket to the garbage collection, which warns of it.
@pytest.mark.filterwarnings("ignore:Exception ignored.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_is_not_trusted_gets_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("amiss.live.notify.link.PATIENCE", 0.5)
    with Broker(tmp_path, certificate=certificate(tmp_path)) as broker:
        channel = make_channel(alert("mqtt", broker.address.replace("mqtt:", "mqtts:")), ["gate"])
        channel.start()
        with pytest.raises(DeliveryError, match="there is no connection"):
            channel.send(event())
        channel.close()
    assert "its certificate is not trusted" in caplog.text
