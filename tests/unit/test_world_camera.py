"""The camera: rays and projection agree, and the edges of the picture are where it ends."""

import numpy as np
import pytest

from amiss.footage.world.camera import Camera

CAMERA = Camera(height=5.0, pitch=0.3, yaw=0.2, focal=0.9, size=(64, 36))


def test_a_ray_hits_the_ground_where_the_ground_projects_to():
    rays = CAMERA.rays(1)
    down = rays[30, 10]
    point = np.array([0, 0, CAMERA.height]) + down * (CAMERA.height / -down[2])
    assert point[2] == pytest.approx(0, abs=1e-9)
    assert CAMERA.project(point)[:2] == pytest.approx([10.5, 30.5])


def test_depth_is_along_the_axis():
    assert CAMERA.project(np.array([0.0, 0.0, 5.0]) + 7.0 * CAMERA.axes[2])[2] == pytest.approx(7.0)


@pytest.mark.parametrize("y", [8.0, 15.0, 30.0])
def test_edges_project_to_the_sides_of_the_picture(y):
    left, right = CAMERA.edge(y, 0.0)
    assert CAMERA.project(np.array([left, y, 0.0]))[0] == pytest.approx(0, abs=1e-6)
    assert CAMERA.project(np.array([right, y, 0.0]))[0] == pytest.approx(64, abs=1e-6)
    assert CAMERA.edge(y, 1.5) == pytest.approx((left - 1.5, right + 1.5))
