"""The one training loop, for every method that trains networks."""

from amiss.train.trainer import FabricTrainer

__all__ = ["FabricTrainer"]
