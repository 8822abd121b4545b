"""The attributes: each turns windows into vectors, has a quantity with a unit, and says a sentence about it.

Published idea: attribute-based representations for video anomaly detection (Reiss and Hoshen, 2022), extended by what
a fixed camera gives: size and place in the view, ways along tracks (`along`), and those beside each other (`between`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from amiss.methods.attributes.along import Acceleration, Curvature, Direction, Pace, Stature
from amiss.methods.attributes.attribute import Attribute, Rank, foot, relative_extent, usual_height
from amiss.methods.attributes.between import Closing, Company
from amiss.types import BoolArray, FloatArray, Windows

__all__ = ["ATTRIBUTES", "Appearance", "Dwell", "Place", "Pose", "Size", "Speed", "Velocity"]

SEEN, MOST_JOINTS = 0.2, 9
"""A pose is known if so many joints have this confidence."""
SURE = 0.4
"""From this confidence on a joint is taken as found."""
STANDING = np.array(
    [(0, -0.91)]
    + [(side * x, -y) for x, y in ((0.015, 0.92), (0.03, 0.91), (0.09, 0.8)) for side in (1, -1)]
    + [(side * x, -y) for x, y in ((0.11, 0.63), (0.11, 0.48)) for side in (1, -1)]
    + [(side * x, -y) for x, y in ((0.06, 0.51), (0.06, 0.28), (0.06, 0.05)) for side in (1, -1)]
)
"""`(17, 2)` joints of a body that stands upright, from between its feet, in its heights."""
HIPS, SHOULDERS = [11, 12], [5, 6]


def speed(windows: Windows) -> FloatArray:
    """`(N,)` pixels a second: the speed that a tenth of a box's pixels exceed.

    The mean would mix in the still background that a box also holds.
    """
    flow = windows.data["flow"][:, -1].astype(np.float32)  # N, S, S, 2
    length = np.hypot(flow[..., 0], flow[..., 1])
    fast = np.quantile(length, 0.9, axis=(1, 2)) if len(flow) else np.zeros(0)
    step = windows.data["step"]
    return np.asarray(np.divide(fast, step, out=np.zeros(len(flow)), where=step > 0), np.float32)


class Velocity(Attribute):
    """How fast something moves for its size."""

    id = "velocity"
    unit = "body heights a second"
    arrays = ("flow",)

    def vectors(self, windows: Windows) -> FloatArray:
        """Speed in usual heights a second, and the relative extent: a far thing is slow in the picture."""
        return np.column_stack([self.quantity(windows), relative_extent(windows)]).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Usual heights at its place, a second."""
        return np.asarray(speed(windows) / usual_height(windows))

    def sentence(self, rank: Rank) -> str:
        """Faster, slower, or odd for its size."""
        comparison = rank.than("faster", "slower", "for its size more unusual")
        return f"moves at {rank.quantity:.1f} {self.unit}, {comparison}"


class Speed(Attribute):
    """How fast something comes along its track, whatever moves within its box: it needs no picture."""

    id = "speed"
    unit = "body heights a second along its way"
    arrays = ("speed",)
    least_spread = 0.05

    def vectors(self, windows: Windows) -> FloatArray:
        """Speed in usual heights a second."""
        return self.quantity(windows)[:, None].astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Usual heights at its place, a second."""
        return np.asarray(windows.data["speed"] / usual_height(windows))

    def sentence(self, rank: Rank) -> str:
        """Faster, slower, or odd."""
        comparison = rank.than("faster", "slower", "more unusual")
        return f"comes along at {rank.quantity:.1f} {self.unit}, {comparison}"


class Appearance(Attribute):
    """What something looks like."""

    id = "appearance"
    unit = "distance from the nearest normal looks"
    arrays = ("feature",)
    projection = 64

    def vectors(self, windows: Windows) -> FloatArray:
        """The deep feature of the crop."""
        return windows.data["feature"].astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Length of the feature; only distances mean something to people."""
        return np.asarray(np.linalg.norm(self.vectors(windows), axis=1))

    def sentence(self, rank: Rank) -> str:
        """Unlike what was seen."""
        share = Rank(rank.quantity, 0.5, rank.nearer, rank.count).share()
        return f"looks unlike what is seen here, more so than {share} objects"


