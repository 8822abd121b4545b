"""Puts an event and its media into a store, and kills itself on the way: run by the tests of faults.

It reads lines `point event` and answers each with a line of JSON: what was acknowledged, and by which signal it died.
Each is done by a process of its own, forked before any store is open.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event as hooks

from amiss.live.nouns import Change
from amiss.live.settings import MediaSettings
from amiss.live.store import Media, MediaKind, Store
from support_stores import AT, Clock, event


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(real: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which does not come back."""

    def replaced(*given: Any, **named: Any) -> None:
        real(*given, **named)
        die()

    return replaced


class Trap:
    """Where the process dies.

    Args:
        store: What it happens to.
        point: Of `POINTS` in the tests, or `statement:N` before the Nth statement of the first transaction.
    """

    def __init__(self, store: Store, point: str) -> None:
        self.point, self.seen = point, 0
        engine = store._database._writer
        if point.startswith("statement:"):
            hooks.listen(engine, "before_cursor_execute", self._statement)
        elif point == "commit":
            hooks.listen(engine, "commit", die)
        elif point == "committed":
            engine.dialect.do_commit = after(engine.dialect.do_commit)  # type: ignore[method-assign]

    def _statement(self, *_: object) -> None:
        if self.seen == int(self.point.partition(":")[2]):
            die()
        self.seen += 1

    def at(self, point: str) -> None:
        if point == self.point:
            die()


def put(url: str, folder: Path, point: str, name: str, said: Callable[[str], None]) -> None:
    """A whole event, up to the point."""
    store = Store.open(url, folder, clock=Clock())
    media = Media(store, MediaSettings(free=0), clock=Clock())
    trap = Trap(store, point)
    trap.at("before")
    store.put_event(event(name), Change.NEW, ["phone", "mail"])
    said("new")
    trap.seen = -1000  # its transaction is over
    trap.at("acknowledged")

    def writer(path: Path) -> None:
        path.write_text("half")
        trap.at("writing")
        path.write_text("whole")

    if point == "written":
        Path.replace = die  # type: ignore[method-assign, assignment]
    if point == "renamed":
        Path.replace = after(Path.replace)  # type: ignore[method-assign]
    if point == "unnamed":
        Store.set_media = die  # type: ignore[method-assign, assignment]
    media.write(name, MediaKind.CLIP, writer)
    said("clip")
    trap.at("named")
    store.put_event(event(name, end=AT + 9, open=False), Change.END, ["phone"])
    said("end")


def run(url: str, folder: Path, point: str, name: str) -> dict[str, Any]:
    """Do it in a process of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        put(url, folder, point, name, lambda words: os.write(writer, f"{words}\n".encode()) and None)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read().split()
    _, status = os.waitpid(child, 0)
    return {"said": said, "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, "exit": status >> 8}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(sys.argv[1], Path(sys.argv[2]), *line.split())) + "\n")
        sys.stdout.flush()
