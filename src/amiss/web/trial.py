"""What other alarm budgets would have raised, worked out once and kept until something changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from amiss.engine import Model
from amiss.errors import ConfigError
from amiss.live.backtest import Backtest, backtest
from amiss.live.store import Store
from amiss.scoring.calibrate import parse_budget
from amiss.types import BoolArray, FloatArray
from amiss.web.curves import read_between
from amiss.web.shelf import CameraFacts, Shelf

__all__ = ["Trial", "Trials"]

BUDGETS = ("1/week", "3/week", "1/day", "2/day", "5/day", "10/day", "1/hour", "5/hour")
DAY = 86_400.0
FEW = 1000
BESIDE = 2
"""Frames around one that counts which are looked at as well, since the length of an event rests on its neighbours."""


@dataclass(frozen=True)
class Trial:
    """Budgets that were tried on what a camera has seen.

    Attributes:
        camera: Name.
        days: How far back.
        own: The camera's own budget.
        results: Each budget as text with what it would have raised, the smallest first.
    """

    camera: str
    days: float
    own: str
    results: Sequence[tuple[str, Backtest]]


class Trials:
    """Tries budgets.

    Args:
        store: Where curves are named.
        shelf: Folders of cameras.
        clock: Seconds since 1970.
    """

    def __init__(self, store: Store, shelf: Shelf, clock: Callable[[], float]) -> None:
        self._store, self._shelf, self._clock = store, shelf, clock
        self._models: dict[tuple[str, str], list[tuple[str, Model]]] = {}
        self._kept: dict[tuple[str, float], tuple[tuple[str, ...], Trial]] = {}
        self._one = threading.Lock()

    def run(self, camera: str, days: float) -> Trial:
        """What budgets would have raised.

        Args:
            camera: Name.
            days: How far back.

        Raises:
            ConfigError: The camera has no model, or has scored nothing.
            AmissError: The model cannot be used.
        """
        facts, now = self._shelf.facts(camera), self._clock()
        curves = self._store.curves(camera, now - days * DAY, now)
        if facts.model is None or not curves:
            raise ConfigError(f"{camera} has scored nothing in the last {days:g} days")
        key = (facts.fingerprint, facts.budget, *(curve.path for curve in curves))
        with self._one:
            kept = self._kept.get((camera, days))
            if kept is None or kept[0] != key:
                paths = [path for curve in curves if (path := self._shelf.curve(curve))]
                found = self._try(camera, days, facts, *read_between(paths, now - days * DAY, now))
                kept = (key, found)
                self._kept[camera, days] = kept
        return kept[1]

    def _try(self, camera: str, days: float, facts: CameraFacts, at: FloatArray, calibrated: FloatArray) -> Trial:
        models = self._budgeted(facts)
        levels = [model.calibrations["causal"].level * model.config.scoring.release for _, model in models]
        gap = models[0][1].config.footage.gap
        rows = _telling(at, calibrated, min(levels), gap)
        at, calibrated = at[rows], calibrated[rows]
        results = [(text, backtest(model, at, calibrated, facts.schedule)) for text, model in models]
        return Trial(camera, days, facts.budget or models[0][1].config.scoring.budget, results)

    def _budgeted(self, facts: CameraFacts) -> list[tuple[str, Model]]:
        """The camera's model at each budget, the smallest first."""
        if facts.model is None:
            raise ConfigError("the camera has no model yet")
        key = (str(facts.model), facts.fingerprint + facts.budget)
        if key not in self._models:
            model = Model.load(facts.model)
            texts = {parse_budget(text): text for text in BUDGETS}
            own = facts.budget or model.config.scoring.budget
            texts[parse_budget(own)] = own
            self._models = {key: [(texts[rate], _with_budget(model, texts[rate])) for rate in sorted(texts)]}
        return self._models[key]


def _with_budget(model: Model, budget: str) -> Model:
    scoring = model.config.scoring.model_copy(update={"budget": budget})
    return model.with_settings(model.config.model_copy(update={"scoring": scoring}), ("scoring.budget",))


def _telling(at: FloatArray, calibrated: FloatArray, level: float, gap: float) -> BoolArray:
    """`(T,)` which frames can make a difference to events: those that reach the level, and those beside them.

    Of the others so many are left that no gap appears where there is none.
    """
    if len(at) <= FEW:
        return np.ones(len(at), np.bool_)
    high = calibrated >= level
    near = np.convolve(high, np.ones(2 * BESIDE + 1), "same") > 0
    jumps = np.flatnonzero(np.abs(np.diff(at)) > gap / 2)
    near[jumps] = True
    near[jumps + 1] = True
    # A frame that opens another half of a gap is kept, so that two kept ones are never further apart than a gap.
    opens = np.concatenate([[True], np.diff(np.floor(at / (gap / 2))) != 0])
    opens[-1] = True
    return np.asarray(near | opens)
