"""A fixed pinhole camera over a ground plane."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from amiss.types import FloatArray

__all__ = ["NEAREST", "Camera"]

NEAREST = 0.5
"""Metres along the optical axis at which projection is cut off, so that nothing is divided by zero."""


@dataclass(frozen=True)
class Camera:
    """Where the camera hangs and how it looks; the world is x right, y ahead, z up, in metres, ground at z = 0.

    Attributes:
        height: Metres above the ground; the camera hangs at x = y = 0.
        pitch: Radians downwards.
        yaw: Radians to the right.
        focal: Focal length in picture widths.
        size: Width and height of the picture in pixels.
    """

    height: float
    pitch: float
    yaw: float
    focal: float
    size: tuple[int, int]

    @property
    def pixels(self) -> float:
        """Focal length in pixels."""
        return self.focal * self.size[0]

    @cached_property
    def axes(self) -> FloatArray:
        """`(3, 3)`: the unit vectors right, up and ahead of the camera, a row each."""
        sin_yaw, cos_yaw = np.sin(self.yaw), np.cos(self.yaw)
        sin_pitch, cos_pitch = np.sin(self.pitch), np.cos(self.pitch)
        return np.array(
            [
                [cos_yaw, -sin_yaw, 0.0],
                [sin_yaw * sin_pitch, cos_yaw * sin_pitch, cos_pitch],
                [sin_yaw * cos_pitch, cos_yaw * cos_pitch, -sin_pitch],
            ]
        )

    def project(self, points: FloatArray) -> FloatArray:
        """Pixels and depth of world points.

        Args:
            points: `(..., 3)` metres.

        Returns:
            `(..., 3)`: x and y in pixels, depth in metres along the optical axis.
        """
        seen = (points - np.array([0.0, 0.0, self.height])) @ self.axes.T
        depth = np.maximum(seen[..., 2], NEAREST)
        scale = self.pixels / depth
        x = self.size[0] / 2 + seen[..., 0] * scale
        y = self.size[1] / 2 - seen[..., 1] * scale
        return np.stack([x, y, depth], axis=-1)

    def rays(self, supersample: int) -> FloatArray:
        """`(H * s, W * s, 3)` viewing directions through the centres of finer pixels, 1 long along the axis."""
        width, height = self.size[0] * supersample, self.size[1] * supersample
        x = ((np.arange(width) + 0.5) / supersample - self.size[0] / 2) / self.pixels
        y = (self.size[1] / 2 - (np.arange(height) + 0.5) / supersample) / self.pixels
        right, up, ahead = self.axes
        return np.asarray(ahead + x[None, :, None] * right + y[:, None, None] * up)

    def edge(self, y: float, margin: float) -> tuple[float, float]:
        """The x at which a ground point at `y` leaves the picture to the left and to the right.

        Args:
            y: Metres ahead.
            margin: Metres by which to stay outside.
        """
        sin_yaw, cos_yaw = np.sin(self.yaw), np.cos(self.yaw)
        sin_pitch, cos_pitch = np.sin(self.pitch), np.cos(self.pitch)
        ends = []
        for slope in (-0.5 / self.focal, 0.5 / self.focal):
            base = slope * (y * cos_yaw * cos_pitch + self.height * sin_pitch) + y * sin_yaw
            ends.append(base / (cos_yaw - slope * sin_yaw * cos_pitch))
        return float(ends[0] - margin), float(ends[1] + margin)
