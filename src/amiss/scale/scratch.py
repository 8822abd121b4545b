"""A folder of a worker's own, which is gone after it, also where it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

__all__ = ["Scratch"]

PREFIX, LOCK = "amiss-worker-", "lock"
OLD = 3600.0
"""Seconds after which a folder without a lock, whose worker died while it made it, is nobody's."""


class Scratch:
    """A new folder under the system's folder for temporary files, locked as long as its process lives.

    Folders of earlier workers that were killed, of the same user on this machine, are removed first: nobody else
    would, and each may hold a model and films.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # another user's, or removed meanwhile
                _remove_if_left(folder)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        making = self.path / f".{LOCK}"
        self._lock = os.open(making, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        making.rename(self.path / LOCK)  # never seen unlocked

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_if_left(folder: Path) -> None:
    """Remove the folder of a process that is gone.

    Raises:
        OSError: It is not ours.
    """
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        if time.time() - folder.stat().st_mtime > OLD:
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
