"""The office: a lobby with windows on one side, a reception and a meeting room behind glass, crossed on foot."""

from __future__ import annotations

from functools import partial

import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Colour
from amiss.footage.world.furniture import Furniture, cabinet, chair, counter, desk, pillar, plant, sofa
from amiss.footage.world.place import Path, Place
from amiss.footage.world.scenery import Light
from amiss.footage.world.texture import Grid, Surface, mix
from amiss.types import BoolArray, FloatArray

__all__ = ["OFFICE"]

_SIDE, _WALL, _END, _CEILING = -12.5, 24.0, 27.5, 4.2
_DOORWAY = (0.8, 3.0)
_SCREEN = -2.8
"""From here to the doorway the wall hides those who turned off behind it."""
_CARPETS: tuple[Colour, ...] = ((82, 112, 124), (84, 100, 132), (92, 116, 102))
_PICTURES: tuple[Colour, ...] = ((196, 116, 70), (72, 120, 128), (186, 164, 92))


def _camera(size: tuple[int, int]) -> Camera:
    return Camera(3.5, 0.235, -0.3, 0.8, size)


def _floor(grid: Grid, carpet: Colour) -> FloatArray:
    """Carpet tiles laid in turn along and across, a terrazzo walkway, and daylight from the windows."""
    base = np.full((*grid.u.shape, 3), carpet, np.float32)
    turn = (np.floor(grid.u / np.float32(0.6)) + np.floor(grid.v / np.float32(0.6))) % 2 - np.float32(0.5)
    fine = 1 / (1 + np.square(grid.dv / np.float32(0.6)))
    pile = 0.05 * turn * fine + 0.07 * grid.shade(0.6, 0.6) * fine + 0.06 * grid.rough(0.09, 0.31)
    base *= (1 + pile)[..., None].astype(np.float32)
    base = mix(base, (58, 72, 80), 0.35 * grid.joints(0.6, 0.6, 0.012))
    rim, way = (
        np.maximum(
            grid.within(11.4 - wide, 14.2 + wide, across=True),
            grid.box(_DOORWAY[0] - 0.1 - wide, _DOORWAY[1] + 0.1 + wide, 11.4, _END),
        )
        for wide in (0.06, 0.0)
    )
    base = mix(base, (70, 72, 74), rim)
    stone = np.full_like(base, (204, 196, 182))
    stone *= (1 + 0.16 * grid.rough(0.05, 0.11) + 0.03 * grid.noise(2.4))[..., None].astype(np.float32)
    stone = mix(stone, (150, 142, 132), 0.6 * grid.joints(1.4, 1.4, 0.015))
    base = base + (stone - base) * way[..., None].astype(np.float32)
    pane = 0.6 + 0.4 * np.cos(np.float32(2 * np.pi / 2.6) * (grid.v - np.float32(1.3)))
    day = np.exp((np.float32(_SIDE) - grid.u) / np.float32(3.6)) * pane
    return np.asarray(base * (0.9 + 0.42 * day)[..., None])


def _glass_room(base: FloatArray, grid: Grid) -> FloatArray:
    """A meeting room behind glass: a table, a screen on its wall, a frosted band and a door."""
    low, high = -12.0, -4.6
    base = mix(base, (52, 56, 60), grid.box(low, high, 0.0, 3.0))
    cell = Grid(grid.u - np.float32(low), grid.v, grid.du, grid.dv, grid.table).every(1.85)
    panes = cell.box(0.06, 1.79, 0.08, 2.92) * grid.box(low, high, 0.0, 3.0)
    room = np.full_like(base, (136, 146, 142)) * (0.74 + 0.12 * grid.v + 0.05 * grid.noise(1.6))[..., None]
    room = mix(room, (58, 66, 78), grid.box(-10.2, -7.6, 1.45, 2.6))
    room = mix(room, (112, 150, 176), grid.box(-10.1, -7.7, 1.52, 2.53) * 0.8)
    room = mix(room, (112, 82, 58), grid.box(-11.2, -6.9, 0.66, 0.8))
    chairs = cell.box(0.5, 1.2, 0.3, 1.1) * grid.within(-11.4, -6.6, across=False)
    room = mix(room, (60, 62, 70), 0.85 * chairs)
    room = mix(room, (214, 224, 222), 0.55 * grid.within(0.95, 1.3, across=True))
    streak = np.clip(np.cos((grid.u + 0.7 * grid.v) * np.float32(1.3)) - np.float32(0.6), 0, 1)
    room = room * (1 + 0.5 * streak)[..., None]
    base = base + (room - base) * panes[..., None].astype(np.float32)
    return mix(base, (196, 198, 198), grid.box(-6.2, -6.14, 0.9, 1.5))


