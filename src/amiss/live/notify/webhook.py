"""Events to a program, by HTTP."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import threading
import time
from base64 import b64encode
from contextlib import suppress
from urllib.parse import SplitResult, quote, unquote

from amiss import __version__
from amiss.errors import ConfigError, DeliveryError
from amiss.live.address import Address
from amiss.live.notify.document import as_json, document
from amiss.live.notify.signature import sign
from amiss.live.nouns import Message
from amiss.live.settings import AlertSettings

__all__ = ["WebhookChannel"]

log = logging.getLogger(__name__)

SILENCE = 5.0
"""Seconds without a byte after which a receiver counts as gone."""
TOTAL = 15.0
"""Seconds that a delivery may take as a whole, however steadily a receiver trickles."""
SOON = frozenset({408, 425, 429})
OF_MESSAGE = frozenset({400, 409, 411, 413, 415, 422, 431})
"""Refusals of this message; others may fare better."""
CLOSED = 300.0
"""Seconds for which a receiver is left alone that wants none of this: gone, moved, or without access."""
LONGEST = 3600.0


class WebhookChannel:
    """Posts a message as JSON.

    2xx is delivered. Nothing is ever given up, since a person may mend the receiver: after 408, 425, 429, 5xx and no
    answer it is tried again soon, or when the receiver's `Retry-After` says; after 400 and its like the next message
    is tried first; after 401, 403, 404, 410 and all else, redirects included, the receiver is left alone for five
    minutes. A redirect is never followed: a signed body goes only where the settings say.

    Headers: `X-Amiss-Id` is the message's stable id, with %-signs for letters beyond ASCII, `X-Amiss-Timestamp` the
    seconds since 1970 when it was sent, and with a secret `X-Amiss-Signature` as of `amiss.live.notify.signature`.
    User and password of the address are sent as basic authentication.

    Args:
        settings: Address and secret.

    Raises:
        ConfigError: The address is not one of http or https.
    """

    def __init__(self, settings: AlertSettings) -> None:
        self.name = settings.name
        self._address = Address.parse(settings.address.get_secret_value())
        parts = self._address.parts
        if self._address.scheme not in ("http", "https") or not parts.hostname or not _plain(parts):
            raise ConfigError(f"{self._address} is no address for a webhook; give it as https://host/path")
        self._secret = settings.secret.get_secret_value() if settings.secret else None
        self._tls = ssl.create_default_context() if self._address.scheme == "https" else None
        self._socket: socket.socket | None = None
        self._closed = False

    def start(self) -> None:
        """Nothing to do: each message has a connection of its own."""

    def send(self, message: Message) -> None:
        """Post a message.

        Raises:
            DeliveryError: There was no answer in time, or not one of success.
        """
        body = as_json(document(message))
        connection = self._connection()
        timer = threading.Timer(TOTAL, self._cut)
        timer.daemon = True
        timer.start()
        try:
            status, later = self._post(connection, body, self._headers(message.id, body))
        except (OSError, http.client.HTTPException) as error:
            raise DeliveryError(f"{self._address} cannot be reached: {_cause(error)}") from None
        finally:
            timer.cancel()
            connection.close()
            self._socket = None
        self._check(status, later)

    def close(self) -> None:
        """Break off what is being sent."""
        self._closed = True
        self._cut()

    def _connection(self) -> http.client.HTTPConnection:
        parts = self._address.parts
        host, port = parts.hostname or "", parts.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=SILENCE)
        return http.client.HTTPSConnection(host, port, timeout=SILENCE, context=self._tls)

    def _headers(self, message: str, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"amiss/{__version__}",
            "X-Amiss-Id": message if message.isascii() else quote(message),
            "X-Amiss-Timestamp": now,
        }
        if self._secret:
            headers["X-Amiss-Signature"] = sign(self._secret, now, body)
        parts = self._address.parts
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
        return headers

    def _post(
        self, connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]
    ) -> tuple[int, str | None]:
        """The status and `Retry-After` of the answer."""
        parts = self._address.parts
        connection.connect()
        self._socket = connection.sock
        if self._closed:
            raise TimeoutError
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After")

    def _cut(self) -> None:
        if sock := self._socket:
            with suppress(OSError):  # it is closed already
                sock.shutdown(socket.SHUT_RDWR)

    def _check(self, status: int, later: str | None) -> None:
        if 200 <= status < 300:
            return
        if status in SOON or status >= 500:
            seconds = float(later) if later and later.isascii() and later.isdigit() else None
            raise DeliveryError(f"{self._address} asks to try later ({status})", seconds and min(seconds, LONGEST))
        if status in OF_MESSAGE:
            raise DeliveryError(f"{self._address} refuses this message ({status})", pause=1.0, alone=True)
        what = "redirects, which is not followed" if 300 <= status < 400 else "takes no messages"
        raise DeliveryError(f"{self._address} {what} ({status}); check the address and the access", pause=CLOSED)


def _plain(parts: SplitResult) -> bool:
    """Whether path and query can be sent as they are."""
    return all(33 <= ord(sign) < 127 for sign in parts.path + parts.query)


def _cause(error: Exception) -> str:
    """What went wrong, without the words of libraries that might repeat an address."""
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return str(getattr(error, "strerror", None) or type(error).__name__)
