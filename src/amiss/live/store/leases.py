"""Leases: which of several processes has a camera, by the clock of the database they share.

A lease holds for some seconds unless it is renewed, and counts how often it was taken. What is written under it is
written only while that count stands (a fencing token), so that nothing is ever kept of a camera by two.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amiss.errors import ConfigError, LeaseError
from amiss.live.store.lease_tables import LeaseTable, ShardTable
from amiss.live.store.part import Part
from amiss.live.store.records import Holding, Lease, LeaseKind, Round, Shard
from amiss.live.store.shares import shares
from amiss.live.store.tables import LogTable

__all__ = ["LeasesPart", "guard"]

Names = Mapping[LeaseKind, Collection[str]]


class LeasesPart(Part):
    """Shards and leases."""

    def check_shared(self) -> None:
        """Make sure that several machines may share this store.

        Raises:
            ConfigError: It is no PostgreSQL.
        """
        if self._database.url.get_backend_name() != "postgresql":
            raise ConfigError(
                f"the store {self._database.address} is no PostgreSQL, which shards need; give store: "
                "postgresql+psycopg://…, or leave the shard out: one process needs none"
            )

    def enter_shard(self, shard: str, run: str, length: float) -> float:
        """Count as living from now on, unless another process of this name does.

        Args:
            shard: Its name.
            run: Which of all processes of this name.
            length: Seconds for which it then counts as living.

        Returns:
            Seconds until the other one counts as gone; 0 where there is none and this one has entered.

        Raises:
            ConfigError: The store is no PostgreSQL.
            StorageError: The database failed.
        """
        self.check_shared()
        return self._database.write(lambda session: _enter(session, shard, run, length))

    def renew_leases(self, shard: str, run: str, wanted: Names, length: float, *, take: bool = True) -> Round:
        """Renew all leases of a shard, and take free ones up to its share.

        Args:
            shard: Its name.
            run: Which of all processes of this name.
            wanted: All names that there are to be shared, by kind.
            length: Seconds for which leases then hold.
            take: Whether to take any.

        Raises:
            LeaseError: Another process has the name of the shard by now.
            BusyError: The server does not answer.
            StorageError: The database failed; what was held may still be.
        """
        return self._database.write(lambda session: _renew(session, shard, run, wanted, length, take=take))

    def release_leases(self, run: str, leases: Sequence[Lease]) -> None:
        """Give leases back, so that others can take them at once; what another has by now stays there.

        Raises:
            StorageError: The database failed; they are over after a while.
        """
        keys = [(lease.kind, lease.name, lease.token) for lease in leases]
        table = LeaseTable
        mine = sa.tuple_(table.kind, table.name, table.token).in_(keys), table.run == run
        free = {"shard": None, "run": None, "until": 0.0}
        self._database.write(lambda session: session.execute(sa.update(table).where(*mine).values(free)))

    def leave_shard(self, run: str) -> None:
        """Give all back, and count as gone.

        Raises:
            StorageError: The database failed; both are so after a while.
        """

        def work(session: Session) -> None:
            free = {"shard": None, "run": None, "until": 0.0}
            session.execute(sa.update(LeaseTable).where(LeaseTable.run == run).values(free))
            session.execute(sa.delete(ShardTable).where(ShardTable.run == run))

        self._database.write(work)

    def shards(self) -> list[Shard]:
        """All processes that count as living.

        Raises:
            StorageError: The database failed.
        """

        def work(session: Session) -> list[Shard]:
            found = session.scalars(sa.select(ShardTable).order_by(ShardTable.name)).all()
            now = _now(session) if found else 0.0
            return [Shard(row.name, row.run, row.until - now) for row in found if row.until > now]

        return self._database.read(work)

    def holdings(self, kind: LeaseKind | None = None) -> list[Holding]:
        """All leases as they stand, by kind and name.

        Args:
            kind: Only of this one.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(LeaseTable).order_by(LeaseTable.kind, LeaseTable.name)
        query = query if kind is None else query.where(LeaseTable.kind == kind)

        def work(session: Session) -> list[Holding]:
            found = session.scalars(query).all()
            now = _now(session) if found else 0.0
            return [Holding(_lease(row), row.shard, row.until - now) for row in found]

        return self._database.read(work)

    def holders(self) -> dict[str, str]:
        """Which shard watches which camera, by the camera's name.

        Raises:
            StorageError: The database failed.
        """
        found = self.holdings(LeaseKind.CAMERA)
        return {one.lease.name: one.shard for one in found if one.shard is not None and one.left > 0}


