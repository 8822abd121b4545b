"""The crossing: a street with two lanes, pavements on both sides and a zebra between them."""

from __future__ import annotations

import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.furniture import Furniture, bench, bollard, lamp, signal, tree
from amiss.footage.world.place import Lane, Path, Place, Road
from amiss.footage.world.plaza import shop_front
from amiss.footage.world.scenery import Light
from amiss.footage.world.texture import Grid, Surface, mix
from amiss.types import FloatArray

__all__ = ["CROSSING"]

_ROAD = Road(near=13.0, far=20.0, zebra=(1.6, 5.4), lanes=(Lane(14.75, 1), Lane(18.25, -1)))
_WALL = 24.6


def _camera(size: tuple[int, int]) -> Camera:
    return Camera(6.6, 0.335, 0.2, 0.9, size)


def _pavement(grid: Grid) -> FloatArray:
    """Concrete slabs."""
    base = np.full((*grid.u.shape, 3), (164, 160, 152), np.float32)
    base *= (1 + 0.05 * grid.shade(0.6, 0.6, 0.5))[..., None].astype(np.float32)
    base = mix(base, (116, 112, 106), 0.75 * grid.joints(0.6, 0.6, 0.02, 0.5))
    return np.asarray(base * (1 + 0.05 * grid.rough(3.0, 1.1) + 0.05 * grid.rough(0.4, 0.1))[..., None])


def _asphalt(grid: Grid) -> FloatArray:
    """Asphalt with wheel tracks, patches, a broken middle line, stop lines and the zebra."""
    base = np.full((*grid.u.shape, 3), (84, 84, 86), np.float32)
    grain = 0.1 * grid.rough(0.07, 0.16) + 0.06 * grid.rough(5.0, 1.6)
    base *= (1 + grain)[..., None].astype(np.float32)
    for lane in _ROAD.lanes:
        for track in (-0.75, 0.75):
            base = mix(
                base, (70, 70, 72), 0.45 * grid.within(lane.y + track - 0.25, lane.y + track + 0.25, across=True)
            )
    base = mix(base, (66, 66, 68), 0.8 * grid.box(-7.5, -4.8, 14.0, 16.3))
    base = mix(base, (72, 70, 68), 0.7 * grid.box(10.5, 11.4, 13.0, 20.0))
    worn = np.clip(0.86 + 0.35 * grid.rough(0.3, 0.9), 0.3, 1.0)
    white = (222, 220, 212)
    left, right = _ROAD.zebra
    outside = 1 - grid.within(left - 3.5, right + 3.5, across=False)
    dashes = grid.every(4.0).within(0.0, 2.2, across=False)
    base = mix(base, white, worn * outside * dashes * grid.within(16.42, 16.58, across=True))
    bars = Grid(grid.v - np.float32(_ROAD.near + 0.25), grid.u, grid.dv, grid.du, grid.table).every(1.0)
    base = mix(base, white, worn * bars.within(0.0, 0.5, across=False) * grid.within(left, right, across=False))
    base = mix(base, white, worn * grid.box(left - 2.0, left - 1.6, _ROAD.near + 0.15, 16.42))
    return mix(base, white, worn * grid.box(right + 1.6, right + 2.0, 16.58, _ROAD.far - 0.15))


def _street(grid: Grid) -> FloatArray:
    """Everything on the ground, by how far ahead it is."""
    base = _pavement(grid)
    road = grid.within(_ROAD.near, _ROAD.far, across=True)[..., None].astype(np.float32)
    base = base + (_asphalt(grid) - base) * road
    left, right = _ROAD.zebra
    for low in (_ROAD.near - 0.24, _ROAD.far):
        base = mix(base, (188, 184, 174), grid.within(low, low + 0.24, across=True))
        base = mix(
            base,
            (120, 116, 110),
            0.8 * grid.every(1.0).within(0, 0.03, across=False) * grid.within(low, low + 0.24, across=True),
        )
    base = mix(base, (52, 52, 54), grid.within(_ROAD.near, _ROAD.near + 0.12, across=True))
    for low in (_ROAD.near - 1.0, _ROAD.far + 0.3):
        studs = 0.8 + 0.2 * np.cos(np.float32(2 * np.pi / 0.15) * grid.u) * (grid.du < 0.08)
        base = mix(base, (190, 172, 120), 0.8 * studs * grid.box(left, right, low, low + 0.7))
    return base


