"""The plaza: stone paving before a row of shops, crossed in all directions on foot."""

from __future__ import annotations

import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Colour
from amiss.footage.world.furniture import Furniture, bench, bin_, lamp, planter, tree
from amiss.footage.world.place import Path, Place
from amiss.footage.world.scenery import Light
from amiss.footage.world.texture import Grid, Surface, mix
from amiss.types import FloatArray

__all__ = ["PLAZA", "shop_front"]

_WALL = 34.0
_AWNINGS: tuple[Colour, ...] = ((128, 46, 42), (52, 84, 70), (176, 140, 74), (58, 72, 104))


def _camera(size: tuple[int, int]) -> Camera:
    return Camera(5.4, 0.275, 0.0, 0.97, size)


def _paving(grid: Grid) -> FloatArray:
    """Stone slabs in running bond, dark bands, and an inlaid ring."""
    slabs = grid.turned(0.32)
    base = np.full((*grid.u.shape, 3), (170, 162, 150), np.float32)
    base *= (1 + 0.075 * slabs.shade(1.2, 0.6, 0.37))[..., None].astype(np.float32)
    radius = np.hypot(grid.u - np.float32(0.8), grid.v - np.float32(16.5))
    soft = np.hypot(grid.du, grid.dv) / 2 + 0.02
    for inner, outer, colour in ((4.6, 5.1, (126, 112, 100)), (2.0, 2.3, (126, 112, 100)), (0.0, 0.9, (110, 104, 98))):
        ring = np.clip((radius - inner) / soft + 0.5, 0, 1) * np.clip((outer - radius) / soft + 0.5, 0, 1)
        base = mix(base, colour, 0.75 * ring)
    band = slabs.every(7.2).within(0.0, 0.6, across=False)
    base = mix(base, (124, 116, 108), 0.7 * band)
    base = mix(base, (112, 104, 96), 0.75 * slabs.joints(1.2, 0.6, 0.025, 0.37))
    worn = 1 + 0.06 * grid.rough(6.0, 2.3) + 0.05 * grid.rough(0.6, 0.17, 0.06)
    return np.asarray(base * worn[..., None])


def shop_front(grid: Grid) -> FloatArray:
    """A plastered wall with a plinth, shop windows with awnings, and windows above; `v` is the height in metres."""
    base = np.full((*grid.u.shape, 3), (186, 168, 142), np.float32)
    base *= (1 + 0.03 * grid.rough(3.0, 0.4) + 0.015 * grid.shade(0.6, 0.3, 0.5))[..., None].astype(np.float32)
    base = mix(base, (112, 104, 98), grid.within(-1, 0.5, across=True))
    cell = grid.every(5.2)
    number = np.floor(grid.u / np.float32(5.2)).astype(np.int64)
    base = mix(base, (70, 62, 56), cell.box(0.5, 4.5, 0.42, 3.5))
    glow = np.clip(0.75 + 0.5 * cell.noise(1.1) + 0.12 * (cell.v - 1.5), 0.3, 1.4)
    glass = np.array([58, 64, 70], np.float32) * glow[..., None].astype(np.float32)
    pane = np.maximum(cell.box(0.64, 2.4, 0.6, 3.36), cell.box(2.52, 4.36, 0.6, 3.36))[..., None].astype(np.float32)
    base = base + (glass - base) * pane
    base = mix(base, (150, 132, 100), 0.5 * cell.box(0.9, 2.2, 0.6, 1.3) * (0.5 + 0.5 * cell.noise(0.35)))
    base = mix(base, (60, 48, 42), cell.box(3.3, 4.36, 0.1, 2.7) * (number % 3 == 0))
    for which, colour in enumerate(_AWNINGS):
        stripe = 0.82 + 0.18 * (np.floor(grid.u / np.float32(0.5)) % 2)
        awning = cell.box(0.35, 4.65, 2.95, 3.75) * (number % len(_AWNINGS) == which)
        base = mix(base, colour, awning * stripe)
    base = mix(base, (148, 132, 112), grid.within(4.2, 4.45, across=True))
    upper = grid.every(2.6)
    base = mix(base, (214, 204, 186), upper.box(0.6, 2.0, 5.0, 7.4))
    return mix(base, (66, 74, 84), upper.box(0.72, 1.88, 5.15, 7.3))


