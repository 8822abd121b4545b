"""The station platform: everybody walks towards the way out at its far end, or waits for a train."""

from __future__ import annotations

import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Colour
from amiss.footage.world.furniture import Furniture, bench, bin_, column
from amiss.footage.world.place import Path, Place
from amiss.footage.world.scenery import Light
from amiss.footage.world.texture import Grid, Surface, mix
from amiss.types import FloatArray

__all__ = ["PLATFORM"]

_EDGE, _WALL, _BED, _END = -3.0, 4.8, -1.1, 44.0
_EXIT = (32.0, 36.5)
_POSTERS: tuple[Colour, ...] = ((170, 76, 60), (64, 104, 140), (206, 178, 96), (84, 128, 92))


def _camera(size: tuple[int, int]) -> Camera:
    return Camera(4.0, 0.25, 0.015, 0.95, size)


def _floor(grid: Grid) -> FloatArray:
    """Tiles, the yellow tactile strip and the edge."""
    base = np.full((*grid.u.shape, 3), (142, 140, 136), np.float32)
    base *= (1 + 0.045 * grid.shade(0.6, 0.6))[..., None].astype(np.float32)
    base = mix(base, (98, 96, 94), 0.7 * grid.joints(0.6, 0.6, 0.014))
    strip = grid.within(_EDGE + 0.62, _EDGE + 1.02, across=False)
    base = mix(base, (206, 172, 52), 0.92 * strip)
    studs = 0.5 + 0.5 * np.cos(np.float32(2 * np.pi / 0.1) * grid.v) * (grid.dv < 0.05)
    base = mix(base, (160, 130, 36), 0.35 * strip * studs)
    base = mix(base, (216, 214, 206), grid.within(_EDGE, _EDGE + 0.16, across=False))
    base = mix(base, (110, 108, 104), grid.within(_EDGE + 0.16, _EDGE + 0.2, across=False))
    worn = 1 + 0.05 * grid.rough(5.0, 1.7) + 0.045 * grid.rough(0.5, 0.12)
    sheen = 1 + 0.07 * np.cos((grid.u - np.float32(0.8)) * np.float32(0.9))
    return np.asarray(base * (worn * sheen)[..., None])


def _track(grid: Grid) -> FloatArray:
    """Ballast, sleepers and two rails."""
    base = np.full((*grid.u.shape, 3), (82, 74, 66), np.float32)
    base *= (1 + 0.25 * grid.rough(0.12, 0.3) + 0.1 * grid.noise(4.0))[..., None].astype(np.float32)
    along = Grid(grid.v, grid.u, grid.dv, grid.du, grid.table)
    sleeper = along.every(0.65).within(0.0, 0.26, across=False) * grid.within(-6.5, -3.9, across=False)
    base = mix(base, (104, 94, 84), 0.8 * sleeper)
    for rail in (-5.95, -4.45):
        base = mix(base, (60, 50, 44), grid.within(rail - 0.12, rail + 0.12, across=False))
        base = mix(base, (178, 176, 172), grid.within(rail - 0.045, rail + 0.045, across=False))
    return np.asarray(base * (0.85 - 0.25 * grid.within(-3.7, -3.0, across=False))[..., None])


def _tiles(grid: Grid) -> FloatArray:
    """A tiled wall with a coloured band, posters and dirt near the floor."""
    base = np.full((*grid.u.shape, 3), (192, 190, 178), np.float32)
    base *= (1 + 0.035 * grid.shade(0.4, 0.2, 0.5))[..., None].astype(np.float32)
    base = mix(base, (150, 148, 138), 0.6 * grid.joints(0.4, 0.2, 0.012, 0.5))
    base = mix(base, (44, 82, 118), grid.within(3.1, 3.5, across=True))
    base = mix(base, (92, 92, 90), grid.within(-2.0, 0.22, across=True))
    cell, number = grid.every(6.4), np.floor(grid.u / np.float32(6.4)).astype(np.int64)
    base = mix(base, (50, 50, 52), cell.box(1.0, 3.6, 1.0, 2.8))
    for which, colour in enumerate(_POSTERS):
        here = number % len(_POSTERS) == which
        base = mix(base, colour, cell.box(1.08, 3.52, 1.08, 2.72) * here)
        base = mix(base, (226, 220, 206), cell.box(1.3 + 0.2 * which, 2.4 + 0.2 * which, 1.3, 2.1) * here * 0.8)
    base = mix(base, (230, 230, 226), cell.box(4.4, 5.9, 3.15, 3.45))
    dark = np.clip(0.8 + 0.1 * grid.v, 0.6, 1.05) + 0.03 * grid.rough(2.0, 0.5)
    return np.asarray(base * dark[..., None])


