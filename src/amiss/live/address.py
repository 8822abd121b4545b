"""Addresses with passwords in them: parsed, so that what is shown never holds one."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

__all__ = ["Address", "shown"]

HIDDEN = "***"
TELLING = ("pass", "pwd", "token", "key", "secret", "auth", "sig", "code")
"""What is in the name of a part of a query that lets somebody in."""
KEYED = ("http", "https", "rtsp", "rtspt", "rtsps", "rtmp", "rtmps", "srt", "udp")
"""Schemes of addresses whose path may let somebody in."""
LEAST = 4
"""Letters of a user's name from which it is hidden wherever it stands; shorter ones stand in any word."""


@dataclass(frozen=True, repr=False)
class Address:
    """An address; its text and its representation hide user, password and query, and the path of a camera or a hook.

    A recorder's path may be a key of its own, as the path of a webhook is.

    Where a password has a character that ends the host (`/`, `?` or `#`) and is not quoted, what comes before the last
    `@` is all taken for user and password, and nothing is shown but the scheme.

    Attributes:
        full: With everything, for whoever connects.
        parts: Its parts; none where it cannot be parsed.
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
        if self._login:
            return self._login.partition(":")[2]
        return self.parts.password if self.parts.netloc else None

    @property
    def keys(self) -> tuple[str, ...]:
        """Values of the query that let somebody in, unquoted, by what their names say."""
        given = parse_qsl(self.parts.query) if self.parts.netloc else []
        return tuple(value for name, value in given if any(word in name.lower() for word in TELLING))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not be shown, as they stand and unquoted: user, password, path and query, where there are."""
        parts = self.parts
        found = [parts.password, parts.query] if parts.netloc else []
        found += [parts.username] if parts.netloc and len(parts.username or "") >= LEAST else []
        found += [parts.path] if self._hides_path and len(parts.path) > LEAST else []
        found += [self._login, self.password] if self._login else []
        found += self.keys
        return tuple(dict.fromkeys(text for given in found if given for text in (given, unquote(given))))

    @property
    def _login(self) -> str | None:
        """User and password that do not stand where they should; None where there are none."""
        _, sign, rest = self.full.partition("://")
        login, at, _ = rest.rpartition("@")
        whole = self.parts.netloc.rpartition("@")[0]
        return login if sign and at and ":" in login and login != whole else None

    @property
    def _hides_path(self) -> bool:
        return self.scheme in KEYED and self.parts.path.strip("/") != ""

    def __str__(self) -> str:
        parts = self.parts
        if self._login:
            return f"{self.full.partition('://')[0]}://{HIDDEN}"
        if not parts.netloc:
            return urlunsplit(parts) if parts.path != HIDDEN else HIDDEN
        host = parts.netloc.rpartition("@")[2]
        netloc = f"{HIDDEN}@{host}" if "@" in parts.netloc else host
        path = f"/{HIDDEN}" if self._hides_path else parts.path
        return urlunsplit((parts.scheme, netloc, path, HIDDEN if parts.query else "", ""))

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"


def shown(text: str, *addresses: Address) -> str:
    """A message of some library with all that it repeats of addresses hidden.

    Args:
        text: The message.
        addresses: Those that it may repeat, as a whole or in parts.
    """
    for address in addresses:
        text = text.replace(address.full, str(address)) if address.full else text
        for secret in sorted(address.secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
    return text
