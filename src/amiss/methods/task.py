"""What a method hands to the training loop: a module, how a batch is made of windows, its losses, and a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor, nn

from amiss.types import Windows
from amiss.windows.store import WindowStore

__all__ = ["Alternating", "Plan", "Task", "Trainer"]


@dataclass(frozen=True)
class Plan:
    """How a method is trained unless the settings `train.*` say otherwise.

    Attributes:
        epochs: Passes over the windows.
        batch: Windows a step.
        rate: Learning rate.
        decay: The rate is multiplied by this …
        decay_every: … every so many epochs.
        weight_decay: The optimiser's.
        optimiser: Adam, its variant Adamax, which is scaled by the largest gradient in place of the mean square,
            Adagrad, which is scaled by the sum of all squares, or stochastic gradient descent.
        momentum: Of stochastic gradient descent.
        clip: A gradient with a larger norm is scaled down to it; 0: none.
    """

    epochs: int
    batch: int
    rate: float
    decay: float = 1.0
    decay_every: int = 1
    weight_decay: float = 0.0
    optimiser: Literal["adam", "adamax", "adagrad", "sgd"] = "adam"
    momentum: float = 0.0
    clip: float = 0.0


class Task(Protocol):
    """What is trained.

    Attributes:
        name: In messages and folders: of the method, and of the task where a method has several.
        module: All parameters and buffers that learn; training with the same seed begins with the same values.
        plan: How.
    """

    name: str
    module: nn.Module
    plan: Plan

    def batch(self, windows: Windows) -> Mapping[str, Tensor]:
        """What `losses` takes, on the CPU, the first axis of each tensor being the windows.

        It runs beside the training, in another thread: what is drawn at random is drawn in `losses`.
        """

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Each term of the loss, weighted and averaged over the windows; their sum is minimised.

        Networks may give bf16 here, which has three digits: `float()` before sums keeps losses comparable.
        """


@runtime_checkable
class Alternating(Protocol):
    """A task whose parts take turns: with every batch there is a step for each, with losses of its own.

    Attributes:
        turns: How many there are.
    """

    turns: int

    def take_turn(self, turn: int) -> None:
        """From now on, `losses` are those of the part `turn`, and lead to no gradient of the others."""


class Trainer(Protocol):
    """The training loop, as a method sees it."""

    def __call__(self, task: Task, store: WindowStore, seed: int) -> None:
        """Train `task.module` in place on normal windows; afterwards it is on the CPU and in evaluation mode.

        Raises:
            TrainingError: A loss is not a number.
        """
