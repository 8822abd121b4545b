"""How far what a crop looks like is from the nearest normal looks: beside the paper's score of appearance, and ours.

What half of a crop tells of the other (S_app) is odd where a thing surprises within itself. A cart or a bag does not:
it only looks like nothing that was learned.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.perception.efficientnet import FineTokens
from amiss.types import Windows

__all__ = ["KEPT", "NEIGHBOURS", "Looks", "faces_of"]

KEPT = 4096
"""Normal crops that are remembered, at most."""
NEIGHBOURS = 8
"""Nearest remembered crops whose distances are averaged."""
MIDDLE = 4
"""The middle of a crop begins a fourth from each side: the thing itself, with little of the ground."""
FAR = 1e3
"""Farther than any crop: the mark of what is left out."""


class Looks(nn.Module):
    """Remembers what normal crops look like.

    What a crop looks like are the tokens of a network that knows pictures, once averaged over the whole crop and once
    over its middle, each average of unit length.

    Args:
        items: `(M, 80)` what is remembered, M at least 1.
        groups: `(M,)` int64, what each belongs to: a clip, or somebody.
    """

    items: Tensor
    groups: Tensor

    def __init__(self, items: Tensor, groups: Tensor) -> None:
        super().__init__()
        self.tokens = FineTokens()
        self.register_buffer("items", items)
        self.register_buffer("groups", groups)

    @staticmethod
    def features(tokens: FineTokens, crops: Tensor) -> Tensor:
        """`(N, 80)` of crops `(N, S, S, 3)` RGB uint8, S at least 16."""
        shown = tokens(((crops.float() - 127) / 128).permute(0, 3, 1, 2))  # N, h, w, 40
        edge = shown.shape[1] // MIDDLE
        middle = shown[:, edge : shown.shape[1] - edge, edge : shown.shape[2] - edge]
        return torch.cat([functional.normalize(part.mean((1, 2)), dim=1) for part in (shown, middle)], dim=1)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Features `(N, 80)` of crops, and `(N,)` how far they are from the nearest that are remembered."""
        features = self.features(self.tokens, crops)
        return features, self.distance(features)

    def distance(self, features: Tensor, groups: Tensor | None = None) -> Tensor:
        """How far looks are from the nearest that are remembered.

        Args:
            features: `(N, 80)`.
            groups: `(N,)` int64, what is remembered of which group is left out for each, as for normal crops that were
                learned from; nothing for those of a group beside which there is no other.

        Returns:
            `(N,)` float64, the mean Euclidean distance to the 8 nearest, from 0 to about 2.
        """
        here, there = features.double(), self.items.double()  # in single precision what is the same would be apart
        squares = here.square().sum(1, keepdim=True) + there.square().sum(1) - 2 * here @ there.T
        gap = squares.clamp_min(0).sqrt()
        if groups is not None:
            own = groups[:, None] == self.groups
            gap = torch.where(own & ~own.all(1, keepdim=True), FAR, gap)
        nearest = gap.topk(min(NEIGHBOURS, self.items.shape[0]), dim=1, largest=False).values
        counts = (nearest < FAR).to(nearest.dtype)
        return (nearest * counts).sum(1) / counts.sum(1).clamp_min(1)


def faces_of(windows: Windows) -> Tensor:
    """`(N, S, S, 3)` uint8, the crop in the middle of each segment: in files that of the frame that is scored."""
    images = windows.data["image"]
    return torch.from_numpy(images[:, images.shape[1] // 2].copy())
