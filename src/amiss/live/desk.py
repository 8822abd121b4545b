"""Cameras as the watcher has them, and how they come and go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from amiss.live.feed.camera import Camera
from amiss.live.keeper import Keeper
from amiss.live.nouns import Arrival
from amiss.live.post import Post
from amiss.live.seat import Seat
from amiss.live.store import Lease

__all__ = ["CameraHouse", "Desk", "PostHouse"]


@dataclass(frozen=True, eq=False)
class Desk:
    """A camera and what is done with its frames."""

    camera: Camera
    seat: Seat
    waiting: deque[Arrival]

    def close(self) -> None:
        """End it; what was seen is kept."""
        self.camera.stop()
        self.seat.close()


class CameraHouse:
    """Opens and closes cameras that are shared.

    Args:
        desks: Those that are open, by name; changed here.
        leases: Under which what is seen is kept, by name; likewise.
        make: Makes a camera's desk.
        gone: Told the name of each camera that is closed.
    """

    def __init__(
        self,
        desks: dict[str, Desk],
        leases: dict[str, Lease],
        make: Callable[[str], Desk],
        gone: Callable[[str], None],
    ) -> None:
        self._desks, self._leases, self._make, self._gone = desks, leases, make, gone
        self._ready: dict[str, Desk] = {}

    def prepare(self, lease: Lease) -> Callable[[], None]:
        """Load its model, and end what another process left open.

        Raises:
            AmissError: Its model, or its folder, cannot be used here.
        """
        self._leases[lease.name] = lease
        self._ready[lease.name] = self._make(lease.name)
        return partial(self._begin, lease.name)

    def leave(self, lease: Lease) -> None:
        """Stop it at once, and end the event that goes on."""
        desk = self._ready.pop(lease.name, None) or self._desks.pop(lease.name, None)
        if desk is not None:
            desk.close()
        self._leases.pop(lease.name, None)
        self._gone(lease.name)

    def _begin(self, name: str) -> None:
        self._desks[name] = self._ready.pop(name)
        self._desks[name].camera.start()


class PostHouse:
    """Takes up and gives up receivers that are shared.

    Args:
        post: Where they are.
        keeper: Ends what is being sent, which takes a moment.
    """

    def __init__(self, post: Post, keeper: Keeper) -> None:
        self._post, self._keeper = post, keeper

    def prepare(self, lease: Lease) -> Callable[[], None]:
        """Nothing takes long."""
        return partial(self._post.take_up, lease.name)

    def leave(self, lease: Lease) -> None:
        """Send nothing more."""
        if self._post.stop(lease.name):
            self._keeper.add(f"the end of alerts to {lease.name}", partial(self._post.give_up, lease.name), must=False)
