"""The network of `multi-grained` as other programs can take it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from amiss.methods.multi_grained.backbones import CLIP, Seen
from amiss.methods.multi_grained.drawing import MIDDLE
from amiss.methods.multi_grained.network import ProxyNetwork
from amiss.methods.multi_grained.samples import LENGTH
from amiss.nn.portable import Portable

__all__ = ["portable"]


class _Clips(nn.Module):
    """The maps that scoring takes, of windows of thirteen frames."""

    def __init__(self, network: ProxyNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Parts, change and code."""
        broken: Seen = self.network.backbone(torch.cat([frames[:, :, :MIDDLE], frames[:, :, MIDDLE + 1 :]], 2))
        intact = self.network.backbone(frames[:, :, :CLIP]) if "continuity" in self.network.parts else None
        maps = self.network.maps(frames, broken, intact)
        return maps.raw, maps.change, maps.code


def portable(network: ProxyNetwork, shape: tuple[int, int]) -> Portable:
    """The network with names for what goes in and comes out.

    Args:
        network: In evaluation mode.
        shape: Rows and columns of a frame.
    """
    return Portable(
        module=_Clips(_with_biases(network)).eval(),
        inputs={"frames": "(N, 3, 13, H, W) frames, RGB in -1..1"},
        outputs={
            "raw": f"(N, P, h, w) {', '.join(network.parts)} of each cell, before they are standardised",
            "change": "(N, h, w) grey levels by which a cell changes from frame to frame",
            "code": "(N, D, h, w) features to compare cells by cosine",
        },
        example=lambda count: _example(count, shape),
        axes=(0,),
    )


def _with_biases(network: ProxyNetwork) -> ProxyNetwork:
    """A copy in which convolutions over time have a bias, if only zeros: torch says none of an unknown rank in ONNX."""
    copied = copy.deepcopy(network)
    for module in copied.modules():
        if isinstance(module, nn.Conv3d) and module.bias is None:
            module.bias = nn.Parameter(torch.zeros(module.out_channels))
    return copied


def _example(count: int, shape: tuple[int, int]) -> tuple[Tensor, ...]:
    """Grey noise that changes a little from frame to frame."""
    draw = torch.Generator().manual_seed(count)
    still = torch.rand(count, 3, 1, *shape, generator=draw)
    return ((still + 0.1 * torch.randn(count, 3, LENGTH, *shape, generator=draw)).clamp(0, 1) * 2 - 1,)
