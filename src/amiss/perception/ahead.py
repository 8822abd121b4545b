"""Work on footage that goes ahead of whoever wants its results: decoding and looking, while the rest is made of it."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

import cv2

from amiss.types import Frame

__all__ = ["ahead", "in_groups", "shared_cores"]

T = TypeVar("T")

MOST, MOST_BYTES = 8, 1 << 24
"""Frames, and bytes of their pictures, that are looked at together."""
WORKERS = 3
"""Threads that work on one video: decoding, looking, and what is made of it."""
OFTEN = 0.1
"""Seconds after which a thread asks whether anybody still wants what it has."""


@dataclass(frozen=True)
class _End:
    """Nothing more comes, or this went wrong."""

    error: BaseException | None = None


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """The same items in the same order, made by a thread of its own while those before are worked on.

    One waits and one is being made, so that memory stays flat. What goes wrong there is raised here; the thread ends
    when the generator is closed.

    Args:
        items: Made as they are asked for.
    """
    made: queue.Queue[T | _End] = queue.Queue(1)
    wanted = threading.Event()
    wanted.set()
    # a copy of the context: labels that are sealed here are sealed there
    thread = threading.Thread(target=copy_context().run, args=(_make, items, made, wanted), name="ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        wanted.clear()
        thread.join()


def _make(items: Iterable[T], made: queue.Queue[T | _End], wanted: threading.Event) -> None:
    """Hand on each item as long as it is wanted, and then how it ended."""
    iterator, end = iter(items), _End()
    try:
        for item in iterator:
            if not _put(item, made, wanted):
                break
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is raised where the items are wanted
        end = _End(error)
    if isinstance(iterator, Generator):
        iterator.close()
    _put(end, made, wanted)


def _put(item: T, made: queue.Queue[T], wanted: threading.Event) -> bool:
    """Whether it was still wanted."""
    while wanted.is_set():
        with suppress(queue.Full):
            made.put(item, timeout=OFTEN)
            return True
    return False


def in_groups(frames: Iterable[Frame]) -> Iterator[Sequence[Frame]]:
    """The frames in groups of a few, fewer where they are large."""
    group: list[Frame] = []
    for frame in frames:
        group.append(frame)
        if len(group) == MOST or (len(group) + 1) * frame.image.nbytes > MOST_BYTES:
            yield group
            group = []
    if group:
        yield group


@contextmanager
def shared_cores() -> Iterator[None]:
    """While the block runs, OpenCV takes no more cores for a picture than there are for each of the threads."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(min(before, max((os.cpu_count() or 1) // WORKERS, 1)))
    try:
        yield
    finally:
        cv2.setNumThreads(before)
