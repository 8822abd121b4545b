"""The human body: from how its limbs are held to where its joints are, for many people at once."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from amiss.types import FloatArray

__all__ = ["JOINTS", "POINTS", "TORSO", "Dof", "Point", "skeleton"]

JOINTS = 17
"""The first points of a skeleton are the COCO joints, in their order."""


class Dof(IntEnum):
    """How a body is held: columns of the array that `skeleton` takes. Metres and radians in the body's own frame.

    Feet are given by the ankle's place ahead of and above the ground point under the pelvis.
    """

    LEAN = 0
    DROP = 1
    LEFT_AHEAD = 2
    LEFT_UP = 3
    LEFT_PITCH = 4
    RIGHT_AHEAD = 5
    RIGHT_UP = 6
    RIGHT_PITCH = 7
    LEFT_SWING = 8
    LEFT_SPREAD = 9
    LEFT_BEND = 10
    RIGHT_SWING = 11
    RIGHT_SPREAD = 12
    RIGHT_BEND = 13
    TWIST = 14
    HEAD_YAW = 15
    TOPPLE = 16
    TOPPLE_WAY = 17
    STANCE = 18


class Point(IntEnum):
    """Points of a skeleton: the 17 COCO joints, then what drawing needs besides."""

    NOSE = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    LEFT_EAR = 3
    RIGHT_EAR = 4
    LEFT_SHOULDER = 5
    RIGHT_SHOULDER = 6
    LEFT_ELBOW = 7
    RIGHT_ELBOW = 8
    LEFT_WRIST = 9
    RIGHT_WRIST = 10
    LEFT_HIP = 11
    RIGHT_HIP = 12
    LEFT_KNEE = 13
    RIGHT_KNEE = 14
    LEFT_ANKLE = 15
    RIGHT_ANKLE = 16
    LEFT_HAND = 17
    RIGHT_HAND = 18
    LEFT_TOE = 19
    RIGHT_TOE = 20
    LEFT_HEEL = 21
    RIGHT_HEEL = 22
    NECK = 23
    HEAD = 24
    PELVIS = 25
    CROWN = 26


_BONES = len(Point)
# Rings of the trunk: level above the pelvis, half width, half depth, in body heights.
_RINGS = np.array(
    [[-0.215, 0.1, 0.085], [-0.03, 0.088, 0.06], [0.12, 0.078, 0.055], [0.24, 0.1, 0.062], [0.292, 0.088, 0.04]]
)
_RING_ANGLES = np.arange(6) * np.pi / 3
# The face is a disc in front of the head; the pack a box on the back.
_FACE_ANGLES = np.arange(8) * np.pi / 4
_PACK = np.array([[a, s, u] for a in (-0.062, -0.15) for s in (-0.075, 0.075) for u in (0.06, 0.27)])

TORSO = {
    "skirt": slice(_BONES, _BONES + 12),
    "coat": slice(_BONES, _BONES + 30),
    "shirt": slice(_BONES + 6, _BONES + 30),
    "face": slice(_BONES + 30, _BONES + 38),
    "pack": slice(_BONES + 38, _BONES + 46),
}
"""Which of a skeleton's points make the outline of a garment, the face and a backpack."""

POINTS = _BONES + 46
"""Number of points of a skeleton."""


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9))


