"""What the network makes of windows, a few at once, with what neighbouring clips have in common computed once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from amiss.methods.multi_grained.backbones import CLIP, Seen
from amiss.methods.multi_grained.drawing import MIDDLE
from amiss.methods.multi_grained.network import Maps, ProxyNetwork
from amiss.methods.multi_grained.samples import LENGTH, consecutive, without
from amiss.methods.multi_grained.task import frames_of
from amiss.types import Image, Windows

__all__ = ["Onlooker"]

TOGETHER = 4
"""Windows that the network looks at together, always so many: sums may round otherwise in a batch of another size."""
REMEMBERED = 2 * LENGTH
"""Frames whose share in their clips is remembered."""


class Onlooker:
    """Looks at windows with a network; nothing that it remembers changes a number.

    Args:
        network: In evaluation mode, on the CPU.
        shares: Whether clips share what they have in common; else each is looked at on its own.
    """

    def __init__(self, network: ProxyNetwork, *, shares: bool = True) -> None:
        self.network = network
        self._shares = shares
        self._remembered: OrderedDict[bytes, Tensor] = OrderedDict()

    def look(self, windows: Windows) -> Iterator[tuple[Windows, Maps]]:
        """At most four windows at a time, in order, and their maps."""
        for start in range(0, len(windows), TOGETHER):
            some = windows[start : start + TOGETHER]
            yield some, self._maps(some)

    @torch.no_grad()
    def _maps(self, windows: Windows) -> Maps:
        count = len(windows)
        frames = frames_of(windows[np.minimum(np.arange(TOGETHER), count - 1)])  # the last one fills up
        seen = self._seen(windows.data["image"], frames)
        maps = self.network.maps(frames, seen.rest(TOGETHER), seen.first(TOGETHER))
        return Maps(maps.raw[:count], maps.change[:count], maps.code[:count])

    def _seen(self, images: Image, frames: Tensor) -> Seen:
        """What the backbone makes of clips without their middle frame, and of the first twelve frames."""
        backbone = self.network.backbone
        if not self._shares or backbone.shared(frames[:1, :, 0]) is None:
            clips = without(frames, torch.full((TOGETHER,), MIDDLE)), consecutive(frames, torch.zeros(TOGETHER).long())
            seen: Seen = backbone(torch.cat(clips))
            return seen
        keys = [[hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in clip] for clip in images]
        keys += [keys[-1]] * (TOGETHER - len(keys))
        rows: dict[bytes, int] = {}
        shares: list[Tensor] = []
        for clip, pictures in zip(keys, frames.transpose(1, 2), strict=True):
            for key, picture in zip(clip, pictures, strict=True):
                if key not in rows:
                    rows[key] = len(shares)
                    shares.append(self._shared(key, picture))
        whole = torch.tensor([[rows[key] for key in clip] for clip in keys])
        members = torch.cat([whole[:, [at for at in range(LENGTH) if at != MIDDLE]], whole[:, :CLIP]])
        return backbone.joined(torch.stack(shares), members)

    def _shared(self, key: bytes, picture: Tensor) -> Tensor:
        """What clips share of a frame, as remembered."""
        if key in self._remembered:
            self._remembered.move_to_end(key)
            return self._remembered[key]
        shared = self.network.backbone.shared(picture[None])
        if shared is None:
            raise LookupError("the backbone shares nothing")
        self._remembered[key] = shared[0]
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return shared[0]
