"""How people hold themselves: walking, running, standing, riding, falling, fighting, throwing."""

from __future__ import annotations

from math import cos, exp, pi, sin

import numpy as np

from amiss.footage.world.body import Dof
from amiss.types import FloatArray

__all__ = ["bending", "fallen", "fighting", "riding", "sitting", "standing", "stride", "throwing", "walking"]

_RUN_FROM = 2.3
"""Metres a second above which people run rather than walk."""


def stride(speed: float, height: float) -> float:
    """Metres covered by two steps at `speed` metres a second."""
    run = _running(speed)
    return ((1 - run) * (0.55 + 0.62 * speed) + run * (1.0 + 0.42 * speed)) * height / 1.72


def _running(speed: float) -> float:
    """0 for a walk, 1 for a run, with a short transition."""
    return 1 / (1 + exp(-8 * (speed - _RUN_FROM)))


def _foot(turn: float, duty: float, length: float, lift: float) -> tuple[float, float, float]:
    """Ahead, up and pitch of a foot.

    On the ground it moves back exactly as fast as the body moves ahead, so that it does not slide.

    Args:
        turn: Where in its cycle the foot is, 0..1, touching down at 0.
        duty: Share of the cycle on the ground.
        length: Stride in metres.
        lift: Metres that it is lifted by.
    """
    if turn < duty:
        part = turn / duty
        pitch = -0.3 * max(0.0, 1 - part / 0.15) + 0.75 * max(0.0, (part - 0.65) / 0.35)
        return (0.5 - part) * duty * length, 0.0, pitch
    part = (turn - duty) / (1 - duty)
    ease = part * part * (3 - 2 * part)
    return (ease - 0.5) * duty * length, lift * sin(pi * part), 0.75 - 1.05 * ease


def walking(phase: float, speed: float, height: float, vigour: float) -> FloatArray:
    """Someone who walks, or runs when fast enough.

    Args:
        phase: Strides so far; its fraction is the place in the stride.
        speed: Metres a second.
        height: Metres.
        vigour: How far the arms swing, 1 for the usual.
    """
    held = np.zeros(len(Dof))
    run = _running(speed)
    go = min(1.0, speed / 0.6)
    duty = 0.58 * (1 - run) + 0.34 * run
    length = stride(speed, height) * min(1.0, speed / 0.25)
    lift = (0.06 * (1 - run) + 0.26 * run) * go * height / 1.72
    turn = phase % 1.0
    held[Dof.LEFT_AHEAD : Dof.LEFT_PITCH + 1] = _foot(turn, duty, length, lift)
    held[Dof.RIGHT_AHEAD : Dof.RIGHT_PITCH + 1] = _foot((turn + 0.5) % 1.0, duty, length, lift)
    held[[Dof.LEFT_PITCH, Dof.RIGHT_PITCH]] *= go
    sway = cos(2 * pi * (turn - 0.04))
    reach = go * vigour * ((0.2 + 0.2 * min(speed, 2.0)) * (1 - run) + 0.85 * run)
    held[Dof.LEFT_SWING], held[Dof.RIGHT_SWING] = 0.05 - reach * sway, 0.05 + reach * sway
    held[[Dof.LEFT_BEND, Dof.RIGHT_BEND]] = 0.15 + 0.15 * go + 1.25 * run
    held[Dof.LEFT_BEND] += 0.25 * go * max(0.0, -sway)
    held[Dof.RIGHT_BEND] += 0.25 * go * max(0.0, sway)
    held[[Dof.LEFT_SPREAD, Dof.RIGHT_SPREAD]] = 0.13
    held[Dof.TWIST] = 0.12 * go * sway
    held[Dof.LEAN] = 0.03 + 0.03 * go + 0.22 * run
    bob = cos(4 * pi * (turn - 0.04))
    held[Dof.DROP] = height * (0.011 * (go + go * bob) + run * (0.014 + 0.006 * bob) - 0.003)
    return held


def standing(seconds: float, height: float, restless: float) -> FloatArray:
    """Someone who stands, shifts a little and looks about.

    Args:
        seconds: Time.
        height: Metres.
        restless: A number of the person's own, so that no two move alike.
    """
    held = walking(0.25, 0.0, height, 1.0)
    sway = sin(0.7 * seconds + restless)
    held[Dof.HEAD_YAW] = 0.5 * sin(0.31 * seconds + 2.1 * restless)
    held[Dof.TWIST] = 0.06 * sway
    held[Dof.LEAN] = 0.02 + 0.015 * sway
    held[Dof.STANCE] = 0.04
    if restless % 1.0 < 0.45:  # reads a telephone
        held[Dof.RIGHT_SWING], held[Dof.RIGHT_BEND], held[Dof.RIGHT_SPREAD] = 0.35, 1.7 + 0.04 * sway, 0.1
    return held