def _lifts(base: FloatArray, grid: Grid) -> FloatArray:
    """Two lifts with steel doors and a lit sign above each."""
    for low in (3.75, 5.25):
        base = mix(base, (92, 94, 96), grid.box(low - 0.1, low + 1.2, 0.0, 2.4))
        steel = np.full_like(base, (176, 180, 184)) * (0.9 + 0.06 * grid.v)[..., None]
        base = base + (steel - base) * grid.box(low, low + 1.1, 0.0, 2.3)[..., None].astype(np.float32)
        base = mix(base, (84, 86, 90), grid.box(low + 0.53, low + 0.57, 0.0, 2.3))
        base = mix(base, (232, 150, 60), grid.box(low + 0.4, low + 0.7, 2.5, 2.64))
    return base


def _back(grid: Grid, accent: int) -> FloatArray:
    """The back wall: the glass room, wooden slats behind the reception, the doorway's frame, lifts and pictures."""
    base = np.full((*grid.u.shape, 3), (222, 217, 206), np.float32)
    base *= (1 + 0.02 * grid.rough(2.5, 0.4))[..., None].astype(np.float32)
    base = _glass_room(base, grid)
    slats = np.full_like(base, (158, 112, 72)) * (1 + 0.1 * grid.shade(0.16, 9.0))[..., None].astype(np.float32)
    slats = mix(slats, (82, 56, 38), 0.8 * grid.joints(0.16, 9.0, 0.04))
    base = base + (slats - base) * grid.box(-3.9, -0.2, 0.0, 3.6)[..., None].astype(np.float32)
    base = mix(base, (238, 236, 228), grid.box(-2.9, -2.3, 2.3, 2.9))
    base = mix(base, (238, 236, 228), np.maximum(grid.box(-2.1, -0.9, 2.64, 2.9), grid.box(-2.1, -1.3, 2.3, 2.5)))
    left, right = _DOORWAY
    base = mix(base, (64, 66, 70), grid.box(left - 0.12, right + 0.12, 0.0, 2.72))
    base = mix(base, (52, 158, 104), grid.box(left + 0.7, right - 0.7, 2.84, 3.12))
    base = _lifts(base, grid)
    for number, low in enumerate((-10.9, -8.9, -6.9)):
        base = mix(base, (70, 66, 62), grid.box(low, low + 1.3, 3.18, 3.92))
        base = mix(base, _PICTURES[(number + accent) % 3], grid.box(low + 0.08, low + 1.22, 3.25, 3.85))
    base = mix(base, (84, 80, 76), grid.within(-1, 0.12, across=True) * (grid.u > -4.6))
    return np.asarray(base * np.clip(0.86 + 0.035 * grid.v, 0.8, 1.0)[..., None])


