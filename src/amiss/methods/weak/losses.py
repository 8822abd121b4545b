"""Losses of multiple-instance learning from the labels of videos."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["cross_entropy", "hinge", "ranking", "smoothness", "sparsity"]


def ranking(abnormal: Tensor, normal: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """The mean of `weight · (1 - p(abnormal) + p(normal))` over pairs of bags (Wu et al., equations 4 and 5).

    The hinge of the paper is never at rest, as probabilities differ by less than 1. The weight takes no gradient: with
    one, it would be least to call everything normal.

    Args:
        abnormal: `(B,)` probability of the max instance of each abnormal bag.
        normal: `(B,)` of each normal one.
        weight: `(B,)` what the other branch says of the abnormal one's max instance; 1 where nothing guides.
    """
    weight = weight.detach() if isinstance(weight, Tensor) else weight
    return (weight * functional.relu(1 - abnormal + normal)).mean()


def cross_entropy(abnormal: Tensor, normal: Tensor) -> Tensor:
    """`-log p` of abnormal bags' max instances and `-log(1 - p)` of normal ones', from log odds `(B,)` (equation 7)."""
    return (functional.softplus(-abnormal) + functional.softplus(normal)).mean()


def hinge(abnormal: Tensor, normal: Tensor) -> Tensor:
    """The mean hinge of the max instances over all pairs of an abnormal `(A,)` and a normal `(B,)` bag.

    Source: Sultani et al., "Real-world anomaly detection in surveillance videos", CVPR 2018, equation 5.
    """
    return functional.relu(1 - abnormal[:, None] + normal[None, :]).mean()


def smoothness(scores: Tensor, there: Tensor) -> Tensor:
    """Squared differences of neighbouring segments `(B, n)`, summed over a bag (Sultani et al., equation 6)."""
    both = there[:, 1:] & there[:, :-1]
    return (scores.diff(dim=1).square() * both).sum(1).mean()


def sparsity(scores: Tensor, there: Tensor) -> Tensor:
    """Scores `(B, n)`, summed over a bag (Sultani et al., equation 6)."""
    return torch.where(there, scores, 0.0).sum(1).mean()
