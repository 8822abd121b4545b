"""The network of `appearance-motion` as other programs can take it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amiss.methods.appearance_motion.network import FLOWS, FRAMES, SIZE, Seen, TwoStream
from amiss.methods.appearance_motion.settings import AppearanceMotionSettings
from amiss.nn.portable import Portable

__all__ = ["portable"]

PIXELS_A_FRAME = 2.0
"""Spread of the flows of examples."""


class _Cubes(nn.Module):
    """What scoring takes of the network, as a tuple."""

    def __init__(self, network: TwoStream) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor, flows: Tensor) -> tuple[Tensor, ...]:
        """Prediction, the features that there are, and the similarity of each memory."""
        laid = (maps.contiguous(memory_format=torch.channels_last) for maps in (frames, flows))
        seen: Seen = self.network(*laid)
        features = [feature for feature in (seen.appearance, seen.motion) if feature is not None]
        return seen.prediction, *features, *(read.similarity for read in seen.reads)


def portable(network: TwoStream, settings: AppearanceMotionSettings, together: int) -> Portable:
    """The network with names for what goes in and comes out.

    Args:
        network: In evaluation mode.
        settings: It was made with.
        together: Windows that torch looks at together.
    """
    before = "into the last four frames" if settings.flow == "into" else "into the four frames before the predicted one"
    features = {
        name: f"(N, D) features of the {name} stream, to compare by cosine"
        for name in ("appearance", "motion")
        if settings.streams in ("both", name)
    }
    memories = range(1, len(network.suppressors) + 1)
    return Portable(
        module=_Cubes(network),
        inputs={
            "frames": "(N, 12, 32, 32) four crops of an object, RGB in 0..1, the oldest first",
            "flows": f"(N, 8, 32, 32) optical flow {before}, pixels of the picture a frame, x then y, the oldest first",
        },
        outputs={
            "prediction": "(N, 3, 32, 32) the crop of the next frame, RGB in 0..1",
            **features,
            **{f"memory_{level}": "(N, items) cosines of the map and each item of a memory" for level in memories},
        },
        example=_example,
        axes=(0, 0),
        together=together,
    )


def _example(count: int) -> tuple[Tensor, ...]:
    draw = torch.Generator().manual_seed(count)
    frames = torch.rand(count, 3 * FRAMES, SIZE, SIZE, generator=draw)
    return frames, PIXELS_A_FRAME * torch.randn(count, 2 * FLOWS, SIZE, SIZE, generator=draw)
