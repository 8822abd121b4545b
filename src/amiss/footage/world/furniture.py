"""Things that stand about and hide what is behind them: columns, lamps, benches, trees, and an office's desks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Canvas, Colour, fixed, tint
from amiss.footage.world.mesh import Mesh, block, extrusion, join, prism
from amiss.types import FloatArray

__all__ = [
    "Furniture", "bench", "bin_", "bollard", "cabinet", "chair", "column", "counter", "desk", "lamp", "pillar",
    "plant", "planter", "signal", "sofa", "tree",
]  # fmt: skip


@dataclass(frozen=True)
class Furniture:
    """A thing of the place.

    Attributes:
        mesh: Its solid part.
        place: x and y in metres.
        heading: Radians.
        radius: Metres that people keep off its middle.
        leaves: `(L, 4)` balls of foliage: x, y, z from `place` and radius.
        green: Colour of the foliage.
    """

    mesh: Mesh
    place: tuple[float, float]
    heading: float
    radius: float
    leaves: FloatArray
    green: Colour = (84, 108, 62)

    def paint(self, canvas: Canvas, camera: Camera, ident: int, sun: FloatArray) -> None:
        """Paint it; `ident` is its number in the canvas, `sun` `(3,)` points to the light."""
        spot = (*self.place, 0.0)
        self.mesh.paint(canvas, camera, spot, self.heading, ident, sun)
        if not len(self.leaves):
            return
        circle = np.arange(9) * 2 * np.pi / 9
        outline = np.stack([np.cos(circle), np.sin(circle)], axis=-1)
        seen = camera.project(self.leaves[:, :3] + np.array(spot))
        size = self.leaves[:, 3] * camera.pixels / seen[:, 2]
        points = fixed(seen[:, None, :2] + outline * size[:, None, None])
        middle = np.array([0.0, 0.0, self.leaves[:, 2].mean()])
        lit = 0.62 + 0.16 * (np.arange(len(size)) % 4) + 0.12 * (self.leaves[:, :3] - middle) @ sun
        for ball, light in zip(points, lit, strict=True):
            canvas.polygon(ball, tint(self.green, float(light)), ident)


_BARE = np.zeros((0, 4))


def _foliage(rng: np.random.Generator, count: int, low: float, spread: tuple[float, float], size: float) -> FloatArray:
    """Balls of leaves, the farther and lower ones first."""
    way = rng.normal(size=(count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    way *= rng.uniform(0.35, 1.0, (count, 1)) ** (1 / 3)
    centre = np.array([0.0, 0.0, low + spread[1]])
    balls = np.column_stack(
        [way * np.array([spread[0], spread[0], spread[1]]) + centre, rng.uniform(0.5, 1, count) * size]
    )
    return np.asarray(balls[np.argsort(-balls[:, 1] + 0.6 * balls[:, 2])])


def column(place: tuple[float, float], colour: Colour) -> Furniture:
    """A round column of 0.35 m up to the ceiling, with a foot."""
    mesh = join(
        prism((0, 0), 0.0, 0.25, (0.42, 0.4), tint(colour, 0.7)), prism((0, 0), 0.25, 6.0, (0.33, 0.33), colour)
    )
    return Furniture(mesh, place, 0.0, 0.75, _BARE)


def lamp(place: tuple[float, float], heading: float) -> Furniture:
    """A lamp post of 4.6 m with an arm."""
    steel: Colour = (66, 70, 72)
    mesh = join(
        prism((0, 0), 0.0, 0.5, (0.13, 0.1), steel, 10),
        prism((0, 0), 0.5, 4.6, (0.065, 0.05), steel, 10),
        block((0.0, -0.03, 4.5), (0.9, 0.03, 4.58), steel),
        block((0.6, -0.12, 4.42), (1.1, 0.12, 4.52), (206, 204, 190)),
    )
    return Furniture(mesh, place, heading, 0.45, _BARE)


def signal(place: tuple[float, float], heading: float) -> Furniture:
    """A crossing's signal post with a blue sign plate and a lamp box."""
    steel: Colour = (120, 122, 124)
    mesh = join(
        prism((0, 0), 0.0, 2.3, (0.06, 0.05), steel, 8),
        block((-0.06, -0.28, 2.3), (0.0, 0.28, 2.86), (44, 84, 150)),
        block((-0.1, -0.13, 2.9), (0.1, 0.13, 3.3), (210, 160, 40)),
    )
    return Furniture(mesh, place, heading, 0.4, _BARE)


