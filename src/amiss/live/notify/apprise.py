"""Events to whatever apprise knows: mail, messengers, push services."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from apprise import Apprise, AppriseAsset, NotifyFormat

from amiss.errors import ConfigError, DeliveryError
from amiss.live.notify.base import PATIENCE, picture_of
from amiss.live.notify.wording import text_of, title_of
from amiss.live.nouns import Change, Message
from amiss.live.settings import AlertSettings

__all__ = ["AppriseChannel"]

TALKATIVE = (
    "apprise",
    "apprise.xmpp",
    "urllib3.connectionpool",
    "urllib3.util.retry",
    "slixmpp",
    "oauthlib",
    "requests_oauthlib",
)
"""Loggers that repeat addresses, whose every part may be a token; silent from a channel's birth to its closing."""
LARGEST_CLIP = 8_000_000
"""Bytes of a video that most services take."""


class AppriseChannel:
    """Tells people by one service: a title, some lines, the picture, and at the end of an event its video.

    Args:
        settings: The address of a service, as apprise takes it. Of it only the part before `://` is ever shown.
        zones: Time zones of cameras, by name; UTC where there is none.

    Raises:
        ConfigError: apprise does not know such an address.
    """

    def __init__(self, settings: AlertSettings, zones: Mapping[str, str]) -> None:
        self.name = settings.name
        self._zones = zones
        address = settings.address.get_secret_value()
        self._shown = f"{_scheme(address)}://***"
        self._silenced = _Silence()
        for name in TALKATIVE:
            logging.getLogger(name).addFilter(self._silenced)
        self._service = Apprise(asset=AppriseAsset(app_id="amiss", app_desc="amiss", async_mode=False))
        if not self._service.add(address):
            self.close()
            raise ConfigError(f"apprise does not know the address {self._shown}; see its list of services")

    def start(self) -> None:
        """Nothing to do: each message has a connection of its own."""

    def send(self, message: Message) -> None:
        """Tell of a message.

        Raises:
            DeliveryError: The service did not take it.
        """
        zone = self._zones.get(message.camera, "UTC")
        taken = self._service.notify(
            body=text_of(message, zone),
            title=title_of(message),
            body_format=NotifyFormat.TEXT,
            attach=_files(message) or None,
        )
        if not taken:
            raise DeliveryError(f"the service {self._shown} did not take it")

    def close(self) -> None:
        """Let its loggers speak again; a service that hangs is given up by its own time-outs."""
        for name in TALKATIVE:
            logging.getLogger(name).removeFilter(self._silenced)


def _files(message: Message) -> list[str]:
    """What is attached: the picture, and the video once it is whole and not too large."""
    picture, clip = picture_of(message), message.clip
    files = [str(picture)] if picture else []
    if clip and message.change is Change.END and message.attempts < PATIENCE and clip.is_file():
        files += [str(clip)] if clip.stat().st_size <= LARGEST_CLIP else []
    return files


def _scheme(address: str) -> str:
    """What stands before the first colon, if it is a scheme."""
    try:
        return urlsplit(address).scheme or "***"
    except ValueError:
        return "***"


class _Silence(logging.Filter):
    """Drops all; each channel has its own, so that closing one does not let the loggers of another speak."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return False
