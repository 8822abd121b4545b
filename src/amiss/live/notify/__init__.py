"""Who is told of events: channels to receivers, and what brings messages to them at least once."""

from amiss.live.notify.base import Channel, Outbox, wants
from amiss.live.notify.deliver import Deliverer
from amiss.live.notify.make import make_channel

__all__ = ["Channel", "Deliverer", "Outbox", "make_channel", "wants"]
