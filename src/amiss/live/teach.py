"""Learning from what a camera has kept, in a process of its own, so that nothing waits for it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from amiss.config import Config
from amiss.engine import learn_parts
from amiss.errors import AmissError
from amiss.live.collect import read_blocks, thumbnails
from amiss.storage import whole_file

__all__ = ["Teacher", "teach"]

LOG = logging.getLogger(__name__)
POLITE = 10
"""By how much the process gives way to those that score."""


def teach(folder: Path, model: Path, method: str, config: Config, without: Sequence[tuple[float, float]]) -> None:
    """Learn from the blocks in a folder and write a model.

    Args:
        folder: Of blocks.
        model: Folder to write.
        method: Id of the method.
        config: Settings with which the windows were made.
        without: Stretches of time that are no example of normal, in seconds since 1970.

    Raises:
        AmissError: There is too little to learn from, or the model cannot be written.
    """
    blocks = read_blocks(folder)
    parts = [part for block in blocks if len(part := block.without(without))]
    learn_parts(parts, method, config, lambda exemplars: thumbnails(blocks, exemplars)).save(model)


class Teacher:
    """One learning at a time, beside everything else.

    Args:
        folder: Of blocks.
        models: Folder in which models are written.
        method: Id of the method.
        config: Settings with which the windows were made.
    """

    def __init__(self, folder: Path, models: Path, method: str, config: Config) -> None:
        self._folder, self._models, self._method, self._config = folder, models, method, config
        self._process: BaseProcess | None = None
        self._model: Path | None = None

    @property
    def busy(self) -> bool:
        """Whether it is learning."""
        return self._process is not None

    def start(self, name: str, without: Sequence[tuple[float, float]]) -> None:
        """Begin to learn a model of this name, unless it is learning."""
        if self._process:
            return
        self._model = self._models / f"{name}.amiss"
        given = self._folder, self._model, self._method, self._config, list(without)
        process = multiprocessing.get_context("spawn").Process(target=_teach, args=given, daemon=True)
        process.start()
        self._process = process

    def done(self) -> tuple[Path | None, str] | None:
        """The model that was finished, or None and why there is none; None while nothing new has come of it."""
        if self._process is None or self._process.is_alive() or self._model is None:
            return None
        status = self._process.exitcode
        self._process.join()
        self._process = None
        if status == 0:
            return self._model, ""
        note = _note(self._model)
        why = note.read_text(encoding="utf-8") if note.is_file() else f"learning ended with status {status}"
        note.unlink(missing_ok=True)
        return None, why

    def stop(self) -> None:
        """Give up what is being learned."""
        if self._process:
            self._process.terminate()
            self._process.join(5)
            self._process.kill()
            self._process.join()
            self._process = None


def _end_with_parent() -> None:
    """Leave when the parent is gone, however it went: nobody waits for what is learned."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _note(model: Path) -> Path:
    return model.with_suffix(".why")


def _teach(folder: Path, model: Path, method: str, config: Config, without: Sequence[tuple[float, float]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(OSError):
        os.nice(POLITE)
    try:
        teach(folder, model, method, config, without)
    except AmissError as error:
        with whole_file(_note(model)) as partial:
            partial.write_text(str(error), encoding="utf-8")
        raise SystemExit(error.exit_status) from None
