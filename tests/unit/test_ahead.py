"""Work that goes ahead gives the same in the same order, says what went wrong, and ends when nobody wants it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from amiss.datasets.sealed import check_open, sealed
from amiss.errors import DatasetError, FootageError
from amiss.perception.ahead import MOST, MOST_BYTES, ahead, in_groups, shared_cores
from amiss.types import Frame


def counting(made: list[int], number: int = 50) -> Iterator[int]:
    for item in range(number):
        made.append(item)
        yield item


def test_all_items_come_in_their_order_from_another_thread() -> None:
    names: set[str] = set()
    found = list(ahead((names.add(threading.current_thread().name), item)[1] for item in range(100)))
    assert found == list(range(100))
    assert names == {"ahead"}
    assert list(ahead([])) == []


def test_it_goes_ahead_and_no_further_than_two() -> None:
    made: list[int] = []
    items = ahead(counting(made))
    assert next(items) == 0
    until = time.monotonic() + 5
    while len(made) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(made) == 3, "one was taken, one waits, one is made"
    items.close()


def test_what_goes_wrong_is_raised_after_what_came_before() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise FootageError("the file ends here")

    taken: list[int] = []
    with pytest.raises(FootageError, match="ends here"):
        taken.extend(ahead(item for item in ahead(broken())))
    assert taken == [1]


def test_whoever_stops_early_leaves_no_thread() -> None:
    closed: list[str] = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append("inner")

    items = ahead(item for item in ahead(endless()))
    assert next(items) == 1
    items.close()
    assert closed == ["inner"]
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]


def test_labels_that_are_sealed_here_are_sealed_there() -> None:
    with sealed("scores"), pytest.raises(DatasetError, match="sealed"):
        list(ahead(check_open(name) for name in ("01",)))


def frames(number: int, height: int, width: int) -> Iterator[Frame]:
    return (Frame(np.zeros((height, width, 3), np.uint8), index, index / 10) for index in range(number))


def test_groups_are_bounded_by_frames_and_by_bytes() -> None:
    assert [len(group) for group in in_groups(frames(2 * MOST + 3, 4, 4))] == [MOST, MOST, 3]
    side = int((MOST_BYTES / 3 / 3) ** 0.5)
    assert [len(group) for group in in_groups(frames(7, side, side))] == [3, 3, 1]
    assert [len(group) for group in in_groups(frames(2, 2400, 2400))] == [1, 1]
    assert [frame.index for group in in_groups(frames(20, 4, 4)) for frame in group] == list(range(20))


def test_opencv_has_its_threads_again_afterwards() -> None:
    before = cv2.getNumThreads()
    with shared_cores():
        assert cv2.getNumThreads() <= before
    assert cv2.getNumThreads() == before
