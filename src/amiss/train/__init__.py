"""The one training loop, for every method that trains networks."""

from amiss.train.trainer import FabricTrainer, Launcher

__all__ = ["FabricTrainer", "Launcher"]
