"""Backbones that draw frames: a U-Net, a memory-augmented autoencoder, and a recurrent network with several paths.

Each has an objective of its own, as published, to which the proxy tasks are added; with them, it also draws the missing
frame. All draw pictures in -1..1.

Sources: Liu et al., "Future frame prediction for anomaly detection", CVPR 2018 (U-Net; flow and adversarial losses are
left out, as they need a flow network and a discriminator); Gong et al., "Memorizing normality to detect anomaly", ICCV
2019 (memory); Wang et al., "Robust unsupervised video anomaly detection by multipath frame prediction", TNNLS 2022
(ConvGRU at several scales).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.multi_grained.backbones import CLIP, Backbone, Seen
from amiss.perception.video.i3d import narrowed

__all__ = ["MIDDLE", "ConvGRUBackbone", "Drawing", "Drawn", "MemoryBackbone", "UNetBackbone", "addressed"]

MIDDLE = 6
"""The frame, of thirteen, that is scored."""
ITEMS = 2000
"""Items of the memory; as published for 3-D features."""
SPARSE = 2e-4
"""Weight of the entropy of addresses, as published."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a backbone drew to its own objective.

    Attributes:
        pictures: `(N, 3, K, H, W)`.
        target: `(N, 3, K, H, W)`.
        penalty: A further term of its loss, weighted; a number.
        middle: Which of the K is the frame that is scored.
    """

    pictures: Tensor
    target: Tensor
    penalty: Tensor
    middle: int = 0


class Drawing(Backbone):
    """A backbone with a decoder, and with an objective of its own."""

    @abstractmethod
    def missing(self, seen: Seen) -> Tensor:
        """`(N, 3, H, W)`: the frame that a clip lacks."""

    @abstractmethod
    def own(self, frames: Tensor) -> Drawn:
        """What it was published for, from `(N, 3, 13, H, W)` frames."""


def _unit(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _level(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_unit(inputs, outputs), _unit(outputs, outputs))


class _Decoder(nn.Module):
    """From features of cells up to the picture, with what the encoder had at each level on the way.

    Args:
        widths: Channels by level, the finest first; the last is what it starts from.
    """

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        pairs = list(zip(widths[1:], widths, strict=False))
        self.rise = nn.ModuleList(nn.ConvTranspose2d(below, here, 2, 2) for below, here in pairs)
        self.join = nn.ModuleList(_level(2 * here, here) for _, here in pairs)
        self.widths = widths

    def forward(self, x: Tensor, skips: tuple[Tensor, ...]) -> Tensor:
        """`(N, C, h, w)` and the finer levels, the finest first, to `(N, widths[0], H, W)`."""
        for rise, join, skip in zip(reversed(self.rise), reversed(self.join), reversed(skips), strict=True):
            x = join(torch.cat([rise(x), skip], 1))
        return x


class UNetBackbone(Drawing):
    """A U-Net over the stacked frames of a clip; its own objective is the frame after a clip.

    It foresees the middle of thirteen frames from the six before it, the first of which stands in for those that lack.

    Args:
        width: Share of 64, 128, 256 and 512 channels.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        widths = [narrowed(channels, width) for channels in (64, 128, 256, 512)]
        self.levels = nn.ModuleList(map(_level, [3 * CLIP, *widths], widths))
        self.decoder = _Decoder(widths)
        self.last, self.next = (nn.Conv2d(widths[0], 3, 3, padding=1) for _ in range(2))
        self.fine = self.coarse = widths[-1]

    def forward(self, clips: Tensor) -> Seen:
        """What it makes of `(N, 3, 12, H, W)` clips."""
        x, skips = clips.transpose(1, 2).flatten(1, 2), []
        for number, level in enumerate(self.levels):
            x = level(functional.max_pool2d(x, 2) if number else x)
            skips.append(x)
        return Seen(x, x, x, tuple(skips[:-1]))

    def missing(self, seen: Seen) -> Tensor:
        """`(N, 3, H, W)`: the frame that a clip lacks."""
        return torch.tanh(self.last(self.decoder(seen.fine, seen.skips)))

    def own(self, frames: Tensor) -> Drawn:
        """The middle frame, from those before it."""
        before = torch.cat([frames[:, :, :1].expand(-1, -1, CLIP - MIDDLE, -1, -1), frames[:, :, :MIDDLE]], 2)
        seen = self(before)
        picture = torch.tanh(self.next(self.decoder(seen.fine, seen.skips)))
        return Drawn(picture[:, :, None], frames[:, :, MIDDLE : MIDDLE + 1], picture.new_zeros(()))