def guard(session: Session, lease: Lease | None) -> None:
    """Hold a lease until the end of a transaction, in which something is written that nobody else may write.

    Until then no other process can take it.

    Args:
        session: Of the transaction.
        lease: None where cameras are not shared.

    Raises:
        LeaseError: Another process has it, or had it in between.
    """
    if lease is None:
        return
    table = LeaseTable
    query = sa.select(table.token).where(table.kind == lease.kind, table.name == lease.name)
    token = session.scalars(query.with_for_update(read=True)).one_or_none()
    if token != lease.token:
        raise LeaseError(
            f"the {lease.kind} {lease.name} went to another shard meanwhile (lease {token}, here {lease.token}); "
            "what was seen of it here since is not kept"
        )


def _now(session: Session) -> float:
    """Seconds since 1970 by the clock of the database; all are compared by it, and no machine's own counts."""
    if session.get_bind().dialect.name == "postgresql":
        return float(session.scalars(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).one())
    return float(session.scalars(sa.select((sa.func.julianday("now") - 2440587.5) * 86_400.0)).one())


def _enter(session: Session, shard: str, run: str, length: float) -> float:
    now = _now(session)
    row = {"name": shard, "run": run, "since": now, "until": now + length}
    table = ShardTable
    free = sa.or_(table.until <= now, table.run == run)
    entered = insert(table).values(row).on_conflict_do_update(index_elements=[table.name], set_=row, where=free)
    if session.scalars(entered.returning(table.run)).one_or_none() is not None:
        return 0.0
    left = session.scalars(sa.select(table.until).where(table.name == shard)).one_or_none()
    return max(0.0 if left is None else left - now, 0.001)


def _renew(session: Session, shard: str, run: str, wanted: Names, length: float, *, take: bool) -> Round:
    now = _now(session)
    living = sa.update(ShardTable).where(ShardTable.name == shard, ShardTable.run == run)
    if session.scalars(living.values(until=now + length).returning(ShardTable.run)).one_or_none() is None:
        raise LeaseError(f"another process runs as shard {shard!r}; give each a name of its own")
    mine = sa.update(LeaseTable).where(LeaseTable.run == run)
    session.execute(mine.values(until=now + length))
    quota: dict[LeaseKind, int] = {}
    shards = 1
    for kind, names in wanted.items():
        _list_all(session, kind, names)
        held = _counts(session, kind, names, now)
        quota[kind], shards = shares(held, len(names)).get(shard, 0), len(held)
        if take and quota[kind] > held.get(shard, 0):
            _take(session, shard, run, kind, names, quota[kind] - held.get(shard, 0), (now, now + length))
    own = session.scalars(sa.select(LeaseTable).where(LeaseTable.run == run).order_by(LeaseTable.since)).all()
    others = sa.select(sa.func.min(LeaseTable.until)).where(LeaseTable.run.is_not(None), LeaseTable.run != run)
    first = session.execute(others).scalar()
    return Round(tuple(map(_lease, own)), quota, shards, math.inf if first is None else max(first - now, 0.0))


def _list_all(session: Session, kind: LeaseKind, names: Collection[str]) -> None:
    """Have a row for each thing that can be held."""
    known = set(session.scalars(sa.select(LeaseTable.name).where(LeaseTable.kind == kind)))
    new = sorted(set(names) - known)
    if new:
        rows = [{"kind": kind, "name": name, "token": 0, "since": 0.0, "until": 0.0} for name in new]
        session.execute(insert(LeaseTable).on_conflict_do_nothing(), rows)


def _counts(session: Session, kind: LeaseKind, names: Collection[str], now: float) -> dict[str, int]:
    """How many things each living shard has."""
    of = sa.and_(LeaseTable.run == ShardTable.run, LeaseTable.kind == kind, LeaseTable.name.in_(names))
    query = sa.select(ShardTable.name, sa.func.count(LeaseTable.name)).outerjoin(LeaseTable, of)
    found = session.execute(query.where(ShardTable.until > now).group_by(ShardTable.name)).all()
    return {row[0]: row[1] for row in found}


def _take(
    session: Session,
    shard: str,
    run: str,
    kind: LeaseKind,
    names: Collection[str],
    most: int,
    times: tuple[float, float],
) -> None:
    """Take some that nobody has, or whose time is over; what another process is just taking is passed over."""
    now, until = times
    table = LeaseTable
    free = sa.or_(table.run.is_(None), table.until <= now)
    query = sa.select(table).where(table.kind == kind, table.name.in_(names), free).order_by(table.until, table.name)
    for row in session.scalars(query.limit(most).with_for_update(skip_locked=True)).all():
        before = f"from {row.shard}, which is gone" if row.shard else "that nobody had"
        row.token += 1
        row.shard, row.run, row.since, row.until = shard, run, now, until
        what = f"took the {kind} {before} (lease {row.token})"
        session.add(LogTable(who=f"shard {shard}", what=what, about=row.name, at=now))
    session.flush()


def _lease(row: LeaseTable) -> Lease:
    return Lease(LeaseKind(row.kind), row.name, row.token)
