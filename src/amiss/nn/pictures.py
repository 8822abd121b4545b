"""How far drawn pictures are from what they should be, as methods that foresee frames measure it.

Source: Mathieu et al., "Deep multi-scale video prediction beyond mean square error", ICLR 2016.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["gradient_difference", "intensity"]


def intensity(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of `(N, 3, H, W)` pictures."""
    return functional.mse_loss(prediction, target)


def gradient_difference(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of absolute differences between neighbours, down and across."""
    down = (prediction.diff(dim=2).abs() - target.diff(dim=2).abs()).abs().mean()
    across = (prediction.diff(dim=3).abs() - target.diff(dim=3).abs()).abs().mean()
    return down + across
