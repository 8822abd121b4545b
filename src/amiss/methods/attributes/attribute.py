"""What an attribute is, and the sizes and places that all of them measure by."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from amiss.methods.attributes.perspective import Perspective
from amiss.methods.attributes.places import Scale
from amiss.methods.normal import percent
from amiss.types import BoolArray, FloatArray, Windows
from amiss.windows.needs import Array

__all__ = ["Attribute", "Rank", "add_usual_size", "extent", "foot", "relative_extent", "usual_height"]

USUAL_HEIGHT, USUAL_WIDTH = "usual_height", "usual_width"
"""Names among a window's data of how tall and wide things usually are at its place, in pixels."""


@dataclass(frozen=True)
class Rank:
    """Where a window stands among the normal samples.

    Attributes:
        quantity: The attribute's quantity, in its unit.
        below: Share of normal samples with a lower quantity.
        nearer: Share of normal samples that lie nearer to their nearest normal ones.
        count: How many normal samples there are.
    """

    quantity: float
    below: float
    nearer: float
    count: int

    @property
    def side(self) -> Literal["low", "high", "odd"]:
        """Whether the quantity itself is at an end of what was seen, or only the combination is odd."""
        return "high" if self.below >= 0.99 else "low" if self.below <= 0.01 else "odd"

    def than(self, high: str, low: str, odd: str) -> str:
        """The comparison that fits the side, and with how much: "faster than 99.9 % of 41,000 objects here"."""
        words = {"high": high, "low": low, "odd": odd}[self.side]
        return f"{words} than {self.share()} objects here"

    def share(self) -> str:
        """How rare, in words such as "99.9 % of 41,000"."""
        extreme = {"high": self.below, "low": 1 - self.below, "odd": self.nearer}[self.side]
        rarest = 1 - 1 / max(self.count, 10)
        return f"{'all' if extreme > rarest else percent(extreme)} of {self.count:,}"


class Attribute(ABC):
    """One thing that can be out of the ordinary about an object."""

    id: ClassVar[str]
    unit: ClassVar[str]
    arrays: ClassVar[tuple[Array, ...]] = ()
    """What windows carry for it."""
    projection: ClassVar[int] = 0
    """Vectors are projected to so many principal directions; 0 standardises each number instead."""
    least_spread: ClassVar[float] = 1e-9
    """Distances of normal samples are never taken to differ by less than this."""
    scale: ClassVar[Scale | None] = None
    """Of those that are compared with what is usual at their place: vectors are a place and a number on this scale."""

    def units(self, windows: Windows) -> FloatArray | None:  # noqa: ARG002  # most attributes have no natural units
        """`(d,)` what one unit of distance is in each number, for those that have a natural one; None standardises."""
        return None

    def known(self, windows: Windows) -> BoolArray:
        """`(N,)` whether a window shows the attribute at all; if not, it counts as usual, and teaches nothing."""
        return np.ones(len(windows), np.bool_)

    @abstractmethod
    def vectors(self, windows: Windows) -> FloatArray:
        """`(N, d)` float32 of what is compared."""

    @abstractmethod
    def quantity(self, windows: Windows) -> FloatArray:
        """`(N,)` of one number in `unit` that a person understands."""

    @abstractmethod
    def sentence(self, rank: Rank) -> str:
        """What is out of the ordinary, in neutral words."""


def extent(windows: Windows) -> FloatArray:
    """`(N, 2)` width and height in pixels, at least one."""
    return np.asarray(np.maximum(windows.box[:, 2:] - windows.box[:, :2], 1.0))


def usual_height(windows: Windows) -> FloatArray:
    """`(N,)` pixels: how tall things usually are where each window stands, as `add_usual_size` noted it."""
    return windows.data[USUAL_HEIGHT]


def add_usual_size(windows: Windows, perspective: Perspective) -> Windows:
    """The same windows with the usual height and width at their places among their data."""
    heights = perspective.height_at(windows.box)
    usual = {USUAL_HEIGHT: heights, USUAL_WIDTH: perspective.width * heights}
    return dataclasses.replace(windows, data={**windows.data, **usual})


def relative_extent(windows: Windows) -> FloatArray:
    """`(N, 2)` logarithms of width and height in usual heights: a far thing is small in the picture.

    What the picture's edge cuts is not known, and taken as usual.
    """
    usual = np.column_stack([windows.data[USUAL_WIDTH], windows.data[USUAL_HEIGHT]])
    known = np.where(windows.data["cut"], usual, extent(windows))
    return np.asarray(np.log(known) - np.log(usual_height(windows))[:, None])


def foot(windows: Windows) -> FloatArray:
    """`(N, 2)` float32 pixels: the point at which each stands, the middle of the lower edge of its box."""
    return np.column_stack([windows.box[:, [0, 2]].mean(1), windows.box[:, 3]]).astype(np.float32)
