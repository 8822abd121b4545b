"""The method `fusion`: several methods, each calibrated to a tail probability, combined region by region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.config import Settings
from amiss.errors import ConfigError
from amiss.methods.base import Explanation, Method, Progress
from amiss.methods.borrowed import Borrowed
from amiss.methods.fusion.align import Aligned, align
from amiss.methods.fusion.known import Known, check_enough, seconds_of
from amiss.methods.fusion.settings import FusionSettings
from amiss.methods.known import METHODS
from amiss.methods.task import Task, Trainer
from amiss.nn.engines import Engine
from amiss.nn.portable import Portable
from amiss.scoring.fuse import combine
from amiss.types import NO_TRACK, FloatArray, Image, RegionScores, Windows
from amiss.windows.bundle import Bundle, BundlePart
from amiss.windows.needs import Needs
from amiss.windows.store import WindowPart, WindowStore

__all__ = ["Fusion", "make_members"]

FIRED = 2.0
"""Rarity from which on a member is asked for its reasons: one normal region in a hundred."""


def make_members(settings: FusionSettings) -> dict[str, Method]:
    """The methods that are fused, which have learned nothing yet.

    Raises:
        ConfigError: One does not exist, cannot be fused, or does not take its settings.
    """
    if strange := [name for name in settings.settings if name not in settings.members]:
        raise ConfigError(f"method.settings has settings of {strange[0]}, which is not in method.members; add it there")
    made = {}
    for name in settings.members:
        if name not in list(METHODS):
            why = (
                "is a folder, which `amiss learn` alone takes" if Path(name).is_dir() else "is no method and no folder"
            )
            raise ConfigError(f"method.members does not take {name}, which {why}; give one of: {', '.join(METHODS)}")
        kind = METHODS[name]
        if kind is Fusion or kind.weak:
            why = "is a fusion itself" if kind is Fusion else "learns from labels of whole videos"
            raise ConfigError(f"method.members does not take {name}, which {why}; give methods of normal footage")
        made[name] = kind(kind.settings_type.build(settings.settings.get(name, {}), prefix=f"method.settings.{name}."))
    return made


class Fusion(Method):
    """Regions of several methods, combined: -log10 of the share of normal regions for which as much speaks.

    The members learn from a part of the normal footage; on the rest each one's scores become tail probabilities, and it
    is seen how those hang together and how steady each is. A region is combined over the members that scored it.
    """

    id = "fusion"
    title = "Several methods, each calibrated to a tail probability, combined"
    settings_type = FusionSettings
    after_training = frozenset({"combine", "weights"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = FusionSettings.model_validate(settings.model_dump())
        self._members = make_members(self._settings)
        self._examples = [0] * len(self._members)
        self._adopted = False
        self._known: Known | None = None

    @property
    def members(self) -> Mapping[str, Method]:
        """The methods that are fused, by their ids."""
        return self._members

    @property
    def needs(self) -> Needs:
        """All that any member needs."""
        return Needs.together({name: method.needs for name, method in self._members.items()})

    @property
    def parts(self) -> tuple[str, ...]:
        """Of each member its rarity (-log10 of its tail probability), and the parts of its score after its name."""
        return tuple(part for name, method in self._members.items() for part in (name, *_prefixed(name, method.parts)))

    @property
    def borrowed(self) -> Borrowed | None:
        """What its members took from other cameras; no tails, as the members' say nothing of what is combined."""
        taken = [method.borrowed for method in self._members.values() if method.borrowed]
        if not taken:
            return None
        cameras = dict.fromkeys(name for one in taken for name in one.cameras)
        licences = dict.fromkeys(name for one in taken for name in one.licences)
        return Borrowed(tuple(cameras), tuple(licences), max(one.strength for one in taken), ())

    def adopt(self, members: Mapping[str, Method], examples: Sequence[int]) -> None:
        """Take members that have learned already; all normal footage then gives their tail probabilities.

        Args:
            members: By their ids, all of them.
            examples: How many normal examples there are of each.
        """
        self._members = {name: members[name] for name in self._members}
        self._examples, self._adopted = list(examples), True
        self.run_on(self.engine)

    @property
    def pretrained(self) -> tuple[str, ...]:
        """What its members hold."""
        return tuple(dict.fromkeys(name for method in self._members.values() for name in method.pretrained))

    def networks(self) -> Mapping[str, Portable]:
        """The networks of all members, after their names."""
        return {
            f"{name}-{network}": portable
            for name, method in self._members.items()
            for network, portable in method.networks().items()
        }

    def run_on(self, engine: Engine) -> None:
        """From now on, let the members score on an engine; those of another fusion stay as they are."""
        super().run_on(engine)
        self._members = {name: copy(method) for name, method in self._members.items()}
        for method in self._members.values():
            method.run_on(engine)

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Let the members learn from a part, see how they score the rest, and let them take that in as well.

        Raises:
            FootageError: There is too little to learn from, or to hold back.
            TrainingError: A network cannot be trained on it.
        """
        kept, held = (WindowStore([]), store) if self._adopted else store.split(self._settings.holdout, seed)
        if not self._adopted:
            self._let_learn(kept, seed, progress, trainer)
        self._known = self._calibrated(held, progress)
        if not self._adopted:
            for (
                name,
                method,
            ) in self._members.items():  # not learned anew: the tails are of the scale that they have now
                _take_in(method, _store_of(held, name))
            self._examples = [len(method.exemplars) for method in self._members.values()]
            self.exemplars = [one for method in self._members.values() for one in method.exemplars]

    def _let_learn(self, store: WindowStore, seed: int, progress: Progress, trainer: Trainer) -> None:
        for name, method in self._members.items():
            method.fit(_store_of(store, name), seed=seed, progress=progress, trainer=_Naming(trainer, name))

    def _calibrated(self, held: WindowStore, progress: Progress) -> Known:
        """What held-back footage says of the members' scores."""
        scored = []
        for done, part in enumerate(held.parts):
            progress("scoring normal footage with each method", done, len(held.parts))
            scored.append(_whole([self._scored(windows) for windows in _bundles(part)]))
        progress("scoring normal footage with each method", len(held.parts), len(held.parts))
        for member, name in enumerate(self._members):
            check_enough(name, sum(len(tables[member]) for tables in scored), seconds_of(held))
        return Known.of(scored, steady=self._settings.weights == "steady")

    def _scored(self, windows: Windows) -> list[RegionScores]:
        """The regions of each member."""
        bundle = _as_bundle(windows)
        return [method.score(bundle.of(name)) for name, method in self._members.items()]

    @property
    def _fitted(self) -> Known:
        if self._known is None:
            raise LookupError("the method has learned nothing yet")
        return self._known

    def score(self, windows: Windows) -> RegionScores:
        """A row for each region that any member scored, in order of frames.

        The windows are a bundle of frames of one clip; a frame's rows do not depend on other frames.
        """
        known, tables = self._fitted, self._scored(windows)
        aligned = align(tables)
        logs = known.logs(aligned, tables)
        score = -combine(logs, known.weights, known.dependence, self._settings.combine) / np.log(10)
        rarity = np.where(np.isnan(logs), 0.0, -logs / np.log(10))
        parts: dict[str, FloatArray] = {}
        maps: dict[str, FloatArray] = {}
        for member, (name, table) in enumerate(zip(self._members, tables, strict=True)):
            parts[name] = rarity[:, member]
            parts |= {f"{name}.{part}": aligned.column(member, own, 0.0) for part, own in table.parts.items()}
            maps |= {f"{name}.{part}": _spread(aligned, member, own) for part, own in table.maps.items()}
        place = aligned.frame, aligned.seconds, aligned.box, aligned.track
        return RegionScores(*place, score=score, parts=parts, maps=maps)

    def update(self, windows: Windows) -> None:
        """Let the members take in more normal windows; their tail probabilities stay as they are."""
        bundle = _as_bundle(windows)
        for name, method in self._members.items():
            method.update(bundle.of(name))

    def adapt(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Let the members adapt; their tail probabilities stay as they are.

        Args:
            store: The windows, at least one.
            seed: Seed of everything drawn at random.
            progress: Told how far it is.
            trainer: The training loop, for methods that train networks further.
        """
        for name, method in self._members.items():
            theirs = _store_of(store, name)
            if len(theirs):
                method.adapt(theirs, seed=seed, progress=progress, trainer=_Naming(trainer, name))

    def explain(self, region: RegionScores, windows: Windows) -> Explanation:
        """The reasons of each member for which the region is among the rarest in a hundred, at least of the rarest."""
        bundle = _as_bundle(windows)
        asked = {name: bundle.of(name) for name in self._members if len(bundle.of(name))}
        ranked = sorted(asked, key=lambda name: -float(region.parts[name][0]))
        fired = [name for name in ranked if region.parts[name][0] >= FIRED] or ranked[:1]
        starts = dict(zip(self._members, accumulate(self._examples, initial=0), strict=False))
        reasons, examples = [], []
        for name in fired:
            why = self._members[name].explain(self._row_of(name, region, asked[name]), asked[name])
            reasons += [f"{name}: {reason}" for reason in why.reasons]
            examples += [starts[name] + index for index in why.examples]
        return Explanation(tuple(reasons), tuple(examples))

    def _row_of(self, name: str, region: RegionScores, windows: Windows) -> RegionScores:
        """The member's own region that a region is of: that of its track, or else the nearest."""
        table = self._members[name].score(windows)
        gaps = np.abs(table.box - region.box[0]).sum(1)
        same = (table.track == region.track[0]) & (table.track != NO_TRACK)
        return table[[int(np.where(same | ~same.any(), gaps, np.inf).argmin())]]

    def pictures(self, windows: Windows) -> Mapping[str, Image]:
        """What the networks of the members made of their windows, after the member's name."""
        bundle = _as_bundle(windows)
        shown: dict[str, Image] = {}
        for name, method in self._members.items():
            theirs = bundle.of(name)
            made = method.pictures(theirs) if len(theirs) else {}
            shown |= {f"{name}: {what}": images for what, images in made.items()}
        return shown

    def state(self) -> Mapping[str, NDArray[Any]]:
        """All members, after their names, and what is known of their scores."""
        state = {
            f"{name}/{key}": array for name, method in self._members.items() for key, array in method.state().items()
        }
        return state | {"examples": np.array(self._examples)} | self._fitted.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        for name, method in self._members.items():
            prefix = f"{name}/"
            method.restore({key.removeprefix(prefix): array for key, array in state.items() if key.startswith(prefix)})
        self._examples = state["examples"].tolist()
        self._known = Known.from_state(state, len(self._members))


class _Naming:
    """A trainer that puts a member's name before those of its tasks, as several members may have one of the same.

    Args:
        trainer: The training loop.
        name: The member's.
    """

    def __init__(self, trainer: Trainer, name: str) -> None:
        self._trainer, self._name = trainer, name

    def __call__(self, task: Task, store: WindowStore, seed: int) -> None:
        """Train as the loop does."""
        if task.name != self._name:
            task.name = f"{self._name}-{task.name}"
        self._trainer(task, store, seed)


def _prefixed(name: str, parts: Sequence[str]) -> Iterator[str]:
    return (f"{name}.{part}" for part in parts)


def _as_bundle(windows: Windows) -> Bundle:
    if not isinstance(windows, Bundle):
        raise TypeError("a fusion scores bundles: the windows of all its members")
    return windows


def _store_of(store: WindowStore, name: str) -> WindowStore:
    """The windows of one member."""
    return WindowStore([part.parts[name] for part in store.parts if isinstance(part, BundlePart)])


def _bundles(part: WindowPart) -> Iterator[Windows]:
    """The windows of a part in batches, at least one, that may be empty."""
    return iter([*part.batches()] or [part[0:0]])


def _take_in(method: Method, store: WindowStore) -> None:
    for part in store.parts:
        for windows in part.batches():
            method.update(windows)


def _whole(batches: Sequence[Sequence[RegionScores]]) -> list[RegionScores]:
    """The regions of each member in a whole part."""
    return [RegionScores.merge(list(tables)) for tables in zip(*batches, strict=True)]


def _spread(aligned: Aligned, member: int, maps: FloatArray) -> FloatArray:
    """`(N, S, S)` a member's maps, zeros for regions that are not its own."""
    rows = np.where(aligned.own[:, member], aligned.rows[:, member], -1)
    empty = np.zeros((1, *maps.shape[1:]), maps.dtype)
    return np.concatenate([maps, empty])[rows]
