"""Where a training is: on disk without pickle, whole or not at all.

`checkpoint.json` names the file of tensors that belongs to it and its hash. The tensors are written first, under a new
name, so at any moment the JSON that is there stands for a whole state.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from amiss.storage import whole_file

__all__ = [
    "BEST",
    "MODULE",
    "OPTIMISER",
    "Checkpoint",
    "Standing",
    "chosen",
    "optimiser_tensors",
    "restore_optimiser",
    "write_history",
]

MODULE, OPTIMISER, BEST = "module.", "optimiser.", "best."
"""How the names of tensors in a checkpoint begin."""

INDEX, HISTORY = "checkpoint.json", "history.jsonl"

log = logging.getLogger(__name__)


@dataclass
class Standing:
    """How far a training is; all of it fits into JSON.

    Attributes:
        epoch: The present epoch, from 0.
        step: Steps done in it.
        sums: Each term of the loss, added up over the windows of this epoch.
        windows: Windows learned from in this epoch.
        seconds: Time spent on this epoch.
        smoothed: The loss, smoothed over some ten steps; None before the first.
        best: Least loss on what was held out; None before there is one.
        history: What is noted of each epoch that is over.
        finished: Whether the training is over.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    windows: int = 0
    seconds: float = 0.0
    smoothed: float | None = None
    best: float | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    finished: bool = False

    def add(self, losses: Mapping[str, float], windows: int, smoothing: float) -> None:
        """A step is done that learned from so many windows."""
        self.step += 1
        self.windows += windows
        self.sums = {name: self.sums.get(name, 0.0) + value * windows for name, value in losses.items()}
        total = sum(losses.values())
        before = total if self.smoothed is None else self.smoothed
        self.smoothed = smoothing * before + (1 - smoothing) * total

    def close(self, rate: float, held_out: float | None) -> None:
        """Note the epoch, and begin the next."""
        losses = {name: value / self.windows for name, value in self.sums.items()}
        noted = {"epoch": self.epoch + 1, "losses": losses, "loss": sum(losses.values()), "held_out": held_out}
        self.history.append(noted | {"rate": rate, "seconds": round(self.seconds, 3)})
        self.epoch, self.step, self.windows, self.seconds, self.sums = self.epoch + 1, 0, 0, 0.0, {}


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of one training in a folder.

    Attributes:
        folder: Where; made when first written.
        key: Stands for the task, the windows and the settings; a checkpoint under another key is not taken.
    """

    folder: Path
    key: str

    def write(self, standing: Standing, tensors: Mapping[str, Tensor]) -> None:
        """Put a state in the place of the one before.

        Raises:
            StorageError: It cannot be written; the one before is still there.
        """
        # Tied weights share memory, which the format refuses.
        content = save({name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()})
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        path = self.folder / f"state-{digest}.safetensors"
        with whole_file(path) as partial:
            partial.write_bytes(content)
        index = {"key": self.key, "tensors": path.name, "hash": digest, **asdict(standing)}
        with whole_file(self.folder / INDEX) as partial:
            partial.write_text(json.dumps(index, indent=1), encoding="utf-8")
        for old in self.folder.glob("state-*.safetensors"):
            if old != path:
                old.unlink(missing_ok=True)

    def read(self) -> tuple[Standing, dict[str, Tensor]] | None:
        """The state that is there, or None if there is none, it is damaged, or it is of another training."""
        path = self.folder / INDEX
        if not path.exists():
            return None
        try:
            index = json.loads(path.read_text(encoding="utf-8"))
            if index["key"] != self.key:
                log.info("the checkpoint in %s is of another training; this one begins anew", self.folder)
                return None
            standing = Standing(**{item.name: index[item.name] for item in fields(Standing)})
            return standing, load(self._content(index["tensors"], index["hash"]))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            log.warning("the checkpoint in %s is damaged (%s); training begins anew", self.folder, error)
            return None

    def _content(self, name: str, digest: str) -> bytes:
        content = (self.folder / name).read_bytes()
        if hashlib.blake2b(content, digest_size=16).hexdigest() != digest:
            raise ValueError(f"{name} was altered")
        return content


def chosen(tensors: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `kind`, without it."""
    return {name.removeprefix(kind): tensor for name, tensor in tensors.items() if name.startswith(kind)}


def write_history(folder: Path, history: list[dict[str, Any]]) -> None:
    """Write what was noted of each epoch, a line each."""
    with whole_file(folder / HISTORY) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in history), encoding="utf-8")


def optimiser_tensors(module: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state that the optimiser keeps of each parameter, by `PARAMETER|NAME`."""
    return {
        f"{name}|{kind}": value
        for name, parameter in module.named_parameters()
        for kind, value in optimiser.state.get(parameter, {}).items()
        if value is not None  # a momentum before the first step
    }


def restore_optimiser(module: nn.Module, optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Take back what `optimiser_tensors` gave."""
    for name, parameter in module.named_parameters():
        kept = chosen(tensors, f"{name}|")
        kept |= {kind: _laid(value, parameter) for kind, value in kept.items() if kind != "step"}
        if kept:
            optimiser.state[parameter] = kept


def _laid(value: Tensor, parameter: Tensor) -> Tensor:
    """In memory like the parameter, as the optimiser does it itself; else sums might differ in the last bit."""
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
