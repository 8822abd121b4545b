"""Attributes along the track: how something moves in the last second, by itself and for the place where it is.

All of them are of box middles along a track, fitted over a second (`perception.trails`), in heights that are usual at
the place, and in seconds: neither the frame rate, nor the jitter of boxes, nor the distance to the camera counts.
"""

from __future__ import annotations

import numpy as np

from amiss.methods.attributes.attribute import Attribute, Rank, foot, relative_extent, usual_height
from amiss.methods.attributes.places import Scale
from amiss.types import BoolArray, FloatArray, Windows

__all__ = ["Acceleration", "Curvature", "Direction", "Pace", "Stature"]

SURE, SURER = 0.4, 0.8
"""Seconds over which a velocity, and an acceleration, are taken before they count."""
GOING, WALKING = 0.25, 0.5
"""Usual heights a second from which something has a direction, and its path a curvature: slower ones are jitter."""
STILL = 0.1
"""Usual heights a second that are added before a logarithm: nothing stands quite still."""
WAYS = ("right", "upper right", "top", "upper left", "left", "lower left", "bottom", "lower right")


def velocity(windows: Windows) -> FloatArray:
    """`(N, 2)` usual heights a second, to the right and down."""
    return np.asarray(windows.data["path"][:, :2].astype(np.float64) / usual_height(windows)[:, None])


def acceleration(windows: Windows) -> FloatArray:
    """`(N, 2)` usual heights a second squared, to the right and down."""
    return np.asarray(windows.data["path"][:, 2:4].astype(np.float64) / usual_height(windows)[:, None])


def pace(windows: Windows) -> FloatArray:
    """`(N,)` usual heights a second."""
    return np.asarray(np.hypot(*velocity(windows).T))


def lasted(windows: Windows, seconds: float) -> BoolArray:
    """`(N,)` whether the movement is taken over so long a time."""
    return np.asarray(windows.data["path"][:, 4] >= seconds - 1e-4)


class Acceleration(Attribute):
    """How something speeds up, slows down or is drawn aside."""

    id = "acceleration"
    unit = "body heights a second squared"
    arrays = ("path",)
    least_spread = 0.05

    def known(self, windows: Windows) -> BoolArray:
        """Whether the track is long enough."""
        return lasted(windows, SURER)

    def vectors(self, windows: Windows) -> FloatArray:
        """Along its way, and to either side."""
        across = np.hypot(*acceleration(windows).T) ** 2 - self.quantity(windows) ** 2
        return np.column_stack([self.quantity(windows), np.sqrt(np.maximum(across, 0))]).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Along its way: above 0 it speeds up, below it slows down. Of what does not move, all of it."""
        speed, change = pace(windows), acceleration(windows)
        along = (velocity(windows) * change).sum(1) / np.maximum(speed, 1e-9)
        return np.asarray(np.where(speed > STILL, along, np.hypot(*change.T)))

    def sentence(self, rank: Rank) -> str:
        """Speeds up, slows down, or turns."""
        comparison = rank.than("speeding up more", "slowing down more", "more unusual")
        return f"changes its speed by {rank.quantity:+.1f} {self.unit}, {comparison}"


class Curvature(Attribute):
    """How tightly the path of something that moves is bent."""

    id = "curvature"
    unit = "turns of a radian a body height"
    arrays = ("path",)
    least_spread = 0.05

    def known(self, windows: Windows) -> BoolArray:
        """Whether it moves, on a track that is long enough."""
        return np.asarray(lasted(windows, SURER) & (pace(windows) >= WALKING))

    def vectors(self, windows: Windows) -> FloatArray:
        """On a logarithmic scale, from straight on."""
        return np.log1p(self.quantity(windows))[:, None].astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """One over the radius in usual heights, to either side: |v × a| / |v|³."""
        (x, y), (along, down) = velocity(windows).T, acceleration(windows).T
        return np.asarray(np.abs(x * down - y * along) / np.maximum(pace(windows), STILL) ** 3)

    def sentence(self, rank: Rank) -> str:
        """Bent more, or straighter."""
        comparison = rank.than("bent more", "straighter", "more unusual")
        return f"goes a way of {rank.quantity:.1f} {self.unit}, {comparison}"


class Direction(Attribute):
    """Which way something goes, against the ways that are usual at the place."""

    id = "direction"
    unit = "degrees from the right, against the clock"
    arrays = ("path",)
    scale = Scale(-np.pi, np.pi, 16, circular=True)

    def known(self, windows: Windows) -> BoolArray:
        """Whether it moves."""
        return np.asarray(lasted(windows, SURE) & (pace(windows) >= GOING))

    def units(self, windows: Windows) -> FloatArray:
        """The median usual height for places, 1 for the direction."""
        return np.array([*np.full(2, np.median(usual_height(windows))), 1.0, 1.0])

    def vectors(self, windows: Windows) -> FloatArray:
        """The point at which it stands, and cosine and sine of its direction."""
        angle = np.radians(self.quantity(windows))
        return np.column_stack([foot(windows), np.cos(angle), np.sin(angle)]).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Degrees, -180 to 180."""
        x, y = velocity(windows).T
        return np.asarray(np.degrees(np.arctan2(-y, x)))

    def sentence(self, rank: Rank) -> str:
        """Which way, and how unusual that is here."""
        way = WAYS[round(rank.quantity / 45) % 8]
        share = Rank(rank.quantity, 0.5, rank.nearer, rank.count).share()
        return f"goes towards the {way} of the picture, at this place a direction more unusual than {share} objects'"


