"""The receivers that this process sends to, of which some may come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from amiss.live.notify import Channel, Deliverer, Outbox
from amiss.live.notify.base import Standing, StateChannel

__all__ = ["Post"]


class Post:
    """Has a deliverer for each receiver that was taken up.

    Args:
        outbox: What keeps messages.
        makers: Make the channels to all receivers there are, by name; each is called again when one is taken up again.
        poll: Seconds after which the outbox is looked at if nobody calls `wake`.
        standing: Says what goes on just now, for receivers that show it.

    Raises:
        ConfigError: A channel cannot be made.
    """

    def __init__(
        self,
        outbox: Outbox,
        makers: Mapping[str, Callable[[], Channel]],
        poll: float,
        standing: Callable[[], Standing] = Standing,
    ) -> None:
        self._outbox, self._makers, self._poll, self._standing = outbox, makers, poll, standing
        self._made = {name: make() for name, make in makers.items()}
        self._deliverers: dict[str, Deliverer] = {}
        self._lock = threading.Lock()

    def take_up(self, name: str) -> None:
        """Send to a receiver from now on; to be called once until it is given up."""
        channel = self._made.pop(name, None) or self._makers[name]()
        if isinstance(channel, StateChannel):
            channel.stand(self._standing())
        deliverer = Deliverer(self._outbox, [channel], self._poll)
        with self._lock:
            self._deliverers[name] = deliverer
        deliverer.start()

    def stop(self, name: str) -> bool:
        """Begin nothing new with a receiver; returns at once, and whether it was taken up. `give_up` is to follow."""
        with self._lock:
            deliverer = self._deliverers.get(name)
        if deliverer is not None:
            deliverer.stop()
        return deliverer is not None

    def give_up(self, name: str) -> None:
        """Send to it no more; takes some seconds at most. What is not delivered stays in the outbox."""
        with self._lock:
            deliverer = self._deliverers.pop(name)
        deliverer.close()

    def wake(self) -> None:
        """There is something new in the outbox; returns at once."""
        with self._lock:
            some = list(self._deliverers.values())
        for deliverer in some:
            deliverer.wake()

    def close(self, *, last: bool = True) -> None:
        """Give all up at once.

        Args:
            last: Send what is still due before; where others go on with it there is no need to.
        """
        with self._lock:
            some, self._deliverers = list(self._deliverers.values()), {}
        if some:
            with ThreadPoolExecutor(len(some)) as pool:
                list(pool.map(Deliverer.finish if last else Deliverer.close, some))

    def tell_rest(self) -> None:
        """Send what is due to any receiver, once, where nobody else is left who would.

        Raises:
            StorageError: The outbox cannot be used.
        """
        for name in self._makers:
            if self._outbox.due(name, time.time(), 1):
                self.take_up(name)
        self.close()
