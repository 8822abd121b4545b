"""The synthetic world as footage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path
from zlib import crc32

import numpy as np

from amiss.errors import ConfigError
from amiss.footage.world.actors import Stage
from amiss.footage.world.acts import Cue, Incident, plan
from amiss.footage.world.life import Life
from amiss.footage.world.places import find_place
from amiss.footage.world.render import Renderer
from amiss.footage.world.scenery import build_scenery
from amiss.footage.world.truth import Scene, look_at
from amiss.types import Frame

__all__ = ["VERSION", "World"]

VERSION = 1
"""Changes whenever the same seed would give other pixels than before."""

_WARM_UP = 30.0
_STEP = 0.1
_LONGEST = 1e8
_SECOND_ACT = 0.25


class World:
    """Footage of a synthetic place, rendered as it is read. The same arguments give the same pixels.

    Args:
        place: One of `PLACES`.
        seed: Decides the place's looks and, with `clip`, what happens.
        act: An abnormal act that the place's table allows; None for everyday life alone.
        seconds: Length.
        rate: Frames a second.
        size: Width and height in pixels, a multiple of two each.
        name: Name of the footage; made of place, act and clip where it is None.
        clip: Number of the clip: the same camera and place at another time.
        alone: No second act follows.
        allowed: The act belongs to everyday life here: nothing counts as abnormal.

    Raises:
        ConfigError: There is no such place or act, or a number is out of range.
    """

    def __init__(
        self,
        place: str,
        *,
        seed: int = 0,
        act: str | None = None,
        seconds: float = 20.0,
        rate: float = 25.0,
        size: tuple[int, int] = (640, 360),
        name: str | None = None,
        clip: int = 0,
        alone: bool = False,
        allowed: bool = False,
    ) -> None:
        self._place = find_place(place)
        _check(self._place.name, self._place.abnormal, act)
        if not (rate > 0 and 1 <= seconds * rate < _LONGEST):
            raise ConfigError(f"a world of {seconds} s at {rate} frames/s has no sensible length; choose others")
        if min(size) < 32 or size[0] % 2 or size[1] % 2:
            raise ConfigError(f"a world is even and at least 32 pixels wide and high, not {size[0]}x{size[1]}")
        if seed < 0 or clip < 0:
            raise ConfigError(f"seed and clip of a world are from 0, not {seed} and {clip}")
        self.place = place
        self.act = act
        self.seed = seed
        self.clip = clip
        self.alone, self.allowed = alone or allowed, allowed
        self.seconds = seconds
        self.size = size
        self._rate = rate
        self._name = name or "_".join([place, *([act] if act else []), f"{clip:02d}"])

    @property
    def name(self) -> str:
        """Short name, usable as a file name."""
        return self._name

    @property
    def path(self) -> Path:
        """A made-up path: nothing lies on the disk."""
        return Path("world") / self._name

    @property
    def length(self) -> int:
        """Number of frames."""
        return max(1, round(self.seconds * self._rate))

    @property
    def rate(self) -> float:
        """Frames per second."""
        return self._rate

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """The abnormal acts that happen, in the order of their numbers; sometimes a second one follows."""
        if self.act is None:
            return ()
        rng = self._chance("plan")
        begin, length = float(rng.uniform(0.22, 0.32)) * self.seconds, float(rng.uniform(0.3, 0.42)) * self.seconds
        first = Incident(self.act, 0, begin, min(length, 14.0))
        if rng.random() >= _SECOND_ACT or self.alone:
            return (first,)
        other = str(rng.choice([act for act in self._place.abnormal if act != self.act]))
        return (first, Incident(other, 1, begin + float(rng.uniform(0.1, 0.2)) * self.seconds, 0.7 * first.length))

    def __iter__(self) -> Iterator[Frame]:
        """The frames."""
        for scene in self.scenes():
            yield scene.frame

    def scenes(self) -> Iterator[Scene]:
        """The frames with everything that is true of them."""
        camera = self._place.camera(self.size)
        looks = self._chance("looks", clip=0)
        scenery = build_scenery(
            camera, self._place.surfaces(looks), self._place.furniture(looks), self._place.light, looks
        )
        stage = Stage(self._place, camera, scenery.obstacles, self._chance("life"), -_WARM_UP)
        life = Life(stage)
        drama = self._chance("acts")
        calm, stage.rng = stage.rng, drama
        cues = sorted((cue for incident in self.incidents for cue in plan(stage, incident)), key=lambda cue: cue.time)
        stage.rng = calm
        renderer = Renderer(scenery, self._chance("sensor"))
        while stage.time < -1e-9:
            _advance(stage, life, cues, min(_STEP, -stage.time))
        for index in range(self.length):
            scene = look_at(renderer.draw(stage.actors, stage.time), index, index / self._rate)
            yield replace(scene, abnormal=np.zeros_like(scene.abnormal)) if self.allowed else scene
            _advance(stage, life, cues, (index + 1) / self._rate - stage.time)

    def fingerprint(self) -> str:
        """A hash of everything that decides the pixels."""
        settings = (VERSION, self.place, self.seed, self.act, self.seconds, self._rate, self.size, self.clip)
        return hashlib.sha256(repr((*settings, self.alone, self.allowed)).encode()).hexdigest()

    def _chance(self, purpose: str, clip: int | None = None) -> np.random.Generator:
        """A source of chance of its own for each purpose, so that one does not disturb another."""
        number = self.clip if clip is None else clip
        return np.random.default_rng([self.seed, crc32(self.place.encode()), number, crc32(purpose.encode())])


def _advance(stage: Stage, life: Life, cues: list[Cue], seconds: float) -> None:
    """Let time pass in small steps, with newcomers and with those whose cue has come."""
    steps = max(1, ceil(seconds / _STEP - 1e-6))
    for _ in range(steps):
        life.step(seconds / steps)
        stage.step(seconds / steps)
        while cues and cues[0].time <= stage.time:
            cues.pop(0).enter()


def _check(place: str, allowed: tuple[str, ...], act: str | None) -> None:
    """Refuse an act that is not abnormal here."""
    if act is not None and act not in allowed:
        raise ConfigError(f"there is no abnormal act {act!r} at the {place}; choose one of: {', '.join(allowed)}")