def _windows(grid: Grid) -> FloatArray:
    """Windows down to a low sill, the day and the houses over the way outside, some with a blind let down."""
    base = np.full((*grid.u.shape, 3), (206, 202, 194), np.float32)
    cell, number = grid.every(2.6), np.floor(grid.u / np.float32(2.6)).astype(np.int64)
    sky = np.full_like(base, (198, 216, 230)) * (0.9 + 0.04 * grid.v)[..., None]
    houses = grid.v < 2.0 + 0.7 * grid.every(200.0).shade(3.1, 99.0)
    sky = mix(sky, (150, 156, 158), 0.8 * houses * (1 - 0.4 * grid.joints(0.7, 0.5, 0.2)))
    sky = mix(sky, (112, 142, 104), 0.7 * (grid.v < 1.0 + 0.25 * grid.noise(0.9)))
    pane = np.maximum(cell.box(0.1, 1.27, 0.6, 3.8), cell.box(1.33, 2.5, 0.6, 3.8))
    base = base + (sky - base) * pane[..., None].astype(np.float32)
    blind = pane * (grid.v > 2.5 + 0.5 * (number % 2)) * (number % 3 != 1)
    base = mix(base, (208, 202, 188), 0.94 * blind)
    base = mix(base, (168, 162, 150), 0.5 * blind * grid.joints(99.0, 0.14, 0.04))
    base = mix(base, (140, 140, 138), 0.5 * grid.joints(0.1, 9.0, 0.03) * cell.box(0.3, 2.3, 0.12, 0.46))
    return mix(base, (96, 92, 88), grid.within(-1, 0.08, across=True))


def _ceiling(grid: Grid) -> FloatArray:
    """White panels with square lamps."""
    base = np.full((*grid.u.shape, 3), (188, 190, 188), np.float32)
    base *= (1 + 0.02 * grid.shade(0.6, 0.6))[..., None].astype(np.float32)
    base = mix(base, (140, 142, 142), 0.7 * grid.joints(0.6, 0.6, 0.03))
    along = Grid(grid.v, grid.u, grid.dv, grid.du, grid.table).every(3.0).within(0.9, 2.1, across=False)
    return mix(base, (254, 253, 246), along * grid.every(3.0).within(0.6, 1.8, across=False))


def _passage(grid: Grid) -> FloatArray:
    """The end of the corridor behind the doorway, with a door."""
    base = np.full((*grid.u.shape, 3), (176, 166, 148), np.float32)
    base = mix(base, (118, 86, 60), grid.box(1.5, 2.6, 0.0, 2.1))
    return mix(base, (84, 80, 76), grid.within(-1, 0.12, across=True))


def _surfaces(rng: np.random.Generator) -> list[Surface]:
    floor = partial(_floor, carpet=_CARPETS[int(rng.integers(len(_CARPETS)))])
    back = partial(_back, accent=int(rng.integers(len(_PICTURES))))
    left, right = _DOORWAY
    # At its left end the screen is deepest, so that it hides nobody who is before it.
    camera = _camera((640, 360))
    screens = float(camera.project(np.array([_SCREEN, _WALL, 0.0]))[2])

    def wall(u: FloatArray, v: FloatArray, low: float, high: float) -> BoolArray:
        return np.asarray((u >= low) & (u < high) & (v >= 0) & (v < _CEILING))

    return [
        Surface((0, 0, 0), (1, 0, 0), (0, 1, 0), lambda u, v: (u > _SIDE) & (v < _END), floor),
        Surface((0, _WALL, 0), (1, 0, 0), (0, 0, 1), lambda u, v: wall(u, v, _SIDE, _SCREEN), back),
        Surface((0, _WALL, 0), (1, 0, 0), (0, 0, 1), lambda u, v: wall(u, v, _SCREEN, left), back, screens),
        Surface((0, _WALL, 0), (1, 0, 0), (0, 0, 1), lambda u, v: wall(u, v, left, right) & (v > 2.6), back),
        Surface((0, _WALL, 0), (1, 0, 0), (0, 0, 1), lambda u, v: wall(u, v, right, 60.0), back),
        Surface((0, _END, 0), (1, 0, 0), (0, 0, 1), lambda _, v: (v >= 0) & (v < 3.0), _passage),
        Surface((_SIDE, 0, 0), (0, 1, 0), (0, 0, 1), lambda u, v: (u < _WALL) & (v >= 0) & (v < _CEILING), _windows),
        Surface((0, 0, _CEILING), (1, 0, 0), (0, 1, 0), lambda u, v: (u > _SIDE) & (v < _WALL), _ceiling),
    ]


