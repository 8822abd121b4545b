"""The losses of the proxy tasks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from amiss.nn.pictures import gradient_difference, intensity

__all__ = ["averaged", "info_nce", "likeness"]


def averaged(values: Tensor, weights: Tensor) -> Tensor:
    """The mean of values with weights of the same shape; 0 where all weights are."""
    return (values * weights).sum() / weights.sum().clamp(min=1e-6)


def info_nce(anchor: Tensor, positive: Tensor, negatives: Sequence[Tensor], temperature: float) -> Tensor:
    """How hard it is to tell the positive from the negatives (van den Oord et al., 2018), place by place.

    Args:
        anchor: `(N, D, h, w)`, of length 1 along D.
        positive: `(N, D, h, w)`, likewise.
        negatives: `(N, D, h, w)` each, likewise.
        temperature: What cosines are divided by.

    Returns:
        `(N, h, w)`: -log of the positive's share in the sum of exp(cosine / temperature).
    """
    cosines = torch.stack([(anchor * other).sum(1) for other in (positive, *negatives)], 1) / temperature
    return torch.logsumexp(cosines, 1) - cosines[:, 0]


def likeness(prediction: Tensor, target: Tensor) -> Tensor:
    """Intensity and gradient losses of pictures `(N, 3, H, W)` in -1..1, as published for frame prediction."""
    return intensity(prediction, target) + gradient_difference(prediction, target)
