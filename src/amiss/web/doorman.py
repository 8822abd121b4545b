"""Who comes in: passwords, tokens, and a limit on how often one may try."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from amiss.errors import ConfigError
from amiss.live.store import Account, Role, Store

__all__ = ["SESSION", "Doorman", "Refused"]

SESSION = 7 * 86_400.0
"""Seconds after which one has to sign in anew."""
WINDOW = 15 * 60.0
OF_ACCOUNT, OF_ADDRESS = 5, 20
"""Failed attempts within the window after which further ones are refused unread."""
SHORTEST, LONGEST = 10, 200
"""Characters of a password."""
NAME = 60


@dataclass(frozen=True)
class Refused:
    """Somebody may not try now.

    Attributes:
        seconds: After which it may be tried again.
    """

    seconds: int


class Doorman:
    """Signs people in.

    Args:
        store: Of accounts.
        clock: Seconds since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe())
        self._one = threading.Lock()

    def make(
        self, name: str, password: str, role: Role, cameras: Collection[str] | None, by: str, *, first: bool = False
    ) -> Account:
        """Make an account.

        Args:
            name: Of the person.
            password: As the person will type it.
            role: What the person may do.
            cameras: Names of the cameras that may be seen; None for all.
            by: Who makes it.
            first: Make it only if there is none yet.

        Raises:
            ConfigError: The name is taken, or name or password will not do.
            StorageError: The database failed.
        """
        if not 0 < len(name.strip()) <= NAME or not name.strip().isprintable():
            raise ConfigError(f"a name has 1 to {NAME} printable characters")
        return self._store.add_account(name, self._hash(password), role, cameras, by, first=first)

    def change_password(self, account: Account, password: str, by: str) -> None:
        """Give an account another password; its sessions end.

        Raises:
            ConfigError: It will not do, or the account is gone.
            StorageError: The database failed.
        """
        self._store.change_account(account.id, by, password=self._hash(password))

    def sign_in(self, name: str, password: str, address: str) -> str | Refused | None:
        """A token for a name and its password; None where they do not fit.

        One is looked at at a time: hashes take memory, and many at once would get around the limit.

        Args:
            name: Of the account.
            password: As it was typed.
            address: Where from.

        Raises:
            StorageError: The database failed.
        """
        with self._one:
            if wait := self._wait(name, address):
                return Refused(wait)
            number, kept = self._store.password_of(name) or (0, self._nobody)
            if not self._fits(kept, password) or not number:
                self._store.add_attempt(name, address)
                return None
        token = secrets.token_urlsafe(32)
        self._store.begin_session(number, token, self._clock() + SESSION, address)
        return token

    def knows(self, account: Account, password: str, address: str) -> bool | Refused:
        """Whether this is the password of an account; wrong ones count as attempts to sign in.

        Raises:
            StorageError: The database failed.
        """
        with self._one:
            if wait := self._wait(account.name, address):
                return Refused(wait)
            _, kept = self._store.password_of(account.name) or (0, self._nobody)
            if self._fits(kept, password):
                return True
            self._store.add_attempt(account.name, address)
            return False

    def _wait(self, name: str, address: str) -> int:
        """Seconds for which neither this account may be tried nor from this address."""
        now = self._clock()
        limits = zip(self._store.attempts(name, address, now - WINDOW), (OF_ACCOUNT, OF_ADDRESS), strict=True)
        return max(_left(times, limit, now) for times, limit in limits)

    def _hash(self, password: str) -> str:
        if not SHORTEST <= len(password) <= LONGEST:
            raise ConfigError(f"a password has {SHORTEST} to {LONGEST} characters")
        with self._one:
            return self._hasher.hash(password)

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False


def _left(times: Sequence[float], limit: int, now: float) -> int:
    return int(times[-limit] + WINDOW - now) + 1 if len(times) >= limit else 0
