"""The trainer of a method, and where its checkpoints lie."""

from __future__ import annotations

from amiss.config import Config
from amiss.methods import Method
from amiss.methods.base import Progress
from amiss.perception.cache import content_key, default_cache
from amiss.pipeline import resolve_device
from amiss.train import FabricTrainer, Launcher
from amiss.windows.store import WindowStore

__all__ = ["make_trainer"]


def make_trainer(
    method: Method, store: WindowStore, config: Config, progress: Progress, launcher: Launcher | None = None
) -> FabricTrainer:
    """A trainer whose checkpoints are found again by the same method with the same settings, windows and seed.

    Args:
        method: Who will train.
        store: On what.
        config: Settings of the run.
        progress: Told how far each training is.
        launcher: Runs each training; on this machine when left out.

    Raises:
        ConfigError: The device does not exist.
    """
    training = config.train.model_dump(exclude={"save_seconds"})
    settings = method.settings.model_dump(mode="json", exclude=set(method.after_training))
    key = content_key(method.id, settings, training, config.seed, store.fingerprint())
    folder = (config.cache or default_cache()) / "training" / key
    return FabricTrainer(config.train, str(resolve_device(config.device)), folder, progress, launcher)