class Pace(Attribute):
    """How fast something goes, against what is usual at the place."""

    id = "pace"
    unit = "body heights a second"
    arrays = ("path",)
    scale = Scale(float(np.log(STILL)), float(np.log(50)), 32)

    def known(self, windows: Windows) -> BoolArray:
        """Whether the track is long enough."""
        return lasted(windows, SURE)

    def units(self, windows: Windows) -> FloatArray:
        """The median usual height for places, e-fold pace."""
        return np.array([*np.full(2, np.median(usual_height(windows))), 1.0])

    def vectors(self, windows: Windows) -> FloatArray:
        """The point at which it stands, and the logarithm of its pace."""
        return np.column_stack([foot(windows), np.log(self.quantity(windows) + STILL)]).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Usual heights at its place, a second."""
        return pace(windows)

    def sentence(self, rank: Rank) -> str:
        """Faster, slower, or odd for the place."""
        comparison = rank.than("faster", "slower", "for this place more unusual")
        return f"goes at {rank.quantity:.1f} {self.unit}, {comparison}"


class Stature(Attribute):
    """How tall something is, against what is usual at the place, whatever the perspective of the whole view says."""

    id = "stature"
    unit = "times the height that the view's perspective gives"
    scale = Scale(-2.0, 2.0, 40)

    def known(self, windows: Windows) -> BoolArray:
        """Whether the picture's edge leaves its height whole."""
        return np.asarray(~windows.data["cut"][:, 1])

    def units(self, windows: Windows) -> FloatArray:
        """The median usual height for places, e-fold height."""
        return np.array([*np.full(2, np.median(usual_height(windows))), 1.0])

    def vectors(self, windows: Windows) -> FloatArray:
        """The point at which it stands, and the logarithm of its relative height."""
        return np.column_stack([foot(windows), relative_extent(windows)[:, 1]]).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Height over the height that is usual at its depth."""
        return np.asarray(np.exp(relative_extent(windows)[:, 1]))

    def sentence(self, rank: Rank) -> str:
        """Taller, lower, or odd for the place."""
        comparison = rank.than("taller", "lower", "for this place more unusual")
        return f"is {rank.quantity:.1f} {self.unit}, {comparison}"
