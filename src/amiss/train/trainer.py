"""The trainer that methods are handed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from amiss.config import TrainConfig
from amiss.errors import FootageError, StorageError
from amiss.methods.base import Progress
from amiss.methods.task import Task
from amiss.train.checkpoint import MODULE, Checkpoint, Standing, chosen
from amiss.train.device import cores, repeatable, resolve_precision
from amiss.train.job import Job
from amiss.windows.store import WindowStore

__all__ = ["FabricTrainer", "Launcher"]

Launcher = Callable[[Job, Checkpoint, torch.device, Progress], None]
"""Trains a job to its end on devices of some kind."""


class FabricTrainer:
    """Trains tasks on Lightning Fabric; one that was broken off goes on where its last checkpoint is.

    Args:
        config: How.
        device: Name of the torch device.
        folder: Of checkpoints; each task gets a folder in it, of its name.
        progress: Told how far each training is.
        launcher: Runs a training to its end, after which the checkpoint holds the outcome; on this machine when left
            out.

    Attributes:
        trained: By the name of each task what is worth keeping of its training: epochs, last losses, seconds, precision
            and device.
    """

    def __init__(
        self, config: TrainConfig, device: str, folder: Path, progress: Progress, launcher: Launcher | None = None
    ) -> None:
        self._config, self._device, self._folder, self._progress = config, torch.device(device), folder, progress
        self._launcher = launcher
        self.trained: dict[str, dict[str, Any]] = {}

    def __call__(self, task: Task, store: WindowStore, seed: int) -> None:
        """Train `task.module` in place on normal windows; afterwards it is on the CPU and in evaluation mode.

        Raises:
            ConfigError: There are not so many devices here.
            FootageError: There are no windows.
            StorageError: The folder cannot be written.
            TrainingError: A loss or a gradient is not a number.
        """
        if not len(store):
            raise FootageError(f"there is nothing in the footage for {task.name} to learn from; give more footage")
        precision = resolve_precision(self._config.precision, self._device)
        job = Job(task, store, self._config, precision, seed, self._folder / task.name)
        self.trained[task.name] = self._summary(job, self._train(job))

    def _train(self, job: Job) -> Standing:
        """Train, unless that was done before, and put the outcome into the module."""
        checkpoint = job.checkpoint()
        found = checkpoint.read()
        if found and found[0].finished:
            self._progress(f"training {job.task.name}: was done before", 1, 1)
        else:
            # Fabric takes most of a second to import, which only those who train should wait for.
            from amiss.train.launch import launch

            with repeatable(max(1, cores() // self._config.devices)):
                (self._launcher or launch)(job, checkpoint, self._device, self._progress)
            found = checkpoint.read()
        if found is None:
            raise StorageError(f"{job.folder} lost what was just written; is something cleaning it?")
        job.task.module.load_state_dict(chosen(found[1], MODULE))
        for parameter in job.task.module.parameters():
            # As a module that is loaded lies in memory, for sums are rounded by how it does.
            parameter.data = parameter.data.contiguous()
        job.task.module.eval()
        return found[0]

    def _summary(self, job: Job, standing: Standing) -> dict[str, Any]:
        """What is worth keeping of a training."""
        last = standing.history[-1]
        return {
            "epochs": len(standing.history),
            "losses": last["losses"],
            "held_out": last["held_out"],
            "best": standing.best,
            "seconds": round(sum(row["seconds"] for row in standing.history), 3),
            "precision": job.precision,
            "device": str(self._device),
        }
