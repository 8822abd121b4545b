"""From the stage to a picture: shadows, people and vehicles in the order of their depth, then the camera's sensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.footage.world.actors import Actor
from amiss.footage.world.body import POINTS, Dof, Point
from amiss.footage.world.canvas import Canvas, fixed
from amiss.footage.world.figures import Bodies, Figure, pose_bodies
from amiss.footage.world.gait import riding, sitting, walking
from amiss.footage.world.mesh import Mesh
from amiss.footage.world.scenery import Scenery, sun_vector
from amiss.footage.world.scripts import idle
from amiss.footage.world.vehicles import bag_mesh, car_mesh, cart_meshes, case_mesh, paint_bicycle
from amiss.types import FloatArray, Image

__all__ = ["Drawn", "Renderer"]

_REDUCE = 2
_SEAT = (-0.22, 0.26)
"""Where in a cart the driver sits, metres ahead and to the left."""


@dataclass(frozen=True)
class Drawn:
    """One frame as it was drawn.

    Attributes:
        image: `(H, W, 3)` uint8 RGB.
        ids: `(H, W)` uint16 track ids, 0 where nobody is.
        actors: Those on the stage.
        extents: `(A, 4)` pixels within which each of them lies.
        rows: For each of them its row in `joints`, -1 where it has no body.
        joints: `(P, 17, 3)` COCO joints: x, y in pixels and depth in metres.
    """

    image: Image
    ids: NDArray[np.uint16]
    actors: list[Actor]
    extents: FloatArray
    rows: list[int]
    joints: FloatArray


class Renderer:
    """Draws frames of one place.

    Args:
        scenery: The still part of the place.
        rng: Source of the sensor's noise and of how the light drifts.
    """

    def __init__(self, scenery: Scenery, rng: np.random.Generator) -> None:
        self._scenery = scenery
        self._camera = scenery.camera
        self._sun = sun_vector(scenery.light)
        right, up, _ = self._camera.axes
        lit = np.array([float(self._sun @ right), -float(self._sun @ up)])
        self._lit = float(lit[0] / np.hypot(*lit)), float(lit[1] / np.hypot(*lit))
        self._meshes: dict[int, tuple[Mesh, ...]] = {}
        width, height = scenery.camera.size
        noise = rng.normal(0, 1.7, (height + 61, width + 67, 1)) + rng.normal(0, 1.1, (height + 61, width + 67, 3))
        self._noise = np.rint(cv2.GaussianBlur(noise, (0, 0), 0.55) * 1.5).astype(np.int16)
        self._rng = rng
        self._drift = rng.uniform(0, 2 * np.pi, 2), rng.uniform(-0.02, 0.02)

    def draw(self, actors: list[Actor], seconds: float) -> Drawn:
        """Draw what is on the stage now."""
        actors = sorted(actors, key=lambda actor: actor.ident)
        canvas = Canvas(self._scenery.background.copy(), np.zeros(self._scenery.background.shape[:2], np.uint16))
        figures, rows = self._figures(actors, seconds)
        bodies = pose_bodies(figures, self._camera, self._lit) if figures else None
        self._shadows(canvas, actors, bodies)
        depths = self._depths(actors)
        jobs: list[tuple[float, int, Callable[[], None]]] = []
        for actor, row, depth in zip(actors, rows, depths, strict=True):
            jobs.append((-depth, actor.ident, self._painter(canvas, actor, bodies, row)))
        for number, occluder in enumerate(self._scenery.occluders):
            jobs.append((-occluder.depth, -1 - number, _covering(canvas, occluder.cover)))
        for _, _, paint in sorted(jobs, key=lambda job: job[:2]):
            paint()
        joints = bodies.joints if bodies is not None else np.zeros((0, 17, 3))
        return Drawn(
            self._sense(canvas.image, seconds), canvas.ids, actors, self._extents(actors, rows, bodies), rows, joints
        )

    def _depths(self, actors: list[Actor]) -> list[float]:
        """Metres along the optical axis."""
        if not actors:
            return []
        spots = np.array([[*actor.place, 0.0] for actor in actors])
        return [float(depth) for depth in self._camera.project(spots)[:, 2]]

    def _figures(self, actors: list[Actor], seconds: float) -> tuple[list[Figure], list[int]]:
        """The bodies to draw, and for each actor which of them is its own."""
        figures: list[Figure] = []
        rows = []
        for actor in actors:
            if actor.shape not in ("person", "bicycle", "cart"):
                rows.append(-1)
                continue
            rows.append(len(figures))
            figures.append(self._figure(actor, seconds))
        return figures, rows

    @staticmethod
    def _figure(actor: Actor, seconds: float) -> Figure:
        """How an actor's body stands, rides or sits."""
        x, y = float(actor.place[0]), float(actor.place[1])
        tall = actor.look.height
        if actor.shape == "bicycle":
            back = 0.24
            x, y = x - back * float(np.cos(actor.heading)), y - back * float(np.sin(actor.heading))
            held = riding(actor.phase, tall)
        elif actor.shape == "cart":
            sin, cos = float(np.sin(actor.heading)), float(np.cos(actor.heading))
            x, y = x + _SEAT[0] * cos - _SEAT[1] * sin, y + _SEAT[0] * sin + _SEAT[1] * cos
            held = sitting(tall)
        elif actor.hold is not None:
            held = actor.hold(actor, seconds)
        else:
            held = walking(actor.phase, actor.speed, tall, 0.85 + 0.03 * actor.restless)
        if actor.shape == "person" and actor.hold in (None, idle):
            _carry(held, actor.bag)
        return Figure(actor.ident, actor.look, held, (x, y, actor.lift), actor.heading, actor.bag)

    def _mesh(self, actor: Actor) -> tuple[Mesh, ...]:
        """The solid parts of an actor, made once."""
        if actor.ident not in self._meshes:
            if actor.shape == "cart":
                made: tuple[Mesh, ...] = cart_meshes(actor.colour)
            elif actor.shape == "bicycle":
                made = ()
            elif actor.shape == "person":
                made = (case_mesh(actor.look.leather),)
            else:
                makers = {"car": car_mesh, "bag": bag_mesh, "case": case_mesh}
                made = (makers[actor.shape](actor.colour),)
            self._meshes[actor.ident] = made
        return self._meshes[actor.ident]

    def _painter(self, canvas: Canvas, actor: Actor, bodies: Bodies | None, row: int) -> Callable[[], None]:
        """What paints an actor."""
        spot = float(actor.place[0]), float(actor.place[1]), actor.lift

        def paint() -> None:
            meshes = self._mesh(actor)
            if actor.shape == "bicycle":
                paint_bicycle(canvas, self._camera, spot, actor.heading, actor.ident, actor.colour)
            elif actor.shape != "person":
                meshes[0].paint(canvas, self._camera, spot, actor.heading, actor.ident, self._sun)
            if bodies is not None and row >= 0:
                case = actor.shape == "person" and actor.bag == "case"
                behind = float(np.sin(actor.heading)) < 0
                if case and behind:
                    self._case(canvas, actor, bodies, row)
                bodies.paint(canvas, row)
                if case and not behind:
                    self._case(canvas, actor, bodies, row)
            if actor.shape == "cart":
                meshes[1].paint(canvas, self._camera, spot, actor.heading, actor.ident, self._sun)

        return paint

    def _case_spot(self, actor: Actor) -> tuple[float, float, float]:
        """Where a suitcase rolls: behind its owner, at the right hand."""
        sin, cos = float(np.sin(actor.heading)), float(np.cos(actor.heading))
        x, y = float(actor.place[0]), float(actor.place[1])
        return x - 0.38 * cos + 0.26 * sin, y - 0.38 * sin - 0.26 * cos, 0.0

    def _case(self, canvas: Canvas, actor: Actor, bodies: Bodies, row: int) -> None:
        """A suitcase and its handle."""
        spot = self._case_spot(actor)
        self._mesh(actor)[0].paint(canvas, self._camera, spot, actor.heading, actor.ident, self._sun)
        top = self._camera.project(np.array([spot[0], spot[1], 0.64]))[:2]
        hand = bodies.pixels[row, Point.RIGHT_HAND, :2]
        canvas.line(fixed(np.stack([top, hand])), (48, 48, 50), 1, actor.ident)

    def _shadows(self, canvas: Canvas, actors: list[Actor], bodies: Bodies | None) -> None:
        """Darken the ground where actors keep the light off, softly."""
        light, size = self._scenery.light, self._camera.size
        shade: NDArray[np.uint8] = np.full((size[1] // _REDUCE, size[0] // _REDUCE), 255, np.uint8)
        dark = (int(255 * light.shade),)
        for actor in actors:
            if actor.shape in ("person", "bicycle"):
                continue
            spot = float(actor.place[0]), float(actor.place[1]), actor.lift
            for mesh in self._mesh(actor):
                hull = mesh.shadow(self._camera, spot, actor.heading, light.slant, _REDUCE)
                cv2.fillConvexPoly(shade, hull, dark, cv2.LINE_AA, 4)
        if bodies is not None:
            for rod in bodies.shadow_rods(self._camera, light.slant, _REDUCE):
                cv2.fillConvexPoly(shade, rod, dark, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(shade, (0, 0), max(0.5, light.blur * size[0] / 640 / _REDUCE))
        full = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(canvas.image, cv2.merge([full, full, full]), canvas.image, scale=1 / 255)

    def _extents(self, actors: list[Actor], rows: list[int], bodies: Bodies | None) -> FloatArray:
        """Pixels within which each actor lies, with some to spare."""
        out = np.zeros((len(actors), 4))
        for number, (actor, row) in enumerate(zip(actors, rows, strict=True)):
            points = []
            if bodies is not None and row >= 0:
                points.append(bodies.pixels[row, :POINTS, :2])
            spot = float(actor.place[0]), float(actor.place[1]), actor.lift
            if actor.shape == "bicycle":
                ring = np.array([[spot[0] + dx, spot[1] + dy, z] for dx in (-1, 1) for dy in (-1, 1) for z in (0, 1.1)])
                points.append(self._camera.project(ring)[:, :2])
            elif actor.shape != "person" or actor.bag == "case":
                where = self._case_spot(actor) if actor.shape == "person" else spot
                points += [self._camera.project(m.placed(where, actor.heading)[0])[:, :2] for m in self._mesh(actor)]
            together = np.concatenate(points)
            spare = 3 + 0.12 * float(together[:, 1].max() - together[:, 1].min())
            out[number, :2], out[number, 2:] = together.min(axis=0) - spare, together.max(axis=0) + spare
        return out

    def _sense(self, image: Image, seconds: float) -> Image:
        """What the sensor makes of the light: a slow drift, a slight blur, noise."""
        (first, second), level = self._drift
        gain = (
            1
            + level
            + 0.025 * np.sin(2 * np.pi * seconds / 53 + first)
            + 0.012 * np.sin(2 * np.pi * seconds / 19 + second)
        )
        soft = cv2.GaussianBlur(image, (3, 3), 0.62)
        bright = cv2.convertScaleAbs(soft, alpha=float(gain), beta=2.0)
        down, right = int(self._rng.integers(61)), int(self._rng.integers(67))
        height, width = image.shape[:2]
        noise = self._noise[down : down + height, right : right + width]
        return np.asarray(cv2.add(bright, noise, dtype=cv2.CV_8U), np.uint8)


def _carry(held: FloatArray, bag: str) -> None:
    """The right arm hangs under the weight of a bag, or draws a suitcase."""
    if bag == "hand":
        held[Dof.RIGHT_SWING], held[Dof.RIGHT_BEND] = 0.3 * held[Dof.RIGHT_SWING], 0.12
    elif bag == "case":
        held[Dof.RIGHT_SWING], held[Dof.RIGHT_BEND], held[Dof.RIGHT_SPREAD] = -0.42, 0.1, 0.2


def _covering(canvas: Canvas, cover: Callable[[Canvas], None]) -> Callable[[], None]:
    """What paints an occluder."""

    def paint() -> None:
        cover(canvas)

    return paint
