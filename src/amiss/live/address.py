"""Addresses with passwords in them: parsed, so that what is shown never holds one."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

__all__ = ["Address", "shown"]

HIDDEN = "***"


@dataclass(frozen=True, repr=False)
class Address:
    """An address; its text and its representation hide user, password and query.

    Attributes:
        full: With everything, for whoever connects.
        parts: Its parts.
    """

    full: str
    parts: SplitResult

    @classmethod
    def parse(cls, text: str) -> Address:
        """Take an address or a path apart; what cannot be parsed has no parts and is hidden as a whole."""
        try:
            parts = urlsplit(text)
            _ = parts.port  # which is checked only when it is asked for
        except ValueError:
            return cls(text, SplitResult("", "", HIDDEN, "", ""))
        return cls(text, parts)

    @property
    def scheme(self) -> str:
        """Such as rtsp; empty for a path."""
        return self.parts.scheme.lower() if self.parts.netloc or self.parts.scheme == "file" else ""

    @property
    def password(self) -> str | None:
        """As it stands in the address."""
        return self.parts.password if self.parts.netloc else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not be shown: user, password and query, where there are any."""
        parts = self.parts
        found = (parts.username, parts.password, parts.query) if parts.netloc else ()
        return tuple(text for text in found if text)

    def __str__(self) -> str:
        parts = self.parts
        if not parts.netloc:
            return urlunsplit(parts) if parts.path != HIDDEN else HIDDEN
        host = parts.netloc.rpartition("@")[2]
        netloc = f"{HIDDEN}@{host}" if "@" in parts.netloc else host
        return urlunsplit((parts.scheme, netloc, parts.path, HIDDEN if parts.query else "", ""))

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"


def shown(text: str, *addresses: Address) -> str:
    """A message of some library with all that it repeats of addresses hidden.

    Args:
        text: The message.
        addresses: Those that it may repeat, as a whole or in parts.
    """
    for address in addresses:
        text = text.replace(address.full, str(address))
        for secret in sorted(address.secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
    return text
