"""Messages on their way: a thread a receiver, so that one that is broken delays no other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from amiss.errors import AmissError, DeliveryError
from amiss.live.notify.base import BatchChannel, Channel, Outbox, Outcome
from amiss.live.nouns import Message

__all__ = ["Deliverer"]

log = logging.getLogger(__name__)

BATCH = 32
FIRST, LONGEST = 1.0, 30.0
"""Seconds for which a receiver is left alone after a failure: at first, and at most where it does not ask for more."""
FAULTS = (OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError)
"""What a channel or an outbox that is at fault itself may raise; it costs an attempt, never the thread."""


class Deliverer:
    """Takes due messages from the outbox in their order, sends them and marks them.

    A message is marked as delivered only after its receiver acknowledged it, so that it is delivered at least once.
    Where the mark cannot be written it is written later; the message is not sent again by this process.

    Args:
        outbox: What keeps messages; it is called from several threads.
        channels: The receivers, each with another name.
        poll: Seconds after which the outbox is looked at if nobody calls `wake`.
        alive: Told the name of a channel at least every `poll` seconds while its thread is well, except during one
            `send`.
    """

    def __init__(
        self,
        outbox: Outbox,
        channels: Sequence[Channel],
        poll: float = 5.0,
        alive: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._workers = [_Worker(outbox, channel, poll, alive) for channel in channels]

    def start(self) -> None:
        """Start all channels and their threads."""
        for worker in self._workers:
            worker.start()

    def wake(self) -> None:
        """There is something new in the outbox; returns at once."""
        for worker in self._workers:
            worker.wake()

    def stop(self) -> None:
        """Begin to send nothing more; returns at once."""
        for worker in self._workers:
            worker.stop()

    def finish(self, timeout: float = 10.0) -> bool:
        """Try once more to send all that is due, then close.

        Args:
            timeout: Most seconds that this takes; the first third of them is for what is sent.

        Returns:
            Whether all threads have ended.
        """
        for worker in self._workers:
            worker.finish()
        self._join(time.monotonic() + timeout / 3)
        return self.close(2 * timeout / 3)

    def close(self, timeout: float = 10.0) -> bool:
        """Stop; what is not delivered stays in the outbox.

        Args:
            timeout: Most seconds that this takes; in the first third of them what is being sent may end.

        Returns:
            Whether all threads have ended.
        """
        self.stop()
        begun = time.monotonic()
        self._join(begun + timeout / 3)
        for worker in self._workers:
            worker.close_channel()
        return self._join(begun + timeout)

    def _join(self, until: float) -> bool:
        ended = [worker.join(max(until - time.monotonic(), 0.0)) for worker in self._workers]
        return all(ended)


class _Worker:
    """The thread of one channel."""

    def __init__(self, outbox: Outbox, channel: Channel, poll: float, alive: Callable[[str], None]) -> None:
        self._outbox, self._channel, self._poll, self._alive = outbox, channel, poll, alive
        self._thread = threading.Thread(target=self._run, name=f"deliver-{channel.name}", daemon=True)
        self._state = threading.Condition()
        self._stopped = self._last = False
        self._news = False
        self._growing = FIRST
        self._unmarked: set[str] = set()

    def start(self) -> None:
        self._channel.start()
        self._thread.start()

    def wake(self) -> None:
        with self._state:
            self._news = True
            self._state.notify_all()

    def stop(self) -> None:
        with self._state:
            self._stopped = True
            self._state.notify_all()

    def finish(self) -> None:
        with self._state:
            self._last = True
            self._state.notify_all()

    def join(self, seconds: float) -> bool:
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def close_channel(self) -> None:
        try:
            self._channel.close()
        except (AmissError, *FAULTS) as error:
            log.warning("alerts to %s: closing failed (%s)", self._channel.name, type(error).__name__)

    def _run(self) -> None:
        while not self._stopped:
            last = self._last  # asked before the outbox is: what was put there until then is sent
            pause = self._round()
            if last:
                return
            if pause:
                self._rest(pause)
            else:
                self._wait_for_news()

    def _round(self) -> float:
        """Send what is due; returns seconds for which the receiver is to be left alone, 0 for none."""
        try:
            while messages := self._taken():
                for group in self._groups(messages):
                    if self._stopped:
                        return 0.0
                    self._alive(self._channel.name)
                    self._try(group)
        except DeliveryError as error:
            return self._pause(error.pause)
        except AmissError as error:
            log.warning("alerts to %s: the outbox cannot be used: %s", self._channel.name, error)
            return self._pause(None)
        except FAULTS as error:
            log.warning("alerts to %s: the outbox failed with %s", self._channel.name, type(error).__name__)
            return self._pause(None)
        return 0.0

    def _try(self, group: list[Message]) -> None:
        """Deliver, as `_deliver` says; in the last round one message that is refused keeps no other back."""
        try:
            self._deliver(group)
        except DeliveryError as error:
            if not (self._last and error.alone):
                raise

    def _taken(self) -> list[Message]:
        """Some due messages; news that come from now on are looked at again."""
        with self._state:
            self._news = False
        return self._outbox.due(self._channel.name, time.time(), BATCH)

    def _groups(self, messages: list[Message]) -> list[list[Message]]:
        """What is sent and marked as one: all, or one after the other."""
        return [messages] if isinstance(self._channel, BatchChannel) else [[message] for message in messages]

    def _deliver(self, messages: list[Message]) -> None:
        """Send messages, and mark those that arrived as one.

        Raises:
            DeliveryError: One was not delivered, and that is marked.
            StorageError: They cannot be marked.
        """
        fresh = [message for message in messages if message.id not in self._unmarked]
        outcomes = self._send(fresh) if fresh else []
        tried = list(zip(fresh, outcomes, strict=False))
        self._unmarked.update(message.id for message, error in tried if error is None)
        self._mark([message for message in messages if message.id in self._unmarked])
        for message, error in tried:
            if error is not None:  # what failed with it is tried again with it
                log.warning("alerts to %s: %s is not delivered: %s", self._channel.name, message.id, error)
                self._outbox.failed(message, time.time(), str(error))
                raise error

    def _mark(self, messages: list[Message]) -> None:
        if messages:
            self._outbox.delivered_all(messages, time.time())
            self._unmarked.difference_update(message.id for message in messages)
            self._growing = FIRST

    def _send(self, messages: list[Message]) -> list[Outcome]:
        """What became of the first of some messages."""
        try:
            if isinstance(self._channel, BatchChannel):
                return self._channel.send_many(messages)
            self._channel.send(messages[0])
        except DeliveryError as error:
            return [error]
        except FAULTS as error:  # its text may repeat an address, so only its kind is told
            return [DeliveryError(f"the channel failed with {type(error).__name__}", pause=FIRST, alone=True)]
        return [None]

    def _pause(self, asked: float | None) -> float:
        """Seconds to leave the receiver alone: as asked, or longer each time."""
        if asked is not None:
            return max(asked, FIRST)
        pause, self._growing = self._growing, min(2 * self._growing, LONGEST)
        return pause

    def _rest(self, pause: float) -> None:
        """Leave the receiver alone; news do not cut it short."""
        until = time.monotonic() + pause
        with self._state:
            while not (self._stopped or self._last) and (left := until - time.monotonic()) > 0:
                self._state.wait(min(left, self._poll))
                self._alive(self._channel.name)

    def _wait_for_news(self) -> None:
        with self._state:
            if not (self._stopped or self._last or self._news):
                self._state.wait(self._poll)
        self._alive(self._channel.name)
