"""What a worker keeps on disk is gone after it, also where it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from amiss.scale.scratch import OLD, PREFIX, Scratch

KILLED = """
import os, signal, tempfile
from amiss.scale.scratch import Scratch
one = Scratch()
(one.path / "model").mkdir()
(one.path / "model" / "weights").write_bytes(bytes(1000))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_what_a_killed_worker_left_is_removed_by_the_next_and_what_a_living_one_has_is_not(temporary: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED], check=False).returncode != 0  # noqa: S603  # our own
    (left,) = temporary.glob(f"{PREFIX}*")
    assert (left / "model" / "weights").exists()
    first = Scratch()
    assert not left.exists()
    second = Scratch()
    assert first.path.exists()
    first.close()
    assert list(temporary.iterdir()) == [second.path]
    second.close()
    assert not list(temporary.iterdir())


def test_a_folder_that_is_being_made_is_left_alone_for_an_hour(temporary: Path) -> None:
    making, old = temporary / f"{PREFIX}a", temporary / f"{PREFIX}b"
    making.mkdir()
    old.mkdir()
    before = making.stat().st_mtime - OLD - 1
    os.utime(old, (before, before))
    Scratch().close()
    assert making.exists()
    assert not old.exists()
