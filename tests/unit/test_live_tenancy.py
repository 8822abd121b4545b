"""What a shard has: nothing where it is not certain, its share where it is, and each thing opened and closed once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amiss.errors import BusyError, ConfigError, ModelError
from amiss.live.keeper import Keeper
from amiss.live.moves import Moves
from amiss.live.post import Post
from amiss.live.settings import ShardSettings
from amiss.live.store import Lease, LeaseKind, Store
from amiss.live.tenancy import Key, Tenancy
from support_postgres import Postgres
from support_servers import MemoryChannel, MemoryOutbox, event, until
from support_stores import Place

NAMES = {LeaseKind.CAMERA: ["c0", "c1", "c2", "c3"]}
LEASE, RENEW = 1.5, 0.3


@pytest.fixture
def place(postgres: Postgres, tmp_path: Path) -> Iterator[Place]:
    made = Place(postgres.new_database(), tmp_path / "media", [])
    yield made
    made.close()


class Shards:
    """Shards of a store, in this process."""

    def __init__(self, place: Place) -> None:
        self.place, self.all = place, list[Tenancy]()

    def __call__(self, name: str, store: Store | None = None, names: Any = None) -> Tenancy:
        settings = ShardSettings(name=name, lease=LEASE, renew=RENEW)
        self.all.append(Tenancy(store or self.place.open(0.2), settings, names or NAMES))
        self.all[-1].start()
        return self.all[-1]


@pytest.fixture
def shards(place: Place) -> Iterator[Shards]:
    made = Shards(place)
    yield made
    for one in made.all:
        one.close()


class Away:
    """A store whose database is away as long as it is told so."""

    def __init__(self, store: Store) -> None:
        self._store, self.away = store, False

    def __getattr__(self, name: str) -> Any:
        if self.away and name == "renew_leases":
            return self._busy
        return getattr(self._store, name)

    def _busy(self, *_: object, **__: object) -> None:
        raise BusyError("the server does not answer")


def test_one_gives_back_what_is_the_share_of_another(shards: Shards) -> None:
    first = shards("a")
    until(lambda: len(first.leases) == 4)
    assert first.surplus == set()
    second = shards("b")
    until(lambda: len(first.surplus) == 2)
    kept = set(first.leases) - first.surplus
    for key in first.surplus:
        first.release(first.leases[key])
    until(lambda: len(second.leases) == 2)
    assert set(first.leases) == kept
    assert not kept & set(second.leases)
    numbers = second.numbers
    assert (numbers.shard, numbers.held, numbers.share, numbers.shards) == ("b", 2, 2, 2)
    assert 0 < numbers.left <= LEASE
    second.close()
    until(lambda: len(first.leases) == 4)


def test_without_its_database_it_has_nothing_before_another_may_take_it(shards: Shards, place: Place) -> None:
    away: Any = Away(place.open(0.2))
    first = shards("a", away)
    until(lambda: len(first.leases) == 4)
    away.away = True
    watcher = place.open()
    held = watcher.holdings(LeaseKind.CAMERA)
    until(lambda: not first.leases, LEASE + 1)
    left = min(one.left for one in watcher.holdings(LeaseKind.CAMERA))
    assert left > 0, "the database would not let anybody take them yet"
    second = shards("b")
    until(lambda: len(second.leases) == 4, LEASE + 2)
    away.away = False
    until(lambda: len(first.leases) == 2 or len(second.surplus) == 2, LEASE + 2)
    assert not set(first.leases) & set(second.leases)
    assert {one.lease.token for one in held} == {1}


def test_after_an_outage_each_finds_what_it_had(shards: Shards, place: Place) -> None:
    stores: list[Any] = [Away(place.open(0.2)), Away(place.open(0.2))]
    first, second = (shards(name, store) for name, store in zip("ab", stores, strict=True))
    until(lambda: len(first.surplus) == 2 or len(second.surplus) == 2 or len(second.leases) == 2)
    for one in (first, second):
        for key in one.surplus:
            one.release(one.leases[key])
    until(lambda: len(first.leases) == len(second.leases) == 2)
    had = first.leases, second.leases
    for store in stores:
        store.away = True
    until(lambda: not first.leases and not second.leases, LEASE + 1)
    time.sleep(0.3)
    for store in stores:
        store.away = False
    until(lambda: (first.leases, second.leases) == had, 2 * LEASE)


def test_a_name_that_is_in_use_is_refused_and_one_of_a_dead_process_is_waited_for(shards: Shards, place: Place) -> None:
    shards("a")
    with pytest.raises(ConfigError, match="another process runs as shard 'a'; give each a name of its own"):
        Tenancy(place.open(), ShardSettings(name="a", lease=LEASE, renew=RENEW), NAMES).start()
    place.open().enter_shard("b", "of a process that was killed", LEASE)
    begun = time.monotonic()
    shards("b")
    assert 0.5 * LEASE < time.monotonic() - begun < 2 * LEASE


def test_who_finds_its_name_taken_has_nothing(shards: Shards, place: Place) -> None:
    first = shards("a")
    until(lambda: first.leases)
    with place.open() as store:
        store.leave_shard(first._run_id)
        store.enter_shard("a", "another", 0.5)
        until(lambda: not first.leases)
    until(lambda: len(first.leases) == 4, 4.0)


# How things are moved


class FakeTenancy:
    """Leases as a test sets them."""

    def __init__(self) -> None:
        self.leases: dict[Key, Lease] = {}
        self.surplus: set[Key] = set()
        self.released: list[tuple[str, bool]] = []

    def has(self, *names: str, token: int = 1) -> None:
        self.leases = {(LeaseKind.CAMERA, name): Lease(LeaseKind.CAMERA, name, token) for name in names}

    def release(self, lease: Lease, *, avoid: bool = False) -> None:
        self.released.append((lease.name, avoid))
        self.leases.pop((lease.kind, lease.name), None)
        self.surplus.discard((lease.kind, lease.name))


class FakeHouse:
    """Notes what happens; a camera `bad` cannot be had, and nothing is ready before `gate` is open."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def prepare(self, lease: Lease) -> Callable[[], None]:
        self.gate.wait(5)
        if lease.name == "bad":
            raise ModelError("there is no model")
        if lease.name == "odd":
            raise ZeroDivisionError
        return lambda: self.did.append(f"begin {lease.name} {lease.token}")

    def leave(self, lease: Lease) -> None:
        self.did.append(f"leave {lease.name} {lease.token}")