def skeleton(held: FloatArray, height: FloatArray, build: FloatArray) -> FloatArray:
    """Where all points of the bodies are, in the body's own frame.

    Args:
        held: `(P, len(Dof))`: how each body is held.
        height: `(P,)` metres.
        build: `(P,)` breadth, 1 for the usual.

    Returns:
        `(P, POINTS, 3)` metres ahead, to the left and up, from the ground under the pelvis.
    """
    out = np.empty((len(held), POINTS, 3))
    tall = height[:, None]
    lean = held[:, Dof.LEAN]
    zero, one = np.zeros_like(lean), np.ones_like(lean)
    trunk_up = np.stack([np.sin(lean), zero, np.cos(lean)], axis=-1)
    trunk_ahead = np.stack([np.cos(lean), zero, -np.sin(lean)], axis=-1)
    left = np.stack([zero, one, zero], axis=-1)
    pelvis = np.stack([zero, zero, 0.53 * height - held[:, Dof.DROP]], axis=-1)
    out[:, Point.PELVIS] = pelvis
    _legs(out, held, tall, pelvis)
    across = left * np.cos(held[:, Dof.TWIST])[:, None] + trunk_ahead * np.sin(held[:, Dof.TWIST])[:, None]
    shoulder = pelvis + trunk_up * 0.28 * tall
    for side, sign in (("LEFT", 1.0), ("RIGHT", -1.0)):
        out[:, Point[f"{side}_SHOULDER"]] = shoulder + sign * across * 0.1 * tall * build[:, None]
        _arm(out, held, tall, side, sign, trunk_up, trunk_ahead)
    _head(out, held, tall, pelvis + trunk_up * 0.3 * tall, trunk_up, trunk_ahead)
    _trunk(out, tall, build, pelvis, trunk_up, trunk_ahead, across)
    return _toppled(out, held, height)


def _legs(out: FloatArray, held: FloatArray, tall: FloatArray, pelvis: FloatArray) -> None:
    """Hips, knees (by two-bone inverse kinematics), ankles and feet."""
    bone = 0.246 * tall
    ahead = np.array([1.0, 0.0, 0.0])
    for side, sign in (("LEFT", 1.0), ("RIGHT", -1.0)):
        hip = pelvis + sign * np.array([0.0, 0.05, 0.0]) * tall
        pitch = held[:, Dof[f"{side}_PITCH"]]
        aim = np.stack(
            [
                held[:, Dof[f"{side}_AHEAD"]],
                sign * (0.038 * tall[:, 0] + held[:, Dof.STANCE]),
                held[:, Dof[f"{side}_UP"]] + 0.045 * tall[:, 0] + 0.1 * tall[:, 0] * np.sin(np.maximum(pitch, 0)),
            ],
            axis=-1,
        )
        reach = aim - hip
        length = np.linalg.norm(reach, axis=-1, keepdims=True)
        reach = reach * np.minimum(1.0, 1.99 * bone / np.maximum(length, 1e-6))
        length = np.minimum(length, 1.99 * bone)
        direction = _unit(reach)
        forward = _unit(ahead - (direction @ ahead)[:, None] * direction)
        ankle = hip + reach
        out[:, Point[f"{side}_HIP"]] = hip
        out[:, Point[f"{side}_KNEE"]] = hip + reach / 2 + forward * np.sqrt(np.maximum(bone**2 - (length / 2) ** 2, 0))
        out[:, Point[f"{side}_ANKLE"]] = ankle
        sole = np.stack([np.cos(pitch), np.zeros_like(pitch), -np.sin(pitch)], axis=-1)
        down = np.stack([-np.sin(pitch), np.zeros_like(pitch), -np.cos(pitch)], axis=-1)
        out[:, Point[f"{side}_HEEL"]] = ankle + (down * 0.028 - sole * 0.025) * tall
        out[:, Point[f"{side}_TOE"]] = ankle + (down * 0.03 + sole * 0.1) * tall


def _arm(
    out: FloatArray, held: FloatArray, tall: FloatArray, side: str, sign: float, up: FloatArray, ahead: FloatArray
) -> None:
    """Elbow, wrist and hand of one side."""
    swing, spread, bend = (held[:, Dof[f"{side}_{name}"], None] for name in ("SWING", "SPREAD", "BEND"))
    outwards = np.array([0.0, sign, 0.0]) * np.sin(spread)
    upper = (ahead * np.sin(swing) - up * np.cos(swing)) * np.cos(spread) + outwards
    lower = _unit((ahead * np.sin(swing + bend) - up * np.cos(swing + bend)) * np.cos(spread) + 0.5 * outwards)
    elbow = out[:, Point[f"{side}_SHOULDER"]] + upper * 0.17 * tall
    out[:, Point[f"{side}_ELBOW"]] = elbow
    out[:, Point[f"{side}_WRIST"]] = elbow + lower * 0.145 * tall
    out[:, Point[f"{side}_HAND"]] = elbow + lower * 0.195 * tall


