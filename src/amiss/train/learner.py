"""A task on the devices of a Fabric: one step of learning, one look without learning, and all that it has learned."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from amiss.methods.task import Alternating, Plan, Task
from amiss.train.checkpoint import MODULE, OPTIMISER, chosen, optimiser_tensors, restore_optimiser
from amiss.train.job import Job
from amiss.types import IntArray
from amiss.windows.store import WindowStore

__all__ = ["Batch", "Learner", "Share", "Step"]

Batch = dict[str, Tensor]

CHANNELS_LAST: Mapping[int, torch.memory_format] = {4: torch.channels_last, 5: torch.channels_last_3d}
"""How pictures and clips lie in memory with their channels together, by the number of their axes."""


@dataclass(frozen=True)
class Step:
    """What came out of a step.

    Attributes:
        losses: Each term, over all devices.
        norm: Of the gradient before it was clipped; 0 if a loss is not a number, as nothing was learned then.
    """

    losses: dict[str, float]
    norm: float

    @property
    def problem(self) -> str:
        """What is not a number, in words; empty if all are."""
        named = {f"the loss {name!r}": value for name, value in self.losses.items()}
        named["the norm of the gradient"] = self.norm
        return next((f"{name} is {value}" for name, value in named.items() if not math.isfinite(value)), "")


@dataclass(frozen=True, eq=False)
class Share:
    """One device's part of a batch.

    Attributes:
        tensors: Of its windows.
        weight: How much its means count beside the other devices', so that their mean is that of all windows.
    """

    tensors: Batch
    weight: float = 1.0


class _Losses(nn.Module):
    """A task as a module, so that Fabric reaches what happens within: precision, gradients of several devices."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.module, self._task = task.module, task

    def forward(self, batch: Batch) -> Batch:
        return dict(self._task.losses(batch))


class Learner:
    """A task with its optimiser.

    Args:
        fabric: Launched.
        plan: Optimiser, rate, weight decay and clipping.
        job: Whose task learns; its module is moved to the device.
    """

    def __init__(self, fabric: Fabric, plan: Plan, job: Job) -> None:
        self._fabric, self._task, self._module = fabric, job.task, job.task.module
        # A CPU convolves faster when the channels lie together: in bf16 several times, in float32 by a quarter or so.
        self._channels_last = fabric.device.type == "cpu" and _convolves(self._module)
        for parameter in self._module.parameters():
            parameter.data = self._laid(parameter.data)
        self._inner = _optimiser(self._module, plan)
        self._losses, self._optimiser = fabric.setup(_Losses(job.task), self._inner)
        limit = plan.clip if job.config.clip is None else job.config.clip
        self._limit = limit or math.inf  # without a limit the norm is only measured

    def batch(self, store: WindowStore, rows: IntArray) -> Share:
        """This device's share of some windows; of fewer than there are devices, some take one that counts nothing."""
        share = rows[self._fabric.global_rank :: self._fabric.world_size]
        made = self._task.batch(store.take(share if len(share) else rows[:1]))
        weight = len(share) * self._fabric.world_size / len(rows)
        return Share({name: self._laid(tensor) for name, tensor in made.items()}, weight)

    def _laid(self, tensor: Tensor) -> Tensor:
        if self._channels_last and tensor.dim() in CHANNELS_LAST:
            return tensor.contiguous(memory_format=CHANNELS_LAST[tensor.dim()])
        return tensor

    def learn(self, batch: Share, rate: float, seed: int) -> Step:
        """Take one step for each part of the task that learns in turn, unless a loss or the gradient is not a number.

        Args:
            batch: From `batch`.
            rate: The learning rate.
            seed: Of what `losses` draws.
        """
        done = Step({}, 0.0)
        for _ in self._turns():
            step = self._step(batch, rate, seed)
            done = Step(done.losses | step.losses, max(done.norm, step.norm))
            if step.problem:
                return Step(done.losses, step.norm)
        return done

    def _turns(self) -> Iterator[int]:
        """Let each part of the task have its turn."""
        if not isinstance(self._task, Alternating):
            yield 0
            return
        for turn in range(self._task.turns):
            self._task.take_turn(turn)
            yield turn

    def _step(self, batch: Share, rate: float, seed: int) -> Step:
        self._module.train()
        for group in self._inner.param_groups:
            group["lr"] = rate
        self._optimiser.zero_grad()
        losses = self._forward(batch, seed)
        values = self._values(losses)
        if Step(values, 0.0).problem:
            return Step(values, 0.0)
        self._fabric.backward(torch.stack(list(losses.values())).sum())
        norm = self._fabric.clip_gradients(
            self._losses, self._optimiser, max_norm=self._limit, error_if_nonfinite=False
        )
        step = Step(values, math.nan if norm is None else float(norm))
        if not step.problem:
            self._optimiser.step()
        return step

    @torch.no_grad()
    def look(self, batch: Share, seed: int) -> Step:
        """The losses of a batch in evaluation mode; nothing is learned."""
        self._module.eval()
        values: dict[str, float] = {}
        for _ in self._turns():
            values |= self._values(self._forward(batch, seed))
        return Step(values, 0.0)

    def _forward(self, batch: Share, seed: int) -> Batch:
        torch.manual_seed(seed + self._fabric.global_rank)
        losses: Batch = self._losses(self._fabric.to_device(batch.tensors))
        return losses if self._fabric.world_size == 1 else {name: term * batch.weight for name, term in losses.items()}

    def _values(self, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """Each term, averaged over the devices so that all of them see the same."""
        together = torch.stack([term.detach().float() for term in losses.values()])
        if self._fabric.world_size > 1:
            together = torch.as_tensor(self._fabric.all_reduce(together, reduce_op="mean"))
        return dict(zip(losses, together.tolist(), strict=True))

    def module_state(self) -> dict[str, Tensor]:
        """A copy of what the module has learned."""
        return {name: tensor.detach().clone() for name, tensor in self._module.state_dict().items()}

    def state(self) -> dict[str, Tensor]:
        """All that the next step depends on."""
        module = {MODULE + name: tensor for name, tensor in self._module.state_dict().items()}
        optimiser = optimiser_tensors(self._module, self._inner)
        return module | {OPTIMISER + name: tensor for name, tensor in optimiser.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self._module.load_state_dict(chosen(state, MODULE))
        restore_optimiser(self._module, self._inner, chosen(state, OPTIMISER))

    def finish(self, best: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Put the module, with the values of `best` if there are any, on the CPU and into evaluation mode.

        Returns:
            The module's part of `state`.
        """
        if best:
            self._module.load_state_dict(best)
        self._module.to("cpu").to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self._module.eval()
        return {MODULE + name: tensor for name, tensor in self._module.state_dict().items()}


def _optimiser(module: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """What the plan asks for, over the parameters that learn."""
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if plan.optimiser == "sgd":
        return torch.optim.SGD(learning, plan.rate, plan.momentum, weight_decay=plan.weight_decay)
    kinds: dict[str, Any] = {"adam": torch.optim.Adam, "adamax": torch.optim.Adamax, "adagrad": torch.optim.Adagrad}
    optimiser: torch.optim.Optimizer = kinds[plan.optimiser](learning, lr=plan.rate, weight_decay=plan.weight_decay)
    return optimiser


def _convolves(module: nn.Module) -> bool:
    """Whether there is a convolution in two or three dimensions."""
    kinds = nn.Conv2d | nn.ConvTranspose2d | nn.Conv3d | nn.ConvTranspose3d
    return any(isinstance(layer, kinds) for layer in module.modules())