class Size(Attribute):
    """How large something is and of what shape."""

    id = "size"
    unit = "times the height that is usual where it stands"

    def vectors(self, windows: Windows) -> FloatArray:
        """The relative extent."""
        return relative_extent(windows).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Height over the usual height at its place."""
        return np.asarray(np.exp(relative_extent(windows)[:, 1]))

    def sentence(self, rank: Rank) -> str:
        """Larger, smaller, or of an odd shape."""
        comparison = rank.than("taller", "lower", "of a shape more unusual")
        return f"is {rank.quantity:.1f} {self.unit}, {comparison}"


class Place(Attribute):
    """Where in the view something stands.

    Distances are in usual body heights: a step beside the usual ways is not out of place, however well they are kept.
    """

    id = "place"
    unit = "pixels from the left"
    least_spread = 1.0

    def units(self, windows: Windows) -> FloatArray:
        """The median usual height."""
        return np.full(2, np.median(usual_height(windows)))

    def vectors(self, windows: Windows) -> FloatArray:
        """The point at which it stands."""
        return foot(windows)

    def quantity(self, windows: Windows) -> FloatArray:
        """Pixels from the left edge."""
        return self.vectors(windows)[:, 0]

    def sentence(self, rank: Rank) -> str:
        """Where few have been."""
        share = Rank(rank.quantity, 0.5, rank.nearer, rank.count).share()
        return f"is where few have been: further off the usual ways than {share} objects"


class Dwell(Attribute):
    """How long something stays on one spot, for this spot.

    A bench is for sitting and a gate for passing: times are compared, on a logarithmic scale, among spots a few body
    heights apart.
    """

    id = "dwell"
    unit = "seconds on one spot"
    arrays = ("dwell",)
    least_spread = 0.2

    def units(self, windows: Windows) -> FloatArray:
        """Two median usual heights of distance count as much as e-fold time."""
        return np.array([*np.full(2, 2 * np.median(usual_height(windows))), 1.0])

    def vectors(self, windows: Windows) -> FloatArray:
        """The point at which it stands, and the logarithm of one second and its time there."""
        return np.column_stack([foot(windows), np.log1p(windows.data["dwell"].astype(np.float64))]).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Seconds."""
        return windows.data["dwell"]

    def sentence(self, rank: Rank) -> str:
        """Longer, shorter, or odd for the spot."""
        comparison = rank.than("longer", "shorter", "for this spot more unusual")
        return f"has stayed on one spot for {rank.quantity:.0f} s, {comparison}"


class Pose(Attribute):
    """How a body holds itself, whatever its size and place.

    A joint that is hardly seen is taken where it is in a body that stands, as far as it is unsure.
    """

    id = "pose"
    unit = "degrees from upright"
    arrays = ("pose",)
    projection = 16

    def known(self, windows: Windows) -> BoolArray:
        """Whether most joints were seen, of a body that the picture's edge does not cut."""
        seen = (windows.data["pose"][..., 2] >= SEEN).sum(1) >= MOST_JOINTS
        return np.asarray(seen & ~windows.data["cut"].any(1))

    def _joints(self, windows: Windows) -> FloatArray:
        """`(N, 17, 2)` from the middle of the hips, in usual heights.

        A box may show half a body; hips and the height that is usual there do not depend on what hides the rest.
        """
        pose = windows.data["pose"].astype(np.float64)
        place = pose[..., :2] - pose[:, HIPS, :2].mean(1, keepdims=True)
        place = place / usual_height(windows)[:, None, None]
        sure = np.minimum(pose[..., 2:] / SURE, 1)
        return np.asarray(sure * place + (1 - sure) * (STANDING - STANDING[HIPS].mean(0)))

    def vectors(self, windows: Windows) -> FloatArray:
        """Joints from the middle of the hips, in usual heights."""
        return self._joints(windows).reshape(-1, STANDING.size).astype(np.float32)

    def quantity(self, windows: Windows) -> FloatArray:
        """Angle of the trunk, from the middle of the hips to that of the shoulders, to the vertical."""
        joints = self._joints(windows)
        trunk = joints[:, SHOULDERS].mean(1) - joints[:, HIPS].mean(1)
        return np.asarray(np.degrees(np.arctan2(np.abs(trunk[:, 0]), -trunk[:, 1])))

    def sentence(self, rank: Rank) -> str:
        """Bent further, or odd."""
        if rank.side == "high":
            return f"holds its trunk {rank.quantity:.0f} {self.unit}, further than {rank.share()} objects here"
        share = Rank(rank.quantity, 0.5, rank.nearer, rank.count).share()
        return f"holds itself in a way more unusual than {share} objects here"


ATTRIBUTES: Mapping[str, Attribute] = {
    item.id: item
    for item in (
        *(Velocity(), Speed(), Appearance(), Size(), Place(), Dwell(), Pose()),
        *(Acceleration(), Curvature(), Direction(), Pace(), Stature(), Company(), Closing()),
    )
}
