"""Making the next batches while the present one is learned from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

__all__ = ["prefetch"]

Item = TypeVar("Item")
Made = TypeVar("Made")


def prefetch(make: Callable[[Item], Made], items: Iterable[Item], ahead: int = 2) -> Generator[Made, None, None]:
    """What `make` gives for each item, in order, made in a thread of its own.

    What `make` raises is raised here. The thread ends with the generator: close it where it may not be read to its end.

    Args:
        make: Called in the other thread.
        items: Read in this one.
        ahead: At most so many are made before they are asked for.
    """
    waiting: deque[Future[Made]] = deque()
    # Torch has a count of threads for each thread; with more than one here, it would take the cores from the training.
    with ThreadPoolExecutor(1, "amiss-feed", torch.set_num_threads, (1,)) as thread:
        try:
            for item in items:
                waiting.append(thread.submit(make, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
