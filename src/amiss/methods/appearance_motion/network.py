"""The network of `appearance-motion`: two encoders, memories that suppress the skips, and a decoder.

Source: Huang et al., "Multi-level memory-augmented appearance-motion correspondence framework for video anomaly
detection", ICASSP 2023: section 2 and the appendix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.appearance_motion.settings import AppearanceMotionSettings

__all__ = ["LEVELS", "SIZE", "Read", "Seen", "Suppressor", "TwoStream"]

SIZE = 32
"""Pixels a side of a cube."""
LEVELS = 4
"""Levels of the encoders, each half as wide and high as the one before."""
FRAMES, FLOWS = 4, 4
TINY = 1e-8


@dataclass(frozen=True)
class Read:
    """What a memory says of a batch of feature maps.

    Attributes:
        similarity: `(N, items)` cosine of the map and each item.
        strength: `(N,)` the suppressor, λ of equation 3.
        near: `(N,)` mean squared difference of the map and its nearest item, the one of largest cosine.
        far: `(N,)` the same of the second nearest item.
    """

    similarity: Tensor
    strength: Tensor
    near: Tensor
    far: Tensor


@dataclass(frozen=True)
class Seen:
    """What the network makes of a batch of cubes.

    Attributes:
        prediction: `(N, 3, 32, 32)` the next frame, RGB in 0..1.
        appearance: `(N, D)` f_a, None where there is no such stream.
        motion: `(N, D)` f_m, None where there is no such stream.
        reads: One of each memory, the outermost first.
    """

    prediction: Tensor
    appearance: Tensor | None
    motion: Tensor | None
    reads: tuple[Read, ...]


def _convs(channels: int, out: int, number: int, stride: int = 1) -> nn.Sequential:
    """So many 3×3 convolutions, each with batch normalisation and ReLU; the first one strides."""
    layers: list[nn.Module] = []
    for index in range(number):
        step = stride if index == 0 else 1
        conv = nn.Conv2d(channels if index == 0 else out, out, 3, step, 1, bias=False)
        layers += [conv, nn.BatchNorm2d(out), nn.ReLU()]
    return nn.Sequential(*layers)


class Suppressor(nn.Module):
    """Memory-guided suppression of one skip (section 2.2, equations 2 and 3).

    Args:
        channels: Of the feature map.
        side: Its width and height.
        items: Memory items, each as large as a whole map.
        temperature: What cosines are divided by before the softmax.
    """

    def __init__(self, channels: int, side: int, items: int, temperature: float) -> None:
        super().__init__()
        self._temperature = temperature
        self.items = nn.Parameter(torch.rand(items, channels * side * side))  # as the maps after ReLU: not negative
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> tuple[Tensor, Read]:
        """The suppressed maps `(N, C, H, W)`, and what the memory says of them."""
        with torch.autocast(maps.device.type, enabled=False):
            read = self._read(maps.permute(0, 2, 3, 1).flatten(1).float())  # places, then channels: as they lie
        return functional.relu(read.strength[:, None, None, None] * self.norm(maps)), read

    def _read(self, query: Tensor) -> Read:
        """Compare `(N, D)` maps with the items; by products alone, since a difference of each pair would be large."""
        dot = query @ self.items.T  # N, items
        squares = query.square().sum(1, keepdim=True), self.items.square().sum(1)
        cosine = dot / (squares[0].sqrt() * squares[1].sqrt()).clamp_min(TINY)
        distance = (squares[0] + squares[1] - 2 * dot).clamp_min(0) / query.shape[1]
        nearest = distance.gather(1, cosine.topk(min(2, self.items.shape[0]), dim=1).indices)
        return Read(cosine, (cosine / self._temperature).softmax(1).amax(1), nearest[:, 0], nearest[:, -1])


class TwoStream(nn.Module):
    """Predicts the last frame of a cube from the frames before it and the flow into it.

    Args:
        settings: Width, streams, skips and memories.
    """

    def __init__(self, settings: AppearanceMotionSettings) -> None:
        super().__init__()
        self._settings = settings
        widths = [settings.width * 2**level for level in range(LEVELS)]
        convs = settings.convolutions
        if settings.streams != "motion":
            pairs = zip([3 * FRAMES, *widths], widths, strict=False)
            self.appearance = nn.ModuleList(_convs(a, b, convs) for a, b in pairs)
        if settings.streams != "appearance":
            pairs = zip([2 * FLOWS, *widths], widths, strict=False)
            self.motion = nn.ModuleList(_convs(a, b, 1, 1 if n == 0 else 2) for n, (a, b) in enumerate(pairs))
        kept = range(settings.skips)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in widths[:-1])
        self.merge = nn.ModuleList(_convs(w * (2 if n in kept else 1), w, convs) for n, w in enumerate(widths[:-1]))
        self.paint = nn.Conv2d(widths[0], 3, 3, padding=1)
        sides = zip(widths[:-1], settings.memory, strict=True)
        self.suppressors = nn.ModuleList(
            Suppressor(w, SIZE // 2**n, items, settings.temperature)
            for n, (w, items) in enumerate(sides)
            if settings.suppression and n in kept
        )

    def forward(self, frames: Tensor, flows: Tensor) -> Seen:
        """Look at cubes.

        Args:
            frames: `(N, 12, 32, 32)` RGB in 0..1, the oldest first.
            flows: `(N, 8, 32, 32)` pixels a frame, x then y, the oldest first.
        """
        chosen = self._settings
        looks = self._climb("appearance", frames) if chosen.streams != "motion" else []
        moves = self._climb("motion", flows) if chosen.streams != "appearance" else []
        bottom = moves[-1] if moves and (chosen.replacement or not looks) else looks[-1]
        skips, reads = self._suppress((looks or moves)[: chosen.skips])
        f_a = looks[-1].flatten(1).float() if looks else None
        f_m = moves[-1].flatten(1).float() if moves else None
        return Seen(self._paint(bottom, skips), f_a, f_m, reads)

    def _climb(self, stream: str, maps: Tensor) -> list[Tensor]:
        """The maps of each level of an encoder; that of appearance pools between levels, that of motion strides."""
        levels = []
        for number, level in enumerate(cast("nn.ModuleList", getattr(self, stream))):
            maps = level(functional.max_pool2d(maps, 2) if number and stream == "appearance" else maps)
            levels.append(maps)
        return levels

    def _suppress(self, skips: list[Tensor]) -> tuple[list[Tensor], tuple[Read, ...]]:
        if not len(self.suppressors):
            return skips, ()
        pairs = [suppressor(maps) for suppressor, maps in zip(self.suppressors, skips, strict=True)]
        return [maps for maps, _ in pairs], tuple(read for _, read in pairs)

    def _paint(self, maps: Tensor, skips: list[Tensor]) -> Tensor:
        """`(N, 3, 32, 32)` from the bottom and the skips, the outermost first."""
        for number in reversed(range(LEVELS - 1)):
            maps = self.up[number](maps)
            if number < len(skips):
                maps = torch.cat([maps, skips[number]], dim=1)
            maps = self.merge[number](maps)
        return torch.sigmoid(self.paint(maps).float())
