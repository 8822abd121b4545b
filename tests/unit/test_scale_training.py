"""Training on the workers of a Ray cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from amiss.config import TrainConfig
from amiss.engine.progress import silent
from amiss.errors import TrainingError
from amiss.scale import RayLauncher
from amiss.train import FabricTrainer
from support_training import Plain, plainly, tiny_store, trainer_of


@pytest.fixture(autouse=True)
def _tasks_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers can import the tasks of these tests, as they can those of amiss."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))


def on_ray(folder: Path, devices: int = 2, **settings: float) -> FabricTrainer:
    config = TrainConfig(**{"precision": "32", "epochs": 2, "batch": 7, "holdout": 0.2, "devices": devices} | settings)
    return FabricTrainer(config, "cpu", folder, silent, RayLauncher("ray"))


def test_two_workers_learn_the_weights_that_one_process_learns(tmp_path: Path) -> None:
    store = tiny_store(tmp_path)
    alone = plainly(trainer_of(tmp_path / "1", epochs=2, batch=7, holdout=0.2), store)
    trainer = on_ray(tmp_path / "2")
    together = plainly(trainer, store)
    first = Plain().module.state_dict()
    for name, tensor in alone.module.state_dict().items():
        assert torch.allclose(tensor, together.module.state_dict()[name], rtol=1e-4, atol=1e-6), name
        assert not torch.allclose(tensor, first[name], rtol=1e-4, atol=1e-6), name
    assert trainer.trained["tiny"]["epochs"] == 2
    told: list[str] = []
    again = FabricTrainer(
        trainer._config, "cpu", tmp_path / "2", lambda what, *_: told.append(what), RayLauncher("none")
    )
    plainly(again, store)
    assert told == ["training tiny: was done before"]


def test_one_device_trains_here(tmp_path: Path) -> None:
    """Without any cluster."""
    trainer = on_ray(tmp_path / "1", devices=1)
    plainly(trainer, tiny_store(tmp_path))
    assert trainer.trained["tiny"]["epochs"] == 2


def test_a_loss_that_is_not_a_number_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="picture"):
        plainly(on_ray(tmp_path / "bad", rate=1e30), tiny_store(tmp_path))
