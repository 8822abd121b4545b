"""The still part of a place: its background, and the things in it that hide what passes behind them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Canvas
from amiss.footage.world.furniture import Furniture
from amiss.footage.world.texture import Surface, cast
from amiss.types import BoolArray, FloatArray, Image

__all__ = ["Light", "Occluder", "Scenery", "build_scenery", "sun_vector"]


@dataclass(frozen=True)
class Light:
    """The light of a place.

    Attributes:
        slant: x and y by which a point's shadow is displaced for each metre of its height.
        shade: Brightness within a shadow, 0..1.
        blur: Softness of shadows in pixels of a 640 pixels wide picture.
    """

    slant: tuple[float, float]
    shade: float
    blur: float


@dataclass(frozen=True)
class Occluder:
    """Something still that hides what is farther away.

    Attributes:
        depth: Metres along the optical axis; what is beyond is hidden.
        window: Rows and columns of the picture that it lies in.
        patch: Its pixels and those around it.
        mask: uint8, 255 where it is.
        inside: The same as booleans.
    """

    depth: float
    window: tuple[slice, slice]
    patch: Image
    mask: Image
    inside: BoolArray

    def cover(self, canvas: Canvas) -> None:
        """Paint it over what is already there."""
        ids = canvas.ids[self.window]
        if cv2.countNonZero(ids):
            cv2.copyTo(self.patch, self.mask, canvas.image[self.window])
            ids[self.inside] = 0


@dataclass(frozen=True)
class Scenery:
    """What the camera sees when nobody is there.

    Attributes:
        camera: The camera.
        background: `(H, W, 3)` uint8 RGB.
        occluders: What hides, in no order.
        light: The light.
        obstacles: `(N, 3)` x, y and radius, metres, of what people walk around.
    """

    camera: Camera
    background: Image
    occluders: tuple[Occluder, ...]
    light: Light
    obstacles: FloatArray


def sun_vector(light: Light) -> FloatArray:
    """`(3,)` unit vector towards the light."""
    vector = np.array([-light.slant[0], -light.slant[1], 1.0])
    return np.asarray(vector / np.linalg.norm(vector))


def build_scenery(
    camera: Camera, surfaces: list[Surface], furniture: list[Furniture], light: Light, rng: np.random.Generator
) -> Scenery:
    """Paint the still part of a place.

    Args:
        camera: Who looks.
        surfaces: Ground and walls.
        furniture: What stands on the ground.
        light: The light.
        rng: Source of all irregularity.
    """
    picture, owner = cast(camera, surfaces, rng)
    _cast_shadows(picture, camera, furniture, light)
    canvas = Canvas(np.ascontiguousarray(picture), np.zeros(picture.shape[:2], np.uint16))
    sun = sun_vector(light)
    spots = np.array([[*item.place, 0.0] for item in furniture])
    depths = camera.project(spots)[:, 2]
    masks = []
    for row in np.argsort(-depths):
        alone = Canvas(canvas.image, np.zeros_like(canvas.ids))
        furniture[row].paint(alone, camera, 1, sun)
        masks.append((float(depths[row]), alone.ids > 0))
    for number, surface in enumerate(surfaces):
        if surface.screens is not None:
            masks.append((surface.screens, owner == number))
    occluders = tuple(_occluder(depth, mask, canvas.image) for depth, mask in masks if mask.any())
    obstacles = np.array([[*item.place, item.radius] for item in furniture])
    return Scenery(camera, canvas.image, occluders, light, obstacles)


def _cast_shadows(picture: Image, camera: Camera, furniture: list[Furniture], light: Light) -> None:
    """Darken the ground where furniture keeps the light off."""
    shade: NDArray[np.uint8] = np.full(picture.shape[:2], 255, np.uint8)
    dark = (int(255 * light.shade),)
    for item in furniture:
        spot = (*item.place, 0.0)
        ground = item.mesh.placed(spot, item.heading)[0].copy()
        ground[:, :2] += ground[:, 2:] * np.array(light.slant)
        ground[:, 2] = 0.0
        seen = np.rint(camera.project(ground)[:, :2]).astype(np.int32)
        for begin, stop in pairwise(item.mesh.starts):
            cv2.fillConvexPoly(shade, cv2.convexHull(seen[begin:stop]), dark, cv2.LINE_AA)
        balls = item.leaves[:, :3] + np.array(spot)
        balls[:, :2] += balls[:, 2:] * np.array(light.slant)
        balls[:, 2] = 0.0
        for (left, top, depth), radius in zip(camera.project(balls), item.leaves[:, 3], strict=True):
            size = float(radius) * camera.pixels / float(depth)
            axes = (max(1, round(size)), max(1, round(size * camera.height / float(depth))))
            cv2.ellipse(shade, (round(float(left)), round(float(top))), axes, 0, 0, 360, dark, -1)
    soft = cv2.GaussianBlur(shade, (0, 0), max(0.4, light.blur * camera.size[0] / 640))
    picture[:] = cv2.multiply(picture, cv2.merge([soft, soft, soft]), scale=1 / 255)


def _occluder(depth: float, mask: BoolArray, picture: Image) -> Occluder:
    """The part of the background that a mask covers."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    inside = np.ascontiguousarray(mask[window])
    return Occluder(depth, window, np.ascontiguousarray(picture[window]), inside.astype(np.uint8) * 255, inside)