def _head(
    out: FloatArray, held: FloatArray, tall: FloatArray, neck: FloatArray, up: FloatArray, ahead: FloatArray
) -> None:
    """Neck, head, face and its joints."""
    top = _unit(up + np.array([0.0, 0.0, 0.8]))
    head = neck + top * 0.098 * tall
    yaw = held[:, Dof.HEAD_YAW, None]
    gaze = ahead * np.cos(yaw) + np.array([0.0, 1.0, 0.0]) * np.sin(yaw)
    side = np.cross(top, gaze)
    out[:, Point.NECK], out[:, Point.HEAD], out[:, Point.CROWN] = neck, head, head + top * 0.02 * tall
    out[:, Point.NOSE] = head + (gaze * 0.055 - top * 0.008) * tall
    for name, sign in (("LEFT", 1.0), ("RIGHT", -1.0)):
        out[:, Point[f"{name}_EYE"]] = head + (gaze * 0.046 + top * 0.01 + sign * side * 0.018) * tall
        out[:, Point[f"{name}_EAR"]] = head + sign * side * 0.043 * tall
    ring = np.cos(_FACE_ANGLES)[None, :, None] * side[:, None] * 0.038
    ring = ring + np.sin(_FACE_ANGLES)[None, :, None] * top[:, None] * 0.045
    out[:, TORSO["face"]] = head[:, None] + (ring + (gaze * 0.028 - top * 0.014)[:, None]) * tall[:, None]


def _trunk(
    out: FloatArray,
    tall: FloatArray,
    build: FloatArray,
    pelvis: FloatArray,
    up: FloatArray,
    ahead: FloatArray,
    across: FloatArray,
) -> None:
    """Rings about the trunk, and the box of a backpack."""
    broad = build[:, None, None, None]
    ring = _RINGS[None, :, None, :]
    wide = ring[..., 1:2] * np.cos(_RING_ANGLES)[None, None, :, None] * broad * across[:, None, None]
    deep = ring[..., 2:3] * np.sin(_RING_ANGLES)[None, None, :, None] * broad * ahead[:, None, None]
    points = (ring[..., 0:1] * up[:, None, None] + wide + deep).reshape(len(out), -1, 3)
    out[:, TORSO["coat"]] = pelvis[:, None] + points * tall[:, None]
    # The hem hangs straight down, however the trunk leans.
    hem = out[:, TORSO["skirt"]][:, :6]
    hem[..., 0] = (hem[..., 0] - hem[..., 0].mean(axis=1, keepdims=True)) + pelvis[:, None, 0]
    pack = (
        _PACK[None, :, 0:1] * ahead[:, None] + _PACK[None, :, 1:2] * across[:, None] + _PACK[None, :, 2:3] * up[:, None]
    )
    out[:, TORSO["pack"]] = pelvis[:, None] + pack * tall[:, None]


def _toppled(points: FloatArray, held: FloatArray, height: FloatArray) -> FloatArray:
    """The body turned over about its feet, and resting on the ground by its own thickness."""
    angle, way = held[:, Dof.TOPPLE], held[:, Dof.TOPPLE_WAY]
    if not angle.any():
        return points
    axis = np.stack([np.cos(way), np.sin(way)], axis=-1)
    along = np.einsum("pkd,pd->pk", points[..., :2], axis)
    sin, cos = np.sin(angle)[:, None], np.cos(angle)[:, None]
    turned = along * cos + points[..., 2] * sin
    upright = points[..., 2] * cos - along * sin + 0.07 * height[:, None] * sin
    moved = points.copy()
    moved[..., :2] += (turned - along)[..., None] * axis[:, None]
    moved[..., 2] = np.maximum(upright, 0.02)
    return moved
