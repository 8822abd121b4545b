"""People who look at the review page: accounts, who is signed in, and failed attempts to do so."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from amiss.errors import ConfigError
from amiss.live.store.account_tables import AccountTable, AttemptTable, SessionTable
from amiss.live.store.feedback import add_entry
from amiss.live.store.part import Part

__all__ = ["Account", "AccountsPart", "Role", "name_key"]

FORGET = 7 * 86_400.0
"""Seconds after which a failed attempt is forgotten."""


class Role(StrEnum):
    """What a person may do."""

    VIEWER = "viewer"
    """Look."""
    OPERATOR = "operator"
    """Also judge events, snooze cameras and put them somewhere in their lives."""
    ADMIN = "admin"
    """Everything at all cameras, and accounts."""


@dataclass(frozen=True)
class Account:
    """A person.

    Attributes:
        id: Number in the store.
        name: As it was given.
        role: What the person may do.
        cameras: Names of the cameras that may be seen; None for all.
        made: When, in seconds since 1970.
    """

    id: int
    name: str
    role: Role
    cameras: tuple[str, ...] | None
    made: float

    @property
    def allowed(self) -> frozenset[str] | None:
        """Names of the cameras that may be seen; None for all."""
        return None if self.cameras is None or self.role is Role.ADMIN else frozenset(self.cameras)

    def sees(self, camera: str) -> bool:
        """Whether it may see a camera."""
        allowed = self.allowed
        return allowed is None or camera in allowed

    def operates(self, camera: str) -> bool:
        """Whether it may judge the events of a camera, snooze it and put it somewhere."""
        return self.role is not Role.VIEWER and self.sees(camera)


def name_key(name: str) -> str:
    """What names are compared by: of two that a person cannot tell apart only one may be had."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


