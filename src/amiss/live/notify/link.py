"""A connection to an MQTT broker that comes back by itself."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from amiss.errors import ConfigError, DeliveryError
from amiss.live.address import Address

__all__ = ["Link", "Publication"]

log = logging.getLogger(__name__)

CONNECT = 5.0
"""Seconds for the connection, for TLS and for the broker's answer, each."""
KEEPALIVE = 15
PATIENCE = 10.0
"""Seconds in which a message must be acknowledged, a new connection included."""
FIRST, LONGEST = 0.5, 15.0
"""Seconds between two attempts to connect."""
SLICE = 0.2
SMALL = 65536
"""Most bytes of what is published again after a new connection: if it is too much for a broker, it is so once."""
FAILURE = 128
"""Codes from here on say that the broker refused."""
PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class Publication:
    """What a broker is given.

    Attributes:
        topic: Without wildcards.
        payload: Bytes.
        retain: Whether the broker keeps it for those who come later.
    """

    topic: str
    payload: bytes
    retain: bool = False


class Link:
    """Connects, connects again, and publishes with QoS 1.

    What is retained, pictures apart, is published again after every new connection, since a broker may have forgotten
    it. Each connection is a new client, so that nothing of an earlier one is sent late. MQTT 5 is spoken, in which a
    broker says so when it does not take a message.

    Args:
        address: `mqtt://user:password@host:port`, or `mqtts://` for TLS with the certificates that the system trusts.
        will: What the broker publishes when the connection is lost.
        heard: Topics to listen to, and what is called, in a thread of the connection, when something new is
            published there.

    Raises:
        ConfigError: The address is of another kind.
    """

    def __init__(self, address: str, will: Publication, heard: Mapping[str, Callable[[bytes], None]]) -> None:
        self._address = Address.parse(address)
        if self._address.scheme not in PORTS or not self._address.parts.hostname:
            raise ConfigError(f"{self._address} is no broker; give it as mqtt://user:password@host:port, or mqtts://")
        self._will, self._heard = will, heard
        self._retained: dict[str, Publication] = {}
        self._refused: dict[int, str] = {}
        self._client: Client | None = None
        self._socket: socket.socket | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._over = False
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="mqtt-link", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def retain(self, *publications: Publication) -> None:
        """Have the broker keep something from the first connection on; called before `start`."""
        self._retained.update({item.topic: item for item in publications})

    def repeat(self) -> None:
        """Publish all that is retained again."""
        if client := self._client:
            self._hand_over(client, *list(self._retained.values()))

    def publish(self, *publications: Publication) -> None:
        """Publish, and wait until the broker has acknowledged all.

        Raises:
            DeliveryError: It did not in time, it refused, or the connection was lost.
        """
        (error,) = self.publish_groups([publications])
        if error:
            raise error

    def publish_groups(self, groups: Sequence[Sequence[Publication]]) -> list[DeliveryError | None]:
        """Publish several groups in their order, and wait until the broker has acknowledged all.

        All are on their way before the first acknowledgement is waited for: each may take a while, also to a broker
        that is near, as small packets wait for each other.

        Returns:
            For each group why it was not acknowledged, or None.
        """
        items = [item for group in groups for item in group]
        self._retained.update({item.topic: item for item in items if item.retain and len(item.payload) <= SMALL})
        until = time.monotonic() + PATIENCE
        try:
            client = self._connected(until)
        except DeliveryError as error:
            return [error for _ in groups]
        handed = [self._hand_over(client, *group) for group in groups]
        return [self._outcome(client, group, until) for group in handed]

    def close(self, *farewell: Publication) -> None:
        """Publish some last words if the broker answers at once, and disconnect; takes some seconds at most."""
        if (client := self._client) and not self._closed:
            try:
                for publication, info in self._hand_over(client, *farewell):
                    self._await(client, publication, info, time.monotonic() + 1.0)
            except DeliveryError as error:
                log.debug("%s: no farewell: %s", self._address, error)
        with self._telling():
            self._closed = True
        if self._thread.ident is not None:
            self._thread.join(CONNECT + 2.0)

    def _run(self) -> None:
        pause = FIRST
        while not self._closed:
            if self._connection():
                pause = FIRST
            self._until(lambda: self._closed, pause)
            pause = min(2 * pause, LONGEST)

    def _connection(self) -> bool:
        """One connection from its beginning to its end; returns whether it lasted."""
        begun = time.monotonic()
        self._over = False
        self._refused.clear()
        client = self._new_client()
        parts = self._address.parts
        try:
            client.connect(parts.hostname or "", parts.port or PORTS[self._address.scheme], KEEPALIVE)
        except (OSError, ValueError) as error:  # those of TLS and of looking up a name are OSErrors, too
            self._warn(f"cannot be reached: {_cause(error)}")
            return False
        client.loop_start()
        self._until(lambda: self._client is not None or self._over or self._closed, CONNECT)
        accepted = self._client is not None
        if accepted:
            self._until(lambda: self._over or self._closed)
        elif not self._over and not self._closed:
            self._warn("does not answer")
        with self._telling():
            self._client = None
        self._drop(client)
        if accepted and not self._closed:
            self._warn("is gone; connecting again")
        return accepted and time.monotonic() - begun > LONGEST

    def _drop(self, client: Client) -> None:
        """End a connection, also one whose broker takes nothing any more."""
        client.disconnect()
        self._until(lambda: self._over, 1.0)
        if sock := self._socket:
            with suppress(OSError):  # it is closed already, unless the broker stands still
                sock.shutdown(socket.SHUT_RDWR)
        client.loop_stop()
        self._socket = None

    def _until(self, condition: Callable[[], bool], seconds: float | None = None) -> None:
        with self._changed:
            self._changed.wait_for(condition, seconds)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Change what threads wait for."""
        with self._changed:
            yield
            self._changed.notify_all()

    def _warn(self, text: str) -> None:
        """Say what is wrong with the broker, once."""
        level = logging.DEBUG if text == self._said else logging.WARNING
        log.log(level, "the broker %s %s", self._address, text)
        self._said = text

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"amiss-{uuid.uuid4().hex[:12]}",
            protocol=MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT
        client.will_set(self._will.topic, self._will.payload, qos=1, retain=self._will.retain)
        parts = self._address.parts
        if parts.username:
            client.username_pw_set(unquote(parts.username), unquote(parts.password) if parts.password else None)
        if self._address.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context())
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_end
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_open = self._on_socket
        return client

    def _on_socket(self, _client: Client, _data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small messages need not wait for others
        self._socket = sock

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._warn(f"refused: {str(reason).lower()}; check user and password")
            return
        log.info("connected to the broker %s", self._address)
        self._said = ""
        for topic in self._heard:
            client.subscribe(topic, qos=1)
        self._hand_over(client, *list(self._retained.values()))
        with self._telling():
            self._client = client

    def _on_end(self, *_: Any) -> None:
        with self._telling():
            self._over = True

    def _on_publish(self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        if reason.value >= FAILURE:
            self._refused[mid] = str(reason)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if not message.retain and message.topic in self._heard:
            self._heard[message.topic](bytes(message.payload))

    def _connected(self, until: float) -> Client:
        with self._changed:
            self._changed.wait_for(lambda: self._client is not None or self._closed, max(until - time.monotonic(), 0.0))
            if self._client is None or self._closed:
                raise DeliveryError(f"there is no connection to the broker {self._address}")
            return self._client

    def _hand_over(self, client: Client, *publications: Publication) -> list[tuple[Publication, MQTTMessageInfo]]:
        return [(item, client.publish(item.topic, item.payload, qos=1, retain=item.retain)) for item in publications]

    def _outcome(
        self, client: Client, handed: Sequence[tuple[Publication, MQTTMessageInfo]], until: float
    ) -> DeliveryError | None:
        """Why some publications were not all acknowledged."""
        try:
            for publication, info in handed:
                self._await(client, publication, info, until)
        except DeliveryError as error:
            return error
        return None

    def _await(self, client: Client, publication: Publication, info: MQTTMessageInfo, until: float) -> None:
        """Wait for the acknowledgement of one publication."""
        where = f"{publication.topic} at {self._address}"
        while not _published(info, where):
            if self._client is not client or self._closed:
                raise DeliveryError(f"the connection was lost before {where} was acknowledged")
            if time.monotonic() > until:
                raise DeliveryError(f"{where} was not acknowledged within {PATIENCE:g} s")
        if refusal := self._refused.pop(info.mid, None):
            raise DeliveryError(f"the broker did not take {where}: {refusal}", pause=1.0, alone=True)


def _published(info: MQTTMessageInfo, where: str) -> bool:
    """Whether something is acknowledged by now or a moment later."""
    try:
        info.wait_for_publish(SLICE)
        return info.is_published()
    except (RuntimeError, ValueError):  # there is no connection any more, or no room in the queue
        raise DeliveryError(f"{where} could not be sent") from None


def _cause(error: Exception) -> str:
    """What went wrong, without the words of libraries that might repeat an address."""
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return str(getattr(error, "strerror", None) or type(error).__name__)