def _passage(grid: Grid) -> FloatArray:
    """The dim way out behind the wall's opening."""
    base = np.full((*grid.u.shape, 3), (96, 96, 92), np.float32)
    return mix(base, (150, 148, 132), grid.within(2.1, 2.5, across=True))


def _ceiling(grid: Grid) -> FloatArray:
    """Panels with rows of lamps."""
    base = np.full((*grid.u.shape, 3), (106, 108, 108), np.float32)
    base = mix(base, (70, 72, 74), grid.joints(1.2, 2.4, 0.06))
    along = Grid(grid.v, grid.u, grid.dv, grid.du, grid.table)
    lamps = along.every(3.2).within(0.2, 2.8, across=False)
    for x in (-1.6, 2.9):
        base = mix(base, (250, 250, 240), lamps * grid.within(x - 0.16, x + 0.16, across=False))
    return base


def _surfaces(rng: np.random.Generator) -> list[Surface]:
    shift = float(rng.uniform(0, 6))
    low, high = _EXIT
    return [
        Surface((0, 0, 0), (1, 0, 0), (0, 1, 0), lambda u, v: (u > _EDGE) & (v < _END) & (u < 9), _floor),
        Surface((0, 0, _BED), (1, 0, 0), (0, 1, 0), lambda u, v: (u < _EDGE + 0.1) & (v < 80), _track),
        Surface((-7.2, -shift, 0), (0, 1, 0), (0, 0, 1), lambda _, v: (v > _BED) & (v < 5.4), _tiles),
        Surface(
            (_WALL, 0, 0), (0, 1, 0), (0, 0, 1),
            lambda u, v: (v > 0) & (v < 5.4) & ((u < low) | (v > 2.7)), _tiles, screens=low,
        ),
        Surface((_WALL, 0, 0), (0, 1, 0), (0, 0, 1), lambda u, v: (v > 0) & (v < 5.4) & (u > high), _tiles),
        Surface((0, high, 0), (1, 0, 0), (0, 0, 1), lambda u, v: (u > _WALL) & (v > 0) & (v < 3), _passage),
        Surface((0, _END, 0), (1, 0, 0), (0, 0, 1), lambda u, v: (u > _EDGE) & (v > 0) & (v < 5.4), _tiles),
        Surface((0, 80, 0), (1, 0, 0), (0, 0, 1), lambda u, _: u < 20, lambda grid: np.full((*grid.u.shape, 3), 34.0)),
        Surface((0, 0, 5.2), (1, 0, 0), (0, 1, 0), lambda _, v: v < 80, _ceiling),
    ]  # fmt: skip


def _furniture(rng: np.random.Generator) -> list[Furniture]:
    stone: Colour = (176, 172, 160)
    del rng
    return [
        column((2.5, 11.5), stone),
        column((2.5, 19.0), stone),
        column((2.5, 26.5), stone),
        column((2.5, 38.5), stone),
        bench((4.2, 15.2), -np.pi / 2),
        bench((4.2, 23.0), -np.pi / 2),
        bin_((4.3, 18.0)),
    ]


def _way(rng: np.random.Generator) -> Path:
    """From the near end to the way out."""
    x = float(rng.uniform(-0.6, 1.3))
    out = float(rng.uniform(33.2, 35.0))
    drift = float(np.clip(x + rng.normal(0, 0.35), -0.6, 1.4))
    return [(x, 2.4), (drift, 17.0), (float(rng.uniform(-0.5, 1.4)), 29.0), (3.6, out), (7.6, out + 0.4)]


def _walk(camera: Camera, rng: np.random.Generator) -> Path:
    del camera
    return _way(rng)


def _stay(rng: np.random.Generator) -> tuple[float, float]:
    """Behind the yellow strip or between the columns."""
    if rng.random() < 0.7:
        return float(rng.uniform(-1.55, -1.1)), float(rng.uniform(9.5, 28.0))
    return float(rng.uniform(3.2, 3.7)), float(rng.uniform(12.0, 28.0))


def _stage(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(-0.6, 1.0)), float(rng.uniform(11.5, 17.0))


def _drive(camera: Camera, rng: np.random.Generator) -> Path:
    """Along the platform from the near end; wheels are not allowed at all, whichever way."""
    del camera
    x = float(rng.uniform(-0.4, 0.9))
    return [(x, 1.2), (x, 15.0), (x + 0.2, 29.0), (3.6, 34.2), (8.5, 34.4)]


PLATFORM = Place(
    name="platform",
    normal={"walking": 15.0, "waiting": 6.0},
    abnormal=("falling", "wrong_way", "cycling", "left_bag", "fighting", "cart", "running", "thrown_bag"),
    light=Light((0.22, 0.1), 0.7, 3.0),
    camera=_camera,
    surfaces=_surfaces,
    furniture=_furniture,
    walk=_walk,
    stay=_stay,
    stage=_stage,
    drive=_drive,
)
"""A platform below ground; the way out is at its far end."""
