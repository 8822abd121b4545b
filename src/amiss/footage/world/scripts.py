"""What people and vehicles do: the building blocks of everyday life and of abnormal acts."""

from __future__ import annotations

from math import pi, sin

import numpy as np

from amiss.footage.world.actors import Actor, Hold, Script, Stage
from amiss.footage.world.body import Dof
from amiss.footage.world.gait import bending, standing
from amiss.footage.world.place import Lane, Path, Road
from amiss.types import FloatArray, Label

__all__ = ["chat", "drive", "go", "held_for", "idle", "keep_lane", "lay_down", "stand", "stay", "stoop"]


def idle(actor: Actor, seconds: float) -> FloatArray:
    """The hold of someone who stands about."""
    return standing(seconds, actor.look.height, actor.restless)


def go(actor: Actor, stage: Stage, path: Path, pace: float) -> Script:
    """Walk along a path at `pace` metres a second, waiting for traffic before a zebra."""
    actor.hold = None
    road = stage.place.road
    for number, target in enumerate(path):
        if road and _crosses(actor, target, road):
            yield from _wait_for_gap(actor, stage, road)
        near = 0.45 if number == len(path) - 1 else 0.9
        while actor.distance(target) > near:
            way = np.array(target) - actor.place
            actor.want = way / np.hypot(*way) * pace
            yield


def _crosses(actor: Actor, target: tuple[float, float], road: Road) -> bool:
    """Whether the way to `target` leads over the road."""
    middle = (road.near + road.far) / 2
    return bool((float(actor.place[1]) < middle) != (target[1] < middle))


def _wait_for_gap(actor: Actor, stage: Stage, road: Road) -> Script:
    """Stand at the kerb while something comes near on the road."""
    patience = stage.time + 12.0
    while stage.time < patience and any(_comes(other, road) for other in stage.actors):
        actor.want = np.zeros(2)
        actor.hold = idle if actor.speed < 0.15 else None
        yield
    actor.hold = None


def _comes(other: Actor, road: Road) -> bool:
    """Whether a vehicle will be on the zebra within moments."""
    if other.on_foot or other.speed < 1.0 or not road.near < other.place[1] < road.far:
        return False
    middle, half = (road.zebra[0] + road.zebra[1]) / 2, (road.zebra[1] - road.zebra[0]) / 2
    ahead = (middle - float(other.place[0])) * np.sign(other.velocity[0])
    return bool(-half - 2.5 < ahead < half + 3.0 + 2.0 * other.speed)


def stand(actor: Actor, stage: Stage, until: float, hold: Hold = idle) -> Script:
    """Stand where one is until a time in seconds."""
    while stage.time < until:
        actor.want = np.zeros(2)
        actor.hold = hold if actor.speed < 0.15 else None
        yield


def held_for(actor: Actor, stage: Stage, seconds: float, hold: Hold) -> Script:
    """Stay where one is and hold the body in a certain way for some time."""
    end = stage.time + seconds
    while stage.time < end:
        actor.want = np.zeros(2)
        actor.velocity = actor.velocity * 0.6
        actor.hold = hold
        yield


def stay(actor: Actor, stage: Stage) -> Script:
    """Wait for long, now and then a step aside."""
    home = tuple(float(value) for value in actor.place)
    while True:
        yield from stand(actor, stage, stage.time + float(stage.rng.uniform(7, 18)))
        aside = stage.rng.uniform(-0.7, 0.7, 2)
        yield from go(actor, stage, [(home[0] + float(aside[0]) * 0.4, home[1] + float(aside[1]))], 0.7)


def chat(actor: Actor, stage: Stage, middle: tuple[float, float]) -> Script:
    """Stand with others about a point and talk, with an arm now and then."""

    def talk(who: Actor, seconds: float) -> FloatArray:
        held = standing(seconds, who.look.height, who.restless // 1 + 0.7)
        turn = max(0.0, sin(0.5 * seconds + 2 * who.restless))
        held[Dof.LEFT_SWING] += 0.5 * turn * (1 + 0.5 * sin(4 * seconds))
        held[Dof.LEFT_BEND] += 1.3 * turn
        return held

    while True:
        actor.face(middle)
        yield from stand(actor, stage, stage.time + 5.0, talk)


def drive(actor: Actor, stage: Stage, path: Path, pace: float) -> Script:
    """Roll along a path at `pace` metres a second."""
    del stage
    for number, target in enumerate(path):
        near = 0.6 if number == len(path) - 1 else 1.6
        while actor.distance(target) > near:
            way = np.array(target) - actor.place
            aim = float(np.arctan2(way[1], way[0]))
            off = (aim - actor.heading + pi) % (2 * pi) - pi
            steer = actor.heading + float(np.clip(off, -0.4, 0.4))
            actor.want = pace * np.array([np.cos(steer), np.sin(steer)])
            yield


def keep_lane(actor: Actor, stage: Stage, lane: Lane, end: float, pace: float) -> Script:
    """Drive along a lane to the x `end`, braking for the zebra in use and for whatever is ahead."""
    road = stage.place.road
    while road and (end - float(actor.place[0])) * lane.way > 0:
        gap = min([60.0, *_gaps(actor, stage, road, lane)])
        speed = min(pace, float(np.sqrt(2 * 2.6 * max(0.0, gap - 0.6))))
        actor.want = np.array([lane.way * speed, 0.0])
        actor.steady = 6.0 if speed < actor.speed else 2.2
        yield


def _gaps(actor: Actor, stage: Stage, road: Road, lane: Lane) -> list[float]:
    """Metres of free road before each thing to brake for."""
    half = 2.2 if actor.shape == "car" else 0.9
    gaps = []
    for other in stage.actors:
        if other is actor:
            continue
        ahead = (float(other.place[0]) - float(actor.place[0])) * lane.way
        same = ahead > 0 and abs(other.place[1] - actor.place[1]) < 1.5
        if same:
            gaps.append(ahead - half - {"car": 2.6, "bicycle": 1.2}.get(other.shape, 0.9))
        if other.on_foot and road.near - 0.3 < other.place[1] < road.far + 0.3:
            line = (road.zebra[0] if lane.way > 0 else road.zebra[1]) - 1.4 * lane.way
            on_zebra = road.zebra[0] - 1 < other.place[0] < road.zebra[1] + 1
            before = (line - float(actor.place[0])) * lane.way - half
            if on_zebra and before > -1.0:
                gaps.append(max(0.0, before))
    return gaps


def lay_down(actor: Actor, stage: Stage) -> Actor:
    """Put what the person carries on the ground beside it, as a thing of its own."""
    shape = "case" if actor.bag == "case" else "bag"
    side = actor.heading - 0.9
    spot = float(actor.place[0] + 0.5 * np.cos(side)), float(actor.place[1] + 0.5 * np.sin(side))
    thing = stage.add(shape, Label.BAG, actor.look, actor.look.leather, spot)
    thing.heading = actor.heading
    actor.group = thing.group = -100 - thing.ident
    actor.bag = ""
    return thing


def stoop(actor: Actor, stage: Stage, seconds: float) -> Script:
    """Bend down to the ground and up again."""
    begin = stage.time

    def hold(who: Actor, now: float) -> FloatArray:
        return bending(min(1.0, max(0.0, (now - begin) / seconds)), who.look.height)

    yield from held_for(actor, stage, seconds, hold)
