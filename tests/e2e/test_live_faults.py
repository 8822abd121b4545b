"""What happens when a camera, its server, or the process that decodes it fails; measured times go to the log."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
from pathlib import Path

import numpy as np
import pytest

from amiss.live.feed import camera
from amiss.live.feed.camera import Camera, State
from amiss.live.feed.child import Child
from amiss.live.feed.ring import Ring
from amiss.live.nouns import IncidentKind
from support_rtsp import (
    GAP,
    RtspServer,
    Viewer,
    alive,
    check_order,
    child_of,
    freeze,
    number_of,
    settings_of,
    watching,
    write_numbered,
)

POLYGON = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))
_measured = logging.getLogger("measured")


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_server_that_is_killed_and_comes_back(transport: str) -> None:
    with RtspServer() as server, watching(server.address, transport=transport) as viewer:
        viewer.look(viewer.frames(5))
        server.kill()
        viewer.look(viewer.gaps)
        viewer.look_for(1.5)
        server.start()
        back = viewer.look(viewer.frames(1))
        _measured.info("%s %s", "seconds", round(back, 2))
        viewer.look(viewer.frames(5))
        assert back < 5.0
        begun, ended = viewer.gaps()
        check_order(viewer.arrivals["gate"])
        seconds = np.diff([a.frame.seconds for a in viewer.arrivals["gate"]])
        assert (seconds > GAP).sum() == 1
        assert begun.end is None
        assert ended.start == begun.start
        assert ended.end is not None
        assert ended.end - ended.start > 1.5
        assert viewer.cameras[0].numbers.reconnects == 1
        assert viewer.longest < 0.5


def test_a_server_that_freezes_and_goes_on() -> None:
    with RtspServer() as server, watching(server.address) as viewer:
        viewer.look(viewer.frames(5))
        server.signal(signal.SIGSTOP)
        noticed = viewer.look(viewer.gaps)
        assert 1.0 < noticed < 2.5
        viewer.look_for(2.5)
        server.signal(signal.SIGCONT)
        back = viewer.look(viewer.frames(1))
        _measured.info("%s %s", "noticed, back", (round(noticed, 2), round(back, 2)))
        assert back < 5.0
        check_order(viewer.arrivals["gate"])
        assert viewer.cameras[0].numbers.restarts == 0


def test_a_server_that_is_slow_is_waited_for() -> None:
    with RtspServer() as server, watching(server.address, silence=2.0) as viewer:
        viewer.look(viewer.frames(5))
        for _ in range(2):
            server.signal(signal.SIGSTOP)
            viewer.look_for(1.3)
            server.signal(signal.SIGCONT)
            viewer.look(viewer.frames(3))
        assert viewer.incidents["gate"] == []
        assert len({a.at - a.frame.seconds for a in viewer.arrivals["gate"]}) <= 3  # one start, up to rounding


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_stream_with_damaged_bytes_goes_on(transport: str) -> None:
    with RtspServer(damage=0.01) as server, watching(server.address, transport=transport, silence=5.0) as viewer:
        viewer.look(lambda: viewer.cameras[0].numbers.corrupt > 3 and viewer.cameras[0].numbers.arrived > 15)
        _measured.info(
            "%s %s", "corrupt, arrived", (viewer.cameras[0].numbers.corrupt, viewer.cameras[0].numbers.arrived)
        )
        assert viewer.cameras[0].numbers.restarts == 0
        check_order(viewer.arrivals["gate"])


def test_pictures_of_another_size_are_an_incident_and_arrive_whole() -> None:
    with RtspServer(sizes=[[192, 96], [384, 192]], each=12) as server, watching(server.address) as viewer:
        viewer.look(lambda: len(viewer.incidents["gate"]) >= 2)
        viewer.look(viewer.frames(3))
        arrivals, numbers = viewer.arrivals["gate"], viewer.cameras[0].numbers
        incidents = viewer.incidents["gate"]
        assert {i.kind for i in incidents} == {IncidentKind.RESIZED}
        assert incidents[0].detail == "its pictures are 384x192 now and were 192x96 before"
        assert incidents[1].detail == "its pictures are 192x96 now and were 384x192 before"
        assert all(i.end is not None and i.end >= i.start for i in incidents)
        check_order(arrivals)
        sizes = np.array([a.frame.size[0] for a in arrivals])
        changed = np.diff(sizes) != 0
        assert (np.diff([a.frame.seconds for a in arrivals])[changed] > GAP).all()
        shown = [number_of(a.frame.image) for a in arrivals]
        assert numbers.dropped == 0
        assert shown == [*range(shown[0], shown[0] + len(shown))]


def test_a_camera_that_never_answers_does_not_touch_one_that_works(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", 60, rate=20)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        bad = Camera("bad", settings_of(f"rtsp://127.0.0.1:{mute.getsockname()[1]}/a", connect=0.7), GAP)
        good = Camera("good", settings_of(path), GAP)
        with Viewer(bad, good) as viewer:
            viewer.look(lambda: good.numbers.state is State.STOPPED and viewer.gaps("bad"))
            assert viewer.longest < 0.5
    assert [number_of(a.frame.image) for a in viewer.arrivals["good"]] == list(range(60))
    clocks = np.array([a.clock for a in viewer.arrivals["good"]])
    assert np.abs(clocks - clocks[0] - np.arange(60) / 20).max() < 0.3
    assert viewer.arrivals["bad"] == viewer.incidents["good"] == []
    assert "it did not answer in time" in (bad.numbers.error or "")


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_a_decoding_process_that_is_killed_or_hangs_is_replaced(how: str, tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", 40, rate=20)
    with watching(path, repeat=True) as viewer:
        gate = viewer.cameras[0]
        viewer.look(viewer.frames(5))
        pid = child_of(gate)
        if how == "killed":
            os.kill(pid, signal.SIGKILL)
        else:
            freeze(pid)
        back = viewer.look(lambda: gate.numbers.restarts == 1 and gate.numbers.reconnects == 1)
        _measured.info("%s %s", "seconds", round(back, 2))
        assert back < (5.0 if how == "killed" else 12.0)
        assert not alive(pid)
        assert viewer.longest < 0.8
        viewer.look(viewer.frames(5))
        check_order(viewer.arrivals["gate"])
        (begun, ended) = viewer.gaps()
        assert begun.detail.startswith("its decoding process " + ("ended (signal 9)" if how == "killed" else "gave no"))
        assert ended.end is not None
        numbers = gate.numbers
        assert numbers.arrived + numbers.dropped <= numbers.decoded
    assert gate.numbers.state is State.STOPPED


def test_without_memory_for_pictures_it_says_so_and_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, refused = Ring.create, []

    def refuse_once(queue: int, room: int) -> Ring:
        if not refused:
            refused.append(room)
            raise OSError("too many open files")
        return create(queue, room)

    monkeypatch.setattr(Ring, "create", refuse_once)
    with watching(write_numbered(tmp_path / "a.mp4", 20)) as viewer:
        viewer.look(viewer.frames(3))
    (begun, _) = viewer.gaps()
    assert begun.detail == "there is no memory for its pictures (too many open files); close other programs"
    assert refused == [192 * 96 * 3]
    check_order(viewer.arrivals["gate"])


def test_without_room_for_a_process_it_says_so_and_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_numbered(tmp_path / "a.mp4", 20)

    def refuse(*_: object) -> Child:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(camera, "Child", refuse)
        viewer = watching(path)
        viewer.cameras[0].start()
        viewer.look(viewer.gaps)
        assert viewer.cameras[0].numbers.state is State.WAITING
    with viewer:
        viewer.look(viewer.frames(3))
    assert viewer.gaps()[0].detail == "its decoding process cannot be started (Resource temporarily unavailable)"
    assert [incident.end is None for incident in viewer.gaps()] == [True, False]
