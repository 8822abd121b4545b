"""The abnormal acts, each a script for those who take part in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi, sin
from types import MappingProxyType

import numpy as np

from amiss.footage.world.actors import NORMAL, Actor, Script, Stage
from amiss.footage.world.gait import fallen, fighting, throwing
from amiss.footage.world.life import person, vehicle
from amiss.footage.world.place import Path
from amiss.footage.world.scripts import drive, go, held_for, lay_down, stand, stoop
from amiss.types import FloatArray

__all__ = ["ACTS", "Cue", "Incident", "plan"]

_PACE = 1.35


@dataclass(frozen=True)
class Incident:
    """An abnormal act that is to happen.

    Attributes:
        act: Its name.
        number: Its number within the clip.
        begin: Seconds at which it should begin.
        length: Seconds that it may take.
    """

    act: str
    number: int
    begin: float
    length: float


@dataclass(frozen=True)
class Cue:
    """Something to do on the stage at a time in seconds."""

    time: float
    enter: Callable[[], None]


def plan(stage: Stage, incident: Incident) -> list[Cue]:
    """When who has to come for an act to begin in time."""
    return ACTS[incident.act](stage, incident)


def _length(path: Path) -> float:
    """Metres along a path."""
    steps = np.diff(np.array(path), axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _visit(
    stage: Stage,
    incident: Incident,
    spot: tuple[float, float],
    deed: Callable[[Actor, Path], Script],
    bags: tuple[str, ...],
) -> Cue:
    """Somebody walks to a spot, arrives when the act begins, and does the deed, which gets the way out."""
    path = stage.place.walk(stage.camera, stage.rng)
    way_in, way_out = [path[0], spot], path[2:] if stage.place.road is None else path[-1:]
    pace = _PACE
    crossing = stage.place.road is not None
    if crossing and (path[0][1] > 15) != (spot[1] > 15):
        way_in = [(path[-1][0], spot[1]), spot]
    if crossing and (path[-1][1] > 15) != (spot[1] > 15):
        side = stage.camera.edge(spot[1], 0.9)
        way_out = [(side[int(stage.rng.integers(2))], spot[1])]

    def script(actor: Actor) -> Script:
        yield from go(actor, stage, [spot], pace)
        yield from deed(actor, way_out)

    def enter() -> None:
        actor = person(stage, way_in[0], bags)
        actor.face(spot)
        actor.script = script(actor)

    return Cue(incident.begin - _length(way_in) / pace - 0.4, enter)


def _passing(stage: Stage, incident: Incident, shape: str, path: Path, pace: float) -> list[Cue]:
    """Somebody or something that is abnormal as long as it is there; it comes again until it was there long enough."""
    once = _length(path) / pace
    times = int(np.clip(round(incident.length * 0.6 / once), 1, 3))

    def enter() -> None:
        if shape == "person":
            actor = person(stage, path[0], ("", "", "pack"))
            actor.face(path[1])
            actor.script = go(actor, stage, path[1:], pace)
        else:
            actor = vehicle(stage, shape, path[0], path[1], pace)
            actor.script = drive(actor, stage, path[1:], pace)
        actor.incident = incident.number

    return [Cue(incident.begin + number * (once + 0.5), enter) for number in range(times)]


def _running(stage: Stage, incident: Incident) -> list[Cue]:
    return _passing(
        stage, incident, "person", stage.place.drive(stage.camera, stage.rng), float(stage.rng.uniform(3.9, 4.7))
    )


def _cycling(stage: Stage, incident: Incident) -> list[Cue]:
    return _passing(
        stage, incident, "bicycle", stage.place.drive(stage.camera, stage.rng), float(stage.rng.uniform(3.5, 4.4))
    )


def _cart(stage: Stage, incident: Incident) -> list[Cue]:
    return _passing(
        stage, incident, "cart", stage.place.drive(stage.camera, stage.rng), float(stage.rng.uniform(2.6, 3.3))
    )


def _car(stage: Stage, incident: Incident) -> list[Cue]:
    return _passing(
        stage, incident, "car", stage.place.drive(stage.camera, stage.rng), float(stage.rng.uniform(3.0, 4.0))
    )


def _wrong_way(stage: Stage, incident: Incident) -> list[Cue]:
    """On a road a cyclist against the traffic of the lane; elsewhere somebody who turns round."""
    road = stage.place.road
    if road is None:
        return _turning_round(stage, incident)
    lane = road.lanes[int(stage.rng.integers(len(road.lanes)))]
    y = lane.y - lane.way * 1.2
    left, right = stage.camera.edge(y, 2.0)
    path: Path = [(right, y), (left, y)] if lane.way > 0 else [(left, y), (right, y)]
    return _passing(stage, incident, "bicycle", path, float(stage.rng.uniform(3.4, 4.2)))


def _turning_round(stage: Stage, incident: Incident) -> list[Cue]:
    path = stage.place.walk(stage.camera, stage.rng)
    deep = float(np.clip(4.0 + _PACE * incident.length, 9.0, 17.0))
    turn = path[1][0], deep
    pace = 1.45

    def script(actor: Actor) -> Script:
        yield from go(actor, stage, [turn], pace)
        actor.incident = incident.number
        yield from go(actor, stage, [(turn[0] + 0.4, path[0][1] - 0.6)], pace)

    def enter() -> None:
        actor = person(stage, path[0])
        actor.face(turn)
        actor.script = script(actor)

    return [Cue(incident.begin - _length([path[0], turn]) / pace, enter)]


def _jaywalking(stage: Stage, incident: Incident) -> list[Cue]:
    """Over the road far from the zebra, without a look at the traffic."""
    road = stage.place.road
    if road is None:
        return []
    rng = stage.rng
    left, right = float(rng.uniform(-5.2, -2.4)), float(rng.uniform(9.2, 12.5))
    x = left if rng.random() < 0.5 else right
    near, far = (x, road.near - 0.5), (x + float(rng.uniform(-1.5, 1.5)), road.far + 0.6)
    start, end = (near, far) if rng.random() < 0.6 else (far, near)
    edge = stage.camera.edge(start[1], 0.9)[int(x > 3)]
    come: Path = [(edge, start[1] + (-1.2 if start is near else 0.9)), start]
    leave: Path = [(stage.camera.edge(end[1], 0.9)[int(rng.integers(2))], end[1] + (0.9 if start is near else -1.2))]
    pace = 1.4

    def script(actor: Actor) -> Script:
        yield from go(actor, stage, [start], pace)
        actor.incident = incident.number
        while actor.distance(end) > 0.5:
            way = np.array(end) - actor.place
            actor.want = way / np.hypot(*way) * pace
            yield
        actor.incident = NORMAL
        yield from go(actor, stage, leave, pace)

    def enter() -> None:
        actor = person(stage, come[0])
        actor.face(start)
        actor.script = script(actor)

    once = (road.far - road.near) / pace
    times = int(np.clip(round(incident.length * 0.6 / once), 1, 2))
    early = incident.begin - _length(come) / pace
    return [Cue(early + number * (once + 0.4), enter) for number in range(times)]


def _falling(stage: Stage, incident: Incident) -> list[Cue]:
    spot = stage.place.stage(stage.rng)
    way = float(stage.rng.choice([0.0, 0.5, pi / 2, -pi / 2, -0.6]))

    def deed(actor: Actor, way_out: Path) -> Script:
        actor.incident = incident.number
        begin, end = stage.time, stage.time + incident.length

        def hold(who: Actor, now: float) -> FloatArray:
            down, up = (now - begin) / 0.75, (end - now) / 1.3
            return fallen(float(np.clip(min(down, up), 0, 1)), now, who.look.height, way)

        yield from held_for(actor, stage, incident.length, hold)
        actor.incident = NORMAL
        yield from go(actor, stage, way_out, 0.9)

    return [_visit(stage, incident, spot, deed, ("", "hand"))]


def _fighting(stage: Stage, incident: Incident) -> list[Cue]:
    """Two people meet and strike at each other, moving about each other as they do."""
    spot = stage.place.stage(stage.rng)
    pair: list[Actor] = []
    end = incident.begin + incident.length
    cues = []
    for side in (-1.0, 1.0):
        own = spot[0] + 0.5 * side, spot[1]

        def deed(actor: Actor, way_out: Path, side: float = side) -> Script:
            pair.append(actor)
            actor.group = -1 - incident.number
            while len(pair) < 2 and stage.time < end:
                yield from stand(actor, stage, stage.time + 0.2)
            yield from _strike(actor, stage, incident, spot, side, end)
            actor.incident, actor.group = NORMAL, 0
            yield from go(actor, stage, way_out, 1.5)

        cues.append(_visit(stage, incident, own, deed, ("", "pack")))
    return cues


def _strike(
    actor: Actor, stage: Stage, incident: Incident, spot: tuple[float, float], side: float, end: float
) -> Script:
    """Blows and lunges until the time `end`."""
    own = 0.25 * side + 0.1 * actor.restless

    def hold(who: Actor, now: float) -> FloatArray:
        return fighting(now, who.look.height, own)

    while stage.time < end:
        actor.incident = incident.number
        turn = 0.9 * sin(0.8 * stage.time) + 0.35 * sin(2.1 * stage.time)
        near = 0.36 + 0.14 * sin(3.7 * stage.time + side)
        drift = 0.5 * sin(0.45 * stage.time)
        aim = np.array([spot[0] + drift + side * near * cos(turn), spot[1] + side * near * sin(turn)])
        actor.velocity = np.clip((aim - actor.place) * 4.0, -2.0, 2.0)
        actor.want = np.zeros(2)
        actor.heading = turn + (pi if side > 0 else 0.0)
        actor.hold = hold
        yield


def _loitering(stage: Stage, incident: Incident) -> list[Cue]:
    """Somebody goes to and fro on one spot."""
    spot = stage.place.stage(stage.rng)

    def deed(actor: Actor, way_out: Path) -> Script:
        end = stage.time + incident.length
        actor.incident = incident.number
        side = 1.0
        while stage.time < end:
            side = -side
            aside = spot[0] + side * float(stage.rng.uniform(0.9, 1.7)), spot[1] + float(stage.rng.uniform(-0.5, 0.5))
            yield from go(actor, stage, [aside], 0.75)
            yield from stand(actor, stage, min(end, stage.time + float(stage.rng.uniform(0.8, 2.0))))
        actor.incident = NORMAL
        yield from go(actor, stage, way_out, _PACE)

    return [_visit(stage, incident, spot, deed, ("", "pack"))]


def _thrown_bag(stage: Stage, incident: Incident) -> list[Cue]:
    """Somebody throws a bag high and far, goes after it and picks it up."""
    spot = stage.place.stage(stage.rng)
    far = float(np.clip((incident.length - 3.0) * _PACE, 2.0, 5.5))

    def deed(actor: Actor, way_out: Path) -> Script:
        actor.incident = incident.number
        way = np.array(way_out[0]) - actor.place
        way *= far / np.hypot(*way)
        actor.heading = float(np.arctan2(way[1], way[0]))
        begin = stage.time

        def hold(who: Actor, now: float) -> FloatArray:
            return throwing(float(np.clip((now - begin) / 1.1, 0, 1)), who.look.height)

        yield from held_for(actor, stage, 0.7, hold)
        bag = lay_down(actor, stage)
        bag.incident = incident.number
        bag.script = _flight(bag, stage, actor.place.copy(), actor.place + way)
        yield from held_for(actor, stage, 1.0, hold)
        yield from go(actor, stage, [(float(bag.place[0]), float(bag.place[1]))], 1.6)
        yield from stoop(actor, stage, 1.2)
        stage.actors.remove(bag)
        actor.bag, actor.incident = "hand", NORMAL
        yield from go(actor, stage, way_out, _PACE)

    return [_visit(stage, incident, spot, deed, ("hand",))]


def _flight(bag: Actor, stage: Stage, start: FloatArray, end: FloatArray) -> Script:
    """Through the air in an arc, then at rest on the ground."""
    begin, time = stage.time, 1.15
    while True:
        part = min(1.0, (stage.time - begin) / time)
        bag.place = start + (end - start) * part
        bag.lift = max(0.0, 1.9 * (1 - part) + 7.0 * part * (1 - part))
        bag.heading += 0.3 * (part < 1)
        yield


def _left_bag(stage: Stage, incident: Incident) -> list[Cue]:
    """Somebody puts luggage down, walks off, and comes back for it."""
    spot = stage.place.stage(stage.rng)
    far = float(np.clip(_PACE * (incident.length - 2.5) / 2, 2.0, 6.5))

    def deed(actor: Actor, way_out: Path) -> Script:
        kind = actor.bag
        yield from stoop(actor, stage, 1.0)
        bag = lay_down(actor, stage)
        bag.incident = incident.number
        bag.script = _rest()
        end = stage.time + incident.length
        off = np.array(way_out[0]) - actor.place
        away = actor.place + off / np.hypot(*off) * far
        if stage.place.road is not None:
            away[1] = actor.place[1]
        yield from go(actor, stage, [(float(away[0]), float(away[1]))], _PACE)
        yield from stand(actor, stage, end - far / _PACE - 0.5)
        yield from go(actor, stage, [(float(bag.place[0]), float(bag.place[1]))], _PACE)
        yield from stoop(actor, stage, 1.0)
        stage.actors.remove(bag)
        actor.bag = kind
        yield from go(actor, stage, way_out, _PACE)

    return [_visit(stage, incident, spot, deed, ("case", "hand"))]


def _rest() -> Script:
    """Lie there."""
    while True:
        yield


ACTS: Mapping[str, Callable[[Stage, Incident], list[Cue]]] = MappingProxyType(
    {
        "running": _running,
        "cycling": _cycling,
        "cart": _cart,
        "car": _car,
        "wrong_way": _wrong_way,
        "jaywalking": _jaywalking,
        "falling": _falling,
        "fighting": _fighting,
        "loitering": _loitering,
        "thrown_bag": _thrown_bag,
        "left_bag": _left_bag,
    }
)
"""Every abnormal act and what plans it."""