def bending(part: float, height: float) -> FloatArray:
    """Someone who bends down to the ground and up again while `part` goes from 0 to 1."""
    held = walking(0.25, 0.0, height, 1.0)
    deep = sin(pi * part)
    held[Dof.LEAN] = 0.05 + 0.95 * deep
    held[Dof.DROP] = height * 0.2 * deep
    held[[Dof.LEFT_SWING, Dof.RIGHT_SWING]] = 0.9 * deep, 1.0 * deep
    held[Dof.STANCE] = 0.06
    return held


def riding(phase: float, height: float) -> FloatArray:
    """Someone on a bicycle; `phase` counts turns of the pedals."""
    held = np.zeros(len(Dof))
    held[Dof.DROP] = 0.53 * height - 0.93
    turn = 2 * pi * phase
    for side, angle in (("LEFT", turn), ("RIGHT", turn + pi)):
        held[Dof[f"{side}_AHEAD"]] = 0.18 + 0.17 * cos(angle)
        held[Dof[f"{side}_UP"]] = 0.22 - 0.17 * sin(angle)
        held[Dof[f"{side}_SWING"]] = 0.95
        held[Dof[f"{side}_SPREAD"]] = 0.12
        held[Dof[f"{side}_BEND"]] = 0.3
    held[Dof.LEAN] = 0.42
    return held


def sitting(height: float) -> FloatArray:
    """Someone at a wheel, seated at 0.75 m."""
    held = np.zeros(len(Dof))
    held[Dof.DROP] = 0.53 * height - 0.78
    held[[Dof.LEFT_AHEAD, Dof.RIGHT_AHEAD]] = 0.55
    held[[Dof.LEFT_UP, Dof.RIGHT_UP]] = 0.34
    held[[Dof.LEFT_SWING, Dof.RIGHT_SWING]] = 0.75
    held[[Dof.LEFT_BEND, Dof.RIGHT_BEND]] = 0.6
    held[Dof.LEAN] = -0.08
    held[Dof.STANCE] = 0.06
    return held


def fallen(part: float, seconds: float, height: float, way: float) -> FloatArray:
    """Someone who falls: upright at `part` 0, on the ground at 1, where only an arm still moves.

    Args:
        part: How far the fall has gone, 0..1.
        seconds: Time.
        height: Metres.
        way: Radians from ahead to the left: which way the body falls.
    """
    held = walking(0.2, 0.0, height, 1.0)
    held[Dof.TOPPLE] = 0.5 * pi * part**1.6
    held[Dof.TOPPLE_WAY] = way
    flung = sin(0.5 * pi * part)
    held[Dof.LEFT_SPREAD], held[Dof.RIGHT_SPREAD] = 0.13 + 0.9 * flung, 0.13 + 0.5 * flung
    held[Dof.LEFT_SWING] = 1.2 * flung + 0.12 * part * sin(2.2 * seconds)
    held[Dof.RIGHT_SWING] = 0.4 * flung
    held[[Dof.LEFT_BEND, Dof.RIGHT_BEND]] = 0.3 + 0.5 * flung
    held[Dof.LEFT_AHEAD], held[Dof.LEFT_UP] = 0.22 * flung, 0.2 * flung
    held[Dof.STANCE] = 0.1 * flung
    return held


def fighting(seconds: float, height: float, own: float) -> FloatArray:
    """Someone who strikes out: quick alternating blows from a low, wide stance."""
    held = walking(0.1, 0.5, height, 0.0)
    beat = 2 * pi * (1.7 * seconds + own)
    left, right = max(0.0, sin(beat)) ** 3, max(0.0, -sin(beat)) ** 3
    for side, blow in (("LEFT", left), ("RIGHT", right)):
        held[Dof[f"{side}_SWING"]] = 0.5 + 0.95 * blow
        held[Dof[f"{side}_BEND"]] = 1.9 - 1.75 * blow
        held[Dof[f"{side}_SPREAD"]] = 0.3
    held[Dof.TWIST] = 0.5 * (right - left)
    held[Dof.LEAN] = 0.2 + 0.18 * sin(0.61 * beat)
    held[Dof.DROP] = height * (0.04 + 0.02 * sin(0.83 * beat))
    held[Dof.STANCE] = 0.1
    return held


def throwing(part: float, height: float) -> FloatArray:
    """Someone who throws with the right arm: back until `part` 0.5, then over the head and forward until 1."""
    held = walking(0.12, 0.45, height, 0.3)
    swing = -1.0 * sin(pi * part) if part < 0.5 else -1.0 + 7.4 * min(1.0, (part - 0.5) / 0.3)
    held[Dof.RIGHT_SWING] = swing if part < 0.5 else min(swing, 2.6) - 1.6 * max(0.0, (part - 0.75) / 0.25)
    held[Dof.RIGHT_BEND] = 0.4
    held[Dof.RIGHT_SPREAD] = 0.25
    held[Dof.LEFT_SWING] = 0.7 * sin(pi * part)
    held[Dof.TWIST] = -0.4 * cos(pi * part)
    held[Dof.LEAN] = -0.12 + 0.4 * part
    return held