def bollard(place: tuple[float, float]) -> Furniture:
    """A bollard of 0.9 m."""
    mesh = join(
        prism((0, 0), 0.0, 0.8, (0.09, 0.08), (74, 76, 78), 8), prism((0, 0), 0.8, 0.9, (0.1, 0.06), (196, 190, 176), 8)
    )
    return Furniture(mesh, place, 0.0, 0.35, _BARE)


def bench(place: tuple[float, float], heading: float) -> Furniture:
    """A wooden bench of 1.8 m with a back."""
    wood: Colour = (134, 98, 66)
    iron: Colour = (52, 52, 54)
    mesh = join(
        block((-0.8, -0.2, 0.0), (-0.7, 0.2, 0.4), iron),
        block((0.7, -0.2, 0.0), (0.8, 0.2, 0.4), iron),
        block((-0.9, -0.24, 0.4), (0.9, 0.24, 0.47), wood),
        block((-0.9, 0.2, 0.55), (0.9, 0.25, 0.72), wood),
        block((-0.9, 0.22, 0.78), (0.9, 0.27, 0.95), tint(wood, 0.93)),
    )
    return Furniture(mesh, place, heading, 1.1, _BARE)


def bin_(place: tuple[float, float]) -> Furniture:
    """A litter bin of 0.95 m."""
    mesh = join(
        prism((0, 0), 0.0, 0.85, (0.22, 0.26), (64, 82, 74), 12),
        prism((0, 0), 0.85, 0.95, (0.28, 0.2), (46, 58, 54), 12),
    )
    return Furniture(mesh, place, 0.0, 0.55, _BARE)


def planter(place: tuple[float, float], rng: np.random.Generator) -> Furniture:
    """A square stone planter with a shrub."""
    mesh = join(extrusion([(-0.62, 0.0), (0.62, 0.0), (0.72, 0.6), (-0.72, 0.6)], 0.62, 0.72, (158, 150, 138)))
    return Furniture(mesh, place, 0.25, 1.15, _foliage(rng, 90, 0.5, (0.62, 0.5), 0.17))


def tree(place: tuple[float, float], rng: np.random.Generator) -> Furniture:
    """A young tree in an iron grate."""
    mesh = join(
        prism((0, 0), 0.0, 2.6, (0.13, 0.09), (92, 74, 58), 10),
        block((-0.55, -0.55, 0.0), (0.55, 0.55, 0.02), (78, 74, 70)),
    )
    return Furniture(mesh, place, 0.0, 0.6, _foliage(rng, 260, 2.1, (1.35, 1.3), 0.26), (76, 102, 54))


def pillar(place: tuple[float, float], height: float) -> Furniture:
    """A square white pillar of 0.6 m up to a ceiling at `height`, with a skirting."""
    mesh = join(
        block((-0.32, -0.32, 0.0), (0.32, 0.32, 0.14), (92, 90, 88)),
        block((-0.3, -0.3, 0.14), (0.3, 0.3, height), (255, 252, 244)),
    )
    return Furniture(mesh, place, 0.0, 0.8, _BARE)


