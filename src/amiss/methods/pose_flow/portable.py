"""The flow of `pose-flow` as other programs can take it."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from amiss.methods.pose_flow.settings import PoseFlowSettings
from amiss.nn.flow import Mixing, Pair, SegmentFlow, negative_log_likelihood
from amiss.nn.graph import JOINTS
from amiss.nn.portable import Portable

__all__ = ["portable"]


class _Mixed(nn.Module):
    """A learned mixing that learns no more, so that its determinant is a number: other programs know none of matrices.

    Args:
        mixing: What was learned.
    """

    volume: Tensor

    def __init__(self, mixing: Mixing) -> None:
        super().__init__()
        self.mixing = mixing
        self.register_buffer("volume", torch.linalg.slogdet(mixing.weight.detach())[1], persistent=False)

    def forward(self, pair: Pair) -> tuple[Pair, Tensor]:
        """The pair after it, and the logarithm of its determinant."""
        return self.mixing.mixed(pair), self.volume


class _Guide(nn.Module):
    """How unlikely segments are."""

    def __init__(self, flow: SegmentFlow, mean: float) -> None:
        super().__init__()
        self.flow, self._mean = copy.deepcopy(flow).float().requires_grad_(requires_grad=False), mean
        for number, layer in enumerate(self.flow.layers):
            if isinstance(layer, Mixing):
                self.flow.layers[number] = _Mixed(layer)

    def forward(self, segments: Tensor) -> tuple[Tensor, ...]:
        """Bits a dimension of each joint, and the latent as `mgenet` foresees it."""
        latent, volume = self.flow(segments)
        nats = negative_log_likelihood(latent, volume, self._mean)
        bits = nats / (segments.shape[1] * segments.shape[2] * math.log(2))
        return bits, latent.permute(0, 2, 1, 3).flatten(2)


def portable(flow: SegmentFlow, settings: PoseFlowSettings) -> Portable:
    """A copy of the flow in float32, with names for what goes in and comes out.

    Args:
        flow: In evaluation mode.
        settings: It was made with.
    """
    return Portable(
        module=_Guide(flow, settings.mean).eval(),
        inputs={
            "segments": f"(N, 2, T, 18) x and y of the joints {', '.join(JOINTS)}, over the frames of a segment, "
            "without place and size"
        },
        outputs={
            "bits": "(N, 18) negative log-likelihood of each joint, bits a dimension; its mean is that of the segment",
            "latent": "(N, T, 36) what the flow maps the segment to, x and then y of the joints",
        },
        example=lambda count: _example(count, settings.length),
        axes=(0,),
        counted="segments",
    )


def _example(count: int, length: int) -> tuple[Tensor, ...]:
    """Bodies that sway."""
    draw = torch.Generator().manual_seed(count)
    still = torch.randn(count, 2, 1, len(JOINTS), generator=draw)
    return (still + 0.1 * torch.randn(count, 2, length, len(JOINTS), generator=draw).cumsum(2),)
