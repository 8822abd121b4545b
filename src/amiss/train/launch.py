"""Starting Lightning Fabric: here for one device, in a process each for several."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.strategy import Strategy
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor, distributed
from torch.multiprocessing import get_context

from amiss.errors import ConfigError, TrainingError
from amiss.methods.base import Progress
from amiss.train.checkpoint import Checkpoint
from amiss.train.device import cores, repeatable
from amiss.train.job import Job
from amiss.train.loop import Loop

__all__ = ["launch", "train_on"]


def launch(job: Job, checkpoint: Checkpoint, device: torch.device, progress: Progress) -> None:
    """Train to the end; the checkpoint then holds the outcome. With one device, so does the module.

    Several devices get a process each. The job is sent to them, and a program that is run as a file needs the usual
    `if __name__ == "__main__"`.

    Raises:
        ConfigError: There are not so many devices here.
        TrainingError: A loss or a gradient is not a number.
    """
    with _quiet():
        fabric = _fabric(job, device)
        if job.config.devices == 1:
            Loop(fabric, job, checkpoint, progress).run()
        else:
            _launch_several(fabric, job, checkpoint, progress)


def _fabric(job: Job, device: torch.device) -> Fabric:
    count = job.config.devices
    named = count == 1 and device.type != "cpu" and ":" in str(device)
    which: list[int] | int = [device.index] if named else count
    strategy: Strategy | str = "auto"
    if count > 1:
        strategy = DDPStrategy(start_method="spawn", find_unused_parameters=True)
    try:
        return Fabric(
            accelerator=device.type,
            devices=which,
            strategy=strategy,
            precision="bf16-mixed" if job.precision == "bf16" else "32-true",
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise ConfigError(f"train.devices: {count} devices of {device} cannot be had here ({error})") from None


def _launch_several(fabric: Fabric, job: Job, checkpoint: Checkpoint, progress: Progress) -> None:
    said = get_context("spawn").SimpleQueue()

    def listen() -> None:
        while (words := said.get()) is not None:
            progress(*words)

    listener = threading.Thread(target=listen, name="amiss-progress", daemon=True)
    listener.start()
    try:
        problem = fabric.launch(partial(_one_of_several, job=job, checkpoint=checkpoint, said=said))
    finally:
        said.put(None)
        listener.join()
    if problem:
        raise problem


def _one_of_several(fabric: Fabric, job: Job, checkpoint: Checkpoint, said: Any) -> TrainingError | None:
    """What each process does; all see the same losses, so all stop at the same step."""
    module = job.task.module
    own: Mapping[str, Tensor] = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module.load_state_dict(own, assign=True)  # what was sent lies in memory that the processes share

    def tell(what: str, done: int, total: int) -> None:
        if fabric.is_global_zero:
            said.put((what, done, total))

    fabric.barrier()
    problem = train_on(fabric, job, checkpoint, tell, max(1, cores() // job.config.devices))
    _part()
    return problem


def train_on(
    fabric: Fabric, job: Job, checkpoint: Checkpoint, progress: Progress, threads: int
) -> TrainingError | None:
    """Train in one of several processes; all see the same losses, so all stop at the same step.

    Args:
        fabric: Launched.
        job: What to train.
        checkpoint: Where it is kept; only the first process writes it.
        progress: Told how far it is.
        threads: That this process may use.

    Returns:
        What was not a number; any other problem is raised, and comes to one process alone, whose end ends the rest.
    """
    with _quiet(), repeatable(threads):
        try:
            Loop(fabric, job, checkpoint, progress).run()
        except TrainingError as error:
            return error
    return None


def _part() -> None:
    """End the talk between the processes in order: one that exits while another talks to it brings that one down."""
    distributed.barrier()
    distributed.destroy_process_group()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Fabric from telling what it chose; its warnings are still heard."""
    logger = logging.getLogger("lightning_fabric")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
