"""Cars, carts, bicycles and luggage."""

from __future__ import annotations

import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Canvas, Colour, fixed
from amiss.footage.world.mesh import Face, Mesh, block, disc, extrusion, inset, join
from amiss.types import FloatArray

__all__ = ["CAR_COLOURS", "bag_mesh", "car_mesh", "cart_meshes", "case_mesh", "paint_bicycle"]

CAR_COLOURS: tuple[Colour, ...] = (
    (168, 170, 174), (52, 56, 62), (214, 214, 210), (138, 36, 36), (44, 66, 104), (86, 92, 90), (110, 100, 84),
)  # fmt: skip
_GLASS: Colour = (58, 68, 78)
_RUBBER: Colour = (32, 32, 34)
_STEEL: Colour = (150, 152, 156)


def _wheels(places: tuple[tuple[float, float], ...], radius: float) -> list[Face]:
    """Wheels on both sides at x and half-width `y`."""
    faces: list[Face] = []
    for x, y in places:
        for side in (1.0, -1.0):
            faces += disc((x, side * y, radius), radius, side, _RUBBER, 2)
            faces += disc((x, side * (y + 0.005), radius), radius * 0.55, side, _STEEL, 3)
    return faces


def _lamps(side: float) -> list[Face]:
    """The front and the rear lamp at `side` metres to the left."""
    low, high = side - 0.18, side + 0.18
    front = np.array([[2.16, low, 0.58], [2.16, high, 0.58], [2.06, high, 0.7], [2.06, low, 0.7]])
    rear = np.array([[-2.16, high, 0.6], [-2.16, low, 0.6], [-2.12, low, 0.76], [-2.12, high, 0.76]])
    return [Face(front, (244, 240, 222), 2, glow=True), Face(rear, (168, 30, 28), 2, glow=True)]


def car_mesh(colour: Colour) -> Mesh:
    """A saloon car of 4.3 m by 1.75 m by 1.45 m."""
    body = extrusion(
        [(-2.1, 0.28), (2.1, 0.28), (2.15, 0.55), (1.95, 0.78), (0.9, 0.92), (-1.9, 0.95), (-2.15, 0.7)],
        0.86, 0.82, colour,
    )  # fmt: skip
    cabin = extrusion([(-1.75, 0.9), (1.1, 0.88), (0.3, 1.42), (-1.2, 1.45)], 0.8, 0.62, colour, 1)
    glass = [inset(cabin[0], (0.86, 0.66), _GLASS, 2), inset(cabin[1], (0.86, 0.66), _GLASS, 2)]
    glass += [inset(cabin[3], (0.85, 0.8), _GLASS, 2), inset(cabin[5], (0.85, 0.75), _GLASS, 2)]
    skirt = block((-2.0, -0.84, 0.16), (2.0, 0.84, 0.3), (40, 40, 42))
    lamps = [face for side in (-0.62, 0.62) for face in _lamps(side)]
    arches = [
        face
        for x in (-1.32, 1.32)
        for side in (1.0, -1.0)
        for face in disc((x, side * 0.862, 0.34), 0.4, side, (36, 36, 38), 1)
    ]
    return join(skirt, body, cabin, glass, lamps, arches, _wheels(((-1.32, 0.865), (1.32, 0.865)), 0.33))


def cart_meshes(colour: Colour) -> tuple[Mesh, Mesh]:
    """A small electric cart of 2.4 m with a roof: what is painted before its driver, and what after."""
    base = block((-1.15, -0.58, 0.28), (1.15, 0.58, 0.46), colour)
    nose = extrusion([(0.72, 0.46), (1.18, 0.46), (1.1, 0.8), (0.78, 0.98)], 0.56, 0.5, colour)
    seat = block((-0.55, -0.52, 0.46), (0.02, 0.52, 0.76), (70, 66, 62))
    back = block((-0.62, -0.52, 0.76), (-0.5, 0.52, 1.2), (70, 66, 62))
    load = block((-1.15, -0.55, 0.46), (-0.66, 0.55, 0.86), (96, 92, 84))
    roof = block((-0.8, -0.6, 1.86), (0.85, 0.6, 1.93), (226, 226, 220), 2)
    posts: list[Face] = []
    for x, y in ((-0.72, 0.54), (-0.72, -0.54), (0.78, 0.54), (0.78, -0.54)):
        posts += block((x - 0.025, y - 0.025, 0.6), (x + 0.025, y + 0.025, 1.88), (60, 60, 62), 1)
    wheels = _wheels(((-0.78, 0.585), (0.8, 0.585)), 0.25)
    return join(base, nose, seat, back, load, wheels), join(posts, roof)


def case_mesh(colour: Colour) -> Mesh:
    """A suitcase on wheels, 0.62 m high."""
    return join(
        block((-0.13, -0.22, 0.05), (0.13, 0.22, 0.62), colour),
        block((-0.02, -0.12, 0.62), (0.02, 0.12, 0.66), (40, 40, 42)),
    )


def bag_mesh(colour: Colour) -> Mesh:
    """A sports bag of 0.55 m by 0.3 m by 0.32 m."""
    return join(
        extrusion([(-0.27, 0.0), (0.27, 0.0), (0.3, 0.18), (0.2, 0.32), (-0.2, 0.32), (-0.3, 0.18)], 0.16, 0.1, colour)
    )


def _on_bicycle(points: list[tuple[float, float]], place: FloatArray, heading: float) -> FloatArray:
    """World points of x (ahead) and z (up) in the plane of the bicycle."""
    flat = np.array(points)
    ahead = np.array([np.cos(heading), np.sin(heading), 0.0])
    return np.asarray(place + flat[:, :1] * ahead + flat[:, 1:] * np.array([0.0, 0.0, 1.0]))


_RIM = [(0.34 * float(np.cos(a)), 0.34 * float(np.sin(a))) for a in np.linspace(0, 2 * np.pi, 19)]
_TUBES = (
    [(-0.5, 0.34), (-0.08, 0.3), (-0.2, 0.82), (-0.5, 0.34)],
    [(-0.08, 0.3), (0.38, 0.72), (-0.18, 0.76)],
    [(0.54, 0.34), (0.36, 0.95), (0.44, 1.0)],
    [(-0.2, 0.82), (-0.22, 0.92), (-0.32, 0.92), (-0.1, 0.92)],
)


def paint_bicycle(
    canvas: Canvas, camera: Camera, place: tuple[float, float, float], heading: float, ident: int, colour: Colour
) -> None:
    """Paint a bicycle without its rider, standing at `place` and pointing along `heading` (radians)."""
    spot = np.array(place)
    scale = camera.pixels / float(camera.project(spot)[2])
    thick = max(1, round(0.045 * scale))
    for hub in (-0.52, 0.54):
        rim = _on_bicycle([(x + hub, z + 0.34) for x, z in _RIM], spot, heading)
        canvas.line(fixed(camera.project(rim)[:, :2]), _RUBBER, thick, ident)
    for tube in _TUBES:
        canvas.line(fixed(camera.project(_on_bicycle(tube, spot, heading))[:, :2]), colour, thick, ident)
