"""The page for Prometheus over HTTP, and signs of life over a real socket."""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import amiss
from amiss.errors import ConfigError
from amiss.live.health import CameraNumbers, ChannelNumbers, Health, ShardNumbers
from amiss.live.settings import MetricsSettings
from amiss.live.watchdog import Notifier, Watchdog
from support_servers import until


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def health(tmp_path: Path) -> Iterator[Health]:
    served = Health(MetricsSettings(port=0), tmp_path, Clock())
    served.start()
    yield served
    served.close()


def page(health: Health) -> dict[tuple[str, ...], float]:
    """All samples by name and values of labels, these in the order of the labels' names."""
    with urllib.request.urlopen(f"http://127.0.0.1:{health.port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(item.name, *[item.labels[key] for key in sorted(item.labels)]): item.value for item in samples}


def test_numbers_of_cameras_are_on_the_page(health: Health) -> None:
    numbers = CameraNumbers("running", "live", 100, 90, 7, 3, 2, 4, 1, 2.0)
    health.camera("gate", numbers)
    health.camera("yard", CameraNumbers("connecting", "collecting"))
    values = page(health)
    assert values["amiss_frames_decoded_total", "gate"] == 100
    assert values["amiss_frames_arrived_total", "gate"] == 90
    assert values["amiss_frames_dropped_total", "gate"] == 7
    assert values["amiss_frames_corrupt_total", "gate"] == 3
    assert values["amiss_camera_reconnects_total", "gate"] == 2
    assert values["amiss_queue_frames", "gate"] == 4
    assert values["amiss_alarms_day", "gate"] == 1
    assert values["amiss_alarm_budget_day", "gate"] == 2
    assert values["amiss_camera_state", "gate", "running"] == 1
    assert values["amiss_camera_life", "yard", "collecting"] == 1
    assert values["amiss_frames_decoded_total", "yard"] == 0
    health.camera("gate", CameraNumbers("lost", "live", 1))
    later = page(health)
    assert later["amiss_frames_decoded_total", "gate"] == 1
    assert ("amiss_camera_state", "gate", "running") not in later


def test_a_shard_tells_how_it_stands_and_forgets_what_it_gave_back(health: Health) -> None:
    assert not [name for name, *_ in page(health) if "shard" in name]
    health.camera("gate", CameraNumbers("running", "live"))
    health.frame("gate", 0.1)
    health.shard(ShardNumbers("a", 3, 4, 2, 6.5))
    values = page(health)
    names = ("amiss_shard_cameras", "amiss_shard_share", "amiss_shards", "amiss_shard_lease_seconds")
    assert [values[name, "a"] for name in names] == [3, 4, 2, 6.5]
    health.forget("gate")
    left = page(health)
    assert ("amiss_queue_frames", "gate") not in left
    assert ("amiss_frames_per_second", "gate") not in left


def test_latencies_events_and_errors_are_counted(health: Health) -> None:
    for seconds in (0.04, 0.04, 0.6):
        health.frame("gate", seconds)
    health.alarm("gate", 0.9)
    health.event("gate", alarm=True)
    health.event("gate", alarm=False)
    health.event("gate", alarm=False)
    health.error("database")
    values = page(health)
    assert values["amiss_score_seconds_count", "gate"] == 3
    assert values["amiss_score_seconds_bucket", "gate", "0.05"] == 2
    assert values["amiss_score_seconds_sum", "gate"] == pytest.approx(0.68)
    assert values["amiss_alarm_seconds_bucket", "gate", "1.0"] == 1
    assert values["amiss_events_total", "yes", "gate"] == 1
    assert values["amiss_events_total", "no", "gate"] == 2
    assert values["amiss_errors_total", "database"] == 1


def test_frames_a_second_are_those_of_the_last_seconds(tmp_path: Path) -> None:
    clock = Clock()
    health = Health(MetricsSettings(port=0), tmp_path, clock)
    health.start()
    for _ in range(50):
        clock.now += 0.2
        health.frame("gate", 0.1)
    assert page(health)["amiss_frames_per_second", "gate"] == pytest.approx(5.0, abs=0.11)
    clock.now += 5
    assert page(health)["amiss_frames_per_second", "gate"] == pytest.approx(2.5, abs=0.11)
    clock.now += 60
    assert page(health)["amiss_frames_per_second", "gate"] == 0
    health.close()


def test_the_outbox_the_disk_and_the_version_are_on_the_page(health: Health) -> None:
    health.channel("phone", ChannelNumbers(3, 12.5))
    values = page(health)
    assert values["amiss_outbox_messages", "phone"] == 3
    assert values["amiss_outbox_oldest_seconds", "phone"] == 12.5
    assert values[("amiss_disk_free_bytes",)] > 0
    assert values["amiss_build_info", amiss.__version__] == 1


def test_a_disk_that_is_gone_does_not_take_the_page_with_it(tmp_path: Path) -> None:
    health = Health(MetricsSettings(port=0), tmp_path / "gone")
    health.start()
    health.error("database")
    values = page(health)
    health.close()
    assert ("amiss_disk_free_bytes",) not in values
    assert values["amiss_errors_total", "database"] == 1


def test_without_a_port_nothing_listens(tmp_path: Path) -> None:
    health = Health(MetricsSettings(), tmp_path)
    health.start()
    assert health.port is None
    health.close()


def test_it_listens_on_this_machine_only_and_a_taken_port_is_told(health: Health, tmp_path: Path) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", health.port)) != 0
    taken = Health(MetricsSettings(port=health.port), tmp_path)
    with pytest.raises(ConfigError, match=rf"cannot be served at 127.0.0.1:{health.port} .*choose another port"):
        taken.start()
    taken.close()


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The end of the socket that systemd reads, and its name for a service."""
    name = f"@amiss-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        end.settimeout(2)
        yield name, end


def test_systemd_is_told_only_while_all_parts_are_well(systemd: tuple[str, socket.socket]) -> None:
    name, end = systemd
    clock = Clock()
    environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": str(os.getpid())}
    watchdog = Watchdog({"scorer": 5.0, "camera": 50.0}, environment, clock)
    watchdog.start()
    assert end.recv(200) == b"READY=1\nSTATUS=watching"
    assert [end.recv(200) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    clock.now += 6
    watchdog.alive("camera")
    until(lambda: end.recv(200).startswith(b"STATUS="))
    assert watchdog.silent() == ["scorer"]
    end.settimeout(0.2)
    with pytest.raises(TimeoutError):
        end.recv(200)
    watchdog.alive("scorer")
    end.settimeout(2)
    assert end.recv(200) == b"STATUS=watching"
    assert end.recv(200) == b"WATCHDOG=1"
    watchdog.close()
    until(lambda: end.recv(200) == b"STOPPING=1")


def test_parts_come_and_go() -> None:
    clock = Clock()
    watchdog = Watchdog({}, {}, clock)
    watchdog.expect("camera", 1.0)
    watchdog.alive("nobody")
    clock.now += 2
    assert watchdog.silent() == ["camera"]
    watchdog.alive("camera")
    assert not watchdog.silent()
    clock.now += 2
    watchdog.forget("camera")
    assert not watchdog.silent()


@pytest.mark.parametrize("more", [{"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}, {}])
def test_signs_of_life_are_sent_only_if_this_process_is_asked(
    systemd: tuple[str, socket.socket], more: dict[str, str]
) -> None:
    name, end = systemd
    watchdog = Watchdog({"scorer": 5.0}, {"NOTIFY_SOCKET": name} | more)
    watchdog.start()
    assert end.recv(200).startswith(b"READY=1")
    end.settimeout(0.1)
    with pytest.raises(TimeoutError):
        end.recv(200)
    watchdog.close()
    assert end.recv(200) == b"STOPPING=1"


def test_a_silent_part_is_logged_also_without_systemd(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("amiss.live.watchdog.SLOWEST", 0.01)
    clock = Clock()
    watchdog = Watchdog({"scorer": 5.0}, {}, clock)
    watchdog.start()
    clock.now += 6
    until(lambda: "no sign of life from scorer" in caplog.text)
    watchdog.close()


def test_a_socket_that_is_gone_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not Notifier(str(tmp_path / "gone")).tell("READY=1")
    assert "systemd cannot be told READY=1" in caplog.text
    assert not Notifier(None).tell("READY=1")
