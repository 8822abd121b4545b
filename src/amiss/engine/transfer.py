"""Few-shot transfer: a model of one data set on the clips of another, adapted to the first moments of each."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from amiss.datasets import Clip
from amiss.datasets.sealed import sealed
from amiss.engine.model import Model, make_method
from amiss.engine.score import score_clips
from amiss.engine.scores import Scores
from amiss.engine.training import make_trainer
from amiss.errors import ConfigError
from amiss.methods.base import Progress
from amiss.perception.cache import content_key
from amiss.pipeline import Pipeline
from amiss.windows.store import WindowStore

__all__ = ["Transfer"]


@dataclass(frozen=True, eq=False)
class Transfer:
    """A model from elsewhere, and how much of each clip it may adapt to.

    Attributes:
        model: What was learned elsewhere.
        shots: So many clips of as many frames as a window of its method spans, one after the other from the first
            frame of each test clip on, are taken as normal and left out of the evaluation; 0 adapts to nothing.

    Raises:
        ConfigError: Fewer than 0 shots.
    """

    model: Model
    shots: int = 0

    def __post_init__(self) -> None:
        if self.shots < 0:
            raise ConfigError(f"--shots takes 0 or more, not {self.shots}")

    @property
    def skipped(self) -> int:
        """Frames at the beginning of each clip that take no part in the evaluation."""
        return self.shots * self.model.method.needs.span

    @property
    def key(self) -> str:
        """Of all that it brings to a result."""
        return content_key(self.model.fingerprint(), self.shots)

    @sealed("adapts")
    def adapted(self, clip: Clip, seed: int, progress: Progress) -> Model:
        """The model after the first moments of a clip; as it is without shots.

        Args:
            clip: A test clip; nothing after its shots is looked at to adapt.
            seed: Of what is drawn.
            progress: Told how far it is.
        """
        if not self.shots:
            return self.model
        config = self.model.config.model_copy(update={"seed": seed})
        config = config.model_copy(update={"train": config.train.model_copy(update={"epochs": None, "batch": None})})
        method = make_method(self.model.method.id, config)
        method.restore(copy.deepcopy(dict(self.model.method.state())))
        method.exemplars = list(self.model.method.exemplars)
        pipeline = Pipeline(config, method.needs)
        part = pipeline.part(pipeline.masked(clip.footage))
        last = min(self.skipped, len(part.clock)) - 1 - method.needs.lag
        store = WindowStore([part.only(np.asarray(part.column("frame")) <= last)])
        if len(store):
            method.adapt(store, seed=seed, progress=progress, trainer=make_trainer(method, store, config, progress))
        return replace(self.model, method=method)

    def score(self, clips: list[Clip], folder: Path, seed: int, progress: Progress) -> list[Scores]:
        """The scores of each clip, by the model adapted to it."""
        scores: list[Scores] = []
        for number, clip in enumerate(clips):
            progress("adapting and scoring", number, len(clips))
            scores += score_clips(self.adapted(clip, seed, progress), [clip.footage], folder, progress)
        progress("adapting and scoring", len(clips), len(clips))
        return scores
