"""Webhooks and apprise against a real HTTP server that answers well, badly, late or never."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from amiss.errors import DeliveryError
from amiss.live.notify import Deliverer, make_channel
from amiss.live.notify.signature import sign, verify
from amiss.live.nouns import Change, Message
from support_servers import MemoryOutbox, Receiver, alert, certificate, event, free_port, incident, until

SECRET = "a-key-that-nobody-sees"  # noqa: S105


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amiss.live.notify.webhook.SILENCE", 0.2)
    monkeypatch.setattr("amiss.live.notify.webhook.TOTAL", 0.5)


def failure(address: str, message: Message | None = None, **more: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        make_channel(alert("webhook", address, **more), ["gate"]).send(message or event())
    return caught.value


def test_a_message_is_posted_whole_and_signed(receiver: Receiver) -> None:
    settings = alert("webhook", f"http://{receiver.address}/in/here?key=1", secret=SECRET)
    make_channel(settings, ["gate"]).send(event())
    [post] = receiver.posts
    assert post.path == "/in/here?key=1"
    assert post.headers["Content-Type"] == "application/json"
    assert post.headers["X-Amiss-Id"] == json.loads(post.body)["id"] == "event1-new"
    stamp, signature = post.headers["X-Amiss-Timestamp"], post.headers["X-Amiss-Signature"]
    assert abs(int(stamp) - time.time()) < 5
    assert verify(SECRET, stamp, post.body, signature)
    assert not verify("another", stamp, post.body, signature)
    assert not verify(SECRET, stamp, post.body + b" ", signature)
    assert not verify(SECRET, str(int(stamp) + 1), post.body, signature)


def test_a_signature_that_is_old_or_none_is_not_taken() -> None:
    signature = sign(SECRET, "1000", b"{}")
    assert verify(SECRET, "1000", b"{}", signature, now=1299)
    assert not verify(SECRET, "1000", b"{}", signature, now=1301)
    assert not verify(SECRET, "1000", b"{}", signature, now=699)
    assert not verify(SECRET, "", b"{}", "", now=1000)
    assert not verify(SECRET, "1000", b"{}", "sha256=ä", now=1000)
    assert not verify(SECRET, "²", b"{}", signature, now=1000)


def test_without_a_secret_nothing_is_signed_and_a_login_is_sent(receiver: Receiver) -> None:
    make_channel(alert("webhook", f"http://me:my%40pass@{receiver.address}"), ["gate"]).send(event())
    [post] = receiver.posts
    assert "X-Amiss-Signature" not in post.headers
    assert post.headers["Authorization"] == "Basic bWU6bXlAcGFzcw=="
    assert post.path == "/"


def test_an_id_of_any_letters_can_be_sent(receiver: Receiver) -> None:
    make_channel(alert("webhook", f"http://{receiver.address}"), ["gate"]).send(Message("門-gap", "c", None, "門", {}))
    [post] = receiver.posts
    assert post.headers["X-Amiss-Id"] == "%E9%96%80-gap"
    assert json.loads(post.body)["id"] == "門-gap"


def test_incidents_are_posted_too(receiver: Receiver) -> None:
    make_channel(alert("webhook", f"http://{receiver.address}"), ["gate"]).send(incident("gap"))
    values = json.loads(receiver.posts[0].body)
    assert values["incident"]["kind"] == "gap"
    assert "change" not in values


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_counts_as_delivered(receiver: Receiver, status: int) -> None:
    receiver.answers = [(status, {})]
    make_channel(alert("webhook", f"http://{receiver.address}"), ["gate"]).send(event())


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (500, {}, None),
        (408, {}, None),
        (503, {"Retry-After": "7"}, 7.0),
        (429, {"Retry-After": "999999"}, 3600.0),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (400, {}, 1.0),
        (413, {}, 1.0),
        (401, {}, 300.0),
        (404, {}, 300.0),
        (410, {}, 300.0),
        (304, {}, 300.0),
    ],
)
def test_what_does_not_and_for_how_long_it_is_left_alone(
    receiver: Receiver, status: int, headers: dict[str, str], pause: float | None
) -> None:
    receiver.answers = [(status, headers)]
    error = failure(f"http://{receiver.address}")
    assert error.pause == pause
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    with Receiver() as other:
        receiver.answers = [(status, {"Location": f"http://{other.address}/"})]
        assert "redirects" in str(failure(f"http://{receiver.address}", secret=SECRET))
        assert not other.posts
        assert len(receiver.posts) == 1


@pytest.mark.usefixtures("_short")
def test_a_receiver_that_is_not_there_silent_or_slow_is_given_up(receiver: Receiver) -> None:
    assert "refused" in str(failure(f"http://127.0.0.1:{free_port()}"))
    receiver.slow = 1.0
    begun = time.monotonic()
    assert "does not answer in time" in str(failure(f"http://{receiver.address}"))
    assert time.monotonic() - begun < 0.9
    receiver.slow, receiver.trickle = 0.0, 0.05
    begun = time.monotonic()
    failure(f"http://{receiver.address}")
    assert time.monotonic() - begun < 0.9
    receiver.trickle = 0.0


def test_what_speaks_no_tls_is_no_receiver(receiver: Receiver) -> None:
    assert failure(f"https://{receiver.address}").pause is None


def test_tls_is_spoken_with_receivers_that_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = certificate(tmp_path)
    with Receiver(certificate=files) as receiver:
        error = failure(f"https://{receiver.address}", secret=SECRET)
        assert "its certificate is not trusted" in str(error)
        assert not receiver.posts
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
        make_channel(alert("webhook", f"https://{receiver.address}"), ["gate"]).send(event())
        assert len(receiver.posts) == 1


def test_closing_breaks_off_what_is_being_sent(receiver: Receiver) -> None:
    receiver.slow = 3.0
    channel = make_channel(alert("webhook", f"http://{receiver.address}"), ["gate"])
    errors: list[DeliveryError] = []

    def send() -> None:
        try:
            channel.send(event())
        except DeliveryError as error:
            errors.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    until(lambda: receiver.posts)
    channel.close()
    thread.join(1)
    assert errors
    receiver.slow = 0.0


def test_messages_survive_a_receiver_that_fails_and_arrive_in_order(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amiss.live.notify.deliver.FIRST", 0.02)
    receiver.answers = [(503, {}), (500, {}), (204, {}), (502, {})]
    outbox = MemoryOutbox(event(1), event(1, Change.UPDATE), event(1, Change.END))
    deliverer = Deliverer(outbox, [make_channel(alert("webhook", f"http://{receiver.address}"), ["gate"])])
    deliverer.start()
    until(lambda: len(outbox.done) == 3)
    assert deliverer.close(2)
    ids = [json.loads(post.body)["id"] for post in receiver.posts]
    assert ids == ["event1-new"] * 3 + ["event1-update"] * 2 + ["event1-end"]


def test_apprise_tells_people_with_the_picture_and_the_video(receiver: Receiver, tmp_path: Path) -> None:
    picture, clip = tmp_path / "a.jpg", tmp_path / "a.mp4"
    picture.write_bytes(b"jpeg")
    clip.write_bytes(b"video")
    channel = make_channel(alert("apprise", f"json://{receiver.address}/x"), ["gate"], {"gate": "Europe/Berlin"})
    receiver.answers = [(200, {})] * 3
    channel.send(event(snapshot=picture, clip=clip))
    channel.send(event(change=Change.END, snapshot=picture, clip=clip))
    channel.send(event(change=Change.END, snapshot=picture, clip=clip, attempts=3))
    new, end, late = (json.loads(post.body) for post in receiver.posts)
    assert new["title"] == "gate: out of the ordinary"
    assert "Since 2026-02-02 03:40:00 CET." in new["message"]
    assert "1 in 2,500 frames" in new["message"]
    assert [item["filename"] for item in new["attachments"]] == ["a.jpg"]
    assert [item["filename"] for item in end["attachments"]] == ["a.jpg", "a.mp4"]
    assert late["attachments"] == []


def test_what_apprise_cannot_deliver_is_told_without_its_address(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answers = [(500, {}), (200, {})]
    address = f"json://someone:hidden@{receiver.address}/hidden-token?+key=hidden"
    channel = make_channel(alert("apprise", address), ["gate"])
    outbox = MemoryOutbox(event())
    deliverer = Deliverer(outbox, [channel])
    deliverer.start()
    until(lambda: outbox.done)
    assert deliverer.close(2)
    [(_, why)] = outbox.failures
    assert why == "the service json://*** did not take it"
    assert len(receiver.posts) == 2
    assert receiver.address not in caplog.text
    assert "hidden" not in caplog.text + why


def test_nothing_of_a_webhook_s_address_is_told(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in ((500, {}), (401, {}), (302, {"Location": "http://u:hidden@x"})):
        receiver.answers = [answer]
        error = failure(f"http://someone:hidden@{receiver.address}/?key=hidden", secret="hidden-key")  # noqa: S106
        assert f"http://***@{receiver.address}/?***" in str(error)
        assert "hidden" not in str(error) + caplog.text
