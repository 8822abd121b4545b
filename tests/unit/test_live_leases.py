"""Leases: one process has a camera at a time, by the database's clock, and what it writes later is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from amiss.errors import ConfigError, LeaseError
from amiss.live.nouns import Change, Incident, IncidentKind
from amiss.live.store import Curve, Lease, LeaseKind, Life, Round, Store
from amiss.live.store.shares import shares
from support_postgres import Postgres
from support_stores import AT, Place, event

CAMERAS = {LeaseKind.CAMERA: [f"c{number}" for number in range(6)]}
LONG, SHORT = 30.0, 0.3


@pytest.fixture
def place(postgres: Postgres, tmp_path: Path) -> Iterator[Place]:
    made = Place(postgres.new_database(), tmp_path / "media", [])
    yield made
    made.close()


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()


def enter(store: Store, *names: str, length: float = LONG) -> None:
    for name in names:
        assert store.enter_shard(name, f"run {name}", length) == 0


def renew(store: Store, name: str, length: float = LONG, *, take: bool = True) -> Round:
    return store.renew_leases(name, f"run {name}", CAMERAS, length, take=take)


def names(found: Round) -> set[str]:
    return {lease.name for lease in found.leases}


@given(
    held=st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 40), min_size=1, max_size=9),
    count=st.integers(0, 200),
)
def test_shares_are_fair_and_all_of_it(held: dict[str, int], count: int) -> None:
    found = shares(held, count)
    assert found.keys() == held.keys()
    assert sum(found.values()) == count
    assert max(found.values()) - min(found.values()) <= 1
    settled = shares(found, count)
    assert settled == found, "where shares are fair nothing moves"


def test_the_first_takes_all_and_the_second_its_half(store: Store) -> None:
    enter(store, "a")
    assert names(renew(store, "a")) == set(CAMERAS[LeaseKind.CAMERA])
    enter(store, "b")
    assert renew(store, "b").leases == ()
    found = renew(store, "a")
    assert (found.quota[LeaseKind.CAMERA], found.shards) == (3, 2)
    back = found.leases[3:]
    store.release_leases("run a", back)
    taken = renew(store, "b")
    assert names(taken) == {lease.name for lease in back}
    assert {lease.token for lease in taken.leases} == {2}
    assert len(renew(store, "a").leases) == 3
    assert set(store.holders().values()) == {"a", "b"}
    took = [entry for entry in store.entries(limit=50) if entry.who == "shard b"]
    assert len(took) == 3
    assert took[0].what == "took the camera that nobody had (lease 2)"


def test_what_a_dead_one_had_is_taken_when_its_time_is_over(store: Store) -> None:
    enter(store, "a", length=SHORT)
    before = renew(store, "a", SHORT)
    enter(store, "b")
    found = renew(store, "b")
    assert found.leases == ()
    assert 0 < found.next <= SHORT
    time.sleep(found.next)
    assert renew(store, "b", take=False).leases == ()
    assert names(renew(store, "b")) == names(before)
    assert [shard.name for shard in store.shards()] == ["b"]
    (entry, *_) = store.entries(limit=1)
    assert entry.what == "took the camera from a, which is gone (lease 2)"


def test_nothing_is_kept_under_a_lease_that_another_has(store: Store) -> None:
    enter(store, "a", length=SHORT)
    old = {lease.name: lease for lease in renew(store, "a", SHORT).leases}["c0"]
    row, gap = event(camera="c0"), Incident("c0", IncidentKind.GAP, AT, None, "")
    assert store.put_event(row, Change.NEW, ["phone"], old)
    time.sleep(SHORT + 0.05)
    assert store.put_event(event(camera="c0", end=AT + 3), Change.UPDATE, ["phone"], old), "nobody has it yet"
    enter(store, "b")
    new = {lease.name: lease for lease in renew(store, "b").leases}["c0"]
    kept, waiting = store.event("e1"), store.waiting()
    writes = (
        lambda lease: store.put_event(event(camera="c0", end=AT + 9), Change.END, ["phone"], lease),
        lambda lease: store.put_incident(gap, ["phone"], lease),
        lambda lease: store.set_life("c0", Life.LIVE, "", "rule", {}, lease),
        lambda lease: store.add_curve(Curve("c0", AT, AT, "x", 1), lease),
    )
    for write in writes:
        with pytest.raises(LeaseError, match=r"the camera c0 went to another shard meanwhile \(lease 2, here 1\)"):
            write(old)
    assert (store.event("e1"), store.waiting()) == (kept, waiting)
    assert store.incidents("c0") == []
    assert store.life("c0") is None
    assert store.curves("c0", 0, 2 * AT) == []
    for write in writes:
        write(new)
    assert store.open_events() == []


def test_a_lease_is_not_taken_in_the_middle_of_a_write(place: Place) -> None:
    """A writer that hangs keeps its camera until PostgreSQL ends it; other cameras go on."""
    store = place.open()
    enter(store, "a", length=SHORT)
    renew(store, "a", SHORT)
    enter(store, "b")
    time.sleep(SHORT)
    engine = sa.create_engine(str(place.url))
    with engine.begin() as writer:
        writer.execute(sa.text("SELECT 1 FROM leases WHERE name = 'c0' FOR SHARE"))
        assert names(renew(store, "b")) == set(CAMERAS[LeaseKind.CAMERA]) - {"c0"}
    assert "c0" in names(renew(store, "b"))
    engine.dispose()


def test_two_that_take_at_once_never_take_the_same(place: Place) -> None:
    stores = [place.open() for _ in range(3)]
    shards = "abc"
    for store, name in zip(stores, shards, strict=True):
        enter(store, name)
    found: list[Round] = []
    gate = threading.Barrier(3)

    def go(store: Store, name: str) -> None:
        gate.wait()
        found.append(renew(store, name))

    threads = [threading.Thread(target=go, args=pair) for pair in zip(stores, shards, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rounds = [renew(store, name) for store, name in zip(stores, shards, strict=True)]
    taken = [lease.name for one in rounds for lease in one.leases]
    assert sorted(taken) == CAMERAS[LeaseKind.CAMERA]
    assert [len(one.leases) for one in rounds] == [2, 2, 2]


def test_a_name_belongs_to_one_process(store: Store) -> None:
    enter(store, "a", length=SHORT)
    left = store.enter_shard("a", "another", LONG)
    assert 0 < left <= SHORT
    time.sleep(left)
    assert store.enter_shard("a", "another", LONG) == 0
    with pytest.raises(LeaseError, match="another process runs as shard 'a'"):
        renew(store, "a")


def test_who_leaves_gives_all_back_at_once(store: Store) -> None:
    enter(store, "a", "b")
    renew(store, "a")
    store.leave_shard("run a")
    assert names(renew(store, "b")) == set(CAMERAS[LeaseKind.CAMERA])
    assert len(store.shards()) == 1


def test_what_another_has_by_now_is_not_given_back(store: Store) -> None:
    enter(store, "a", length=SHORT)
    old = renew(store, "a", SHORT).leases
    time.sleep(SHORT)
    enter(store, "b")
    renew(store, "b")
    store.release_leases("run a", old)
    store.release_leases("run b", [Lease(LeaseKind.CAMERA, "c0", 1)])
    assert set(store.holders()) == set(CAMERAS[LeaseKind.CAMERA])


def test_one_file_needs_no_shards(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.sqlite", tmp_path / "media") as store:
        with pytest.raises(ConfigError, match="is no PostgreSQL, which shards need"):
            store.enter_shard("a", "run", LONG)
        assert (store.shards(), store.holdings(), store.holders()) == ([], [], {})
