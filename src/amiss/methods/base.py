"""The contract of a method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from torch import Tensor

from amiss.config import Settings
from amiss.errors import ModelError
from amiss.methods.borrowed import Borrowed
from amiss.methods.task import Trainer
from amiss.nn.engines import TORCH, Engine, Runner, make_runner
from amiss.nn.portable import Portable
from amiss.types import FloatArray, Image, RegionScores, Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowStore

__all__ = ["Exemplar", "Explanation", "Method", "Progress"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""

STATE = "method.safetensors"


@dataclass(frozen=True, eq=False)
class Exemplar:
    """A normal window that the model keeps to show.

    Attributes:
        clip: Name of the clip it was seen in.
        frame: Number of the frame.
        box: `(4,)` pixels.
    """

    clip: str
    frame: int
    box: FloatArray


@dataclass(frozen=True)
class Explanation:
    """Why a region scored as it did.

    Attributes:
        reasons: Sentences, the strongest first.
        examples: Indices of the nearest normal exemplars.
    """

    reasons: tuple[str, ...]
    examples: tuple[int, ...]


class Method(ABC):
    """Learns from normal windows, scores windows. Higher is more abnormal.

    A method holds all that it learned in `state`, a mapping of arrays, from which it is saved and loaded.

    Args:
        settings: Its settings.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    settings_type: ClassVar[type[Settings]]
    quick: ClassVar[bool] = False
    """Whether learning takes so little time that it is done twice: once for calibration, once from all footage."""
    by_heart: ClassVar[bool] = True
    """Whether `update` makes what it is given normal by itself, so that calibration must come before; else it only
    moves means, deviations and ranks that scores are measured by, and calibration must come after."""
    weak: ClassVar[bool] = False
    """Whether it learns from normal and abnormal videos with the label of each, and not from normal ones alone."""
    after_training: ClassVar[frozenset[str]] = frozenset()
    """Settings that take no part in the training of networks: with another value, a finished training is used again."""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """By the id of a data set, settings of a run as published for it, in place of the defaults."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.exemplars: list[Exemplar] = []
        self.engine = TORCH
        self._runners: dict[str, Runner] = {}

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """What it asks of perception and windows."""

    @property
    def borrowed(self) -> Borrowed | None:
        """What it took from other cameras when it learned; None for a method that cannot, or was not asked to."""
        return None

    @property
    def pretrained(self) -> tuple[str, ...]:
        """Networks that others trained and that it holds itself, by the names that licences are kept under."""
        return ()

    @property
    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of its score, as in `RegionScores.parts`."""

    @abstractmethod
    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Learn from normal windows; where the method is `weak`, from those of normal and abnormal videos.

        Args:
            store: The windows; for a `weak` method each part has the label of its video.
            seed: Seed of everything drawn at random.
            progress: Told how far it is.
            trainer: The training loop, for methods that train networks; it tells its own progress.

        Raises:
            FootageError: There is too little to learn from.
            TrainingError: A network cannot be trained on it.
        """

    @abstractmethod
    def score(self, windows: Windows) -> RegionScores:
        """A row of scores for each window, in order; a window's score does not depend on the others.

        A clip of whole frames may have several regions, and has at least one: its rows follow each other. Windows that
        come in bags are scored together, bag by bag, with a row for each box of each frame, in order of frames.
        """

    @abstractmethod
    def update(self, windows: Windows) -> None:
        """Take in more normal windows at once."""

    def adapt(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:  # noqa: ARG002
        """Fit to another place from very few of its normal windows; by default they are taken in as more normal ones.

        Args:
            store: The windows, at least one.
            seed: Seed of everything drawn at random.
            progress: Told how far it is.
            trainer: The training loop, for methods that train networks further.
        """
        for part in store.parts:
            for windows in part.batches():
                self.update(windows)

    @abstractmethod
    def explain(self, region: RegionScores, windows: Windows) -> Explanation:
        """Why a region scored as it did.

        Args:
            region: One row.
            windows: The windows of its frame.
        """

    def pictures(self, windows: Windows) -> Mapping[str, Image]:  # noqa: ARG002
        """What a network made of windows, to look at, in the order to show it in; nothing where there is none.

        Args:
            windows: Few, as a picture is made of each.

        Returns:
            By name, such as target, prediction and error, `(N, H, W, 3)` uint8 RGB each.
        """
        return {}

    def networks(self) -> Mapping[str, Portable]:
        """The networks that it scores with, by name, as others can take them; none where it has none.

        Raises:
            LookupError: It has learned nothing yet.
        """
        return {}

    def run_on(self, engine: Engine) -> None:
        """From now on, score with networks that run on an engine; without this they run on torch."""
        self.engine = engine
        self._runners = {}

    def _run(self, name: str, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What one of `networks` gives, on the engine.

        Whoever changes a network calls `_renewed` afterwards, as engines may run copies.
        """
        runner = self._runners.get(name)
        if runner is None:
            runner = self._runners[name] = make_runner(self.networks()[name], self.engine)
        return runner(*inputs)

    def _renewed(self) -> None:
        """The networks are others than before."""
        self._runners = {}

    @abstractmethod
    def state(self) -> Mapping[str, NDArray[Any]]:
        """All that was learned."""

    @abstractmethod
    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave.

        Raises:
            KeyError: Something is missing.
        """

    def save(self, folder: Path) -> None:
        """Write what was learned into an existing folder."""
        data = save({name: np.asarray(array, order="C") for name, array in self.state().items()})
        # The library's own writer gives an error of its own for a full disk.
        (folder / STATE).write_bytes(data)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote.

        Raises:
            ModelError: The file is missing, damaged, or of another method.
        """
        try:
            self.restore(load_file(folder / STATE))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ModelError(f"{folder / STATE} is not what the method {self.id!r} wrote: {error}") from None
