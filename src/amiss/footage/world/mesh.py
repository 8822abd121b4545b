"""Solid things made of flat faces: furniture, vehicles, luggage."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Canvas, Colour, fixed, tint
from amiss.types import FloatArray

__all__ = ["Face", "Mesh", "block", "disc", "extrusion", "inset", "join", "prism"]


@dataclass(frozen=True)
class Face:
    """A flat convex face.

    Attributes:
        points: `(K, 3)` metres, counter-clockwise as seen from outside.
        colour: Its own colour.
        layer: Faces of a higher layer are painted later, whatever their depth.
        glow: True where it shines and is not shaded by the light.
    """

    points: FloatArray
    colour: Colour
    layer: int = 0
    glow: bool = False


@dataclass(frozen=True)
class Mesh:
    """Faces in a frame of their own (x ahead, y left, z up).

    Attributes:
        faces: The faces.
        vertices: `(V, 3)` all their points, one after the other.
        starts: `(F + 1,)` where each face's points begin.
        normals: `(F, 3)` unit normals, outwards.
    """

    faces: tuple[Face, ...]
    vertices: FloatArray
    starts: tuple[int, ...]
    normals: FloatArray

    def placed(self, place: tuple[float, float, float], heading: float) -> tuple[FloatArray, FloatArray]:
        """Vertices `(V, 3)` and normals `(F, 3)` where it stands in the world."""
        sin, cos = np.sin(heading), np.cos(heading)
        turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return self.vertices @ turn + np.array(place), self.normals @ turn

    def paint(
        self,
        canvas: Canvas,
        camera: Camera,
        place: tuple[float, float, float],
        heading: float,
        ident: int,
        sun: FloatArray,
    ) -> None:
        """Paint the faces that are turned to the camera, the farther ones first.

        Args:
            canvas: What to paint on.
            camera: Who looks.
            place: x, y and z in metres.
            heading: Radians from the x axis.
            ident: Number in the canvas.
            sun: `(3,)` unit vector towards the light.
        """
        vertices, normals = self.placed(place, heading)
        seen = camera.project(vertices)
        points = fixed(seen[:, :2])
        light = 0.72 + 0.3 * np.clip(normals @ sun, -0.3, 1.0)
        order = []
        for number, face in enumerate(self.faces):
            begin, stop = self.starts[number], self.starts[number + 1]
            outline = points[begin:stop]
            if cv2.contourArea(outline, oriented=True) < 0:
                order.append((face.layer, -float(seen[begin:stop, 2].mean()), number))
        for _, _, number in sorted(order):
            face = self.faces[number]
            colour = face.colour if face.glow else tint(face.colour, float(light[number]))
            canvas.polygon(points[self.starts[number] : self.starts[number + 1]], colour, ident)

    def shadow(
        self,
        camera: Camera,
        place: tuple[float, float, float],
        heading: float,
        slant: tuple[float, float],
        reduce: float,
    ) -> NDArray[np.int32]:
        """Outline of its shadow on the ground, fixed point, in a picture `reduce` times smaller."""
        ground = self.placed(place, heading)[0].copy()
        ground[:, :2] += ground[:, 2:] * np.array(slant)
        ground[:, 2] = 0.0
        return np.asarray(cv2.convexHull(fixed(camera.project(ground)[:, :2] / reduce)), np.int32)


def join(*parts: list[Face]) -> Mesh:
    """One mesh of all the faces."""
    faces = tuple(face for part in parts for face in part)
    starts = np.concatenate([[0], np.cumsum([len(face.points) for face in faces])])
    normals = []
    for face in faces:
        normal = np.cross(face.points[1] - face.points[0], face.points[2] - face.points[1])
        normals.append(normal / max(float(np.linalg.norm(normal)), 1e-9))
    vertices = np.concatenate([face.points for face in faces])
    return Mesh(faces, vertices, tuple(int(start) for start in starts), np.array(normals))


def extrusion(
    profile: list[tuple[float, float]], low: float, high: float, colour: Colour, layer: int = 0
) -> list[Face]:
    """A convex outline in x and z drawn out sideways.

    Args:
        profile: x and z in metres, counter-clockwise as seen from the right (x ahead, z up).
        low: Half width at the outline's lowest point.
        high: Half width at its highest.
        colour: Colour of all faces.
        layer: Layer of all faces.

    Returns:
        The right side, the left side, then one face for each edge of the outline.
    """
    z = [point[1] for point in profile]
    bottom, span = min(z), max(max(z) - min(z), 1e-6)
    half = [low + (high - low) * (level - bottom) / span for level in z]
    right = np.array([[x, -w, level] for (x, level), w in zip(profile, half, strict=True)])
    left = right * np.array([1.0, -1.0, 1.0])
    faces = [Face(right, colour, layer), Face(left[::-1], colour, layer)]
    for here in range(len(profile)):
        there = (here + 1) % len(profile)
        faces.append(Face(np.array([right[there], right[here], left[here], left[there]]), colour, layer))
    return faces


def block(
    low: tuple[float, float, float], high: tuple[float, float, float], colour: Colour, layer: int = 0
) -> list[Face]:
    """An upright box between two corners."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    profile = [(x0, z0), (x1, z0), (x1, z1), (x0, z1)]
    middle, half = (y0 + y1) / 2, (y1 - y0) / 2
    shift = np.array([0.0, middle, 0.0])
    return [Face(face.points + shift, colour, layer) for face in extrusion(profile, half, half, colour)]


def prism(
    centre: tuple[float, float], low: float, high: float, radii: tuple[float, float], colour: Colour, sides: int = 14
) -> list[Face]:
    """An upright column or a cone's stump with a lid.

    Args:
        centre: x and y in metres.
        low: Height of its foot.
        high: Height of its top.
        radii: At the foot and at the top.
        colour: Colour of all faces.
        sides: Number of its side faces.
    """
    angles = np.arange(sides) * 2 * np.pi / sides
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros(sides)], axis=-1)
    middle = np.array([centre[0], centre[1], 0.0])
    foot = middle + circle * radii[0] + np.array([0.0, 0.0, low])
    top = middle + circle * radii[1] + np.array([0.0, 0.0, high])
    faces = [Face(top, colour)]
    for here in range(sides):
        there = (here + 1) % sides
        faces.append(Face(np.array([foot[here], foot[there], top[there], top[here]]), colour))
    return faces


def disc(
    centre: tuple[float, float, float], radius: float, outwards: float, colour: Colour, layer: int = 1
) -> list[Face]:
    """An upright round face, turned to the left (`outwards` 1) or to the right (-1), such as a wheel."""
    angles = -outwards * np.arange(12) * np.pi / 6
    circle = np.stack([np.cos(angles), np.zeros(12), np.sin(angles)], axis=-1)
    return [Face(np.array(centre) + circle * radius, colour, layer)]


def inset(face: Face, share: tuple[float, float], colour: Colour, layer: int = 1) -> Face:
    """A face within a face, such as a window.

    Args:
        face: The face around it.
        share: How much of its extent stays, along and up.
        colour: Its colour.
        layer: Its layer.
    """
    middle = face.points.mean(axis=0)
    keep = np.array([share[0], share[0], share[1]])
    return Face(middle + (face.points - middle) * keep, colour, layer)
