"""What one training is of, and the key that its checkpoint bears."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from amiss.config import TrainConfig
from amiss.methods.task import Task
from amiss.perception.cache import content_key
from amiss.train.checkpoint import Checkpoint
from amiss.train.device import Precision
from amiss.windows.store import WindowStore

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """What is to be trained, on what, and how.

    Attributes:
        task: What.
        store: Normal windows.
        config: How.
        precision: In which numbers.
        seed: Of everything that is drawn.
        folder: Of checkpoints and history.
    """

    task: Task
    store: WindowStore
    config: TrainConfig
    precision: Precision
    seed: int
    folder: Path

    def checkpoint(self) -> Checkpoint:
        """Its place on disk, under a key of all that the outcome depends on, the module's present values among it."""
        settings = self.config.model_dump(exclude={"save_seconds"})
        first = {name: _digest(tensor) for name, tensor in self.task.module.state_dict().items()}
        parameters = [name for name, _ in self.task.module.named_parameters()]
        how = self.task.name, asdict(self.task.plan), settings, self.precision, self.seed
        return Checkpoint(self.folder, content_key(how, self.store.fingerprint(), parameters, first))


def _digest(tensor: Tensor) -> str:
    """Of kind of numbers, shape, and values."""
    data = tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
    digest = hashlib.blake2b(data.tobytes(), digest_size=16).hexdigest()
    return f"{tensor.dtype}{tuple(tensor.shape)}{digest}"
