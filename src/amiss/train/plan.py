"""What is decided before the first step: the rate of each epoch, and the batches."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from amiss.config import TrainConfig
from amiss.methods.task import Plan
from amiss.types import IntArray

__all__ = ["batches_of", "rate_at", "settle"]


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
