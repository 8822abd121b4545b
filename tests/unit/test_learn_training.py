"""A method that trains a network, learned as any other."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from amiss.config import Config
from amiss.engine import learn
from amiss.engine.model import make_method
from amiss.engine.progress import silent
from amiss.engine.training import make_trainer
from amiss.methods import METHODS
from amiss.methods.attributes import Attributes, AttributesSettings
from amiss.methods.base import Progress
from amiss.methods.task import Trainer
from amiss.windows.needs import Needs
from amiss.windows.store import WindowStore
from support import SMALL, config_of, parts_of, walkers
from support_training import NEEDS, Tiny

CLIPS = [walkers(f"clip{seed}", seed, length=12) for seed in range(5)]


class Painter(Attributes):
    """The attributes, with a small network that they do not use."""

    quick = False

    @property
    def needs(self) -> Needs:
        return NEEDS

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        self.task = Tiny(seed)
        trainer(self.task, store, seed)
        super().fit(store, seed=seed, progress=progress, trainer=trainer)


def painter(name: str, config: Config) -> Painter:
    return Painter(AttributesSettings.build(config.method))


def test_a_model_says_how_it_was_trained_and_training_is_not_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[learn.__module__], "make_method", painter)
    config = config_of(tmp_path, CLIPS, method={"parts": ["size"]}, train={"epochs": 2, "precision": "32"})
    told: list[str] = []
    model = learn(CLIPS, config=config, progress=lambda what, *_: told.append(what))
    again = learn(CLIPS, config=config)
    model.save(tmp_path / "model")
    kept = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))["learned"]["training"]
    assert kept == model.learned["training"] == again.learned["training"]
    assert kept["tiny"]["epochs"] == 2
    assert any(text.startswith("training tiny: epoch 2 of 2, loss") for text in told)
    assert isinstance(again.method, Painter)
    assert not again.method.task.training
    assert len(list((tmp_path / "cache" / "training").glob("*/tiny/history.jsonl"))) == 1


def test_the_place_of_checkpoints_depends_on_all_that_is_learned_from(tmp_path: Path) -> None:
    config = config_of(tmp_path, CLIPS)
    parts = parts_of(CLIPS, NEEDS, config)

    def place(parts: list, **changes: object) -> str:
        changed = Config.build(config.model_dump() | changes)
        return str(make_trainer(painter("", changed), WindowStore(parts), changed, silent)._folder)

    places = [
        place(parts),
        place(parts[1:]),
        place(parts, seed=1),
        place(parts, train={"epochs": 7}),
        place(parts, method={"parts": ["place"]}),
    ]
    assert len(set(places)) == 5
    assert place(parts) == place(parts, train={"save_seconds": 1}) == places[0]


def test_methods_that_train_nothing_say_nothing_of_it(tmp_path: Path) -> None:
    config = config_of(tmp_path, CLIPS, method={"parts": ["velocity"]})
    assert "training" not in learn(CLIPS, config=config).learned
    assert not (tmp_path / "cache" / "training").exists()


@pytest.mark.parametrize("name", list(METHODS))
def test_a_setting_that_comes_after_training_needs_none_anew(tmp_path: Path, name: str) -> None:
    """Every setting that a method says so of is one that it has; with another value its folder is the same."""
    kind = METHODS[name]
    config = config_of(tmp_path, CLIPS)
    store = WindowStore(parts_of(CLIPS[:1], make_method(name, config).needs, config))

    def folder(**settings: Any) -> str:
        method = kind(kind.settings_type.build(settings))
        return str(make_trainer(method, store, config, silent)._folder)

    other = {"examples": 5, "near": 1, "top": 2, "measure": "cosine", "error": "squared", "at": "last"}
    other |= {"memory": 10, "frames": "segments", "weights": "equal"}
    other |= {"combine": "sum" if name == "mgenet" else "cauchy"}
    for setting in kind.after_training:
        usual = kind.settings_type.model_fields[setting].default
        changed = other.get(setting, not usual if isinstance(usual, bool) else 0.77)
        assert folder(**{setting: changed}) == folder(), setting
    if name in SMALL:
        assert folder(**SMALL[name]["method"]) != folder()
