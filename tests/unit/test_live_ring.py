"""Pictures through shared memory between two processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from amiss.live.feed.block import Block
from amiss.live.feed.board import Board, Doing
from amiss.live.feed.ring import Picture, Ring
from support_rtsp import open_files, shared_memory

SPAWN = multiprocessing.get_context("spawn")
ROOM = 64 * 48 * 3


def picture(level: int, size: tuple[int, int] = (64, 48), run: int = 0) -> Picture:
    return Picture(np.full((size[1], size[0], 3), level % 256, np.uint8), run, level / 10, 1000.0, 5.0 + level)


def levels(pictures: list[Picture]) -> list[int]:
    return [int(p.image[0, 0, 0]) for p in pictures]


@pytest.fixture
def ring() -> Iterator[Ring]:
    ring = Ring.create(4, ROOM)
    yield ring
    ring.close()


def test_pictures_come_out_in_order_with_all_that_is_said_of_them(ring: Ring) -> None:
    ring.put(picture(3))
    ring.put(picture(7, (20, 30), run=2))
    first, second = ring.take()
    np.testing.assert_array_equal(first.image, picture(3).image)
    np.testing.assert_array_equal(second.image, picture(7, (20, 30)).image)
    assert (second.run, second.seconds, second.start, second.clock) == (2, 0.7, 1000.0, 12.0)
    assert ring.take() == []


def test_images_own_their_pixels(ring: Ring) -> None:
    ring.put(picture(3))
    (taken,) = ring.take()
    for level in range(20):
        ring.put(picture(level))
    assert taken.image.flags.owndata or taken.image.base.flags.owndata  # type: ignore[union-attr]
    assert (taken.image == 3).all()


def test_the_oldest_are_dropped_and_counted(ring: Ring) -> None:
    for level in range(11):
        ring.put(picture(level))
    assert (ring.published, ring.dropped) == (11, 7)
    assert levels(ring.take()) == [7, 8, 9, 10]
    ring.put(picture(11))
    assert levels(ring.take()) == [11]
    assert ring.dropped == 7


def test_the_reader_is_told_once_until_it_looks(ring: Ring) -> None:
    assert [ring.put(picture(level)) for level in range(3)] == [True, False, False]
    ring.take()
    assert [ring.put(picture(level)) for level in range(2)] == [True, False]


def test_memory_that_was_not_written_is_not_taken() -> None:
    ring = Ring.create(64, 3840 * 2160 * 3)
    before = resident()
    ring.put(picture(1))
    ring.take()
    assert resident() - before < 1 << 20
    ring.close()


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fill(connection: Connection, count: int, pause: float) -> None:
    ring = Ring.receive(connection, 4, ROOM)
    for level in range(count):
        ring.put(picture(level))
        time.sleep(pause)
    connection.send("done")
    connection.recv()


@contextmanager
def filler(ring: Ring, count: int, pause: float = 0.0) -> Iterator[tuple[Connection, BaseProcess]]:
    """A process that puts pictures in."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=fill, args=(there, count, pause), daemon=True)
    process.start()
    there.close()
    ring.send(here)
    yield here, process
    process.kill()
    process.join()
    process.close()
    here.close()


def test_no_torn_picture_is_read_however_the_two_run(ring: Ring) -> None:
    taken: list[Picture] = []
    with filler(ring, 4000) as (connection, _):
        while not connection.poll():
            taken += ring.take()
        taken += ring.take()
    assert all((p.image == p.image[0, 0, 0]).all() for p in taken)
    numbers = [round(p.seconds * 10) for p in taken]
    assert [number % 256 for number in numbers] == levels(taken)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 3999
    assert len(taken) + ring.dropped == ring.published == 4000


@pytest.mark.parametrize("attempt", range(3))
def test_a_writer_that_is_killed_leaves_whole_pictures_and_an_open_lock(ring: Ring, attempt: int) -> None:
    with filler(ring, 1 << 30) as (_, process):
        while ring.published < 50 + attempt:
            time.sleep(0.001)
        process.kill()
        process.join()
        taken = ring.take()
    assert len(taken) in (3, 4)
    assert all((p.image == p.image[0, 0, 0]).all() for p in taken)
    assert ring.take() == []


def hold(connection: Connection) -> None:
    block = Block.receive(connection, 8)
    with block.locked():
        connection.send("held")
        connection.recv()


def test_a_lock_that_is_held_does_not_stop_the_reader_and_opens_with_its_holders_death() -> None:
    block = Block.create(8)
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=hold, args=(there,), daemon=True)
    process.start()
    there.close()
    block.send(here)
    assert here.recv() == "held"
    os.kill(process.pid or 0, signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(TimeoutError), block.locked(0.02):
        pass
    assert time.monotonic() - start < 0.5
    process.kill()
    process.join()
    with block.locked(0.5):
        pass
    block.close()
    here.close()
    process.close()


def test_memory_that_cannot_be_had_is_an_error_without_a_leak() -> None:
    before = open_files()
    with pytest.raises(OSError, match="bytes of shared memory cannot be had"):
        Block.create(1 << 62)
    assert open_files() == before


def test_a_board_is_read_by_another_process_and_knows_when_a_promise_is_broken() -> None:
    board = Board.create()
    here, there = SPAWN.Pipe()
    board.send(here)
    other = Board.receive(there)
    other.doing = Doing.RUNNING
    other.count_decoded()
    other.promise(0.05)
    assert (board.doing, board.decoded, board.corrupt) == (Doing.RUNNING, 1, 0)
    assert -0.05 <= board.late < 0
    time.sleep(0.06)
    assert board.late > 0
    for thing in (board, other, here, there):
        thing.close()


LEAVES = """
import multiprocessing, os, sys
from amiss.live.feed.ring import Ring
def child(connection):
    ring = Ring.receive(connection, 4, 3)
    connection.send(1)
    connection.recv()
if __name__ == "__main__":
    ctx = multiprocessing.get_context("spawn")
    here, there = ctx.Pipe()
    process = ctx.Process(target=child, args=(there,), daemon=True)
    process.start()
    ring = Ring.create(4, 3)
    ring.send(here)
    here.recv()
    if sys.argv[1] == "child":
        process.kill()
    if sys.argv[1] == "both":
        process.kill()
        os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("killed", ["none", "child", "both"])
def test_nothing_is_left_behind_and_nothing_complains(tmp_path: Path, killed: str) -> None:
    script = tmp_path / "leaves.py"
    script.write_text(LEAVES)
    before = shared_memory()
    done = subprocess.run([sys.executable, script, killed], capture_output=True, text=True, timeout=60)  # noqa: S603
    assert done.stderr == ""
    assert done.returncode == (-9 if killed == "both" else 0)
    assert shared_memory() == before
