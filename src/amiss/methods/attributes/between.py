"""Attributes between things that move: how near the nearest other is, and how fast the two come nearer.

Distances are in the picture, between the points at which things stand, in heights that are usual there: of two that
stand behind each other they are shorter than on the ground.
"""

from __future__ import annotations

import numpy as np

from amiss.methods.attributes.attribute import Attribute, Rank, usual_height
from amiss.types import BoolArray, FloatArray, Windows

__all__ = ["Closing", "Company"]

TOUCHING = 0.1
"""Usual heights that are added before a logarithm: nearer than this nobody can be told apart."""


def _known(windows: Windows) -> BoolArray:
    """`(N,)` whether there is anyone else."""
    return np.asarray(np.isfinite(windows.data["company"][:, 0]))


def _distance(windows: Windows) -> FloatArray:
    """`(N,)` usual heights to the nearest other; 0 where there is none."""
    return np.where(_known(windows), windows.data["company"][:, 0], 0) / usual_height(windows)


class Company(Attribute):
    """How near the nearest other is."""

    id = "company"
    unit = "body heights from the nearest other"
    arrays = ("company",)
    least_spread = 0.05

    def known(self, windows: Windows) -> BoolArray:
        """Whether there is anyone else."""
        return _known(windows)

    def vectors(self, windows: Windows) -> FloatArray:
        """The logarithm of the distance."""
        return np.asarray(np.log(self.quantity(windows) + TOUCHING)[:, None], np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Usual heights at its place."""
        return _distance(windows)

    def sentence(self, rank: Rank) -> str:
        """Further, nearer, or odd."""
        comparison = rank.than("further off", "nearer", "more unusual")
        return f"is {rank.quantity:.1f} {self.unit}, {comparison}"


class Closing(Attribute):
    """How fast something and its nearest other come nearer to each other, for their distance."""

    id = "closing"
    unit = "body heights a second"
    arrays = ("company",)
    least_spread = 0.05

    def known(self, windows: Windows) -> BoolArray:
        """Whether there is anyone else."""
        return _known(windows)

    def vectors(self, windows: Windows) -> FloatArray:
        """The closing speed, and the logarithm of the distance."""
        return np.column_stack([self.quantity(windows), np.log(_distance(windows) + TOUCHING)]).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Usual heights a second by which they come nearer; below 0 they part."""
        return np.asarray(windows.data["company"][:, 1] / usual_height(windows))

    def sentence(self, rank: Rank) -> str:
        """Faster together, faster apart, or odd for the distance."""
        comparison = rank.than("closing faster", "parting faster", "for their distance more unusual")
        return f"comes nearer to the nearest other at {rank.quantity:.1f} {self.unit}, {comparison}"
