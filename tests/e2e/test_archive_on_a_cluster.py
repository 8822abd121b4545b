"""A Ray cluster that runs beside amiss: joined, and gone in the middle of the work."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import amiss
from support_scale import SETTINGS, as_archive

pytest.importorskip("ray", reason="Ray is not installed")
RAY = str(Path(sys.executable).with_name("ray"))
CLIPS = 6


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a cluster of this machine that nobody else finds."""
    port = free_port()
    where = tmp_path_factory.mktemp("r")  # sockets lie in it, whose paths must be short
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    words = ("--head", "--num-cpus=1", "--disable-usage-stats", "--include-dashboard=false", f"--temp-dir={where}")
    started = subprocess.run(  # noqa: S603  # our own
        [RAY, "start", f"--port={port}", "--node-ip-address=127.0.0.1", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    yield where
    stop(where)


def stop(where: Path) -> None:
    """End the processes of this cluster alone, all at once: other tests may have one of their own."""
    parents: dict[int, int] = {}
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may have ended by itself
            parents[int(folder.name)] = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            if str(where) in (folder / "cmdline").read_text(errors="replace"):
                found.add(int(folder.name))
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more  # workers, whose names say nothing of the cluster
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_cluster_that_goes_away_is_told_and_the_next_run_goes_on(cluster: Path, tmp_path: Path) -> None:
    as_archive(tmp_path, {"calm0": (0, 120, ()), "calm1": (1, 120, ())}, "training")
    archive = as_archive(tmp_path, {f"clip{number}": (number, 100, (30,)) for number in range(CLIPS)}, "testing")
    amiss.learn(tmp_path / "training", settings=SETTINGS).save(tmp_path / "model")
    asked = ["score", str(archive), "--model", str(tmp_path / "model"), "--out", str(tmp_path / "out")]
    line = [sys.executable, "-c", "from amiss.cli import main; main()", *asked, "--on", "ray:auto"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as driver:  # noqa: S603
        until = time.monotonic() + 120
        while not list((tmp_path / "out").glob("parts/*/key")):
            assert driver.poll() is None, driver.communicate()
            assert time.monotonic() < until
            time.sleep(0.05)
        stop(cluster)
        gone = time.monotonic()
        _, said = driver.communicate(timeout=120)
    done = len(list((tmp_path / "out").glob("parts/*/key")))
    assert done < CLIPS
    assert driver.returncode == 1
    assert "amiss: the cluster" in said
    assert "Traceback" not in said
    assert time.monotonic() - gone < 60
    again = [*line[:-1], "processes", "--set", "scale.workers=1"]
    found = subprocess.run(again, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert found.returncode == 0, found.stderr
    assert f"{done} of them by an earlier run" in found.stdout
