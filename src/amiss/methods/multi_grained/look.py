"""What the network makes of windows, one after the other, with what neighbouring clips have in common computed once."""

from __future__ import annotations

import copy
import hashlib
from collections import OrderedDict
from collections.abc import Iterator

import torch
from torch import Tensor

from amiss.methods.multi_grained.backbones import CLIP, Seen, Sharing
from amiss.methods.multi_grained.drawing import MIDDLE
from amiss.methods.multi_grained.network import Maps, ProxyNetwork
from amiss.methods.multi_grained.samples import LENGTH
from amiss.methods.multi_grained.task import frames_of
from amiss.perception.video.i3d import Unit
from amiss.types import Image, Windows

__all__ = ["Onlooker", "folded"]

REMEMBERED = 2 * LENGTH
"""Frames whose share in their clips is remembered."""
BROKEN = [at for at in range(LENGTH) if at != MIDDLE]
INTACT = list(range(CLIP))


class Onlooker:
    """Looks at windows with a network; nothing that it remembers changes a number.

    Args:
        network: In evaluation mode, on the CPU; it is copied.
        shares: Whether clips share what they have in common; else each is looked at on its own.
    """

    seeing: ProxyNetwork
    """The copy that looks, see `folded`."""

    def __init__(self, network: ProxyNetwork, *, shares: bool = True) -> None:
        self.network = network
        self.seeing = folded(network)
        backbone = self.seeing.backbone
        self._sharing = backbone if shares and isinstance(backbone, Sharing) else None
        self._clips = [BROKEN, INTACT] if "continuity" in network.parts else [BROKEN]
        self._remembered: OrderedDict[bytes, Tensor] = OrderedDict()

    def look(self, windows: Windows) -> Iterator[Maps]:
        """The maps of each window, in order.

        Windows are not looked at together: torch sums larger batches in another order, and one keeps every core busy.
        """
        for row in range(len(windows)):
            yield self._maps(windows[[row]])

    @torch.no_grad()
    def _maps(self, window: Windows) -> Maps:
        frames = frames_of(window)
        seen = self._seen(window.data["image"][0], frames)
        intact = seen.rest(1) if len(self._clips) == 2 else None
        return self.seeing.maps(frames, seen.first(1), intact)

    def _seen(self, images: Image, frames: Tensor) -> Seen:
        """What the backbone makes of the clip without its middle frame, and of the first twelve frames if asked for."""
        if self._sharing is None:
            seen: Seen = self.seeing.backbone(frames[0][:, torch.tensor(self._clips)].transpose(0, 1))
            return seen
        keys = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
        shared = [self._shared(self._sharing, key, frames[0, :, at]) for at, key in enumerate(keys)]
        return self._sharing.joined(shared, self._clips)

    def _shared(self, backbone: Sharing, key: bytes, picture: Tensor) -> Tensor:
        """What clips share of a frame, as remembered."""
        if key not in self._remembered:
            self._remembered[key] = backbone.shared(picture)
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        self._remembered.move_to_end(key)
        return self._remembered[key]


def folded(network: ProxyNetwork) -> ProxyNetwork:
    """The same network with the normalisations of its backbone in the weights of convolutions, which is faster."""
    seeing = copy.deepcopy(network)
    for module in seeing.modules():
        if isinstance(module, Unit):
            module.fold()
    return seeing
