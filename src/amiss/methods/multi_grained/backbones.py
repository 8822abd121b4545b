"""The networks that see clips: what `multi-grained` asks of one, I3D, and a small one for objects.

Sources: Carreira and Zisserman, "Quo Vadis, Action Recognition?", 2017 (I3D); Georgescu et al., "Anomaly detection in
video via self-supervised and multi-task learning", CVPR 2021 (a few 3-D convolutions on object cubes).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from amiss.errors import WeightsError
from amiss.perception.video.checkpoint import Naming, load_checkpoint
from amiss.perception.video.i3d import I3D, I3D_NAMING, Pool, Unit, narrowed, pad_same

__all__ = ["CELL", "CLIP", "Backbone", "I3DBackbone", "ObjectBackbone", "Seen", "Sharing"]

CLIP = 12
"""Frames of a clip that a backbone sees."""
CELL = 8
"""Pixels a side of the cells of the fine features."""
FINE, COARSE = "Mixed_3c", "Mixed_4f"
TAPS = 7
"""Frames that the first kernel of I3D spans."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a backbone makes of clips.

    Attributes:
        local: `(N, C, H / 8, W / 8)` features of cells over all frames of a clip, which see little around them.
        fine: `(N, C, H / 8, W / 8)` features of the cells that see more, or the same ones.
        coarse: `(N, D, h, w)` features of larger cells, or the same ones.
        skips: What a decoder takes besides.
    """

    local: Tensor
    fine: Tensor
    coarse: Tensor
    skips: tuple[Tensor, ...] = field(default=())

    def first(self, count: int) -> Seen:
        """Of the first so many clips."""
        return Seen(
            self.local[:count], self.fine[:count], self.coarse[:count], tuple(skip[:count] for skip in self.skips)
        )

    def rest(self, count: int) -> Seen:
        """Of the clips after the first so many."""
        return Seen(
            self.local[count:], self.fine[count:], self.coarse[count:], tuple(skip[count:] for skip in self.skips)
        )


class Backbone(nn.Module, ABC):
    """From clips of twelve frames to features of their cells.

    Attributes:
        fine: Channels of the local and of the fine features.
        coarse: Channels of the coarse features.
    """

    fine: int
    coarse: int

    @abstractmethod
    def forward(self, clips: Tensor) -> Seen:
        """What it makes of `(N, 3, 12, H, W)` clips, RGB in -1..1."""


class Sharing(Backbone):
    """A backbone of which clips can share what their frames have to do with them."""

    @abstractmethod
    def shared(self, frame: Tensor) -> Tensor:
        """What clips share of a frame `(3, H, W)`."""

    @abstractmethod
    def joined(self, shared: Sequence[Tensor], clips: Sequence[Sequence[int]]) -> Seen:
        """What `forward` gives, from what clips share.

        Args:
            shared: From `shared`, of each frame.
            clips: The numbers of the twelve frames of each clip.
        """


class I3DBackbone(Sharing):
    """I3D up to `Mixed_3c`, the local features, and `Mixed_4f`, the coarse ones; the fine ones are both together.

    Clips share the first convolution: over time it is a sum, so each frame is convolved once with each of its seven
    layers in time, whatever the clips that it is in.

    Args:
        width: Share of the published channels.
        weights: Published weights; the width is 1 then.

    Raises:
        WeightsError: They do not fit.
    """

    def __init__(self, width: float, weights: Path | None = None) -> None:
        super().__init__()
        self.trunk = I3D(width, COARSE)
        if weights is not None:
            if width != 1:
                raise WeightsError(f"{weights} is of the whole I3D; set method.width=1 to start from it")
            load_checkpoint(self.trunk, weights, Naming(I3D_NAMING.renames, (*I3D_NAMING.unused, r"Mixed_5")))
        steps = CLIP // 2
        fine, coarse = self.trunk.channels[FINE], self.trunk.channels[COARSE]
        self.lateral = nn.Conv3d(coarse, fine, 1)
        self.fine, self.coarse = fine * steps, coarse * (steps // 2)

    def forward(self, clips: Tensor) -> Seen:
        """What it makes of `(N, 3, 12, H, W)` clips."""
        return self._after_first(self.trunk[0](_laid(clips)))

    def _after_first(self, x: Tensor) -> Seen:
        """From the first layer's `(N, C, 6, H / 2, W / 2)` on."""
        fine = x
        for name, layer in list(self.trunk.named_children())[1:]:
            x = layer(x)
            if name == FINE:
                fine = x
        # N, D, 3, h, w → N, C, 6, H / 8, W / 8
        wide = nn.functional.interpolate(self.lateral(x), size=fine.shape[2:], mode="nearest")
        return Seen(fine.flatten(1, 2), torch.relu(fine + wide).flatten(1, 2), x.flatten(1, 2))

    def shared(self, frame: Tensor) -> Tensor:
        """`(7, C, H / 2, W / 2)`: a frame convolved with each of the seven layers in time of the first kernel."""
        weight = self._first.conv3d.weight  # C, 3, 7, 7, 7
        across = weight.permute(2, 0, 1, 3, 4).flatten(0, 1)  # 7 C, 3, 7, 7
        padded = pad_same(frame[None, :, None], (1, TAPS, TAPS), (1, 2, 2))[:, :, 0]
        found = nn.functional.conv2d(padded, across, stride=2)[0]
        return found.view(TAPS, -1, *found.shape[1:])

    def joined(self, shared: Sequence[Tensor], clips: Sequence[Sequence[int]]) -> Seen:
        """What `forward` gives, from frames that were convolved."""
        taps, channels, *size = shared[0].shape
        bias = self._first.conv3d.bias  # there once the normalisation is folded into it
        x = shared[0].new_zeros(len(clips), channels, CLIP // 2, *size)
        for clip, members in zip(x, clips, strict=True):
            for position in range(CLIP // 2):
                first = 2 * position - 2  # as padded in time: two zeros before, three after
                for tap in range(max(-first, 0), min(taps, CLIP - first)):
                    clip[:, position] += shared[members[first + tap]][tap]
        x = _laid(x) if bias is None else _laid(x).add_(bias.view(1, -1, 1, 1, 1))
        return self._after_first(torch.relu_(self._first.bn(x)))

    @property
    def _first(self) -> Unit:
        return cast(Unit, self.trunk[0])


def _laid(clips: Tensor) -> Tensor:
    """With the channels of a place together, where processors convolve and pool in half the time."""
    return clips.contiguous(memory_format=torch.channels_last_3d)


class ObjectBackbone(Backbone):
    """Three 3-D convolutions, each followed by pooling: a small network for object cubes.

    Args:
        width: Share of 64, 128 and 256 channels.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        widths = [narrowed(channels, width) for channels in (64, 128, 256)]
        steps = [(1, 2, 2), (2, 2, 2), (2, 2, 2)]
        layers: list[nn.Module] = []
        for inputs, outputs, step in zip([3, *widths], widths, steps, strict=False):
            layers += [Unit(inputs, outputs, 3), Pool(step, step)]
        self.layers = nn.Sequential(*layers)
        self.fine = self.coarse = widths[-1] * CLIP // 4

    def forward(self, clips: Tensor) -> Seen:
        """What it makes of `(N, 3, 12, H, W)` clips."""
        features = self.layers(_laid(clips)).flatten(1, 2)
        return Seen(features, features, features)