def _furniture(rng: np.random.Generator) -> list[Furniture]:
    return [
        counter((-2.1, 21.6), 0.0),
        pillar((-8.6, 10.8), _CEILING),
        pillar((-8.6, 19.6), _CEILING),
        pillar((3.7, 18.4), _CEILING),
        desk((-7.6, 17.4), 0.0),
        chair((-7.5, 18.3), -np.pi / 2),
        desk((-10.6, 17.4), 0.0),
        chair((-10.3, 18.3), -np.pi / 2),
        sofa((-11.3, 13.2), np.pi / 2),
        cabinet((-5.4, 23.6), 0.0),
        cabinet((-4.5, 23.6), 0.0),
        plant((-11.8, 23.2), rng),
        plant((0.2, 23.3), rng),
        plant((-11.7, 15.0), rng),
    ]


def _gate(camera: Camera, rng: np.random.Generator, side: int) -> tuple[float, float]:
    """A point outside the picture: left before the windows (0), right (1) or below (2)."""
    if side == 2:
        return float(rng.uniform(-4.5, 0.0)), 3.6
    y = float(rng.uniform(7.0, 9.0) if side == 0 else rng.uniform(8.0, 20.0))
    return camera.edge(y, 0.9)[side], y


def _walk(camera: Camera, rng: np.random.Generator) -> Path:
    """From one gate to another, or out through the doorway."""
    start, end = (int(side) for side in rng.choice(3, 2, replace=False, p=[0.37, 0.48, 0.15]))
    first = _gate(camera, rng, start)
    if rng.random() < 0.4:
        x = sum(_DOORWAY) / 2
        middle = (first[0] + x) / 2 + float(rng.normal(0, 1.0)), float(rng.uniform(12.0, 16.5))
        return [first, middle, (x, 22.4), (x, 26.2), (-1.0, 25.8)]
    last = _gate(camera, rng, end)
    aside = (first[0] + last[0]) / 2 + float(rng.normal(0, 1.5)), (first[1] + last[1]) / 2 + float(rng.normal(0.8, 2.5))
    return [first, (float(np.clip(aside[0], -8.0, 2.5)), float(np.clip(aside[1], 9.0, 19.5))), last]


def _stay(rng: np.random.Generator) -> tuple[float, float]:
    spots = ((-2.2, 19.6), (-8.2, 14.4), (-6.2, 21.6), (-4.4, 17.8), (4.2, 21.6))
    x, y = spots[int(rng.integers(len(spots)))]
    return x + float(rng.uniform(-0.6, 0.6)), y + float(rng.uniform(-0.5, 0.5))


def _stage(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(-4.4, -0.6)), float(rng.uniform(11.0, 15.5))


def _drive(camera: Camera, rng: np.random.Generator) -> Path:
    """Across the hall between the right edge and the near end of the windows."""
    y = float(rng.uniform(11.6, 15.0))
    near = float(rng.uniform(7.4, 8.6))
    middle = float(rng.uniform(-3.5, -1.5)), (y + 12.4) / 2
    path = [(camera.edge(y, 2.6)[1], y), middle, (camera.edge(near, 2.0)[0], near)]
    return path if rng.random() < 0.5 else path[::-1]


OFFICE = Place(
    name="office",
    normal={"walking": 25.0, "standing": 4.0},
    abnormal=("running", "cycling", "cart", "falling", "fighting", "loitering", "thrown_bag", "left_bag"),
    light=Light((0.3, -0.06), 0.76, 3.4),
    camera=_camera,
    surfaces=_surfaces,
    furniture=_furniture,
    walk=_walk,
    stay=_stay,
    stage=_stage,
    drive=_drive,
)
"""A lobby of about 20 m by 24 m; the doorway in its back wall leads out only."""
