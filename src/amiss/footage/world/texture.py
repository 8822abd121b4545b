"""Procedural surfaces: noise, joints and per-stone shades, smoothed to the size that a pixel covers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Colour
from amiss.types import BoolArray, FloatArray, Image

__all__ = ["Grid", "Surface", "cast", "mix"]

_TABLE = 128


@dataclass(frozen=True)
class Grid:
    """Coordinates on a surface, one for each pixel.

    Attributes:
        u: `(H, W)` metres along the surface.
        v: `(H, W)` metres across it (up, on a wall).
        du: `(H, W)` metres of `u` that a pixel covers.
        dv: `(H, W)` metres of `v` that a pixel covers.
        table: `(N, N)` values in -1..1 that all chance is taken from.
    """

    u: FloatArray
    v: FloatArray
    du: FloatArray
    dv: FloatArray
    table: FloatArray

    def turned(self, angle: float) -> Grid:
        """The same places in coordinates turned by `angle` radians."""
        sin, cos = np.float32(np.sin(angle)), np.float32(np.cos(angle))
        u, v = self.u * cos + self.v * sin, self.v * cos - self.u * sin
        both = np.hypot(self.du * cos, self.dv * sin), np.hypot(self.dv * cos, self.du * sin)
        return Grid(u, v, *both, self.table)

    def noise(self, period: float) -> FloatArray:
        """Smooth noise in -1..1, fading where a pixel covers more than a period."""
        x, y = self.u / np.float32(period) % _TABLE, self.v / np.float32(period) % _TABLE
        raw = cv2.remap(self.table, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(raw / (1 + np.square((self.du + self.dv) / np.float32(2 * period))))

    def rough(self, *periods: float) -> FloatArray:
        """The mean of noise of several periods."""
        return np.asarray(sum(self.noise(period) for period in periods) / np.float32(len(periods)))

    def shade(self, wide: float, high: float, bond: float = 0.0) -> FloatArray:
        """A value in -1..1 for each stone of a course; each course is shifted by `bond` of a stone."""
        row = np.floor(self.v / np.float32(high)).astype(np.int64)
        column = np.floor(self.u / np.float32(wide) + row * bond).astype(np.int64)
        return np.asarray(self.table[(row * 37 + column * 11) % _TABLE, (column * 53 + row * 7) % _TABLE])

    def joints(self, wide: float, high: float, width: float, bond: float = 0.0) -> FloatArray:
        """How much of each pixel is joint, 0..1, between stones of `wide` by `high` metres."""
        row = np.floor(self.v / np.float32(high))
        upright = _covered(self.u + row * np.float32(bond * wide), wide, width, self.du)
        level = _covered(self.v, high, width, self.dv)
        return np.maximum(upright, level)

    def within(self, low: float, high: float, *, across: bool) -> FloatArray:
        """How much of each pixel lies between two values of `v` (`across`) or of `u`, 0..1."""
        value, size = (self.v, self.dv) if across else (self.u, self.du)
        soft = np.maximum(size, 1e-3)
        return np.asarray(np.clip((value - low) / soft + 0.5, 0, 1) * np.clip((high - value) / soft + 0.5, 0, 1))

    def box(self, left: float, right: float, low: float, high: float) -> FloatArray:
        """How much of each pixel lies in a rectangle of u and v, 0..1."""
        return self.within(left, right, across=False) * self.within(low, high, across=True)

    def every(self, period: float) -> Grid:
        """The same surface, its `u` starting anew every `period` metres."""
        return Grid(self.u % np.float32(period), self.v, self.du, self.dv, self.table)


def _covered(value: FloatArray, period: float, width: float, size: FloatArray) -> FloatArray:
    """How much of a pixel of `size` metres is line, for lines of `width` at every `period`."""
    distance = np.abs((value / np.float32(period) + 0.5) % 1.0 - 0.5) * np.float32(period)
    soft = np.maximum(size, np.float32(1e-3))
    sharp = np.clip((width / 2 + soft / 2 - distance) / soft, 0, 1) * np.minimum(1.0, width / soft)
    return np.asarray(np.where(soft > period, width / period, sharp))


def mix(ground: FloatArray, colour: Colour, share: FloatArray) -> FloatArray:
    """`ground` `(H, W, 3)` covered by `colour` to a `share` `(H, W)` of 0..1."""
    return np.asarray(ground + (np.array(colour, np.float32) - ground) * share[..., None].astype(np.float32))


@dataclass(frozen=True)
class Surface:
    """A flat surface of the place.

    Attributes:
        origin: A point of it, metres.
        u: Unit vector of its first coordinate.
        v: Unit vector of its second coordinate.
        inside: Which coordinates belong to it.
        paint: From its grid to `(H, W, 3)` colours.
        screens: Whether it hides people behind it, and then from which depth ahead (metres); None where it never does.
    """

    origin: tuple[float, float, float]
    u: tuple[float, float, float]
    v: tuple[float, float, float]
    inside: Callable[[FloatArray, FloatArray], BoolArray]
    paint: Callable[[Grid], FloatArray]
    screens: float | None = None


def cast(camera: Camera, surfaces: list[Surface], rng: np.random.Generator) -> tuple[Image, FloatArray]:
    """Look at the surfaces.

    Args:
        camera: Who looks.
        surfaces: What there is.
        rng: Source of all irregularity.

    Returns:
        `(H, W, 3)` uint8 RGB and `(H, W)` the index of the surface that is nearest at each pixel.
    """
    fine = 2
    rays = camera.rays(fine).astype(np.float32)
    table = rng.uniform(-1, 1, (_TABLE, _TABLE)).astype(np.float32)
    nearest = np.full(rays.shape[:2], np.inf, np.float32)
    owner = np.full(rays.shape[:2], -1, np.int32)
    picture = np.zeros(rays.shape, np.float32)
    for number, surface in enumerate(surfaces):
        along, across = np.array(surface.u), np.array(surface.v)
        start = np.array(surface.origin) - np.array([0.0, 0.0, camera.height])
        normal = np.cross(along, across)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.float32(start @ normal) / (rays @ normal.astype(np.float32))
        distance = np.where((distance > 0) & (distance < 200), distance, np.float32(200.0)).astype(np.float32)
        u = distance * (rays @ along.astype(np.float32)) - np.float32(start @ along)
        v = distance * (rays @ across.astype(np.float32)) - np.float32(start @ across)
        chosen = (distance < 200) & (distance < nearest) & surface.inside(u, v)
        nearest[chosen], owner[chosen] = distance[chosen], number
        if chosen.any():
            window = _window(chosen)
            u, v, here = u[window], v[window], chosen[window]
            colours = surface.paint(Grid(u, v, _footprint(u), _footprint(v), table))
            picture[window][here] = colours[here]
    size = camera.size
    small = cv2.resize(np.clip(picture, 0, 255), size, interpolation=cv2.INTER_AREA)
    return np.rint(small).astype(np.uint8), np.asarray(owner[::fine, ::fine])


def _window(chosen: BoolArray) -> tuple[slice, slice]:
    """Rows and columns that hold all chosen pixels, at least two of each."""
    rows, columns = np.flatnonzero(chosen.any(axis=1)), np.flatnonzero(chosen.any(axis=0))
    top, left = min(int(rows[0]), chosen.shape[0] - 2), min(int(columns[0]), chosen.shape[1] - 2)
    return slice(top, max(int(rows[-1]) + 1, top + 2)), slice(left, max(int(columns[-1]) + 1, left + 2))


def _footprint(value: FloatArray) -> FloatArray:
    """By how much a coordinate changes over a pixel."""
    down, right = np.gradient(value)
    return np.asarray(np.minimum(np.hypot(down, right), 20.0).astype(np.float32))