class AccountsPart(Part):
    """Accounts and sessions. Passwords come here as hashes only, and tokens are kept as such."""

    def accounts(self) -> list[Account]:
        """All accounts by name.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(AccountTable).order_by(AccountTable.key)
        return [_account(found) for found in self._database.read(lambda session: session.scalars(query).all())]

    def has_accounts(self) -> bool:
        """Whether there is any.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(AccountTable.id).limit(1)
        return self._database.read(lambda session: session.scalars(query).first()) is not None

    def add_account(
        self, name: str, password: str, role: Role, cameras: Collection[str] | None, by: str, *, first: bool = False
    ) -> Account:
        """Make an account; it is logged.

        Args:
            name: Of the person.
            password: Hash of the password.
            role: What the person may do.
            cameras: Names of the cameras that may be seen; None for all.
            by: Who makes it.
            first: Make it only if there is none yet.

        Raises:
            ConfigError: The name is taken, or it is not the first.
            StorageError: The database failed.
        """
        at = self._clock()

        def work(session: Session) -> Account | None:
            taken = sa.select(AccountTable.id)
            taken = taken if first else taken.where(AccountTable.key == name_key(name))
            if session.scalars(taken.limit(1)).first() is not None:
                return None
            row = AccountTable(name=name.strip(), key=name_key(name), password=password, role=role, made=at)
            row.cameras = None if cameras is None else sorted(cameras)
            session.add(row)
            add_entry(session, by, f"account made as {role} of {_told(cameras)}", name.strip(), at)
            session.flush()
            return _account(row)

        if made := self._database.write(work):
            return made
        said = "there are accounts already; sign in" if first else f"there is an account {name!r} already"
        raise ConfigError(said)

    def change_account(
        self,
        number: int,
        by: str,
        *,
        role: Role | None = None,
        cameras: Collection[str] | None = None,
        password: str | None = None,
    ) -> Account:
        """Change what an account may do, or its password, which ends its sessions; it is logged.

        Args:
            number: Of the account.
            by: Who changes it.
            role: With it goes `cameras`; None leaves both.
            cameras: Names of the cameras that may be seen; None for all.
            password: Hash of a new password.

        Raises:
            ConfigError: There is no such account, or no admin would be left.
            StorageError: The database failed.
        """
        at = self._clock()

        def work(session: Session) -> Account:
            row = _found(session, number)
            if role is not None:
                if role is not Role.ADMIN:
                    _check_admin_left(session, row)
                row.role, row.cameras = role, None if cameras is None else sorted(cameras)
                add_entry(session, by, f"account is {role} of {_told(cameras)}", row.name, at)
            if password is not None:
                row.password = password
                session.execute(sa.delete(SessionTable).where(SessionTable.account == number))
                add_entry(session, by, "password changed", row.name, at)
            return _account(row)

        return self._database.write(work)

    def remove_account(self, number: int, by: str) -> None:
        """Remove an account and its sessions; it is logged.

        Raises:
            ConfigError: There is no such account, or no admin would be left.
            StorageError: The database failed.
        """
        at = self._clock()

        def work(session: Session) -> None:
            row = _found(session, number)
            _check_admin_left(session, row)
            session.execute(sa.delete(SessionTable).where(SessionTable.account == number))
            add_entry(session, by, "account removed", row.name, at)
            session.delete(row)

        self._database.write(work)

    def password_of(self, name: str) -> tuple[int, str] | None:
        """Number and hash of the password of an account; None where there is none of this name.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(AccountTable).where(AccountTable.key == name_key(name))
        found = self._database.read(lambda session: session.scalars(query).first())
        return None if found is None else (found.id, found.password)

    def begin_session(self, account: int, token: str, until: float, address: str) -> None:
        """Sign a person in; it is logged, and sessions that are over are forgotten.

        Args:
            account: Number of the account.
            token: What the person then shows.
            until: When it is over, in seconds since 1970.
            address: Where the person is.

        Raises:
            ConfigError: There is no such account any more.
            StorageError: The database failed.
        """
        at = self._clock()

        def work(session: Session) -> None:
            row = _found(session, account)
            session.execute(sa.delete(SessionTable).where(SessionTable.until <= at))
            session.merge(SessionTable(token=_hash(token), account=account, at=at, until=until, address=address))
            add_entry(session, row.name, f"signed in from {address}", row.name, at)

        self._database.write(work)

    def session_account(self, token: str) -> Account | None:
        """Whose token this is; None where nobody's.

        Raises:
            StorageError: The database failed.
        """
        query = sa.select(AccountTable).join(SessionTable, SessionTable.account == AccountTable.id)
        query = query.where(SessionTable.token == _hash(token), SessionTable.until > self._clock())
        found = self._database.read(lambda session: session.scalars(query).first())
        return None if found is None else _account(found)

    def end_session(self, token: str) -> None:
        """Sign out.

        Raises:
            StorageError: The database failed.
        """
        query = sa.delete(SessionTable).where(SessionTable.token == _hash(token))
        self._database.write(lambda session: session.execute(query))

    def add_attempt(self, name: str, address: str) -> None:
        """Keep that somebody failed to sign in; it is logged.

        Args:
            name: Of the account that was asked for.
            address: Where from.

        Raises:
            StorageError: The database failed.
        """
        at = self._clock()

        def work(session: Session) -> None:
            session.execute(sa.delete(AttemptTable).where(AttemptTable.at < at - FORGET))
            session.add(AttemptTable(key=name_key(name), address=address, at=at))
            add_entry(session, "sign-in", f"wrong name or password from {address}", name[:100], at)

        self._database.write(work)

    def attempts(self, name: str, address: str, since: float) -> tuple[Sequence[float], Sequence[float]]:
        """When it failed since a time, for this account and from this address, each in order of time.

        Raises:
            StorageError: The database failed.
        """
        table = AttemptTable

        def work(session: Session) -> tuple[Sequence[float], Sequence[float]]:
            times = sa.select(table.at).where(table.at >= since).order_by(table.at)
            of_name = session.scalars(times.where(table.key == name_key(name))).all()
            return of_name, session.scalars(times.where(table.address == address)).all()

        return self._database.read(work)


def _hash(token: str) -> str:
    """Tokens are long and random, so that a quick hash will do."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _found(session: Session, number: int) -> AccountTable:
    if (row := session.get(AccountTable, number, with_for_update=True)) is None:
        raise ConfigError("there is no such account any more")
    return row


def _check_admin_left(session: Session, row: AccountTable) -> None:
    others = sa.select(AccountTable.id).where(AccountTable.role == Role.ADMIN, AccountTable.id != row.id)
    if row.role == Role.ADMIN and session.scalars(others.limit(1)).first() is None:
        raise ConfigError(f"{row.name} is the only admin; make another one first")


def _told(cameras: Collection[str] | None) -> str:
    return "all cameras" if cameras is None else ", ".join(sorted(cameras)) or "no camera"


def _account(row: AccountTable) -> Account:
    return Account(row.id, row.name, Role(row.role), None if row.cameras is None else tuple(row.cameras), row.made)
