"""Everyday life: who comes by, in which groups, at which pace."""

from __future__ import annotations

import numpy as np

from amiss.footage.world.actors import Actor, Script, Stage
from amiss.footage.world.look import random_look
from amiss.footage.world.place import Lane, Path
from amiss.footage.world.scripts import chat, go, keep_lane, stay
from amiss.footage.world.vehicles import CAR_COLOURS
from amiss.types import Label

__all__ = ["Life", "person", "vehicle"]

_GROUPS = (1, 2, 3)
_GROUP_SHARE = (0.72, 0.21, 0.07)
_MEAN_GROUP = 1.35


def person(stage: Stage, spot: tuple[float, float], bags: tuple[str, ...] = ("", "", "pack", "hand", "case")) -> Actor:
    """Somebody new at a point, with random looks."""
    look = random_look(stage.rng, bags)
    actor = stage.add("person", Label.PERSON, look, look.top, spot)
    actor.bag = look.bag
    return actor


def vehicle(stage: Stage, shape: str, spot: tuple[float, float], way: tuple[float, float], pace: float) -> Actor:
    """A car, cart or bicycle at a point, already moving."""
    look = random_look(stage.rng, ("", "pack") if shape == "bicycle" else ("",))
    colour = CAR_COLOURS[int(stage.rng.integers(len(CAR_COLOURS)))]
    label = Label.CYCLE if shape == "bicycle" else Label.VEHICLE
    actor = stage.add(shape, label, look, colour, spot)
    actor.bag = look.bag
    actor.face(way)
    actor.velocity = pace * np.array([np.cos(actor.heading), np.sin(actor.heading)])
    return actor


class Life:
    """Brings everyday life to a stage.

    Args:
        stage: The stage; those who stay for long are put on it at once.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._due = {act: self._pause(act) for act in ("walking", "driving", "cycling") if act in stage.place.normal}
        self._groups = 0
        self._staying(round(stage.place.normal.get("waiting", 0)))
        self._chatting(round(stage.place.normal.get("standing", 0)))

    def step(self, seconds: float) -> None:
        """Let newcomers come."""
        for act in self._due:
            self._due[act] -= seconds
            if self._due[act] <= 0:
                self._due[act] = self._pause(act)
                self._walkers() if act == "walking" else self._traffic(act)

    def _pause(self, act: str) -> float:
        """Seconds until the next; rather regular, so that no place is ever empty for long."""
        mean = 60.0 / self._stage.place.normal[act] * (_MEAN_GROUP if act == "walking" else 1.0)
        return float(0.4 * mean + self._stage.rng.exponential(0.6 * mean))

    def _walkers(self) -> None:
        """One to three people who go together."""
        stage, rng = self._stage, self._stage.rng
        count = int(rng.choice(_GROUPS, p=_GROUP_SHARE))
        path = stage.place.walk(stage.camera, rng)
        pace = float(np.clip(rng.normal(1.3, 0.16), 0.9, 1.7)) - 0.08 * (count - 1)
        self._groups += 1
        along = np.array(path[1]) - np.array(path[0])
        across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
        for member in range(count):
            offset = across * 0.68 * (member - (count - 1) / 2)
            own: Path = [(x + float(offset[0]), y + float(offset[1])) for x, y in path]
            actor = person(stage, own[0])
            actor.group = self._groups
            actor.face(own[1])
            actor.velocity = pace * np.array([np.cos(actor.heading), np.sin(actor.heading)])
            actor.script = go(actor, stage, own[1:], pace)

    def _traffic(self, act: str) -> None:
        """A car or a cyclist on one of the lanes, if there is room for it."""
        stage, rng = self._stage, self._stage.rng
        road = stage.place.road
        if road is None:
            return
        lane = road.lanes[int(rng.integers(len(road.lanes)))]
        shape, margin = ("car", 5.0) if act == "driving" else ("bicycle", 2.0)
        y = lane.y if shape == "car" else lane.y - lane.way * 1.0
        left, right = stage.camera.edge(y, margin)
        start, end = (left, right) if lane.way > 0 else (right, left)
        if self._free(lane, start):
            pace = float(rng.uniform(5.0, 6.8) if shape == "car" else rng.uniform(3.4, 4.6))
            actor = vehicle(stage, shape, (start, y), (end, y), pace)
            actor.script = keep_lane(actor, stage, lane, end, pace)

    def _free(self, lane: Lane, start: float) -> bool:
        """Whether the first metres of a lane are free."""
        near = (other for other in self._stage.actors if abs(float(other.place[1]) - lane.y) < 1.7)
        return all(abs(float(other.place[0]) - start) > 9.0 for other in near)

    def _staying(self, count: int) -> None:
        """People who wait, each alone."""
        stage = self._stage
        taken: list[tuple[float, float]] = []
        for _ in range(count):
            spots = [stage.place.stay(stage.rng) for _ in range(6)]
            spot = max(spots, key=lambda here: min([9.0, *(np.hypot(here[0] - x, here[1] - y) for x, y in taken)]))
            taken.append(spot)
            actor = person(stage, spot, ("pack", "hand", "case", ""))
            actor.heading = float(stage.rng.normal(np.pi, 0.5) if spot[0] < 1 else stage.rng.normal(-np.pi / 2, 0.9))
            actor.script = stay(actor, stage)

    def _chatting(self, count: int) -> None:
        """Pairs and threes who stand and talk."""
        stage, rng = self._stage, self._stage.rng
        while count > 0:
            size = min(count, int(rng.integers(2, 4))) if count > 1 else 1
            middle = stage.place.stay(rng)
            self._groups += 1
            turn = float(rng.uniform(0, 2 * np.pi))
            for member in range(size):
                angle = turn + 2 * np.pi * member / size
                spot = middle[0] + 0.55 * float(np.cos(angle)), middle[1] + 0.55 * float(np.sin(angle))
                actor = person(stage, spot, ("", "pack", "hand"))
                actor.group = self._groups
                script: Script = chat(actor, stage, middle) if size > 1 else stay(actor, stage)
                actor.script = script
            count -= size
