"""Bodies and gait: limbs keep their length, and feet stay where they are put down."""

import numpy as np
import pytest

from amiss.footage.world.body import Point, skeleton
from amiss.footage.world.gait import (
    bending,
    fallen,
    fighting,
    riding,
    sitting,
    standing,
    stride,
    throwing,
    walking,
)

HEIGHT = 1.75


def body(held):
    return skeleton(np.array([held]), np.array([HEIGHT]), np.array([1.0]))[0]


POSES = {
    "walk": walking(0.3, 1.3, HEIGHT, 1.0),
    "run": walking(0.7, 4.2, HEIGHT, 1.0),
    "stand": standing(3.0, HEIGHT, 0.2),
    "bend": bending(0.5, HEIGHT),
    "ride": riding(0.2, HEIGHT),
    "sit": sitting(HEIGHT),
    "lie": fallen(1.0, 2.0, HEIGHT, 0.0),
    "fight": fighting(1.3, HEIGHT, 0.1),
    "throw": throwing(0.6, HEIGHT),
}


@pytest.mark.parametrize("name", list(POSES))
@pytest.mark.parametrize(
    ("start", "end", "share"),
    [
        (Point.LEFT_HIP, Point.LEFT_KNEE, 0.246),
        (Point.RIGHT_KNEE, Point.RIGHT_ANKLE, 0.246),
        (Point.RIGHT_ELBOW, Point.RIGHT_WRIST, 0.145),
    ],
)
def test_bones_keep_their_length(name, start, end, share):
    points = body(POSES[name])
    if name != "lie":  # what lies is kept above the ground, at the cost of a little length
        assert np.linalg.norm(points[start] - points[end]) == pytest.approx(share * HEIGHT, rel=0.02)


def test_someone_lying_is_low_and_someone_standing_is_as_tall_as_stated():
    assert body(POSES["lie"])[:, 2].max() < 0.75
    assert body(POSES["stand"])[Point.CROWN, 2] + 0.045 * HEIGHT == pytest.approx(HEIGHT, abs=0.06)


@pytest.mark.parametrize("speed", [0.9, 1.3, 1.6])
def test_a_foot_on_the_ground_does_not_slide(speed):
    length = stride(speed, HEIGHT)
    ahead = []
    for turn in np.linspace(0.1, 0.36, 14):
        ankle = body(walking(float(turn), speed, HEIGHT, 1.0))[Point.LEFT_ANKLE]
        ahead.append(ankle[0] + turn * length)
    assert np.ptp(ahead) < 0.06


def test_arms_swing_against_the_legs():
    points = body(walking(0.02, 1.4, HEIGHT, 1.0))
    assert points[Point.LEFT_ANKLE, 0] > points[Point.RIGHT_ANKLE, 0]
    assert points[Point.LEFT_WRIST, 0] < points[Point.RIGHT_WRIST, 0]


def test_runners_lean_and_stride_farther_than_walkers():
    assert stride(4.2, HEIGHT) > 1.6 * stride(1.3, HEIGHT)
    run, walk = body(POSES["run"]), body(POSES["walk"])
    assert run[Point.NECK, 0] - run[Point.PELVIS, 0] > walk[Point.NECK, 0] - walk[Point.PELVIS, 0]
