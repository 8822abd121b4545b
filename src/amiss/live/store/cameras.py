"""The life of each camera, and its files of scores."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from amiss.live.store.leases import guard
from amiss.live.store.part import Part
from amiss.live.store.records import CameraLife, Curve, Lease, Life, LifeChange
from amiss.live.store.tables import CameraTable, CurveTable, LifeTable

__all__ = ["CamerasPart"]


class CamerasPart(Part):
    """Lives and curves."""

    def set_life(
        self,
        camera: str,
        life: Life,
        why: str,
        by: str,
        detail: Mapping[str, Any] | None = None,
        lease: Lease | None = None,
        *,
        heard: float | None = None,
    ) -> CameraLife:
        """Keep the state of a camera's life; a new state is also kept in its history, the same again is not.

        Args:
            camera: Name.
            life: The state.
            why: A sentence, without secrets.
            by: A person, or the rule that did it.
            detail: What else is kept of it; None leaves what there is.
            lease: Under which the watcher says so, where cameras are shared; a person needs none.
            heard: When the last word of a person was said that the watcher has heard: where there is a later one
                (`asked` in what is kept), all stays as it is.

        Raises:
            LeaseError: The camera went to another process; nothing was kept.
            StorageError: The database failed.
        """
        new = CameraLife(camera, life, self._clock(), why, by, detail or {})

        def work(session: Session) -> CameraLife:
            guard(session, lease)
            return _set_life(session, new, keep=detail is None, heard=heard)

        return self._database.write(work)

    def life(self, camera: str) -> CameraLife | None:
        """The state of a camera's life, if it has one.

        Raises:
            StorageError: The database failed.
        """
        found = self._database.read(lambda session: session.get(CameraTable, camera))
        return None if found is None else _life(found)

    def camera_names(self) -> list[str]:
        """Names of all cameras that have a state.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(CameraTable.name).order_by(CameraTable.name)
        return list(self._database.read(lambda session: session.scalars(query).all()))

    def lives(self, cameras: Collection[str] | None = None) -> dict[str, CameraLife]:
        """The states of cameras, by name.

        Args:
            cameras: Only of these; of all if None.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(CameraTable).order_by(CameraTable.name)
        if cameras is not None:
            query = query.where(CameraTable.name.in_(cameras))
        return {found.name: _life(found) for found in self._database.read(lambda session: session.scalars(query).all())}

    def life_changes(self, camera: str) -> list[LifeChange]:
        """The history of a camera's life, the oldest first.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(LifeTable).where(LifeTable.camera == camera).order_by(LifeTable.id)
        return [_life_change(found) for found in self._database.read(lambda session: session.scalars(query).all())]

    def add_curve(self, curve: Curve, lease: Lease | None = None) -> None:
        """Keep where a file of scores is; one of the same path takes the place of the old one.

        Args:
            curve: Which.
            lease: Under which it was seen, where cameras are shared.

        Raises:
            LeaseError: The camera went to another process; nothing was kept.
            StorageError: The database failed.
        """
        values = vars(curve) | {"start": float(curve.start), "end": float(curve.end)}

        def work(session: Session) -> None:
            guard(session, lease)
            session.merge(CurveTable(**values))

        self._database.write(work)

    def curves(self, camera: str, start: float, end: float) -> list[Curve]:
        """Files of scores that have some frame between two times, the oldest first.

        Args:
            camera: Name.
            start: Seconds since 1970.
            end: Likewise.

        Raises:
            StorageError: The database failed.
        """
        table = CurveTable
        query = sa.select(table).where(table.camera == camera, table.end >= start, table.start <= end)
        found = self._database.read(lambda session: session.scalars(query.order_by(table.start, table.path)).all())
        return [_curve(row) for row in found]

    def drop_curves(self, before: float) -> list[Curve]:
        """Forget the files of scores that end before a time.

        Args:
            before: Seconds since 1970.

        Returns:
            What was forgotten, for the caller to delete the files.

        Raises:
            StorageError: The database failed.
        """

        def work(session: Session) -> list[Curve]:
            found = session.scalars(sa.select(CurveTable).where(CurveTable.end < before).order_by(CurveTable.start))
            old = found.all()
            for row in old:
                session.delete(row)
            return [_curve(row) for row in old]

        return self._database.write(work)


def _set_life(session: Session, new: CameraLife, *, keep: bool, heard: float | None) -> CameraLife:
    stored = session.get(CameraTable, new.camera, with_for_update=True)
    if stored is not None and heard is not None and float(stored.detail.get("asked", 0.0)) > heard:
        return _life(stored)
    before = None if stored is None else stored.life
    if stored is None:
        stored = CameraTable(name=new.camera, detail=dict(new.detail))
        session.add(stored)
    elif not keep:
        stored.detail = dict(new.detail)
    if before != new.life:
        stored.life, stored.since, stored.why, stored.by = new.life, new.since, new.why, new.by
        session.flush()  # what follows refers to it
        said = {"at": new.since, "why": new.why, "by": new.by}
        session.add(LifeTable(camera=new.camera, before=before, after=new.life, **said))
    return _life(stored)


def _life(found: CameraTable) -> CameraLife:
    return CameraLife(found.name, Life(found.life), found.since, found.why, found.by, found.detail)


def _life_change(found: LifeTable) -> LifeChange:
    before = None if found.before is None else Life(found.before)
    return LifeChange(found.camera, before, Life(found.after), found.at, found.why, found.by)


def _curve(found: CurveTable) -> Curve:
    return Curve(found.camera, found.start, found.end, found.path, found.frames)
