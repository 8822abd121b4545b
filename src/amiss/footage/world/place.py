"""What makes a place: how it looks, where people go, what is normal in it and what is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.furniture import Furniture
from amiss.footage.world.scenery import Light
from amiss.footage.world.texture import Surface

__all__ = ["Lane", "Path", "Place", "Road"]

Path = list[tuple[float, float]]
"""Points on the ground in metres, from where someone comes in to where they leave."""


@dataclass(frozen=True)
class Lane:
    """A lane of a road along the x axis.

    Attributes:
        y: Its middle, metres.
        way: 1 where traffic goes to larger x, -1 otherwise.
    """

    y: float
    way: int


@dataclass(frozen=True)
class Road:
    """A road along the x axis with a zebra crossing.

    Attributes:
        near: The y of its near kerb, metres.
        far: The y of its far kerb.
        zebra: The x at which the zebra begins and ends.
        lanes: Its lanes.
    """

    near: float
    far: float
    zebra: tuple[float, float]
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class Place:
    """A place with a fixed camera.

    Attributes:
        name: Its name.
        normal: Acts that are normal here and how many of them begin each minute; "standing" and "waiting" give how
            many people stay.
        abnormal: Acts that are not.
        light: Its light.
        camera: Its camera for a picture size.
        surfaces: Ground and walls; the generator decides shades only.
        furniture: What stands about.
        walk: An everyday way through it, from outside the picture to outside.
        stay: Where someone may stand for long.
        stage: A well visible, open spot.
        drive: The way of a wheeled thing that does not belong here.
        road: Its road; None where there is none.
    """

    name: str
    normal: Mapping[str, float]
    abnormal: tuple[str, ...]
    light: Light
    camera: Callable[[tuple[int, int]], Camera]
    surfaces: Callable[[np.random.Generator], list[Surface]]
    furniture: Callable[[np.random.Generator], list[Furniture]]
    walk: Callable[[Camera, np.random.Generator], Path]
    stay: Callable[[np.random.Generator], tuple[float, float]]
    stage: Callable[[np.random.Generator], tuple[float, float]]
    drive: Callable[[Camera, np.random.Generator], Path]
    road: Road | None = None