def addressed(queries: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """What a memory gives for each query, by sparse addresses.

    Addresses are a softmax over cosines, shrunk by 1 / items (those below vanish) and divided by their sum.

    Args:
        queries: `(N, D)`.
        items: `(M, D)`.

    Returns:
        `(N, D)`, and `(N, M)` the addresses.
    """
    address = torch.softmax(functional.normalize(queries) @ functional.normalize(items).T, 1)
    excess = functional.relu(address - 1 / items.shape[0])
    address = functional.normalize(excess * address / (excess + 1e-12), 1, 1)
    return address @ items, address


class MemoryBackbone(Drawing):
    """A 3-D autoencoder with a memory; its own objective is the clip itself.

    Args:
        width: Share of 96, 128 and 256 channels, and of 2000 items.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        first, second, third = (narrowed(channels, width) for channels in (96, 128, 256))
        pairs = [(3, first, (1, 2, 2)), (first, second, (2, 2, 2)), (second, third, (2, 2, 2))]
        self.encoder = nn.Sequential(*(_volume(*pair) for pair in pairs))
        self.items = nn.Parameter(torch.empty(max(4, round(ITEMS * width)), third))
        nn.init.kaiming_uniform_(self.items, a=math.sqrt(5))
        rises = [(third, second, (2, 2, 2)), (second, first, (2, 2, 2)), (first, first, (1, 2, 2))]
        self.decoder = nn.Sequential(*(_risen(*pair) for pair in rises))
        self.whole = nn.Conv3d(first, 3, 3, padding=1)
        self.last = nn.Conv3d(first, 3, (CLIP, 3, 3), padding=(0, 1, 1))
        self.fine = self.coarse = third * CLIP // 4

    def forward(self, clips: Tensor) -> Seen:
        """What it makes of `(N, 3, 12, H, W)` clips."""
        encoded = self.encoder(clips)
        features = encoded.flatten(1, 2)
        return Seen(features, features, features, (encoded,))

    def _decoded(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """`(N, C, 12, H, W)`, and the mean entropy of the addresses."""
        encoded = seen.skips[0]
        count, width = encoded.shape[:2]
        queries = encoded.movedim(1, -1).reshape(-1, width).float()
        read, address = addressed(queries, self.items.float())
        entropy = -torch.special.xlogy(address, address.clamp(min=1e-12)).sum(1).mean()
        return self.decoder(read.view(count, *encoded.shape[2:], width).movedim(-1, 1)), entropy

    def missing(self, seen: Seen) -> Tensor:
        """`(N, 3, H, W)`: the frame that a clip lacks."""
        return torch.tanh(self.last(self._decoded(seen)[0])[:, :, 0])

    def own(self, frames: Tensor) -> Drawn:
        """The first twelve frames as they are."""
        clip = frames[:, :, :CLIP]
        decoded, entropy = self._decoded(self(clip))
        return Drawn(torch.tanh(self.whole(decoded)), clip, SPARSE * entropy, MIDDLE)


def _volume(inputs: int, outputs: int, stride: tuple[int, int, int]) -> nn.Sequential:
    convolution = nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm3d(outputs), nn.LeakyReLU(0.2))


def _risen(inputs: int, outputs: int, stride: tuple[int, int, int]) -> nn.Sequential:
    convolution = nn.ConvTranspose3d(inputs, outputs, stride, stride, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm3d(outputs), nn.LeakyReLU(0.2))


class _Recurrent(nn.Module):
    """A gated recurrent unit whose products are convolutions."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(inputs + width, 2 * width, 3, padding=1)
        self.fresh = nn.Conv2d(inputs + width, width, 3, padding=1)
        self.width = width

    def forward(self, steps: Tensor) -> Tensor:
        """`(N, C, T, h, w)` to the last state `(N, width, h, w)`; the first is 0."""
        state = steps.new_zeros(steps.shape[0], self.width, *steps.shape[3:])
        for x in steps.unbind(2):
            update, reset = torch.sigmoid(self.gates(torch.cat([x, state], 1))).chunk(2, 1)
            fresh = torch.tanh(self.fresh(torch.cat([x, reset * state], 1)))
            state = (1 - update) * state + update * fresh
        return state


class ConvGRUBackbone(Drawing):
    """Frames one after the other, through recurrent paths of three scales; its own objective is the next frame.

    Args:
        width: Share of 64, 128 and 256 channels.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        widths = [narrowed(channels, width) for channels in (64, 128, 256)]
        self.levels = nn.ModuleList(_unit(a, b, 2) for a, b in zip([3, *widths], widths, strict=False))
        self.paths = nn.ModuleList(_Recurrent(channels, channels) for channels in widths)
        self.decoder = _Decoder(widths)
        self.last, self.next = (nn.ConvTranspose2d(widths[0], 3, 4, 2, 1) for _ in range(2))
        self.fine = self.coarse = widths[-1]

    def forward(self, clips: Tensor) -> Seen:
        """What it makes of `(N, 3, T, H, W)` clips of any length."""
        length = clips.shape[2]
        x, states = clips.transpose(1, 2).flatten(0, 1), []
        for level, path in zip(self.levels, self.paths, strict=True):
            x = level(x)
            states.append(path(x.view(-1, length, *x.shape[1:]).transpose(1, 2)))
        return Seen(states[-1], states[-1], states[-1], tuple(states[:-1]))

    def missing(self, seen: Seen) -> Tensor:
        """`(N, 3, H, W)`: the frame that a clip lacks."""
        return torch.tanh(self.last(self.decoder(seen.fine, seen.skips)))

    def own(self, frames: Tensor) -> Drawn:
        """The middle frame, from the six before it."""
        seen = self(frames[:, :, :MIDDLE])
        picture = torch.tanh(self.next(self.decoder(seen.fine, seen.skips)))
        return Drawn(picture[:, :, None], frames[:, :, MIDDLE : MIDDLE + 1], picture.new_zeros(()))
