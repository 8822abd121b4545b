"""Training on the machines of a Ray cluster, by Ray Train."""

from __future__ import annotations

import logging
import tempfile
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy

from amiss.errors import ClusterError, TrainingError
from amiss.methods.base import Progress
from amiss.scale.ray_team import connected
from amiss.train.checkpoint import Checkpoint
from amiss.train.job import Job
from amiss.train.launch import train_on

__all__ = ["RayLauncher"]


class RayLauncher:
    """Trains on as many workers of a Ray cluster as `train.devices` says; one trains here.

    Every worker takes its share of each batch, and gradients are averaged over the windows of all, so that the weights
    are those of one process with the same batches, but for rounding; networks that normalise by the statistics of a
    batch see those of their share. The cache, with windows and checkpoints, must be on a disk that all machines share.

    Args:
        on: The cluster, as for workers.
    """

    def __init__(self, on: str) -> None:
        self._on = on

    def __call__(self, job: Job, checkpoint: Checkpoint, device: torch.device, progress: Progress) -> None:
        """Train to the end; the checkpoint then holds the outcome.

        Raises:
            ClusterError: The cluster has gone away, or has not so many workers.
            TrainingError: A loss or a gradient is not a number.
        """
        if job.config.devices == 1:
            from amiss.train.launch import launch

            launch(job, checkpoint, device, progress)
            return
        ray = connected(self._on, job.config.devices)
        progress(f"training {job.task.name} on {job.config.devices} workers", 0, 1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Ray about itself
                problem = _train(ray, _Order(job, checkpoint, device.type))
        finally:
            ray.shutdown()
        if problem:
            raise TrainingError(problem)
        progress(f"training {job.task.name} on {job.config.devices} workers", 1, 1)


@dataclass(frozen=True)
class _Order:
    """What each worker is sent."""

    job: Job
    checkpoint: Checkpoint
    device: str


def _train(ray: Any, order: _Order) -> str:
    """Run the training; gives what was not a number."""
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    logging.getLogger("ray.train").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as passing:
        trainer = TorchTrainer(
            _work,  # type: ignore[arg-type]  # what it returns is kept, its types are of an older version
            train_loop_config={"order": order},
            scaling_config=ScalingConfig(num_workers=order.job.config.devices, use_gpu=order.device == "cuda"),
            run_config=RunConfig(storage_path=passing),
        )
        try:
            result = trainer.fit()
        except (ray.exceptions.RayError, RuntimeError, ValueError) as error:
            said = (str(error).splitlines() or [""])[0]
            raise ClusterError(f"the training on the cluster ended ({said}); run it again to go on") from error
    return str(result.return_value or "")  # type: ignore[attr-defined]  # as above


def _work(config: dict[str, Any]) -> str:
    """What each worker runs, after Ray Train has connected them; gives what was not a number."""
    from ray import train

    order: _Order = config["order"]
    context = train.get_context()
    fabric = Fabric(
        accelerator=order.device,
        devices=1,
        num_nodes=context.get_world_size(),
        strategy=DDPStrategy(cluster_environment=_Connected(), find_unused_parameters=True),
        precision="bf16-mixed" if order.job.precision == "bf16" else "32-true",
    )
    fabric.launch()
    return str(train_on(fabric, order.job, order.checkpoint, lambda *_: None, 1) or "")


class _Connected(ClusterEnvironment):
    """Processes that Ray Train has started and connected."""

    @property
    def creates_processes_externally(self) -> bool:
        """They are there already."""
        return True

    @property
    def main_address(self) -> str:
        """Of the first of them; they are connected."""
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        """As above."""
        return 0

    @staticmethod
    def detect() -> bool:
        """It is only used where it is asked for."""
        return False

    def world_size(self) -> int:
        """How many there are."""
        return int(_context().get_world_size())

    def set_world_size(self, size: int) -> None:
        """Ray Train has settled it."""

    def global_rank(self) -> int:
        """Which this is."""
        return int(_context().get_world_rank())

    def set_global_rank(self, rank: int) -> None:
        """Ray Train has settled it."""

    def local_rank(self) -> int:
        """Which on its machine: each takes the first device that it is shown."""
        return 0

    def node_rank(self) -> int:
        """One worker counts as one machine."""
        return int(_context().get_world_rank())


def _context() -> Any:
    from ray import train

    return train.get_context()
