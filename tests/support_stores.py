"""Stores and what is put into them, for the tests of the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from amiss.live.nouns import EventRow
from amiss.live.store import Store

AT = 1_700_000_000.0  # 2023-11-14T22:13:20Z


def event(name: str = "e1", **changes: Any) -> EventRow:
    """An event of everything that one can have."""
    tube = {
        "at": [AT, AT + 0.5],
        "xyxy": [[1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 4.0, 4.5]],
        "track": [7, 7],
        "score": [2.5, 3.5],
    }
    row = EventRow(
        id=name,
        camera="gate",
        start=AT,
        peak=AT + 0.5,
        end=AT + 1.25,
        open=True,
        alarm=True,
        severity=3.5,
        level=3.0,
        model="abc",
        parts={"velocity": 3.5, "pose": 0.25},
        reasons=("faster than 99.9 % of 41,000 tracks here", "größer – and “quoted”"),
        examples=("0001.jpg",),
        tube=tube,
        size=(640, 360),
        zones=("door",),
        likeness={"place": [0.5, 0.25], "vector": [1.0, 2.0]},
    )
    return replace(row, **changes)


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self, now: float = AT) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """An empty database and a folder of media, and how they are opened."""

    url: str | Path
    media: Path
    opened: list[Store]

    def open(self, patience: float = 5.0, clock: Callable[[], float] | None = None) -> Store:
        """A store of it, closed when the test ends."""
        self.opened.append(Store.open(self.url, self.media, patience=patience, clock=clock or Clock()))
        return self.opened[-1]

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()
