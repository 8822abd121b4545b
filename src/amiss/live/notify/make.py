"""From settings to receivers: the one place where kinds are listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from amiss.errors import ConfigError
from amiss.live.notify.base import BatchChannel, Channel, Outcome, Standing, StateChannel, wants
from amiss.live.nouns import Message
from amiss.live.settings import AlertSettings

__all__ = ["make_channel"]

Maker = Callable[[AlertSettings, Sequence[str], Mapping[str, str]], Channel]


def make_channel(settings: AlertSettings, cameras: Sequence[str], zones: Mapping[str, str] | None = None) -> Channel:
    """The receiver that some settings describe; it connects to nothing before it is started.

    What a receiver does not want (see `wants`) counts as delivered as soon as it is sent.

    Args:
        settings: The receiver's.
        cameras: Names of all cameras.
        zones: Time zones of cameras, by name, for what people read; UTC where there is none.

    Raises:
        ConfigError: The address does not fit the kind, or a camera is named that there is not.
    """
    if unknown := sorted(set(settings.cameras) - set(cameras)):
        raise ConfigError(f"the alert {settings.name!r} names {unknown[0]!r}; the cameras are: {', '.join(cameras)}")
    chosen = [camera for camera in cameras if not settings.cameras or camera in settings.cameras]
    try:
        channel = MAKERS[settings.kind](settings, chosen, zones or {})
        return _ChosenBatch(settings, channel) if isinstance(channel, BatchChannel) else _Chosen(settings, channel)
    except ConfigError as error:
        raise ConfigError(f"the alert {settings.name!r}: {error}") from None


class _Chosen:
    """A channel that hears only what it wants."""

    def __init__(self, settings: AlertSettings, channel: Channel) -> None:
        self.name = settings.name
        self._settings, self._channel = settings, channel

    def stand(self, standing: Standing) -> None:
        if isinstance(self._channel, StateChannel):
            self._channel.stand(standing)

    def start(self) -> None:
        self._channel.start()

    def send(self, message: Message) -> None:
        if wants(self._settings, message.camera, message.change):
            self._channel.send(message)

    def close(self) -> None:
        self._channel.close()


class _ChosenBatch(_Chosen):
    """The same for one that takes many at once."""

    def __init__(self, settings: AlertSettings, channel: BatchChannel) -> None:
        super().__init__(settings, channel)
        self._many = channel

    def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        wanted = [message for message in messages if wants(self._settings, message.camera, message.change)]
        outcomes = iter(self._many.send_many(wanted) if wanted else ())
        found: list[Outcome] = []
        for message in messages:
            if not wants(self._settings, message.camera, message.change):
                found.append(None)
                continue
            try:
                found.append(next(outcomes))
            except StopIteration:  # this one was not tried
                break
        return found


def _mqtt(settings: AlertSettings, cameras: Sequence[str], _zones: Mapping[str, str]) -> Channel:
    from amiss.live.notify.mqtt import MqttChannel

    return MqttChannel(settings, cameras)


def _webhook(settings: AlertSettings, _cameras: Sequence[str], _zones: Mapping[str, str]) -> Channel:
    from amiss.live.notify.webhook import WebhookChannel

    return WebhookChannel(settings)


def _apprise(settings: AlertSettings, _cameras: Sequence[str], zones: Mapping[str, str]) -> Channel:
    from amiss.live.notify.apprise import AppriseChannel  # which takes half a second

    return AppriseChannel(settings, zones)


MAKERS: Mapping[str, Maker] = {"mqtt": _mqtt, "webhook": _webhook, "apprise": _apprise}