class Moving:
    """Moves by hand."""

    def __init__(self) -> None:
        self.tenancy, self.house, self.keeper = FakeTenancy(), FakeHouse(), Keeper()
        self.moves = Moves(self.tenancy, {LeaseKind.CAMERA: self.house}, self.keeper)  # type: ignore[arg-type]

    def follow(self, wanted: Callable[[], object]) -> None:
        until(lambda: (self.moves.follow(), wanted())[1], 3.0)


@pytest.fixture
def moving() -> Iterator[Moving]:
    made = Moving()
    yield made
    made.house.gate.set()
    made.moves.close()
    made.keeper.close(1.0)


def test_what_is_given_back_is_released_when_all_of_it_is_kept(moving: Moving) -> None:
    moving.tenancy.has("c0", "c1")
    moving.follow(lambda: len(moving.house.did) == 2)
    moving.tenancy.surplus = {(LeaseKind.CAMERA, "c1")}
    moving.follow(lambda: "leave c1 1" in moving.house.did)
    for _ in range(5):
        assert not moving.moves.follow(), "it is not opened again while it goes"
    assert moving.tenancy.released == []
    moving.keeper.start()
    until(lambda: moving.tenancy.released == [("c1", False)])
    assert moving.house.did == ["begin c0 1", "begin c1 1", "leave c1 1"] or moving.house.did[2:] == ["leave c1 1"]


def test_what_is_lost_is_closed_and_comes_again_under_its_new_lease(moving: Moving) -> None:
    moving.keeper.start()
    moving.tenancy.has("c0")
    moving.follow(lambda: moving.house.did)
    moving.tenancy.has()
    moving.follow(lambda: "leave c0 1" in moving.house.did)
    moving.tenancy.has("c0", token=3)
    moving.follow(lambda: "begin c0 3" in moving.house.did)
    moving.tenancy.has("c0", token=4)
    moving.follow(lambda: "begin c0 4" in moving.house.did)
    assert moving.house.did == ["begin c0 1", "leave c0 1", "begin c0 3", "leave c0 3", "begin c0 4"]
    assert moving.tenancy.released == []


def test_what_is_lost_while_it_is_opened_never_begins(moving: Moving) -> None:
    moving.keeper.start()
    moving.house.gate.clear()
    moving.tenancy.has("c0")
    moving.moves.follow()
    moving.tenancy.has()
    moving.house.gate.set()
    moving.follow(lambda: moving.house.did)
    assert moving.house.did == ["leave c0 1"]


@pytest.mark.parametrize("name", ["bad", "odd"])
def test_what_cannot_be_had_here_is_left_to_others(moving: Moving, name: str) -> None:
    moving.keeper.start()
    moving.tenancy.has(name, "c0")
    moving.follow(lambda: moving.tenancy.released and "begin c0 1" in moving.house.did)
    assert moving.tenancy.released == [(name, True)]


def test_receivers_come_and_go() -> None:
    made: list[MemoryChannel] = []

    def make() -> Any:
        made.append(MemoryChannel())
        return made[-1]

    outbox = MemoryOutbox(event(1))
    post = Post(outbox, {"c": make}, 0.05)
    assert len(made) == 1
    assert not post.stop("c")
    post.take_up("c")
    until(lambda: outbox.done)
    assert post.stop("c")
    post.give_up("c")
    outbox.put(event(2))
    time.sleep(0.2)
    assert made[0].closed
    assert len(outbox.done) == 1
    post.take_up("c")
    until(lambda: len(outbox.done) == 2)
    assert len(made) == 2
    post.close()
    assert made[1].closed


def test_who_goes_last_tells_what_is_left_to_all_receivers() -> None:
    outbox = MemoryOutbox(event(1))
    made: list[MemoryChannel] = []

    def make() -> Any:
        made.append(MemoryChannel())
        return made[-1]

    post = Post(outbox, {"c": make, "other": make}, 0.05)
    post.take_up("c")
    until(lambda: outbox.done)
    post.close(last=False)
    outbox.put(event(2))
    post.tell_rest()
    assert outbox.done == ["event1-new", "event2-new"]
    assert [(channel.started, channel.closed) for channel in made] == [(True, True), (False, False), (True, True)]
