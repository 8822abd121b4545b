"""Cameras with a decoding process of their own: what arrives, and what is left when they are stopped."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from amiss.config import MasksConfig
from amiss.footage import VideoFile
from amiss.live.feed.camera import Camera, State
from amiss.perception.masks import Masks
from support_rtsp import (
    GAP,
    RtspServer,
    Viewer,
    alive,
    check_order,
    child_of,
    number_of,
    open_files,
    settings_of,
    shared_memory,
    watching,
    write_numbered,
)

POLYGON = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))


def test_a_file_arrives_as_it_is_decoded_offline(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", 30, rate=20)
    frames = list(VideoFile(path))
    with watching(path) as viewer:
        viewer.look(lambda: viewer.cameras[0].numbers.state is State.STOPPED)
    arrivals = viewer.arrivals["gate"]
    assert [a.frame.seconds for a in arrivals] == [frame.seconds for frame in frames]
    assert all((a.frame.image == frame.image).all() for a, frame in zip(arrivals, frames, strict=True))
    assert all(a.frame.image.flags.writeable for a in arrivals)
    check_order(arrivals)
    assert viewer.incidents["gate"] == []
    numbers = viewer.cameras[0].numbers
    assert (numbers.decoded, numbers.arrived, numbers.dropped, numbers.corrupt, numbers.error) == (30, 30, 0, 0, None)
    assert numbers.last == arrivals[-1].at
    assert 5.0 < numbers.rate <= 6.0  # 30 frames in the last five seconds


def test_privacy_masks_are_in_the_pixels_that_arrive(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", 3)
    masks = Masks(MasksConfig(privacy=(POLYGON,)))
    with watching(path, privacy=(POLYGON,)) as viewer:
        viewer.look(viewer.frames(3))
    for arrival, frame in zip(viewer.arrivals["gate"], VideoFile(path), strict=True):
        np.testing.assert_array_equal(arrival.frame.image, masks.apply(frame).image)
        assert not arrival.frame.image[:40, :90].any()
        assert arrival.frame.image[60:].any()


def test_a_file_that_is_repeated_goes_on_in_time_with_a_jump_and_no_incident(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", 6, rate=20)
    with watching(path, repeat=True) as viewer:
        viewer.look(viewer.frames(20))
    arrivals = viewer.arrivals["gate"]
    check_order(arrivals)
    assert [number_of(a.frame.image) for a in arrivals[:18]] == [*range(6)] * 3
    jumps = np.diff([a.frame.seconds for a in arrivals[:18]])[[5, 11]]
    assert ((jumps > GAP) & (jumps < GAP + 0.5)).all()
    assert viewer.incidents["gate"] == []


def test_when_the_parent_is_slow_the_newest_are_kept_and_all_others_counted(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", 40, rate=20)
    with watching(path, queue=4) as viewer:
        viewer.look(viewer.frames(1))
        time.sleep(2.5)
        viewer.look(lambda: viewer.cameras[0].numbers.state is State.STOPPED)
    numbers = viewer.cameras[0].numbers
    shown = [number_of(a.frame.image) for a in viewer.arrivals["gate"]]
    assert shown[-4:] == [36, 37, 38, 39]
    assert shown == sorted(set(shown))
    assert numbers.dropped > 25
    assert numbers.arrived + numbers.dropped == numbers.decoded == 40
    check_order(viewer.arrivals["gate"])


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp(transport: str) -> None:
    with RtspServer() as server, watching(server.address, transport=transport) as viewer:
        viewer.look(viewer.frames(15))
        arrivals = viewer.arrivals["gate"]
        check_order(arrivals)
        numbers = np.array([number_of(a.frame.image) for a in arrivals])
        assert (np.diff(numbers) == 1).all()
        steps = np.diff([a.frame.seconds for a in arrivals])[1:]
        assert np.median(steps) == pytest.approx(0.1, abs=0.03)
        assert np.abs(np.cumsum(steps - 0.1)).max() < 0.2  # a busy server stamps unevenly, but its clock goes right
        assert abs(arrivals[-1].at - time.time()) < 1.0
        assert viewer.cameras[0].numbers.state is State.RUNNING


def test_starting_and_stopping_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", 40, rate=20)
    camera = Camera("gate", settings_of(path), GAP)
    camera.start()  # once, for what Python keeps open for good
    camera.stop()
    shared, files = shared_memory(), open_files()
    pids = []
    for number in range(100):
        camera.start()
        pids.append(child_of(camera))
        if number % 25 == 24:
            with Viewer(camera) as viewer:
                viewer.look(viewer.frames(2))
        camera.stop()
    assert open_files() == files
    assert shared_memory() == shared
    assert not any(map(alive, pids))
    assert camera.numbers.arrived >= 8
    assert camera.incidents() == []


PARENT = """
import sys, time
from multiprocessing.connection import wait
from amiss.live.feed.camera import Camera
from amiss.live.settings import CameraSettings
if __name__ == "__main__":
    camera = Camera("gate", CameraSettings(source=sys.argv[1], repeat=True), 1.0)
    camera.start()
    while not camera.take():
        wait(camera.ready, 0.1)
    print(camera._child._process.pid, flush=True)
    while sys.argv[2] == "waits":
        time.sleep(0.01)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, None])
def test_children_end_with_their_parent(number: signal.Signals | None, tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", 10)
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), str(path), "waits" if number else "leaves"]
    parent = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    if number is signal.SIGINT:
        os.killpg(parent.pid, number)  # as Ctrl-C does
    elif number:
        parent.send_signal(number)
    _, complaints = parent.communicate(timeout=20)
    end = time.monotonic() + 3
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(pid)
    assert complaints.count("Traceback") == (1 if number is signal.SIGINT else 0)  # the parent's own
    assert "resource_tracker" not in complaints


def test_the_password_is_nowhere_to_be_seen(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    user = "camera1user"
    with RtspServer(user=f"{user}:gehe1m") as server, ExitStack() as stack:
        known = server.address.replace("//", f"//{user}:gehe1m@")
        wrong = server.address.replace("//", f"//{user}:gehe1mer@")
        cameras = [
            Camera("good", settings_of(known), GAP),
            Camera("wrong", settings_of(wrong), GAP),
            Camera("gone", settings_of(f"http://{user}:gehe1m@127.0.0.1:9/a?token=gehe1m"), GAP),
        ]
        viewer = stack.enter_context(Viewer(*cameras))
        viewer.look(lambda: len(viewer.arrivals["good"]) > 2 and viewer.gaps("wrong") and viewer.gaps("gone"))
        shown = [*map(repr, cameras), *(repr(camera.numbers) for camera in cameras), repr(viewer.incidents)]
        shown += [repr(camera.settings) for camera in cameras] + [repr(vars(camera)) for camera in cameras]
        processes = [child_of(camera) for camera in cameras]
        shown += [Path(f"/proc/{pid}/{what}").read_text() for pid in processes for what in ("cmdline", "environ")]
        server.kill()
        viewer.look(lambda: viewer.gaps("good"))
    shown += [caplog.text, *capfd.readouterr(), repr(viewer.incidents)]
    assert "401" in repr(viewer.incidents["wrong"])
    assert "refused" in repr(viewer.incidents["gone"])
    for text in shown:
        assert "gehe1m" not in text
        assert user not in text
    assert caplog.text.count("WARNING") >= 3
