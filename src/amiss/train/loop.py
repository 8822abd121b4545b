"""One training: epochs, what is held out, checkpoints, and how far it is."""

from __future__ import annotations

import math
import time
from contextlib import closing

import numpy as np
from lightning_fabric import Fabric
from torch import Tensor

from amiss.errors import TrainingError
from amiss.methods.base import Progress
from amiss.train.checkpoint import BEST, Checkpoint, Standing, chosen, write_history
from amiss.train.feed import prefetch
from amiss.train.job import Job
from amiss.train.learner import Learner, Step
from amiss.train.plan import batches_of, rate_at, settle

__all__ = ["Loop"]

SMOOTHING = 0.9
EARLY, EVERY = 20, 0.1
"""Each of the first so many steps is told, then one every so many seconds."""
HELD_OUT = 1 << 32
"""Stands for the epoch where the seeds of held-out windows are drawn."""


class Loop:
    """One training on the devices of a Fabric, from its checkpoint on if it has one.

    Args:
        fabric: Launched.
        job: What to train.
        checkpoint: Where it is kept.
        progress: Told how far it is.
    """

    def __init__(self, fabric: Fabric, job: Job, checkpoint: Checkpoint, progress: Progress) -> None:
        self._fabric, self._job, self._checkpoint, self._progress = fabric, job, checkpoint, progress
        self._plan = settle(job.task.plan, job.config)
        self._kept, self._held = job.store.split(job.config.holdout, job.seed)
        self._steps = -(-len(self._kept) // self._plan.batch)
        self._learner = Learner(fabric, self._plan, job)
        self._standing, self._best = Standing(), dict[str, Tensor]()
        self._saved = self._told = time.monotonic()

    def run(self) -> None:
        """Train to the end; the module then has the values that were chosen.

        Raises:
            TrainingError: A loss or a gradient is not a number.
        """
        self._resume()
        while self._standing.epoch < self._plan.epochs:
            self._epoch()
            self._close_epoch()
        self._standing.finished = True
        self._save(self._learner.finish(self._best))

    def _resume(self) -> None:
        if found := self._checkpoint.read():
            self._standing, tensors = found
            self._learner.restore(tensors)
            self._best = chosen(tensors, BEST)

    def _epoch(self) -> None:
        """The steps that are left of the present epoch."""
        standing = self._standing
        rate = rate_at(self._plan, self._job.config.schedule, standing.epoch)
        left = batches_of(len(self._kept), self._plan.batch, self._job.seed, standing.epoch)[standing.step :]
        begun = time.monotonic() - standing.seconds
        with closing(prefetch(lambda rows: self._learner.batch(self._kept, rows), left)) as feed:
            for rows, batch in zip(left, feed, strict=True):
                step = self._learner.learn(batch, rate, self._seed(standing.epoch, standing.step))
                self._check(step)
                standing.add(step.losses, len(rows), SMOOTHING)
                standing.seconds = time.monotonic() - begun
                if time.monotonic() - self._saved >= self._job.config.save_seconds:
                    self._save()
                self._tell()

    def _close_epoch(self) -> None:
        """Look at what is held out, note the epoch, and go on to the next."""
        standing = self._standing
        held = self._held_out()
        best = math.inf if standing.best is None else standing.best
        if self._job.config.choose == "best" and held is not None and held < best:
            standing.best, self._best = held, self._learner.module_state()
        standing.close(rate_at(self._plan, self._job.config.schedule, standing.epoch), held)
        self._save()
        self._tell()

    def _held_out(self) -> float | None:
        """Mean loss of the windows that were held out, or None if there are none."""
        if not len(self._held):
            return None
        batches = np.array_split(np.arange(len(self._held)), -(-len(self._held) // self._plan.batch))
        total = 0.0
        with closing(prefetch(lambda rows: self._learner.batch(self._held, rows), batches)) as feed:
            for number, (rows, batch) in enumerate(zip(batches, feed, strict=True)):
                step = self._learner.look(batch, self._seed(HELD_OUT, number))  # the same draws in every epoch
                self._check(step, "on held-out windows ")
                total += sum(step.losses.values()) * len(rows)
        return total / len(self._held)

    def _seed(self, epoch: int, step: int) -> int:
        """Of a step, whether or not those before it were taken in this run."""
        return int(np.random.SeedSequence([self._job.seed, epoch, step]).generate_state(1)[0])

    def _check(self, step: Step, where: str = "") -> None:
        """Stop where something is not a number."""
        if step.problem:
            standing, name = self._standing, self._job.task.name
            number = standing.step + (0 if where else 1)
            kept = f"the last good state is in {self._job.folder}" if self._checkpoint.read() else "no state was kept"
            raise TrainingError(
                f"training {name}: {step.problem} {where}at step {number} of epoch {standing.epoch + 1}; {kept}; "
                "lower train.rate or set train.clip"
            )

    def _save(self, tensors: dict[str, Tensor] | None = None) -> None:
        """Write checkpoint and history."""
        self._saved = time.monotonic()
        if self._fabric.is_global_zero:
            best = {BEST + name: tensor for name, tensor in self._best.items()}
            self._checkpoint.write(self._standing, self._learner.state() | best if tensors is None else tensors)
            write_history(self._job.folder, self._standing.history)

    def _tell(self) -> None:
        """Tell the first steps, then one now and then, and the end of each epoch."""
        standing, now = self._standing, time.monotonic()
        done = standing.epoch * self._steps + standing.step
        if done > EARLY and standing.step and now - self._told < EVERY:
            return
        self._told = now
        epoch = min(standing.epoch + 1, self._plan.epochs)
        text = f"training {self._job.task.name}: epoch {epoch} of {self._plan.epochs}, loss {standing.smoothed:.4g}"
        held = standing.history[-1]["held_out"] if standing.history else None
        if held is not None:
            text += f", held out {held:.4g}"
        self._progress(text, done, self._steps * self._plan.epochs)
