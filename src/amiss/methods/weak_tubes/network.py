"""Two branches: one looks at tubes, the other at segments of time, and each at what the other has found."""

from __future__ import annotations

from torch import nn

from amiss.methods.weak.network import Branch, Relations

__all__ = ["DualBranch"]


class DualBranch(nn.Module):
    """The tube branch and the temporal branch, which have nothing in common but what they learn from each other.

    Args:
        size: Numbers an instance.
        relations: How instances see each other.
    """

    def __init__(self, size: int, relations: Relations) -> None:
        super().__init__()
        self.tube, self.temporal = Branch(size, relations), Branch(size, relations)
