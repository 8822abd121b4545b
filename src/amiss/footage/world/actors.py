"""Who and what moves in a place, and the stage that moves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from amiss.footage.world.camera import Camera
from amiss.footage.world.canvas import Colour
from amiss.footage.world.gait import stride
from amiss.footage.world.look import Look
from amiss.footage.world.place import Place
from amiss.types import FloatArray, Label

__all__ = ["NORMAL", "Actor", "Hold", "Script", "Stage"]

NORMAL = -1
"""The incident of an actor that does nothing abnormal."""

Script = Iterator[None]
"""What an actor does: a generator that sets the actor's wishes and yields once for each step of time."""


@dataclass
class Actor:
    """Someone or something that moves.

    Attributes:
        ident: Track id, from 1.
        shape: What is drawn: "person", "bicycle", "cart", "car", "bag" or "case".
        label: What it is.
        look: Looks of the person, or of the rider or driver.
        colour: Colour of the vehicle or bag.
        place: `(2,)` metres.
        heading: Radians from the x axis.
        script: What it does; it leaves when the script ends.
        velocity: `(2,)` metres a second.
        want: `(2,)` the velocity it would like to have.
        lift: Metres above the ground.
        phase: Strides, or turns of the pedals, so far.
        bag: What the person carries now.
        hold: How the body is held, where it does not just walk or stand.
        incident: Number of the abnormal act it takes part in now, or `NORMAL`.
        group: Those of one group keep closer to each other; 0 for none.
        restless: A number of its own, so that no two move alike.
        steady: Metres a second squared at which it changes its speed.
    """

    ident: int
    shape: str
    label: Label
    look: Look
    colour: Colour
    place: FloatArray
    heading: float
    script: Script = field(default_factory=lambda: iter(()))
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2))
    want: FloatArray = field(default_factory=lambda: np.zeros(2))
    lift: float = 0.0
    phase: float = 0.0
    bag: str = ""
    hold: Hold | None = None
    incident: int = NORMAL
    group: int = 0
    restless: float = 0.0
    steady: float = 3.0

    @property
    def speed(self) -> float:
        """Metres a second."""
        return float(np.hypot(self.velocity[0], self.velocity[1]))

    @property
    def on_foot(self) -> bool:
        """Whether it is a person that walks."""
        return self.shape == "person"

    def distance(self, spot: tuple[float, float] | FloatArray) -> float:
        """Metres to a point on the ground."""
        return float(np.hypot(self.place[0] - spot[0], self.place[1] - spot[1]))

    def face(self, spot: tuple[float, float] | FloatArray) -> None:
        """Turn to a point at once."""
        self.heading = float(np.arctan2(spot[1] - self.place[1], spot[0] - self.place[0]))


Hold = Callable[[Actor, float], FloatArray]
"""From an actor and the time in seconds to how its body is held."""

_BULK = {"person": 0.0, "bicycle": 0.9, "cart": 1.3, "car": 2.2, "bag": 0.3, "case": 0.3}


class Stage:
    """A place in the course of time.

    Args:
        place: The place.
        camera: Its camera.
        obstacles: `(N, 3)` x, y and radius of what is walked around, metres.
        rng: Source of all chance.
        start: Time to begin at, seconds; frames begin at 0.
    """

    def __init__(
        self, place: Place, camera: Camera, obstacles: FloatArray, rng: np.random.Generator, start: float
    ) -> None:
        self.place = place
        self.camera = camera
        self.rng = rng
        self.time = start
        self.actors: list[Actor] = []
        self._obstacles = obstacles
        self._count = 0

    def add(self, shape: str, label: Label, look: Look, colour: Colour, spot: tuple[float, float]) -> Actor:
        """Put someone new on the stage, without a script yet."""
        self._count += 1
        restless = float(self.rng.uniform(0, 10))
        actor = Actor(self._count, shape, label, look, colour, np.array(spot, float), 0.0, restless=restless)
        actor.phase = float(self.rng.uniform(0, 1))
        self.actors.append(actor)
        return actor

    def step(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds
        for actor in list(self.actors):
            try:
                next(actor.script)
            except StopIteration:
                self.actors.remove(actor)
        push = self._avoidance()
        for actor, force in zip(self.actors, push, strict=True):
            self._move(actor, force, seconds)

    def _move(self, actor: Actor, force: FloatArray, seconds: float) -> None:
        """Change an actor's velocity, place, heading and phase."""
        change = actor.want - actor.velocity
        if actor.on_foot:
            wanted = min(1.0, float(np.hypot(actor.want[0], actor.want[1])) / 0.5)
            actor.velocity = actor.velocity + (change / 0.35 + force * wanted) * seconds
        else:
            size = float(np.hypot(change[0], change[1]))
            actor.velocity = actor.velocity + change * min(1.0, actor.steady * seconds / max(size, 1e-6))
        speed = actor.speed
        actor.place = actor.place + actor.velocity * seconds
        if speed > 0.12:
            self._turn(actor, speed, seconds)
        length = stride(speed, actor.look.height) if actor.on_foot else 3.2
        if speed > 0.05:
            actor.phase += speed * seconds / length

    @staticmethod
    def _turn(actor: Actor, speed: float, seconds: float) -> None:
        """Turn towards where the actor goes."""
        aim = float(np.arctan2(actor.velocity[1], actor.velocity[0]))
        off = (aim - actor.heading + np.pi) % (2 * np.pi) - np.pi
        actor.heading += off * min(1.0, seconds * (2.0 + 4.0 * min(speed, 1.5)))

    def _avoidance(self) -> FloatArray:
        """`(A, 2)` what pushes each one off the others and off the furniture, metres a second squared."""
        if not self.actors:
            return np.zeros((0, 2))
        spots = np.array([actor.place for actor in self.actors])
        bulk = np.array([_BULK[actor.shape] for actor in self.actors])
        group = np.array([actor.group for actor in self.actors])
        apart = spots[:, None] - spots[None]
        distance = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 1e-3)
        together = (group[:, None] == group[None]) & (group[:, None] != 0)
        reach = np.where(together, 0.45 - bulk[None], 0.7 + bulk[None])
        power = np.where(distance < reach + 1.5, 3.2 * np.exp((reach - distance) / 0.25), 0.0)
        np.fill_diagonal(power, 0.0)
        # A little to the left of straight away, so that two who meet pass each other.
        away = apart / distance[..., None]
        aside = np.stack([-away[..., 1], away[..., 0]], axis=-1)
        push = (np.minimum(power, 6.0)[..., None] * (away + 0.45 * aside)).sum(axis=1)
        return np.asarray(push + self._off_furniture(spots))

    def _off_furniture(self, spots: FloatArray) -> FloatArray:
        """`(A, 2)` what pushes each one off the furniture."""
        apart = spots[:, None] - self._obstacles[None, :, :2]
        distance = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 1e-3)
        power = np.minimum(4.0 * np.exp((self._obstacles[None, :, 2] - distance) / 0.22), 9.0)
        away = apart / distance[..., None]
        aside = np.stack([-away[..., 1], away[..., 0]], axis=-1)
        return np.asarray((power[..., None] * (away + 0.5 * aside)).sum(axis=1))
