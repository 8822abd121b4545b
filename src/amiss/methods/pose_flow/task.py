"""How `pose-flow` is trained: to make segments likely under its prior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from amiss.methods.pose_flow.segments import normalised
from amiss.methods.pose_flow.settings import PoseFlowSettings
from amiss.methods.task import Plan
from amiss.nn.flow import SegmentFlow, negative_log_likelihood
from amiss.nn.graph import LEFT_RIGHT
from amiss.types import Windows

__all__ = ["Likelihood", "make_flow", "tensor_of"]

PLAN = Plan(epochs=8, batch=256, rate=5e-4, decay=0.99, optimiser="adamax", clip=100.0)


def make_flow(settings: PoseFlowSettings) -> SegmentFlow:
    """The flow that the settings ask for, with first values."""
    form = settings.length, settings.steps, settings.hops, settings.kernel
    # Segments a stride apart share frames with those beside them, and a mirror image tells nothing new.
    shared = max(settings.length / settings.stride, 1) * (1 + settings.flip)
    whitening = shared if settings.whitening else 0.0
    return SegmentFlow(*form, settings.mixing, rectified=settings.rectified, whitening=whitening)


def tensor_of(windows: Windows, least: float) -> Tensor:
    """`(N, 2, T, 18)` float64 of segments, without place and size."""
    return torch.from_numpy(normalised(windows.data["pose"], windows.data["size"], least))


class _Learning(nn.Module):
    """The flow and the labelled segments it learns from; both decide what a checkpoint is of."""

    def __init__(self, flow: SegmentFlow, abnormal: Tensor) -> None:
        super().__init__()
        self.flow = flow
        self.register_buffer("abnormal", abnormal)


class Likelihood:
    """The task of making normal segments likely under N(mean, I), and abnormal ones under N(-mean, I).

    Args:
        settings: The flow and its priors.
        start: `(N, 2, T, 18)` normal segments that the activation normalisations begin with.
        abnormal: `(A, 2, T, 18)` labelled abnormal segments; there may be none.
        count: Normal segments in all: abnormal ones are drawn as often as they are among both.
        seed: Of the first values.
    """

    def __init__(self, settings: PoseFlowSettings, start: Tensor, abnormal: Tensor, count: int, seed: int) -> None:
        self.name = "pose-flow"
        torch.manual_seed(seed)
        self.flow = make_flow(settings)
        start = start.float()
        self.flow.start(torch.cat([start, _mirrored(start)]) if settings.flip else start)
        self.module: nn.Module = _Learning(self.flow, abnormal.float())
        self._settings, self._share = settings, len(abnormal) / count
        epochs = max(PLAN.epochs, -(-settings.updates * PLAN.batch // count))
        self.plan = replace(PLAN, epochs=epochs, decay_every=max(epochs // PLAN.epochs, 1))

    def batch(self, windows: Windows) -> Mapping[str, Tensor]:
        """Segments as tensors."""
        return {"segments": tensor_of(windows, self._settings.confidence).float()}

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Negative log-likelihood in bits a dimension, averaged over normal and abnormal segments together."""
        normal = batch["segments"]
        abnormal = self._abnormal(len(normal))
        count = len(normal) + len(abnormal)
        segments = torch.cat([normal, abnormal])
        if self._settings.flip and self.module.training:
            segments = _flipped(segments)
        mean = torch.full((count, 1, 1, 1), self._settings.mean, device=segments.device)
        mean[len(normal) :] *= -1
        latent, volume = self.flow(segments)
        nats = negative_log_likelihood(latent, volume, mean).sum(1)
        bits = nats / (segments[0].numel() * math.log(2) * count)
        terms = {"normal": bits[: len(normal)].sum()}
        return terms | ({"abnormal": bits[len(normal) :].sum()} if len(abnormal) else {})

    def _abnormal(self, normal: int) -> Tensor:
        """Abnormal segments drawn at random for a batch with so many normal ones, at most as many."""
        known: Tensor = self.module.abnormal  # type: ignore[assignment]
        number = min(max(round(normal * self._share), 1), normal) if len(known) else 0
        return known[torch.randint(max(len(known), 1), (number,)).to(known.device)]


def _flipped(segments: Tensor) -> Tensor:
    """Each segment, or its mirror image, in which left and right change places."""
    chosen = torch.rand(len(segments), 1, 1, 1).to(segments.device) < 0.5
    return torch.where(chosen, _mirrored(segments), segments)


def _mirrored(segments: Tensor) -> Tensor:
    """The mirror image of each segment, in which left and right change places."""
    return segments[..., list(LEFT_RIGHT)] * segments.new_tensor([-1.0, 1.0]).view(2, 1, 1)
