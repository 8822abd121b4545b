"""The losses of `appearance-motion`, means over windows and elements.

Source: Huang et al., ICASSP 2023, section 2.3, equations 4 to 8.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from amiss.methods.appearance_motion.network import Read
from amiss.nn.pictures import gradient_difference, intensity

__all__ = ["alignment", "compactness", "diversity", "gradient_difference", "inconsistency", "intensity"]


def inconsistency(appearance: Tensor, motion: Tensor) -> Tensor:
    """`(N,)` 1 - cosine of features `(N, D)` (equation 6, and S_f of section 2.4)."""
    return 1 - functional.cosine_similarity(appearance, motion)


def alignment(appearance: Tensor, motion: Tensor) -> Tensor:
    """Mean inconsistency (equation 6)."""
    return inconsistency(appearance, motion).mean()


def compactness(reads: Sequence[Read]) -> Tensor:
    """Mean squared difference of maps and their nearest items (equation 7), added up over the memories."""
    return torch.stack([read.near.mean() for read in reads]).sum()


def diversity(reads: Sequence[Read], margin: float) -> Tensor:
    """How much nearer the nearest item is than the second (equation 8), added up over the memories.

    The equation has no least value; here nothing is gained once the nearest is nearer by the margin.
    """
    return torch.stack([functional.relu(read.near - read.far + margin).mean() for read in reads]).sum()
