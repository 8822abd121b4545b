"""The page on alerts shows what is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from amiss.live.health import CameraNumbers, Health, ShardNumbers
from amiss.live.notify import make_channel
from amiss.live.notify.discovery import CameraTopics, config_topic
from amiss.live.notify.document import document
from amiss.live.notify.webhook import CLOSED, OF_MESSAGE, SOON
from amiss.live.notify.wording import text_of, title_of
from amiss.live.nouns import Change, Message
from amiss.live.settings import AlertSettings, MetricsSettings
from support_servers import Receiver, alert, event

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_example_of_an_event_is_what_is_sent() -> None:
    body = {
        "id": "4f1c2a90b7d3",
        "camera": "gate",
        "start": 1770000000.25,
        "peak": 1770000001.0,
        "end": 1770000002.5,
        "severity": 3.4,
        "level": 2.9,
        "parts": {"velocity": 5.1, "appearance": 0.7},
        "reasons": ("faster than 99.9 % of 41,000 tracks here",),
        "zones": ("drive",),
        "repeats": 0,
        "snapshot": "gate/4f1c2a90b7d3.jpg",
        "tube": {"at": [1.0]},
        "likeness": {},
    }
    message = Message("4f1c2a90b7d3:new:0", "c", Change.NEW, "gate", body)
    assert json.loads(blocks("json")[0]) == document(message)
    assert blocks("text")[0].splitlines() == [title_of(message), *text_of(message, "Europe/Berlin").splitlines()]


def test_the_example_of_an_incident_is_what_is_sent() -> None:
    body = {"camera": "gate", "kind": "gap", "start": 1770000000.0, "end": None, "detail": "No frames for 5 s."}
    assert json.loads(blocks("json")[1]) == document(Message("gate-gap-1770000000000:new:0", "c", None, "gate", body))


def test_the_example_of_settings_is_taken() -> None:
    items: list[dict[str, Any]] = yaml.safe_load(blocks("yaml")[0].replace("${", "").replace("}", ""))["alerts"]
    channels = [make_channel(AlertSettings.build(item), ["gate", "yard"]) for item in items]
    assert [channel.name for channel in channels] == ["house", "script", "mail"]
    for channel in channels:
        channel.close()


def test_the_code_for_receivers_verifies_what_is_sent() -> None:
    space: dict[str, Any] = {}
    exec(blocks("python")[0], space)  # noqa: S102
    with Receiver() as receiver:
        make_channel(alert("webhook", f"http://{receiver.address}", secret="a key"), ["gate"]).send(event())  # noqa: S106
    [post] = receiver.posts
    assert space["comes_from_amiss"](post.headers, post.body, "a key")
    assert not space["comes_from_amiss"](post.headers, post.body, "another")
    assert not space["comes_from_amiss"]({}, post.body, "a key")


def test_topics_are_those_that_are_published() -> None:
    for topic in vars(CameraTopics("amiss", "<camera>")).values():
        assert f"| `{topic}` |" in PAGE
    assert config_topic("homeassistant", "amiss", "gate") == "homeassistant/device/amiss_gate/config"


@pytest.mark.parametrize("status", sorted(OF_MESSAGE | SOON))
def test_answers_are_those_that_are_told_apart(status: int) -> None:
    assert re.search(rf"\b{status}\b", PAGE)
    assert CLOSED == 300


def test_numbers_of_health_are_those_that_are_served(tmp_path: Path) -> None:
    health = Health(MetricsSettings(), tmp_path)
    health.camera("gate", CameraNumbers("running", "live"))
    health.shard(ShardNumbers("a", 3, 4, 2, 6.5))
    text = generate_latest(health._registry).decode()
    served = {name for name in re.findall(r"^# TYPE (\w+)", text, re.MULTILINE) if not name.endswith("_created")}
    written = set(re.findall(r"`(amiss_\w+)`", PAGE))
    written |= {f"amiss_frames{name}" for name in re.findall(r"`…(_\w+)`", PAGE)}
    assert served == written
