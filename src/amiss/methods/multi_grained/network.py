"""The network of `multi-grained`: a backbone with a head for each of the three proxy tasks.

Continuity judgment is of a whole clip: the mean of a map over coarse cells, so that the map is a class activation map.
Discontinuity localization and missing-frame estimation answer for each fine cell of its own. This is our reading: the
main paper was not at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.multi_grained.backbones import CELL, Backbone, I3DBackbone, ObjectBackbone, Seen
from amiss.methods.multi_grained.drawing import MIDDLE, ConvGRUBackbone, Drawing, MemoryBackbone, UNetBackbone
from amiss.methods.multi_grained.samples import GAPS, change
from amiss.methods.multi_grained.settings import MultiGrainedSettings

__all__ = ["FrameEncoder", "Maps", "ProxyNetwork", "make_backbone", "parts_of"]

HIDDEN = 96
KINDS: Mapping[str, Callable[[float], Backbone]] = {
    "objects": ObjectBackbone,
    "unet": UNetBackbone,
    "memory": MemoryBackbone,
    "convgru": ConvGRUBackbone,
}
LEAST_CHANCE = 1e-6
"""Chances are not told apart from 0 and 1 when they are nearer than this."""


def make_backbone(settings: MultiGrainedSettings) -> Backbone:
    """The backbone that the settings ask for.

    Raises:
        WeightsError: Its published weights do not fit.
    """
    if settings.backbone == "i3d":
        return I3DBackbone(settings.width, settings.weights)
    return KINDS[settings.backbone](settings.width)


def parts_of(settings: MultiGrainedSettings) -> dict[str, float]:
    """The parts of the score with their weights: the tasks, and a drawing backbone's own objective, that have any."""
    weights = {name: float(getattr(settings, name)) for name in ("continuity", "localization", "estimation")}
    if settings.draws:
        weights["own"] = settings.own
    return {name: weight for name, weight in weights.items() if weight}


class FrameEncoder(nn.Module):
    """A frame as features of length 1 for each of its cells.

    Args:
        features: D, their number.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs, stride in ((3, 16, 2), (16, 32, 2), (32, 64, 2), (64, 64, 1)):
            convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(64, features, 1))

    def forward(self, frames: Tensor) -> Tensor:
        """`(N, 3, H, W)` in -1..1 to `(N, D, H / 8, W / 8)`."""
        return functional.normalize(self.layers(frames).float())


@dataclass(frozen=True, eq=False)
class Maps:
    """What the network makes of clips, a number a cell.

    Attributes:
        raw: `(N, P, h, w)` the parts of the score before they are standardised, higher is more abnormal.
        change: `(N, h, w)` grey levels by which a cell changes from frame to frame.
        code: `(N, D, h, w)` features to compare cells by.
    """

    raw: Tensor
    change: Tensor
    code: Tensor


class ProxyNetwork(nn.Module):
    """A backbone with heads for the tasks that have a weight.

    Args:
        settings: Backbone, weights and sizes.
    """

    def __init__(self, settings: MultiGrainedSettings) -> None:
        super().__init__()
        self.backbone = make_backbone(settings)
        self.parts = tuple(parts_of(settings))
        fine, coarse = self.backbone.fine, self.backbone.coarse
        if settings.continuity:
            layers = nn.Conv2d(coarse, HIDDEN, 1), nn.ReLU(), nn.Conv2d(HIDDEN, 1, 1)
            self.continuity = nn.Sequential(*layers)
        if settings.localization:
            self.localization = _head(fine, GAPS)
        if settings.estimation and not isinstance(self.backbone, Drawing):
            self.estimation, self.encoder = _head(fine, settings.features), FrameEncoder(settings.features)

    def judged(self, seen: Seen) -> Tensor:
        """`(N, h, w)`: log odds that a frame is missing, by coarse cell; their mean is the clip's."""
        return torch.as_tensor(self.continuity(seen.coarse)[:, 0])

    def located(self, seen: Seen) -> Tensor:
        """`(N, 11, h, w)`: log chances of each gap, by fine cell."""
        return functional.log_softmax(self.localization(seen.local).float(), 1)

    def estimated(self, seen: Seen) -> Tensor:
        """`(N, D, h, w)`: features of the missing frame, of length 1."""
        return functional.normalize(self.estimation(seen.fine).float())

    def maps(self, frames: Tensor, broken: Seen, intact: Seen | None) -> Maps:
        """The parts of the score for each cell of the middle frame.

        Args:
            frames: `(N, 3, 13, H, W)` in -1..1.
            broken: What the backbone makes of all but the middle one.
            intact: Of the first twelve; None without continuity judgment.
        """
        moved = change(frames)
        size = moved.shape[1:]
        found: dict[str, Tensor] = {}
        if intact is not None:
            coarse = self.judged(intact)[:, None].float()
            found["continuity"] = functional.interpolate(coarse, size=size, mode="bilinear")[:, 0]
        if "localization" in self.parts:
            right = self.located(broken)[:, MIDDLE - 1].exp().clamp(LEAST_CHANCE, 1 - LEAST_CHANCE)
            found["localization"] = torch.log1p(-right) - right.log()
        code = functional.normalize(broken.fine.float())
        if "estimation" in self.parts:
            found["estimation"] = self._estimation(frames, broken)
        if isinstance(self.backbone, Drawing) and "own" in self.parts:
            drawn = self.backbone.own(frames)
            found["own"] = _error(drawn.pictures[:, :, drawn.middle], drawn.target[:, :, drawn.middle])
        return Maps(torch.stack([found[name] for name in self.parts], 1), moved, code)

    def _estimation(self, frames: Tensor, broken: Seen) -> Tensor:
        """`(N, h, w)`: 1 - cosine of the middle frame's features and those foreseen, or the error of its picture."""
        if isinstance(self.backbone, Drawing):
            return _error(self.backbone.missing(broken), frames[:, :, MIDDLE])
        return torch.as_tensor(1 - (self.estimated(broken) * self.encoder(frames[:, :, MIDDLE])).sum(1))


def _head(inputs: int, outputs: int) -> nn.Sequential:
    """Two layers for each cell."""
    width = 2 * HIDDEN
    layers = nn.Conv2d(inputs, width, 1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, outputs, 1)
    return nn.Sequential(*layers)


def _error(picture: Tensor, target: Tensor) -> Tensor:
    """`(N, h, w)`: root mean square difference of `(N, 3, H, W)` pictures, by cell."""
    square = (picture.float() - target).square().mean(1, keepdim=True)
    return torch.as_tensor(functional.avg_pool2d(square, CELL)[:, 0].sqrt())
