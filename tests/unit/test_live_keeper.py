"""What is to be kept is kept, in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from amiss.errors import BusyError, LeaseError, StorageError
from amiss.live import keeper as module
from amiss.live.keeper import Keeper
from support_servers import until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 0.02)
    monkeypatch.setattr(module, "MOST", 0.05)


@pytest.fixture
def failed() -> list[str]:
    return []


@pytest.fixture
def keeper(failed: list[str]) -> Iterator[Keeper]:
    made = Keeper(failed.append)
    made.start()
    yield made
    made.close(1.0)


def failing(times: int, error: Exception, done: list[str], name: str) -> Callable[[], None]:
    """Fails so many times, then works."""
    left = [times]

    def work() -> None:
        if left[0]:
            left[0] -= 1
            raise error
        done.append(name)

    return work


def test_all_is_done_in_order(keeper: Keeper) -> None:
    done: list[int] = []
    for number in range(200):
        keeper.add("it", lambda number=number: done.append(number))
    until(lambda: keeper.waiting == 0)
    assert done == list(range(200))


def test_what_must_be_kept_is_tried_until_it_is_and_nothing_overtakes_it(keeper: Keeper, failed: list[str]) -> None:
    done: list[str] = []
    keeper.add("event", failing(4, StorageError("the database failed"), done, "event"))
    keeper.add("next", lambda: done.append("next"))
    until(lambda: len(done) == 2)
    assert done == ["event", "next"]
    assert failed == ["event"] * 4


def test_all_else_is_tried_once_or_while_the_store_is_busy(keeper: Keeper, failed: list[str]) -> None:
    done: list[str] = []
    keeper.add("clip", failing(1, StorageError("no room"), done, "clip"), must=False)
    keeper.add("look", failing(2, BusyError("locked"), done, "look"), must=False)
    keeper.add("last", lambda: done.append("last"))
    until(lambda: "last" in done)
    assert done == ["look", "last"]
    assert failed == ["clip", "look", "look"]


def test_what_another_process_has_by_now_is_given_up(keeper: Keeper, failed: list[str]) -> None:
    done: list[str] = []
    keeper.add("event", failing(9, LeaseError("the camera went to another shard"), done, "event"))
    keeper.add("next", lambda: done.append("next"))
    until(lambda: bool(done))
    assert done == ["next"]
    assert failed == ["event"]


def test_a_fault_in_one_thing_does_not_stop_the_others(
    keeper: Keeper, failed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []
    keeper.add("broken", failing(1, ZeroDivisionError(), done, "broken"))
    keeper.add("next", lambda: done.append("next"))
    until(lambda: bool(done))
    assert done == ["next"]
    assert failed == ["broken"]
    assert "broken failed and is given up" in caplog.text


def test_closing_does_what_is_left(failed: list[str]) -> None:
    done: list[int] = []
    made = Keeper(failed.append)
    for number in range(20):
        made.add("it", lambda number=number: (time.sleep(0.002), done.append(number))[1])
    made.start()
    assert made.close(5.0)
    assert done == list(range(20))


def test_closing_takes_no_longer_than_it_may(failed: list[str]) -> None:
    made = Keeper(failed.append)
    made.start()
    made.add("never", failing(10_000, StorageError("gone"), [], ""))
    made.add("behind", lambda: None)
    begun = time.monotonic()
    assert not made.close(0.3)
    assert time.monotonic() - begun < 1.0
    assert made.waiting == 2


def test_one_that_was_never_started_can_be_closed() -> None:
    made = Keeper()
    made.add("it", lambda: None)
    assert not made.close(0.1)


def test_it_says_that_it_is_well_also_while_something_fails() -> None:
    signs: list[float] = []
    release = threading.Event()
    made = Keeper(alive=lambda: signs.append(time.monotonic()))
    made.start()

    def wait_for_it() -> None:
        if not release.is_set():
            raise BusyError("locked")

    made.add("it", wait_for_it)
    until(lambda: len(signs) > 5)
    release.set()
    assert made.close(2.0)