def _surfaces(rng: np.random.Generator) -> list[Surface]:
    shift = float(rng.uniform(0, 5))
    ground = Surface((0, 0, 0), (1, 0, 0), (0, 1, 0), lambda _, v: v < _WALL, _paving)
    wall = Surface((-shift, _WALL, 0), (1, 0, 0), (0, 0, 1), lambda _, v: v >= 0, shop_front)
    return [ground, wall]


def _furniture(rng: np.random.Generator) -> list[Furniture]:
    return [
        lamp((-5.6, 13.4), 0.4),
        lamp((7.6, 20.5), 2.6),
        lamp((-9.5, 26.0), 0.2),
        planter((4.9, 12.2), rng),
        planter((-7.4, 19.4), rng),
        bench((-4.6, 24.6), 0.0),
        bench((9.8, 27.0), -0.2),
        bin_((-2.9, 24.5)),
        tree((-12.0, 29.5), rng),
        tree((2.6, 30.2), rng),
        tree((13.4, 29.0), rng),
    ]


def _gate(camera: Camera, rng: np.random.Generator, side: int) -> tuple[float, float]:
    """A point outside the picture: left (0), right (1) or below (2)."""
    if side == 2:
        return float(rng.uniform(-4.5, 4.5)), 4.6
    y = float(rng.uniform(10.5, 28.5))
    return camera.edge(y, 0.9)[side], y


def _walk(camera: Camera, rng: np.random.Generator) -> Path:
    """From one gate to another, in a curve through the middle ground."""
    start, end = rng.choice(3, 2, replace=False, p=[0.4, 0.4, 0.2])
    first, last = _gate(camera, rng, int(start)), _gate(camera, rng, int(end))
    middle = (first[0] + last[0]) / 2 + rng.normal(0, 1.5), (first[1] + last[1]) / 2 + rng.normal(0, 2.0)
    return [first, (float(middle[0]), float(np.clip(middle[1], 9.5, 29.0))), last]


def _stay(rng: np.random.Generator) -> tuple[float, float]:
    spots = ((-7.0, 22.5), (5.6, 26.8), (9.0, 23.5), (-2.0, 28.5), (6.2, 14.4))
    x, y = spots[int(rng.integers(len(spots)))]
    return x + float(rng.uniform(-0.8, 0.8)), y + float(rng.uniform(-0.6, 0.6))


def _stage(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(-3.2, 3.2)), float(rng.uniform(12.5, 19.0))


def _drive(camera: Camera, rng: np.random.Generator) -> Path:
    """Across from side to side, in front of the furniture or behind it."""
    y = float(rng.choice([15.6, 17.2, 22.4]) + rng.uniform(-0.5, 0.5))
    left, right = camera.edge(y, 3.4)
    middle = (float(rng.uniform(-2, 2)), y + float(rng.uniform(-0.5, 0.5)))
    path = [(left, y), middle, (right, y)]
    return path if rng.random() < 0.5 else path[::-1]


PLAZA = Place(
    name="plaza",
    normal={"walking": 26.0, "standing": 3.0},
    abnormal=("running", "cycling", "cart", "falling", "fighting", "loitering", "thrown_bag", "car", "left_bag"),
    light=Light((0.75, -0.35), 0.6, 1.6),
    camera=_camera,
    surfaces=_surfaces,
    furniture=_furniture,
    walk=_walk,
    stay=_stay,
    stage=_stage,
    drive=_drive,
)
"""A plaza of about 25 m by 25 m."""