def _surfaces(rng: np.random.Generator) -> list[Surface]:
    shift = float(rng.uniform(0, 5))
    return [
        Surface((0, 0, 0), (1, 0, 0), (0, 1, 0), lambda _, v: v < _WALL, _street),
        Surface((-shift, _WALL, 0), (1, 0, 0), (0, 0, 1), lambda _, v: v >= 0, shop_front),
    ]


def _furniture(rng: np.random.Generator) -> list[Furniture]:
    left, right = _ROAD.zebra
    near, far = _ROAD.near - 0.5, _ROAD.far + 0.5
    bollards = [bollard((left - 0.4 - 1.5 * n, near)) for n in range(3)]
    bollards += [bollard((right + 0.4 + 1.5 * n, near)) for n in range(3)]
    return [
        *bollards,
        signal((left - 0.5, far), -np.pi / 2),
        signal((right + 0.6, near - 0.2), np.pi / 2),
        lamp((-4.6, near - 0.1), 1.3),
        lamp((11.2, far + 0.1), -1.4),
        tree((-7.8, 21.2), rng),
        tree((17.5, 21.3), rng),
        bench((-2.6, 23.6), 0.0),
        bench((12.6, 23.6), 0.0),
    ]


def _side(rng: np.random.Generator) -> float:
    """A y on one of the pavements, the near one twice as often."""
    return float(rng.uniform(9.8, 11.9) if rng.random() < 0.62 else rng.uniform(21.2, 22.8))


def _walk(camera: Camera, rng: np.random.Generator) -> Path:
    """Along a pavement, or over the zebra from one pavement to the other."""
    y = _side(rng)
    left, right = camera.edge(y, 0.9)
    if rng.random() < 0.55:
        path = [(left, y), ((left + right) / 2, y + float(rng.normal(0, 0.25))), (right, y + float(rng.normal(0, 0.2)))]
        return path if rng.random() < 0.5 else path[::-1]
    near_y, far_y = float(rng.uniform(9.8, 11.6)), float(rng.uniform(21.3, 22.6))
    x = float(rng.uniform(_ROAD.zebra[0] + 0.6, _ROAD.zebra[1] - 0.6))
    start = camera.edge(near_y, 0.9)[int(rng.integers(2))], near_y
    end = camera.edge(far_y, 0.9)[int(rng.integers(2))], far_y
    path = [start, (x, _ROAD.near - 0.7), (x, _ROAD.far + 0.7), end]
    return path if rng.random() < 0.5 else path[::-1]


def _stay(rng: np.random.Generator) -> tuple[float, float]:
    spots = ((-3.4, 22.4), (9.6, 22.9), (14.5, 22.4))
    x, y = spots[int(rng.integers(len(spots)))]
    return x + float(rng.uniform(-0.7, 0.7)), y + float(rng.uniform(-0.3, 0.3))


def _stage(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(-1.0, 5.0)), float(rng.uniform(10.2, 11.4))


def _drive(camera: Camera, rng: np.random.Generator) -> Path:
    """Along the near pavement."""
    y = float(rng.uniform(10.3, 11.1))
    left, right = camera.edge(y, 2.6)
    path = [(left, y), ((left + right) / 2, y), (right, y)]
    return path if rng.random() < 0.5 else path[::-1]


CROSSING = Place(
    name="crossing",
    normal={"walking": 22.0, "standing": 1.0, "driving": 9.0, "cycling": 5.0},
    abnormal=(
        "jaywalking", "wrong_way", "running", "falling", "loitering", "fighting", "cart", "left_bag", "thrown_bag",
    ),
    light=Light((-0.7, -0.3), 0.58, 1.6),
    camera=_camera,
    surfaces=_surfaces,
    furniture=_furniture,
    walk=_walk,
    stay=_stay,
    stage=_stage,
    drive=_drive,
    road=_ROAD,
)  # fmt: skip
"""A street that is crossed on a zebra; traffic keeps to the right."""
