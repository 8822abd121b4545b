"""A tiny task, windows for it, and a trainer, for tests of the training loop and of what uses it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from amiss.config import TrainConfig
from amiss.engine.progress import silent
from amiss.methods.base import Progress
from amiss.methods.task import Plan
from amiss.train import FabricTrainer
from amiss.types import Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowStore
from support import config_of, parts_of, walkers

NEEDS = Needs("cube", ("image",), length=1, size=8)


class Tiny:
    """Paints small crops anew through a convolution that has two numbers a pixel, with noise on them."""

    def __init__(self, seed: int = 0, **plan: Any) -> None:
        torch.manual_seed(seed)
        self.name = "tiny"
        self.module: nn.Module = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(4, 3, 3, padding=1)
        )
        self.plan = Plan(**{"epochs": 3, "batch": 16, "rate": 0.01} | plan)
        self.training: list[tuple[bool, Tensor]] = []
        """Whether each batch was learned from, and its pictures."""

    def batch(self, windows: Windows) -> Mapping[str, Tensor]:
        # N, 1, S, S, 3 → N, 3, S, S
        return {"image": torch.tensor(windows.data["image"][:, 0]).permute(0, 3, 1, 2).float() / 255}

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        self.training.append((self.module.training, batch["image"]))
        painted = self.module(batch["image"]).float()
        return {
            "picture": (painted - batch["image"]).square().mean(),
            "bright": 0.1 * (painted - batch["image"]).mean().square(),
        }


def tiny_store(folder: Path, clips: int = 5, length: int = 10) -> WindowStore:
    """Crops of things that walk, `3 * length` a clip."""
    footage = [walkers(f"clip{seed}", seed, length=length) for seed in range(clips)]
    return WindowStore(parts_of(footage, NEEDS, config_of(folder, footage)))


def trainer_of(folder: Path, progress: Progress = silent, **settings: Any) -> FabricTrainer:
    """A trainer on the CPU in 32 bits unless told otherwise."""
    return FabricTrainer(TrainConfig(**{"precision": "32"} | settings), "cpu", folder, progress)


def state_of(task: Any) -> dict[str, list[Any]]:
    """All numbers of the module, to compare exactly."""
    return {name: tensor.flatten().tolist() for name, tensor in task.module.state_dict().items()}


class Plain(Tiny):
    """Without anything by which the windows of a batch see each other, and without chance."""

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1))

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"picture": (self.module(batch["image"]).float() - batch["image"]).square().mean()}


def plainly(trainer: FabricTrainer, store: WindowStore) -> Plain:
    """Such a task after its training."""
    task = Plain()
    trainer(task, store, 0)
    return task


class Leaving(Tiny):
    """What is held out looks the best after the first epoch, as the more is learned the worse it gets."""

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        bias = self.module[-1].bias  # type: ignore[index]
        if self.module.training:
            return {"picture": (bias - 1).square().mean() + 0 * self.module(batch["image"]).mean()}
        return {"picture": bias.square().mean()}