def counter(place: tuple[float, float], heading: float) -> Furniture:
    """A reception desk of 3.2 m, its wooden front away from who sits there, with a screen."""
    mesh = join(
        block((-1.6, -0.4, 0.0), (1.6, 0.4, 0.12), (58, 58, 60)),
        block((-1.6, -0.42, 0.12), (1.6, 0.4, 1.05), (226, 224, 218)),
        block((-0.95, -0.44, 0.3), (0.95, -0.42, 0.88), (162, 114, 72), 1),
        block((-1.7, -0.48, 1.05), (1.7, 0.45, 1.12), (70, 66, 64), 1),
        block((0.5, 0.0, 1.12), (1.05, 0.05, 1.5), (40, 42, 46), 2),
    )
    return Furniture(mesh, place, heading, 2.0, _BARE)


def desk(place: tuple[float, float], heading: float) -> Furniture:
    """A desk of 1.8 m with a screen and a case of drawers; who works at it sits to its left."""
    white: Colour = (224, 222, 216)
    steel: Colour = (112, 114, 118)
    mesh = join(
        block((-0.86, -0.36, 0.0), (-0.8, 0.36, 0.7), steel),
        block((0.42, -0.36, 0.0), (0.86, 0.3, 0.7), (178, 176, 170)),
        block((-0.86, -0.36, 0.3), (0.42, -0.32, 0.7), (150, 152, 156)),
        block((-0.9, -0.42, 0.7), (0.9, 0.42, 0.75), white, 1),
        block((-0.1, -0.2, 0.75), (0.1, -0.08, 0.86), (60, 62, 66), 2),
        block((-0.36, -0.18, 0.86), (0.36, -0.13, 1.26), (44, 46, 52), 2),
    )
    return Furniture(mesh, place, heading, 1.15, _BARE)


def chair(place: tuple[float, float], heading: float) -> Furniture:
    """A swivel chair, its back behind."""
    cloth: Colour = (58, 62, 72)
    mesh = join(
        prism((0, 0), 0.0, 0.08, (0.3, 0.08), (50, 50, 54), 5),
        prism((0, 0), 0.08, 0.42, (0.035, 0.035), (130, 132, 134), 6),
        block((-0.24, -0.24, 0.42), (0.24, 0.24, 0.5), cloth),
        block((-0.28, -0.22, 0.58), (-0.22, 0.22, 1.05), tint(cloth, 1.15), 1),
    )
    return Furniture(mesh, place, heading, 0.55, _BARE)


def sofa(place: tuple[float, float], heading: float) -> Furniture:
    """A sofa of 1.9 m, its back to its left."""
    cloth: Colour = (200, 132, 56)
    mesh = join(
        block((-0.95, -0.4, 0.1), (0.95, 0.4, 0.42), cloth),
        block((-0.95, 0.2, 0.42), (0.95, 0.4, 0.82), tint(cloth, 0.95)),
        block((-0.95, -0.4, 0.42), (-0.78, 0.4, 0.6), tint(cloth, 0.9)),
        block((0.78, -0.4, 0.42), (0.95, 0.4, 0.6), tint(cloth, 0.9)),
    )
    return Furniture(mesh, place, heading, 1.2, _BARE)


def cabinet(place: tuple[float, float], heading: float) -> Furniture:
    """A filing cabinet of 0.8 m with three drawers."""
    grey: Colour = (150, 154, 158)
    drawers = [block((-0.36, -0.25, z), (0.36, -0.23, z + 0.3), tint(grey, 1.15), 1) for z in (0.08, 0.42, 0.76)]
    mesh = join(block((-0.4, -0.23, 0.0), (0.4, 0.23, 1.1), grey), *drawers)
    return Furniture(mesh, place, heading, 0.75, _BARE)


def plant(place: tuple[float, float], rng: np.random.Generator) -> Furniture:
    """A tall plant in a round white pot."""
    mesh = join(prism((0, 0), 0.0, 0.5, (0.22, 0.3), (228, 226, 220), 12))
    return Furniture(mesh, place, 0.0, 0.6, _foliage(rng, 80, 0.55, (0.42, 0.55), 0.14), (62, 108, 62))
