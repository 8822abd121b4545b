"""Draws people: all bodies of a frame are computed at once, then painted one by one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.footage.world.body import JOINTS, TORSO, Point, skeleton
from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Canvas, Colour, capsules, fixed, tint
from amiss.footage.world.look import Look
from amiss.types import FloatArray

__all__ = ["Bodies", "Figure", "pose_bodies"]

_RODS: tuple[tuple[Point, Point, float, float], ...] = (
    (Point.LEFT_HIP, Point.LEFT_KNEE, 0.05, 0.036),
    (Point.LEFT_KNEE, Point.LEFT_ANKLE, 0.034, 0.022),
    (Point.LEFT_HEEL, Point.LEFT_TOE, 0.021, 0.016),
    (Point.RIGHT_HIP, Point.RIGHT_KNEE, 0.05, 0.036),
    (Point.RIGHT_KNEE, Point.RIGHT_ANKLE, 0.034, 0.022),
    (Point.RIGHT_HEEL, Point.RIGHT_TOE, 0.021, 0.016),
    (Point.LEFT_SHOULDER, Point.LEFT_ELBOW, 0.031, 0.025),
    (Point.LEFT_ELBOW, Point.LEFT_WRIST, 0.024, 0.018),
    (Point.LEFT_WRIST, Point.LEFT_HAND, 0.018, 0.015),
    (Point.RIGHT_SHOULDER, Point.RIGHT_ELBOW, 0.031, 0.025),
    (Point.RIGHT_ELBOW, Point.RIGHT_WRIST, 0.024, 0.018),
    (Point.RIGHT_WRIST, Point.RIGHT_HAND, 0.018, 0.015),
    (Point.NECK, Point.HEAD, 0.03, 0.028),
    (Point.HEAD, Point.CROWN, 0.047, 0.045),
    (Point.PELVIS, Point.NECK, 0.085, 0.06),
)
_START, _END = np.array([rod[0] for rod in _RODS]), np.array([rod[1] for rod in _RODS])
_RADII = np.array([rod[2:] for rod in _RODS])
_LEGS = {"LEFT": (0, 1, 2), "RIGHT": (3, 4, 5)}
_ARMS = {"LEFT": (6, 7, 8), "RIGHT": (9, 10, 11)}
_NECK, _SKULL = 12, 13
_TRUNK = {"shirt": "shirt", "coat": "coat", "skirt": "shirt"}
_OUTLINE = 0.35
"""Pixels that the rasteriser adds around a polygon, taken off the radii."""
_SHADED = 2.2
"""Radius in pixels from which a limb gets a lit side."""


@dataclass(frozen=True)
class Figure:
    """A person as it stands in one frame.

    Attributes:
        ident: Number in the canvas.
        look: Looks.
        held: `(len(Dof),)`: how the body is held.
        place: x, y and z in metres.
        heading: Radians from the x axis.
        bag: What is carried now.
    """

    ident: int
    look: Look
    held: FloatArray
    place: tuple[float, float, float]
    heading: float
    bag: str


@dataclass(frozen=True)
class Bodies:
    """All people of a frame, ready to be painted.

    Attributes:
        figures: The people.
        world: `(P, POINTS, 3)` metres.
        pixels: `(P, POINTS, 3)` x, y in pixels and depth in metres.
        rods: `(P, rods, 10, 2)` outlines of the limbs, fixed point.
        lit: The same for the lit side of each limb.
        scale: `(P,)` pixels a metre.
    """

    figures: list[Figure]
    world: FloatArray
    pixels: FloatArray
    rods: NDArray[np.int32]
    lit: NDArray[np.int32]
    scale: FloatArray

    @property
    def joints(self) -> FloatArray:
        """`(P, 17, 3)` COCO joints: x, y in pixels and depth in metres."""
        return np.asarray(self.pixels[:, :JOINTS])

    def shadow_rods(self, camera: Camera, slant: tuple[float, float], reduce: float) -> NDArray[np.int32]:
        """`(P * rods, 10, 2)` outlines of the shadows on the ground, for a picture `reduce` times smaller."""
        ground = self.world[:, : len(Point)].copy()
        ground[..., :2] += ground[..., 2:] * np.array(slant)
        ground[..., 2] = 0.0
        seen = camera.project(ground)
        thick = np.array([figure.look.height for figure in self.figures])[:, None] * camera.pixels / seen[:, _START, 2]
        radii = _RADII[None] * thick[..., None] * 0.85
        shape = capsules(seen[:, _START, :2], seen[:, _END, :2], radii[..., 0], radii[..., 1])
        return fixed(shape.reshape(-1, 10, 2) / reduce)

    def paint(self, canvas: Canvas, row: int) -> None:
        """Paint one person, its farther limbs first."""
        figure = self.figures[row]
        depth = self.pixels[row, :, 2]
        trunk = float(depth[Point.PELVIS])
        legs = sorted(("LEFT", "RIGHT"), key=lambda side: -float(depth[Point[f"{side}_KNEE"]]))
        arms = sorted(("LEFT", "RIGHT"), key=lambda side: -float(depth[Point[f"{side}_SHOULDER"]]))
        behind = [side for side in arms if depth[Point[f"{side}_ELBOW"]] > trunk + 0.06 or side == arms[0]]
        ahead = [side for side in arms if side not in behind]
        facing = float(depth[Point.NOSE] - depth[Point.HEAD]) < 0.02 * figure.look.height
        pack = figure.bag == "pack"
        if pack and facing:
            self._pack(canvas, row)
        if abs(float(depth[Point.LEFT_SHOULDER] - depth[Point.RIGHT_SHOULDER])) < 0.1 and facing:
            behind, ahead = [], arms
        for side in behind:
            self._arm(canvas, row, side, 0.84)
        for side, light in zip(legs, (0.82, 1.0), strict=True):
            self._leg(canvas, row, side, light)
        self._torso(canvas, row)
        if pack and not facing:
            self._pack(canvas, row)
        self._head(canvas, row)
        for side in ahead:
            self._arm(canvas, row, side, 1.0)
        if figure.bag == "hand":
            self._hand_bag(canvas, row)

    def _rod(self, canvas: Canvas, row: int, rod: int, colour: Colour) -> None:
        figure = self.figures[row]
        canvas.polygon(self.rods[row, rod], tint(colour, 0.86), figure.ident)
        if _RADII[rod, 0] * figure.look.height * self.scale[row] > _SHADED:
            canvas.paint(self.lit[row, rod], tint(colour, 1.08))

    def _leg(self, canvas: Canvas, row: int, side: str, light: float) -> None:
        look = self.figures[row].look
        thigh, shin, foot = _LEGS[side]
        self._rod(canvas, row, foot, tint(look.shoes, light))
        self._rod(canvas, row, shin, tint(look.shins, light))
        self._rod(canvas, row, thigh, tint(look.legs, light))

    def _arm(self, canvas: Canvas, row: int, side: str, light: float) -> None:
        look = self.figures[row].look
        upper, lower, hand = _ARMS[side]
        self._rod(canvas, row, hand, tint(look.skin, light))
        self._rod(canvas, row, lower, tint(look.sleeves, light))
        self._rod(canvas, row, upper, tint(look.top, light))

    def _hull(self, row: int, name: str, shrink: float = 1.0) -> NDArray[np.int32]:
        """The outline of a garment; with `shrink`, its lit middle."""
        points = self.pixels[row, TORSO[name], :2]
        if shrink != 1.0:
            points = points * shrink + (1 - shrink) * points.mean(axis=0) - 0.012 * self.scale[row]
        return np.asarray(cv2.convexHull(fixed(points)), np.int32)

    def _torso(self, canvas: Canvas, row: int) -> None:
        figure = self.figures[row]
        look, ident = figure.look, figure.ident
        if look.garment == "skirt":
            canvas.polygon(self._hull(row, "skirt"), tint(look.legs, 0.94), ident)
        trunk = _TRUNK[look.garment]
        canvas.polygon(self._hull(row, trunk), tint(look.top, 0.86), ident)
        canvas.paint(self._hull(row, trunk, 0.62), tint(look.top, 0.98))
        self._rod(canvas, row, _NECK, look.skin)

    def _head(self, canvas: Canvas, row: int) -> None:
        figure = self.figures[row]
        self._rod(canvas, row, _SKULL, figure.look.hair)
        depth = self.pixels[row, :, 2]
        if depth[Point.NOSE] - depth[Point.HEAD] < 0.012 * figure.look.height:
            canvas.paint(fixed(self.pixels[row, TORSO["face"], :2]), tint(figure.look.skin, 0.97))

    def _pack(self, canvas: Canvas, row: int) -> None:
        figure = self.figures[row]
        canvas.polygon(self._hull(row, "pack"), tint(figure.look.leather, 0.9), figure.ident)
        canvas.paint(self._hull(row, "pack", 0.6), tint(figure.look.leather, 1.12))

    def _hand_bag(self, canvas: Canvas, row: int) -> None:
        """A bag hanging from the right hand."""
        figure = self.figures[row]
        x, y = self.pixels[row, Point.RIGHT_HAND, :2]
        wide, high = 0.15 * self.scale[row], 0.27 * self.scale[row]
        drop = 0.06 * self.scale[row]
        corners = [[x - wide * 0.8, y + drop], [x + wide * 0.8, y + drop], [x + wide, y + high], [x - wide, y + high]]
        canvas.polygon(fixed(np.array(corners)), figure.look.leather, figure.ident)
        canvas.line(fixed(np.array([corners[0], [x, y], corners[1]])), tint(figure.look.leather, 0.7), 1, figure.ident)


def pose_bodies(figures: list[Figure], camera: Camera, light: tuple[float, float]) -> Bodies:
    """Compute all bodies of a frame.

    Args:
        figures: The people, at least one.
        camera: Who looks.
        light: Direction in the picture, x and y, from which limbs are lit.
    """
    height = np.array([figure.look.height for figure in figures])
    build = np.array([figure.look.build for figure in figures])
    own = skeleton(np.stack([figure.held for figure in figures]), height, build)
    heading = np.array([figure.heading for figure in figures])[:, None]
    sin, cos = np.sin(heading), np.cos(heading)
    world = np.stack([own[..., 0] * cos - own[..., 1] * sin, own[..., 0] * sin + own[..., 1] * cos, own[..., 2]], -1)
    world += np.array([figure.place for figure in figures])[:, None]
    pixels = camera.project(world)
    scale = camera.pixels / pixels[:, Point.PELVIS, 2]
    radii = _RADII[None] * (height * scale)[:, None, None]
    radii[:, :13] *= np.sqrt(build)[:, None, None]
    start, end = pixels[:, _START, :2], pixels[:, _END, :2]
    solid = np.maximum(radii - _OUTLINE, 0.45)
    rods = capsules(start, end, solid[..., 0], solid[..., 1])
    offset = np.array(light) * 0.38
    lit_start, lit_end = start + offset * solid[..., :1], end + offset * solid[..., 1:]
    lit = capsules(lit_start, lit_end, solid[..., 0] * 0.5, solid[..., 1] * 0.5)
    return Bodies(figures, world, pixels, fixed(rods), fixed(lit), scale)
