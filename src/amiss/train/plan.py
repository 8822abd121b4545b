"""What is decided before the first step: the rate of each epoch, the batches, and what is held out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from amiss.config import TrainConfig
from amiss.methods.task import Plan
from amiss.types import IntArray
from amiss.windows.store import WindowPart, WindowStore

__all__ = ["batches_of", "rate_at", "settle", "split"]

LEAST_CLIPS = 4


def settle(plan: Plan, config: TrainConfig) -> Plan:
    """The method's plan with what the settings say in its place."""
    decay = plan.decay if config.schedule == "step" else 1.0
    epochs, batch, rate = config.epochs or plan.epochs, config.batch or plan.batch, config.rate or plan.rate
    return replace(plan, epochs=epochs, batch=batch, rate=rate, decay=decay)


def rate_at(plan: Plan, schedule: str, epoch: int) -> float:
    """The learning rate of an epoch, counted from 0."""
    if schedule == "cosine":
        return plan.rate * (1 + math.cos(math.pi * epoch / plan.epochs)) / 2
    return plan.rate * plan.decay ** (epoch // plan.decay_every)


def batches_of(count: int, size: int, seed: int, epoch: int) -> list[IntArray]:
    """All rows in an order that depends on seed and epoch only, in batches of about one size, none above `size`."""
    order = np.random.default_rng([seed, epoch]).permutation(count)
    return np.array_split(order, -(-count // size))


def split(store: WindowStore, share: float, seed: int) -> tuple[WindowStore, WindowStore]:
    """What to train on, and what to hold out: whole clips, or the end of each where there are few with windows.

    Args:
        store: Normal windows.
        share: Of the clips, or of each clip's windows; 0 holds nothing out.
        seed: Draws the clips.
    """
    parts = [part for part in store.parts if len(part)]
    if not share:
        return WindowStore(parts), WindowStore([])
    if len(parts) < LEAST_CLIPS:
        cuts = [_cut(part, share) for part in parts]
        before = [part.between(-np.inf, cut) for part, cut in zip(parts, cuts, strict=True)]
        return WindowStore(before), WindowStore([p.between(c, np.inf) for p, c in zip(parts, cuts, strict=True)])
    order = np.random.default_rng(seed).permutation(len(parts))
    count = min(max(1, round(share * len(parts))), len(parts) - 1)
    held = set(order[:count].tolist())
    kept = [part for index, part in enumerate(parts) if index not in held]
    return WindowStore(kept), WindowStore([parts[index] for index in sorted(held)])


def _cut(part: WindowPart, share: float) -> float:
    """The second from which a part of so large a share is held out; its first windows never are."""
    seconds = part.column("seconds")
    return max(float(np.quantile(seconds, 1 - share)), float(np.nextafter(seconds[0], np.inf)))
