"""Memory that two processes share, with a lock that the death of either cannot keep closed."""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Block"]

_PAUSE = 0.0005


class Block:
    """A piece of memory without a name: it is gone when the last process that has it open is gone, however that ended.

    So nothing can be left behind, there is nothing to clean up, and the size of `/dev/shm` does not matter. Pages that
    were never written take no memory.

    The lock is one of the operating system's record locks: it belongs to a process, excludes the other one, and is
    opened by the system when its holder dies. It does not exclude threads of one process from each other.

    Args:
        descriptor: An open file descriptor, which is the block's from now on.
        size: Bytes.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._memory = mmap.mmap(descriptor, size)

    @classmethod
    def create(cls, size: int) -> Block:
        """New memory, all zero.

        Args:
            size: Bytes.

        Raises:
            OSError: There is not so much memory, or too many files are open.
        """
        descriptor = _anonymous_file()
        try:
            os.ftruncate(descriptor, size)
            return cls(descriptor, size)
        except (OSError, ValueError, OverflowError) as error:
            os.close(descriptor)
            raise OSError(f"{size} bytes of shared memory cannot be had ({error})") from error

    def send(self, connection: Connection) -> None:
        """Let the process at the other end of a connection have it."""
        send_handle(connection, self._descriptor, None)

    @classmethod
    def receive(cls, connection: Connection, size: int) -> Block:
        """Memory that another process sent.

        Args:
            connection: Where `send` was called at the other end.
            size: Bytes, as in `create`.
        """
        return cls(recv_handle(connection), size)

    def array(self, dtype: DTypeLike, offset: int, *shape: int) -> NDArray[Any]:
        """A part of the memory as an array.

        Args:
            dtype: Of the array.
            offset: Bytes before it.
            shape: Of the array.
        """
        count = int(np.prod(shape))
        return np.frombuffer(self._memory, dtype, count, offset).reshape(shape)

    @contextmanager
    def locked(self, patience: float | None = None) -> Iterator[None]:
        """Hold the lock; what was written before it was given back is seen by whoever has it next.

        Args:
            patience: Seconds to wait for it; None waits for ever.

        Raises:
            TimeoutError: The other process holds it for so long.
        """
        if patience is None:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        else:
            self._try_lock(patience)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def _try_lock(self, patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):  # either says that another process has it
                if time.monotonic() >= until:
                    raise TimeoutError("the other process holds the lock") from None
                time.sleep(_PAUSE)
            else:
                return

    def close(self) -> None:
        """Give the descriptor back; the memory goes when no array looks at it any more."""
        os.close(self._descriptor)


def _anonymous_file() -> int:
    """A descriptor of a file in memory that has no name; on disk where the system has no such files."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("amiss")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
